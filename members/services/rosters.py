"""Rosters (花名册): taken in, checked line by line, shown with what would come of them, then enrolled in one transaction.

Set-based (`roster_tables.py`, `roster_enrolling.py`): the same number of statements however many lines. The rules of the plan run
in SQL over the staged lines; for those that do not pass, the same rules in Python say why. Bad lines come back in the template's columns
with their reasons, ready to be corrected and uploaded; none is saved half.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import Enrolment, Member, Roster, RosterRow, WorkUnit
from members.selectors.whole_units import common_shares, whole_of
from members.services import departures, participation, problem_sheets
from members.services import roster_enrolling as enrolling
from members.services import roster_staging as staging
from members.services import roster_tables as tables
from members.services.agent_news import tell_agents
from members.services.contributions import raise_due, settle_what_is_free
from members.services.enrolment import no_term_words
from members.services.participation import RuleUnmet, hold, refuse_unmet, words_of
from members.services.people import numbers_of
from members.services.roster_files import hidden_lines, unread_sheets
from members.services.roster_rows import Lines, RosterUnreadable, Row, facts_of, line_of, read_header, template_sheet
from programs.models import Terms
from programs.rules.eligibility import FAIL, UNKNOWN, judge
from programs.rules.facts import PersonFacts
from programs.rules.fees import FeeFactMissing, NoFeeClass, chosen_split, contribution, fee_class, split
from programs.rules.schedule import Schedule, TermNotOffered
from programs.selectors import schedule_of
from unionaid.lib.calendar import Period, day_of, today
from unionaid.lib.memory import without_collector
from unionaid.lib.money import fen_from_yuan, round_half_up, yuan_from_fen
from unionaid.lib.spreadsheet import Column, Sheet, SpreadsheetError, read_table, write_workbook
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere
from unionaid.web.said import each_in_every_language, in_every_language, spoken
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.moves import Conflict, MoveRefused, move, record

TOLD_EVERY = 5_000


class RosterRefused(MoveRefused):
    """The roster is not taken; the message says why."""


class Tell(Protocol):
    """Says on the job's page what is being done, while it is being done."""

    def __call__(self, stage: str, *, done: int = 0, total: int = 0) -> None: ...


def _quiet(stage: str, *, done: int = 0, total: int = 0) -> None:
    """Nobody is watching."""


def upload(
    *, unit: WorkUnit, terms: Terms, data: bytes, file_name: str, by: Actor, on: date, term_months: int | None = None,
    person_fen: int | None = None,
) -> Roster:
    """Take a roster file and have it checked in the background. The same file for the same terms is taken once.
    `term_months`: the length of cover that the unit chooses for all on it, where the plan offers several. `person_fen`:
    each person's part of a share as the unit sets it, where the plan lets it; none: as the plan says."""
    if unit.state != "approved":
        raise RosterRefused(_("单位登记还没有通过审核，通过后才能上传名册。"))
    if not data:
        raise RosterRefused(_("文件是空的，请重新选择名册文件。"))
    try:
        term = schedule_of(terms).term(term_months)
    except TermNotOffered as error:
        raise RosterRefused(no_term_words()) from error
    _refuse_split(schedule_of(terms), term, person_fen)
    digest = hashlib.sha256(data).hexdigest()
    try:
        with transaction.atomic():
            roster = Roster.objects.create(
                office_id=unit.office_id,
                unit=unit,
                terms=terms,
                term_months=term,
                person_fen=person_fen,
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


def _refuse_split(schedule: Schedule, term: int | None, person_fen: int | None) -> None:
    """The unit sets the person's part only where the plan lets it, and within its bounds."""
    if person_fen is None:
        return
    choice = chosen_split(schedule, term_months=term)
    if choice is None:
        raise RosterRefused(_("这个计划的互助费由谁缴多少已有规定，单位不能另选。"))
    if not choice.least <= yuan_from_fen(person_fen) <= choice.most:
        raise RosterRefused(_("每份由个人缴的要在 {least} 到 {most} 元之间。").format(least=choice.least, most=choice.most))


def check(roster_id: int, *, by: Actor, on: date, tell: Tell = _quiet) -> None:
    """Read the file, judge every line, keep the outcome. Running it again does nothing.

    The roster's row is free meanwhile, so that the agent may put it aside: then the work ends with its next stage, and nothing of it
    is kept.
    """
    whole = everywhere(reason="hold a roster against people and covers known elsewhere")
    with suppress(_PutAside, Conflict), whole, without_collector():
        roster = Roster.objects.select_related("unit", "terms__program").get(pk=roster_id)
        _still_wanted(roster)
        tell(_("读取文件"))
        with roster.file.open() as stored:
            data = stored.read()
        unread: list[Promise] = []
        try:
            table = read_table(data, roster.file_name)
            unread = unread_sheets(table)
            reading = read_header(table, on=on)
            hidden = hidden_lines(table, reading.numbers)
        except (SpreadsheetError, RosterUnreadable) as error:
            words = error.words if isinstance(error, RosterUnreadable) else str(error)
            move([roster], "refuse", by=by, changes={"message": in_every_language([words, *unread])})
            _tell_unreadable(roster)
            return
        _still_wanted(roster)
        lines = Lines(reading, roster.unit, schedule_of(roster.terms))
        known, notes = _judge(lines, roster, on=on, tell=tell)
        tell(_("与上期名单比对"), done=len(lines), total=len(lines))
        every, good, total = tables.counts(roster)
        cover = _cover(roster, on=on)
        left = len(tables.left_members(roster, cover.start)) if cover else 0
        changes: dict[str, Any] = {"row_count": every, "good_count": good, "bad_count": every - good, "checked_on": on}
        changes |= {"total_fen": total, "left_count": left, "known_count": known}
        move([roster], "check", by=by, changes={**changes, "message": in_every_language([*unread, *hidden, *notes])})
        if roster.bad_count:
            _tell_problems(roster)


def _tell_unreadable(roster: Roster) -> None:
    text = gettext_lazy("“{unit}”的名册“{file}”读不了，没有登记任何人。请打开名册看原因，改好后重新上传。")
    tell_agents(roster.unit, gettext_lazy("名册无法读取"), text, link=f"/unit/rosters/{roster.pk}", file=roster.file_name)


def _tell_problems(roster: Roster) -> None:
    text = gettext_lazy("“{unit}”的名册“{file}”核对完了：可以参加 {good} 人，有问题 {bad} 人。请打开名册下载有问题的名单，改好后再传。")
    told = {"file": roster.file_name, "good": f"{roster.good_count:,}", "bad": f"{roster.bad_count:,}"}
    tell_agents(roster.unit, gettext_lazy("名册里有要改的人"), text, link=f"/unit/rosters/{roster.pk}", **told)


class _PutAside(Exception):
    """Nobody waits for this check any more: the agent cancelled the roster, or another run was faster."""


def _still_wanted(roster: Roster) -> None:
    """Asked between the stages of a check: what others committed meanwhile is seen at once."""
    if not Roster.objects.filter(pk=roster.pk, state="uploaded").exists():
        raise _PutAside


def confirm(roster: Roster, *, by: Actor) -> Roster:
    """The agent has seen the preview and says yes: the good lines are enrolled in the background. A preview of an earlier day is
    not what would come of it today: it is checked anew first, to be seen and confirmed again (state `uploaded`)."""
    if roster.good_count == 0:
        raise RosterRefused(_("名册里没有可以参加的人，请按原因改正后重新上传。"))
    if roster.unit.state != "approved":
        raise RosterRefused(_("单位已并入其他单位，这份名册不能再登记。请由合并后的单位上传名册。"))
    if roster.checked_on != today():
        return _recheck(roster, by=by)
    try:
        refuse_unmet(roster, preview=True, on=today())
    except RuleUnmet as unmet:
        raise RosterRefused(str(words_of(unmet))) from unmet
    return move([roster], "confirm", by=by)[0]


NOTHING_KNOWN: Mapping[str, Any] = {
    "row_count": 0, "good_count": 0, "bad_count": 0, "total_fen": 0, "left_count": 0, "known_count": 0, "message": {},
}  # fmt: skip


def _recheck(roster: Roster, *, by: Actor) -> Roster:
    """What the earlier check found is thrown away."""
    with transaction.atomic():
        move([roster], "recheck", by=by, changes=NOTHING_KNOWN)
        RosterRow.objects.filter(roster=roster).delete()
        problem_sheets.drop([roster.pk])
    return roster


def cancel(roster: Roster, *, by: Actor) -> Roster:
    """The agent puts the roster aside before anyone is enrolled, at once even while it is being checked; its staged numbers are
    thrown away."""
    with transaction.atomic():
        move([roster], "cancel", by=by)
        forget_numbers(roster)
    return roster


def forget_numbers(roster: Roster) -> None:
    """The staged numbers of a roster that has just left its check; one that is being checked has none yet."""
    if Roster.objects.filter(pk=roster.pk, row_count__gt=0).exists():
        RosterRow.objects.filter(roster=roster).update(id_number=None, phone=None)
        problem_sheets.drop([roster.pk])


def commit(roster_id: int, *, by: Actor, on: date, tell: Tell = _quiet) -> None:
    """Enrol every good line, write what is due, all in this transaction. Running it again does nothing.

    A person who got cover elsewhere since the check is reported as a bad line and not enrolled. When too few are left for the plan, or
    another rule of units is not kept any more, nobody is enrolled, and the roster waits for its agent again.
    """
    with everywhere(reason="enrol a roster's people, who may be known elsewhere"):
        roster = _locked(roster_id)
        if roster.state != "committing":
            return
        schedule = schedule_of(roster.terms)
        cover = _cover(roster, on=on)
        try:
            enrolled, amounts = _enrol_all(roster, schedule, cover, by=by, on=on, tell=tell) if cover else _refuse_all(roster)
        except RuleUnmet as unmet:
            move([roster], "reopen", by=by, changes={"message": in_every_language([words_of(unmet)])})
            return
        if not enrolled:
            _come_to_nothing(roster, by=by)
            return
        raise_due(
            office_id=roster.office_id, unit=roster.unit, member=None, roster=roster, amounts=amounts, pay_by=schedule.pay_by(on)
        )
        late_count = roster.good_count - enrolled
        changes = {
            "good_count": enrolled, "bad_count": roster.bad_count + late_count, "total_fen": sum(amounts.values()),
            "unit_risk": roster.unit.risk, "unit_nature": roster.unit.nature,
        }  # fmt: skip
        move([roster], "commit", by=by, changes=changes, details={"enrolled": enrolled, "late": late_count})
        settle_what_is_free(roster=roster)


def _come_to_nothing(roster: Roster, *, by: Actor) -> None:
    """Nobody of it could be enrolled: it waits for no payment, and its agents are told."""
    words = gettext_lazy("核对之后，名册里的人都已不能登记，没有登记任何人，也没有要缴的互助费。每个人的原因在逐行结果里。")
    changes = {"good_count": 0, "bad_count": roster.row_count, "total_fen": 0, "message": in_every_language([words])}
    move([roster], "come_to_nothing", by=by, changes=changes)
    text = gettext_lazy("“{unit}”的名册“{file}”核对之后，名册里的人都已不能登记，没有登记任何人。请打开名册看原因。")
    tell_agents(roster.unit, gettext_lazy("名册没有登记任何人"), text, link=f"/unit/rosters/{roster.pk}", file=roster.file_name)


def _enrol_all(roster: Roster, schedule: Schedule, cover: Period, *, by: Actor, on: date, tell: Tell) -> tuple[int, dict[str, int]]:
    """As `_enrol`, all of it or nothing. People who were all new when they were checked are taken to be new; where somebody is known
    by now, what was begun is undone, and everybody is looked up."""
    if roster.known_count == 0:
        with suppress(enrolling.KnownByNow), transaction.atomic():
            return _enrol(roster, schedule, cover, by=by, on=on, tell=tell, only_new=True)
    with transaction.atomic():
        return _enrol(roster, schedule, cover, by=by, on=on, tell=tell, only_new=False)


def _enrol(
    roster: Roster, schedule: Schedule, cover: Period, *, by: Actor, on: date, tell: Tell, only_new: bool
) -> tuple[int, dict[str, int]]:
    """The people and their covers; how many, and what each payer owes. RuleUnmet when the plan asks more of the unit."""
    tell(_("登记参加"), total=roster.good_count)
    hold(roster.unit, schedule)
    late = in_every_language([gettext_lazy("核对之后，此人已在别处参加这个计划，或已没有适用的缴费标准，不能登记")])
    kinds = enrolling.kinds_of(roster, "good")
    fees = _fees([kind for kind, _count in kinds], roster, schedule, cover)
    lost = tables.refuse_replaced(roster, in_every_language([NUMBER_REPLACED]))
    held = in_every_language([gettext_lazy("核对之后，此人又有了合计份数的其他保障，加上这里的份数超过每人最多的份数，不能登记")])
    lines = sum(count for _kind, count in kinds) - lost
    lost += enrolling.enrol(roster, schedule, cover, fees, lines=lines, only_new=only_new, late_reasons=late, held_reasons=held)
    refuse_unmet(roster, preview=False, on=on)
    departures.accept_by_roster(roster, by=by)
    tell(_("计算互助费"), done=roster.good_count, total=roster.good_count)
    if lost:
        kinds = enrolling.kinds_of(roster, "enrolled")
    return sum(count for _kind, count in kinds), _amounts(kinds, roster, schedule, cover)


def _refuse_all(roster: Roster) -> tuple[int, dict[str, int]]:
    """No day of cover is left: nobody is enrolled, nothing is owed."""
    RosterRow.objects.filter(roster=roster, outcome="good").update(
        outcome="bad", problem="window", reasons=in_every_language([_no_day_left()]), id_number=None, phone=None
    )
    return 0, {}


def last_list(unit: WorkUnit, terms: Terms, *, by: Actor, on: date) -> bytes:
    """The template of these terms with the unit's last list filled in: the starting point of a renewal. The look at the full
    numbers is recorded."""
    schedule = schedule_of(terms)
    with everywhere(reason="the unit's own last list"):
        shares = dict(tables.last_members(unit, terms.program_id, (schedule.cover(on=on) or schedule.period).start))
        people = list(Member.objects.filter(pk__in=shares).order_by("name", "id"))
        numbers = numbers_of([member.pk for member in people])
        record([unit], "take_last_list", by=by, details={"terms": terms.pk, "people": len(people)})
    return template_sheet(schedule, [line_of(member, *numbers[member.pk], shares[member.pk]) for member in people])


def outcome_sheet(roster: Roster) -> bytes:
    """Every line with its outcome and its reasons, in the reader's language, with masked numbers: for those who look on."""
    kinds = {"count": 8, "yuan": 14}
    columns = [
        Column(title, kind, width or kinds[kind])
        for title, kind, width in (
            (_("行"), "count", 0), (_("姓名"), "text", 16), (_("身份证号"), "text", 24), (_("份数"), "count", 0),
            (_("互助费（元）"), "yuan", 0), (_("结果"), "text", 18), (_("与上期相比"), "text", 24), (_("原因"), "text", 70),
        )
    ]  # fmt: skip
    lines = [
        [
            row.row_number, row.name, row.id_masked, row.shares, row.fee_fen if row.outcome != "bad" else None,
            row.get_outcome_display(), row.get_change_display(), row.why or row.get_doubt_display(),
        ]
        for row in RosterRow.objects.filter(roster=roster).defer("id_number", "phone").order_by("row_number").iterator(2000)
    ]  # fmt: skip
    out = io.BytesIO()
    write_workbook(out, [Sheet(_("核对结果"), f"{roster.unit.name} · {roster.terms.program.title}", columns, lines)])
    return out.getvalue()


def last_list_sizes(unit: WorkUnit, plans: Sequence[Terms], *, on: date) -> dict[int, int]:
    """How many people the list has from which a renewal under these terms would start, by terms; terms without one are left out.
    One statement."""
    starts = []
    for terms in plans:
        schedule = schedule_of(terms)
        starts.append((terms.pk, terms.program_id, (schedule.cover(on=on) or schedule.period).start))
    with everywhere(reason="the unit's own last list"):
        return tables.last_list_sizes(unit, starts)


def left_members(roster: Roster, *, after: int, limit: int) -> list[Member]:
    """The people of the unit's last list who are not on this roster: so many after this key. Two statements."""
    cover = _cover(roster, on=roster.checked_on or day_of(roster.uploaded_at))
    with everywhere(reason="the unit's own last list"):
        keys = tables.left_members(roster, cover.start, after=after, limit=limit) if cover else []
        return list(Member.objects.filter(pk__in=keys).order_by("id"))


def _locked(roster_id: int) -> Roster:
    return Roster.objects.select_for_update(of=("self",)).select_related("unit", "terms__program").get(pk=roster_id)


def _cover(roster: Roster, *, on: date) -> Period | None:
    """The days of cover that joining today gives for the chosen months; None when the period has no day left."""
    return schedule_of(roster.terms).cover(on=on, term_months=roster.term_months)


def _no_day_left() -> Promise:
    return gettext_lazy("本期保障到今天为止，没有剩余的保障日，请参加下一期")


# --- judging --------------------------------------------------------------------------------------------------------


def _judge(lines: Lines, roster: Roster, *, on: date, tell: Tell) -> tuple[int, list[Promise]]:
    """Every line's outcome into the table; how many lines are of people known already, and notes for the agent about the roster as a
    whole."""
    schedule, cover = lines.schedule, _cover(roster, on=on)
    staged = staging.stage(lines, lambda done: _tell_line(done, len(lines), tell))
    _still_wanted(roster)
    problems = {line.number: "unreadable" for line in map(lines.numbered, staged.unreadable)}
    fees: list[dict[str, Any]] = []
    if cover is None:
        for row in lines.all():
            row.reasons.append(_no_day_left())
    else:
        problems |= _find(lines, roster, cover, on=on)
        _still_wanted(roster)
        fees = _fees(tables.fee_groups(), roster, schedule, cover)
        problems |= _without_fee(lines, fees)
    against = lines.against()
    why = each_in_every_language([row.reasons for row in against])
    bad = [{"row_number": r.number, "reasons": w, "problem": problems.get(r.number, "window")} for r, w in zip(against, why, strict=True)]
    tables.keep(roster, cover, bad, fees)
    return staged.known, [*_void_surplus(staged.surplus, schedule), *_unit_notes(roster, schedule, on=on)]


def _tell_line(done: int, total: int, tell: Tell) -> None:
    """Now and then it is told how many lines went by."""
    if done % TOLD_EVERY == 0:
        tell(_("逐行核对"), done=done, total=total)


def _void_surplus(over: int, schedule: Schedule) -> list[Promise]:
    """In plans where the surplus is void, shares above the greatest number are not recorded; a note says of how many people."""
    if not over:
        return []
    most = schedule.enrolling.max_shares
    words = gettext_lazy("有 {count} 人填写的份数超过每人最多 {most} 份，超出部分无效：按 {most} 份登记，不多收费。")
    return [format_lazy(words, count=over, most=most)]


def _find(lines: Lines, roster: Roster, cover: Period, *, on: date) -> dict[int, str]:
    """Add its reasons to each line that something speaks against; what kind of problem it is, by line number."""
    problems: dict[int, str] = {}
    for found in tables.findings(roster, lines.schedule, cover, on=on):
        row = lines.numbered(found.row_number)
        said = dict(_against(found, row, roster, lines.schedule, cover, on=on))
        row.reasons += [words for several in said.values() for words in several]
        if said and ("duplicate" in said or not row.unread):  # what cannot be read comes first
            problems[row.number] = next(iter(said))
    return problems


# What a rule asks that a line would have said in these columns: of what cannot be read nothing is concluded.
ASKED_OF = {
    "joined": ("window", "months_in_unit"), "employment": ("employment", "retirement"), "retired": ("retirement",),
    "insurance": ("basic_insurance",), "insurance_type": ("insurance_type",), "union": ("union_member",), "card": ("card_holder",),
    "group": ("age",), "contract": ("contract",), "shares": ("shares",),
}  # fmt: skip


def _against(
    found: tables.Finding, row: Row, roster: Roster, schedule: Schedule, cover: Period, *, on: date
) -> list[tuple[str, list[Promise]]]:
    said: list[tuple[str, list[Promise]]] = []
    if found.same_as is not None:
        said.append(("duplicate", [format_lazy(gettext_lazy("与第 {row} 行是同一个身份证号"), row=found.same_as)]))
    if found.unfit:
        person = replace(
            facts_of(row, roster.unit, renewal=found.renewal, retired=found.retired, retired_on=found.retired_on),
            shares_held=found.shares_held,
        )
        verdicts = judge(schedule, person=person, on=on, cover_start=cover.start, shares=row.shares)
        unknown = {rule for key in row.unread for rule in ASKED_OF.get(key, ())}
        against = [spoken(v.sentence.of_another()) for v in verdicts if v.outcome in (FAIL, UNKNOWN) and v.rule not in unknown]
        if not against and not unknown:
            raise RuntimeError(f"roster {roster.pk}, row {row.number}: the rules in SQL and in Python disagree")
        said += [("unfit", against)] if against else []
    if found.corrected:
        said.append(("corrected", [NUMBER_REPLACED]))
    if found.other_name and "name" not in row.unread:
        said.append(("name", [gettext_lazy("这个身份证号此前登记的姓名不同，请对照身份证核对；姓名改过或登记错了的，请联系办事处更正")]))
    if found.covered_here is not None:
        here = gettext_lazy("本单位已为此人参加过这个计划，不能重复参加")
        elsewhere = gettext_lazy("此人在这段时间已参加这个计划，不能重复参加")
        said.append(("covered", [here if found.covered_here else elsewhere]))
    return said


NUMBER_REPLACED = gettext_lazy("此人的身份证号已更正，这是更正前的号码。请对照身份证改成现在的号码，再上传这一行")


def _person(kind: tables.Kind, schedule: Schedule, *, unit_risk: str, unit_nature: str) -> PersonFacts:
    """As far as a contribution depends on it; the unit's class of work holds for lines that say none."""
    gender, risk, card, group, _shares = kind
    return PersonFacts(
        birth_date=schedule.period.start, gender=gender, risk=risk or unit_risk or None,
        unit_nature=unit_nature or None, card_holder=card, group=group,
    )  # fmt: skip


KIND = ("gender", "risk", "card", "staff_group", "shares")  # the names of what makes up a kind of line


def _fees(kinds: Sequence[tables.Kind], roster: Roster, schedule: Schedule, cover: Period) -> list[dict[str, Any]]:
    """The whole contribution (fen) for each kind of line; None with a reason when the plan names none."""
    found = []
    for kind in kinds:
        person, fen = _person(kind, schedule, unit_risk=roster.unit.risk, unit_nature=roster.unit.nature), None
        reason, refundable, term = "", False, schedule.term(roster.term_months)
        try:
            amount = contribution(schedule, person, kind[-1], starts_on=cover.start, term_months=term)
            fen = fen_from_yuan(round_half_up(amount))
            refundable = fee_class(schedule, person, starts_on=cover.start, term_months=term).refundable
        except NoFeeClass as error:
            reason = "risk" if isinstance(error, FeeFactMissing) and str(error) == "risk" else "class"
        found.append({**dict(zip(KIND, kind, strict=True)), "fee_fen": fen, "refundable": refundable, "reason": reason})
    return found


NO_FEE = {
    "risk": gettext_lazy("这个计划按工种风险缴费，请增加“工种风险”一列，填“一般”或“高风险”"),
    "class": gettext_lazy("这个计划没有适用于此人的缴费标准，请联系办事处"),
}


def _without_fee(lines: Lines, fees: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Lines for which the plan names no contribution cannot be enrolled."""
    without = {tuple(fee[name] for name in KIND): fee["reason"] for fee in fees if fee["fee_fen"] is None}
    problems: dict[int, str] = {}
    for row in lines.all() if without else ():
        gender = row.id_number.gender if row.id_number and not row.reasons else None
        if gender and (reason := without.get((gender, row.risk, row.card, row.group, row.shares))):
            row.reasons.append(NO_FEE[reason])
            problems[row.number] = "fee"
    return problems


def _unit_notes(roster: Roster, schedule: Schedule, *, on: date) -> list[Promise]:
    """The rules that the unit keeps as a whole, counting whom it enrolled before: lines with other shares than the rest are
    refused; that too few join is said to the agent, who cannot confirm then (`participation`)."""
    rule = schedule.enrolling.unit
    if rule is None:
        return []
    if rule.same_shares:
        _same_shares(roster)
    against = participation.failing(roster, tables.share_counts(roster), on=on)
    return [format_lazy(gettext_lazy("注意：{words}"), words=spoken(verdict.sentence)) for verdict in against]


def _same_shares(roster: Roster) -> None:
    """Everyone of a unit has the shares that its roster before had, or else those of most of this one; whoever joined alone decides
    nothing for the unit."""
    common = common_shares(whole_of(roster.unit, roster.terms, on=None).listed or tables.share_counts(roster))
    if common is None:
        return
    reason = format_lazy(gettext_lazy("同一单位的职工份数必须相同：本单位每人 {common} 份"), common=common)
    tables.refuse_other_shares(roster, common, in_every_language([reason]))


def parts_of(cover: Enrolment, shares: int) -> dict[str, int]:
    """What each payer was charged for so many shares of somebody whom a roster enrolled (fen), by what their line said and what the
    unit was on that day: a class of work that changed since, or a unit that took this one in, changes nothing of it."""
    assert cover.roster is not None
    schedule = schedule_of(cover.terms)
    person = cover.member
    row = RosterRow.objects.filter(roster_id=cover.roster_id, member_key=person.pk, outcome="enrolled").first()
    recorded = {"risk": person.risk or None, "card": person.card_holder, "group": person.staff_group or None}
    told = row.facts if row else recorded
    kind = (row.gender if row else person.gender, told.get("risk"), told.get("card"), told.get("group"), shares)
    parts = split(
        schedule, _person(kind, schedule, unit_risk=cover.roster.unit_risk, unit_nature=cover.roster.unit_nature), shares,
        default="unit", starts_on=cover.cover.lower, term_months=schedule.term(cover.roster.term_months),
        person_pays=_set_by_unit(cover.roster),
    )  # fmt: skip
    return {payer: fen_from_yuan(round_half_up(amount)) for payer, amount in parts.items()}


def _set_by_unit(roster: Roster) -> Decimal | None:
    return None if roster.person_fen is None else yuan_from_fen(roster.person_fen)


def _amounts(kinds: Sequence[tuple[tables.Kind, int]], roster: Roster, schedule: Schedule, cover: Period) -> dict[str, int]:
    """What each payer that the plan names owes for all together; the unit collects its workers' parts and transfers them."""
    totals: dict[str, int] = {}
    for kind, count in kinds:
        parts = split(
            schedule, _person(kind, schedule, unit_risk=roster.unit.risk, unit_nature=roster.unit.nature), kind[-1], default="unit",
            starts_on=cover.start, term_months=schedule.term(roster.term_months),
            person_pays=_set_by_unit(roster),
        )  # fmt: skip
        for payer, amount in parts.items():
            totals[payer] = totals.get(payer, 0) + count * fen_from_yuan(round_half_up(amount))
    return totals
