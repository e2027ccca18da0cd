"""Rosters (花名册): read, check every row, show what would come of it, then enrol all good rows in one transaction.

Set-based: a constant number of statements however many rows. Bad rows are reported each with its reasons, in the
same sheet with a column more, ready to be corrected and uploaded; none is saved half.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from members.facts import cover_period, previous_ends, waiting
from members.models import Enrolment, Member, Roster, RosterRow, WorkUnit
from members.services.contributions import raise_due
from members.services.people import NewPerson, id_hash, register_members
from members.transitions import LIVE
from programs.models import Terms
from programs.rules.eligibility import FAIL, UNKNOWN, judge
from programs.rules.facts import PersonFacts, UnitFacts
from programs.rules.fees import contribution, participation_ok, split
from programs.rules.schedule import Schedule
from programs.selectors import schedule_of
from unionaid.lib.identity import IdentityError, IdNumber, mask_id, parse_id_number, parse_person_name, parse_phone
from unionaid.lib.money import fen_from_yuan, round_half_up
from unionaid.lib.spreadsheet import Column, Sheet, SpreadsheetError, Table, read_table, write_workbook
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere
from unionaid.web.keys import ring
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.moves import MoveRefused, move, record

ROWS = "members_rosterrow"
# zh: the roster's own words: columns and their synonyms, what cells may say
COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("姓名", "职工姓名", "名字"),
    "id_number": ("身份证号", "身份证号码", "证件号码", "公民身份号码", "身份证"),
    "phone": ("手机号", "手机号码", "联系电话", "手机", "电话"),
    "employment": ("在职情况", "人员类别", "职工类别", "用工性质"),
    "insurance": ("基本医疗保险", "是否参加基本医疗保险", "医保"),
    "union": ("工会会员", "是否工会会员", "会员"),
    "shares": ("份数", "参加份数"),
}
REQUIRED = ("name", "id_number")
TITLES = {key: names[0] for key, names in COLUMNS.items()}
# zh: as above
EMPLOYMENT_WORDS = {
    "": "",
    "企业在职": "enterprise",
    "企业": "enterprise",
    "在职": "",
    "事业单位在职": "institution",
    "事业单位": "institution",
    "机关": "institution_subsidised",
    "享受公务员医疗补助": "institution_subsidised",
    "退休": "retired",
    "已退休": "retired",
}
# zh: as above
YES, NO = {"是", "有", "已参加", "y", "yes", "1", "√"}, {"否", "无", "没有", "未参加", "n", "no", "0", "×"}


class RosterRefused(MoveRefused):
    """The roster is not taken; the message says why."""


@dataclass
class Row:
    """One line as read and judged."""

    number: int
    said: dict[str, str]
    name: str = ""
    id_number: IdNumber | None = None
    phone: str | None = None
    shares: int = 1
    employment: str = ""
    insurance: bool | None = None
    union: bool | None = None
    reasons: list[str] = field(default_factory=list)

    @property
    def hashed(self) -> bytes | None:
        return id_hash(self.id_number.number) if self.id_number else None


def upload(*, unit: WorkUnit, terms: Terms, data: bytes, file_name: str, by: Actor, on: date) -> Roster:
    """Take a roster file and have it checked in the background. The same file for the same terms is taken once."""
    if unit.state != "approved":
        raise RosterRefused(_("单位登记还没有通过审核，通过后才能上传名册。"))
    if not data:
        raise RosterRefused(_("文件是空的，请重新选择名册文件。"))
    digest = hashlib.sha256(data).hexdigest()
    try:
        with transaction.atomic():
            roster = Roster.objects.create(
                office_id=unit.office_id,
                unit=unit,
                terms=terms,
                file=ContentFile(data, name="roster.bin"),
                file_name=file_name[:200],
                file_sha256=digest,
                uploaded_by_id=by.user_id,
            )
    except IntegrityError as error:
        if "roster_file_once" not in str(error):
            raise
        raise RosterRefused(_("这份名册已经上传过，请在名册列表中查看；改过内容后可以再传。")) from error
    record([roster], "upload", by=by)
    enqueue("members.check_roster", [(roster.pk, f"members.check_roster:{roster.pk}", roster)], by=by)
    return roster


def check(roster_id: int, *, by: Actor, on: date) -> None:
    """Read the file, judge every row, keep the outcome, and make the result sheet. Running it again does nothing."""
    roster = Roster.objects.select_for_update(of=("self",)).select_related("unit", "terms__program").get(pk=roster_id)
    if roster.state != "uploaded":
        return
    with roster.file.open() as stored:
        data = stored.read()
    try:
        table = read_table(data, roster.file_name)
        rows = read_rows(table)
    except SpreadsheetError as error:
        move([roster], "refuse", by=by, changes={"message": str(error)})
        return
    schedule = schedule_of(roster.terms)
    _judge(rows, roster, schedule, on=on)
    good = [row for row in rows if not row.reasons]
    note = _participation(schedule, roster.unit, good)
    _keep_rows(roster, rows)
    roster.result_file.save("result.xlsx", ContentFile(result_sheet(rows, roster)), save=True)
    total = sum(_fee(schedule, row) for row in good)
    counts = {"row_count": len(rows), "good_count": len(good), "bad_count": len(rows) - len(good), "total_fen": total}
    move([roster], "check", by=by, changes={**counts, "message": note})


def confirm(roster: Roster, *, by: Actor) -> Roster:
    """The agent has seen the preview and says yes: the good rows are enrolled in the background."""
    if roster.good_count == 0:
        raise RosterRefused(_("名册里没有可以参加的人，请按原因改正后重新上传。"))
    return move([roster], "confirm", by=by)[0]


def cancel(roster: Roster, *, by: Actor) -> Roster:
    """The agent puts the roster aside before anyone is enrolled; its staged numbers are thrown away."""
    gone = move([roster], "cancel", by=by)[0]
    RosterRow.objects.filter(roster=roster).update(id_number=None, phone=None)
    return gone


def commit(roster_id: int, *, by: Actor, on: date) -> None:
    """Enrol every good row, write what is due, all in this transaction. Running it again does nothing.

    A person who got cover elsewhere since the check is reported as a bad row and not enrolled.
    """
    with everywhere(reason="enrol a roster's people, who may be known elsewhere"):
        roster = Roster.objects.select_for_update(of=("self",)).select_related("unit", "terms__program").get(pk=roster_id)
        if roster.state != "committing":
            return
        schedule = schedule_of(roster.terms)
        staged = list(roster.rows.filter(outcome="good").order_by("row_number"))
        people = {row.pk: _person(row, roster) for row in staged}
        members = register_members(list(people.values()))
        enrolled, late = _enrol_rows(roster, schedule, staged, people, members, on=on)
        amounts = _amounts(schedule, [(e, members[people[row.pk].id_number.number]) for row, e in enrolled])
        raise_due(office_id=roster.office_id, unit=roster.unit, member=None, roster=roster, amounts=amounts)
        counts = {
            "good_count": len(enrolled),
            "bad_count": roster.bad_count + late,
            "total_fen": sum(amounts.values()),
        }
        move([roster], "commit", by=by, changes=counts, details={"enrolled": len(enrolled), "late": late})


def read_rows(table: Table) -> list[Row]:
    """The rows by the header's words, in any order of columns. SpreadsheetError when a needed column is missing."""
    places: dict[str, int] = {}
    for i, title in enumerate(table.header):
        plain = "".join(title.split()).rstrip("*＊")
        for key, names in COLUMNS.items():
            if plain in names and key not in places:
                places[key] = i
    missing = [TITLES[key] for key in REQUIRED if key not in places]
    if missing:
        raise SpreadsheetError(_("名册缺少这些列：{columns}。请使用下载的名册模板。").format(columns="、".join(missing)))
    if not table.rows:
        raise SpreadsheetError(_("名册里没有职工，请从表头下一行开始填写。"))
    return [
        _read_row(number, {key: cells[i] for key, i in places.items()})
        for number, cells in zip(table.numbers, table.rows, strict=True)
    ]


def _read_row(number: int, said: dict[str, str]) -> Row:
    row = Row(number, said)
    try:
        row.name = parse_person_name(said["name"])
    except IdentityError as error:
        row.reasons.append(error.message)
    try:
        row.id_number = parse_id_number(said["id_number"])
    except IdentityError as error:
        row.reasons.append(error.message)
    if said.get("phone"):
        try:
            row.phone = parse_phone(said["phone"])
        except IdentityError as error:
            row.reasons.append(error.message)
    _read_answers(row, said)
    return row


def _read_answers(row: Row, said: Mapping[str, str]) -> None:
    employment = said.get("employment", "").strip()
    if employment in EMPLOYMENT_WORDS:
        row.employment = EMPLOYMENT_WORDS[employment]
    else:
        row.reasons.append(_("在职情况“{word}”不能识别，请填“企业在职”“事业单位在职”或“退休”").format(word=employment[:20]))
    for key, title in (("insurance", TITLES["insurance"]), ("union", TITLES["union"])):
        answer = said.get(key, "").strip().lower()
        if answer in YES:
            setattr(row, key, True)
        elif answer in NO:
            setattr(row, key, False)
        elif answer:
            row.reasons.append(_("“{title}”请填“是”或“否”").format(title=title))
    shares = said.get("shares", "").strip()
    if shares:
        if shares.isascii() and shares.isdigit() and 1 <= int(shares) <= 99:
            row.shares = int(shares)
        else:
            row.reasons.append(_("份数应为 1 到 99 的整数"))


def _facts(row: Row, unit: WorkUnit) -> PersonFacts:
    """What the list does not say is taken from the unit: its kind of employer, and that its union enrols its members."""
    assert row.id_number is not None
    by_unit = {"enterprise": "enterprise", "institution": "institution"}.get(unit.nature, "institution_subsidised")
    if unit.civil_servant_subsidy:
        by_unit = "institution_subsidised"
    return PersonFacts(
        birth_date=row.id_number.birth_date,
        gender=row.id_number.gender,
        employment=row.employment or by_unit,
        union_member=True if row.union is None else row.union,
        basic_insurance=True if row.insurance is None else row.insurance,
    )


def _judge(rows: list[Row], roster: Roster, schedule: Schedule, *, on: date) -> None:
    cover = cover_period(schedule, on=on) if on < schedule.period.end else schedule.period
    first_seen: dict[bytes, int] = {}
    for row in rows:
        if row.hashed is None:
            continue
        if row.hashed in first_seen:
            row.reasons.append(_("与第 {row} 行是同一个身份证号").format(row=first_seen[row.hashed]))
        first_seen.setdefault(row.hashed, row.number)
        assert row.id_number is not None
        if row.id_number.birth_date > on:
            row.reasons.append(_("身份证号中的出生日期在今天之后"))
        verdicts = judge(
            schedule, person=_facts(row, roster.unit), on=on, cover_start=cover.start, shares=row.shares
        )
        row.reasons += [v.sentence.zh for v in verdicts if v.outcome in (FAIL, UNKNOWN)]
    _judge_known(rows, roster, cover.start, cover.end)


def _judge_known(rows: list[Row], roster: Roster, start: date, end: date) -> None:
    """Two statements: who is known under another name, who is covered on some of these days already."""
    by_hash = {row.hashed: row for row in rows if row.hashed and not row.reasons}
    with everywhere(reason="hold a roster against people and covers known elsewhere"):
        known = dict(Member.objects.filter(id_hash__in=list(by_hash)).values_list("id_hash", "name"))
        covered = Enrolment.objects.filter(
            member__id_hash__in=list(by_hash),
            program_id=roster.terms.program_id,
            state__in=LIVE,
            cover__overlap=DateRange(start, end),
        ).values_list("member__id_hash", "unit_id")
        for hashed, unit_id in covered:
            here = unit_id == roster.unit_id
            by_hash[bytes(hashed)].reasons.append(
                _("本单位已为此人参加过这个计划，不能重复参加") if here else _("此人在这段时间已参加这个计划，不能重复参加")
            )
    for hashed, name in known.items():
        row = by_hash[bytes(hashed)]
        if name != row.name:
            row.reasons.append(_("这个身份证号此前登记的姓名不同，请对照身份证核对；姓名确有更改请联系办事处"))


def _participation(schedule: Schedule, unit: WorkUnit, good: Sequence[Row]) -> str:
    rule = schedule.enrolling.unit
    if rule is None:
        return ""
    staff = unit.women_count if schedule.enrolling.gender == "female" else unit.headcount
    if not participation_ok(rule, UnitFacts(eligible_staff=staff, enrolling=len(good))):
        return _("注意：应参加 {staff} 人，名册中可以参加 {count} 人，没有达到本计划的参加比例。").format(
            staff=staff, count=len(good)
        )
    return ""


def _fee(schedule: Schedule, row: Row) -> int:
    assert row.id_number is not None
    person = PersonFacts(birth_date=row.id_number.birth_date, gender=row.id_number.gender)
    return fen_from_yuan(round_half_up(contribution(schedule, person, row.shares)))


def _keep_rows(roster: Roster, rows: Sequence[Row]) -> None:
    """Stage the rows; each number is sealed to its roster and row."""
    keys = ring()
    RosterRow.objects.bulk_create(
        [
            RosterRow(
                roster=roster,
                row_number=row.number,
                name=(row.name or row.said.get("name", ""))[:200],
                id_masked=mask_id(row.id_number.number) if row.id_number else mask_id(row.said.get("id_number", "")[:40]),
                id_number=keys.seal(row.id_number.number, bound_to=(ROWS, "id_number", f"{roster.pk}:{row.number}"))
                if row.id_number and not row.reasons
                else None,
                id_hash=row.hashed,
                phone=keys.seal(row.phone, bound_to=(ROWS, "phone", f"{roster.pk}:{row.number}")) if row.phone else None,
                gender=row.id_number.gender if row.id_number else "",
                birth_date=row.id_number.birth_date if row.id_number else None,
                shares=row.shares,
                facts={"employment": row.employment, "insurance": row.insurance, "union": row.union},
                outcome="bad" if row.reasons else "good",
                reasons=row.reasons,
            )
            for row in rows
        ],
        batch_size=5000,
    )


def result_sheet(rows: Sequence[Row], roster: Roster) -> bytes:
    """The uploaded list with a column of outcomes: correct the red ones and upload it again."""
    columns = [Column(_("原行号"), "count", 8), *(Column(title, "text", 20) for title in TITLES.values())]
    columns.append(Column(_("核对结果"), "text", 60))
    lines: list[list[Any]] = [
        [row.number, *(row.said.get(key, "") for key in COLUMNS), "；".join(row.reasons) or _("可以参加")] for row in rows
    ]
    out = io.BytesIO()
    write_workbook(out, [Sheet(_("核对结果"), f"{roster.unit.name} · {roster.terms.program.title}", columns, lines)])
    return out.getvalue()


# zh: as above
EXAMPLE = ("张三（示例，请删除）", "360426199101010071", "13800138000", "企业在职", "是", "是", "1")


def template_sheet(schedule: Schedule) -> bytes:
    """An empty roster with its header and one example line."""
    columns = [Column(title, "text", 22) for title in TITLES.values()]
    out = io.BytesIO()
    write_workbook(out, [Sheet(_("名册"), _("{name}名册").format(name=schedule.name.zh), columns, [list(EXAMPLE)])])
    return out.getvalue()


def _person(row: RosterRow, roster: Roster) -> NewPerson:
    keys = ring()
    number = keys.open_text(row.id_number, bound_to=(ROWS, "id_number", f"{roster.pk}:{row.row_number}"))
    phone = keys.open_text(row.phone, bound_to=(ROWS, "phone", f"{roster.pk}:{row.row_number}")) if row.phone else None
    said = row.facts
    nature = roster.unit.nature if roster.unit.nature in ("enterprise", "institution") else "institution_subsidised"
    return NewPerson(
        name=row.name,
        id_number=IdNumber(number, row.birth_date, row.gender),
        phone=phone,
        employment=said["employment"] or nature,
        basic_insurance=True if said["insurance"] is None else said["insurance"],
        union_member=True if said["union"] is None else said["union"],
        office_id=roster.office_id,
        unit_id=roster.unit_id,
    )


def _enrol_rows(
    roster: Roster,
    schedule: Schedule,
    staged: Sequence[RosterRow],
    people: Mapping[int, NewPerson],
    members: Mapping[str, Member],
    *,
    on: date,
) -> tuple[list[tuple[RosterRow, Enrolment]], int]:
    """Insert the covers; who is covered already (the database decides) becomes a bad row."""
    cover = cover_period(schedule, on=on)
    of_row = {row.pk: members[people[row.pk].id_number.number] for row in staged}
    ends = previous_ends([m.pk for m in of_row.values()], roster.terms, before=cover.start)
    planned = []
    for row in staged:
        member = of_row[row.pk]
        until, waived = waiting(schedule, cover.start, ends.get(member.pk))
        person = PersonFacts(birth_date=member.birth_date, gender=member.gender)
        fee = fen_from_yuan(round_half_up(contribution(schedule, person, row.shares)))
        planned.append(
            Enrolment(
                office_id=roster.office_id,
                member=member,
                holder=member,
                unit_id=roster.unit_id,
                program_id=roster.terms.program_id,
                terms_id=roster.terms_id,
                roster=roster,
                shares=row.shares,
                cover=DateRange(cover.start, cover.end),
                waiting_until=until,
                waiting_waived=waived,
                first_time=member.pk not in ends,
                contribution_fen=fee,
            )
        )
    Enrolment.objects.bulk_create(planned, ignore_conflicts=True, batch_size=5000)
    made = {e.member_id: e for e in Enrolment.objects.filter(roster=roster)}
    kept, late = [], []
    for row in staged:
        row.member = of_row[row.pk]
        if row.member_id in made:
            row.outcome = "enrolled"
            kept.append((row, made[row.member_id]))
        else:
            row.outcome, row.reasons = "bad", [_("核对之后，此人已在别处参加这个计划，不能重复参加")]
            late.append(row)
        row.id_number = row.phone = None  # the person's own record keeps them now
    RosterRow.objects.bulk_update(staged, ["member", "outcome", "reasons", "id_number", "phone"], batch_size=2000)
    return kept, len(late)


def _amounts(schedule: Schedule, enrolled: Sequence[tuple[Enrolment, Member]]) -> dict[str, int]:
    """What each payer owes for all together; a payer the fund has no account with (city, school …) pays through the union."""
    totals: dict[str, int] = {}
    for enrolment, member in enrolled:
        person = PersonFacts(birth_date=member.birth_date, gender=member.gender)
        for payer, amount in split(schedule, person, enrolment.shares, default="unit").items():
            name = payer if payer in ("person", "unit", "union") else "union"
            totals[name] = totals.get(name, 0) + fen_from_yuan(round_half_up(amount))
    if "person" in totals:  # the unit collects its workers' parts and transfers them
        totals["unit"] = totals.pop("person") + totals.get("unit", 0)
    return totals


