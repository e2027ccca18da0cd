"""What a roster says: its columns and words, each line as read, the empty template, the sheet of lines to correct."""

import io
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.facts import employed_at
from members.models import Member, WorkUnit
from programs.rules.asked import asked
from programs.rules.facts import OPEN_ENDED, ORDINARY, PersonFacts
from programs.rules.fees import counted_shares
from programs.rules.schedule import Schedule
from unionaid.lib.calendar import DateError, parse_date
from unionaid.lib.identity import IdentityError, IdNumber, parse_id_number, parse_person_name, parse_phone
from unionaid.lib.spreadsheet import Column, Sheet, Table, write_workbook

# zh: the roster's own words: columns and their synonyms, what cells may say
COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("姓名", "职工姓名", "名字", "员工姓名", "人员姓名", "会员姓名", "参加人姓名"),
    "id_number": (
        "身份证号", "身份证号码", "证件号码", "公民身份号码", "身份证", "居民身份证号", "居民身份证号码", "身份证件号", "身份证件号码",
        "公民身份证号码", "证件号",
    ),
    "phone": ("手机号", "手机号码", "联系电话", "手机", "电话", "移动电话", "电话号码", "联系方式"),
    "employment": ("在职情况", "人员类别", "职工类别", "用工性质"),
    "insurance": ("基本医疗保险", "是否参加基本医疗保险", "医保"),
    "union": ("工会会员", "是否工会会员", "会员"),
    "shares": ("份数", "参加份数", "申请份数"),
}  # fmt: skip
# zh: columns that only some plans ask for; read wherever they stand
MORE_COLUMNS: dict[str, tuple[str, ...]] = {
    "joined": ("入职日期", "入职时间", "到岗日期"),
    "insurance_type": ("医保种类", "医保类型", "参保类型"),
    "risk": ("工种风险", "风险类别"),
    "card": ("工会会员卡", "是否持有工会会员卡", "会员卡"),
    "group": ("人员身份", "职务类别", "减免类别"),
    "retired": ("退休日期", "退休时间"),
    "contract": ("合同期限", "合同期限（月）", "劳动合同期限", "劳动合同期限（月）"),
}
# Which fact of a person each of these says.
FACTS = {
    "joined": "joined_unit_on", "insurance_type": "insurance_type", "risk": "risk", "card": "card_holder", "group": "group",
    "contract": "contract_months", "retired": "retired_on",
}  # fmt: skip
REQUIRED = ("name", "id_number")
# What a second column of would be lost, with people or money.
ONCE = (*REQUIRED, "shares")
# Where people add something in brackets: 身份证号（18位）. A 会员（卡号） says nothing of membership.
BRACKETS = (*ONCE, "phone")
TITLES = {key: names[0] for key, names in COLUMNS.items()}
MORE_TITLES = {key: names[0] for key, names in MORE_COLUMNS.items()}
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
INSURANCE_WORDS = {
    "职工医保": "employee",
    "职工": "employee",
    "职工基本医疗保险": "employee",
    "居民医保": "resident",
    "居民": "resident",
    "城乡居民医保": "resident",
    "城乡居民基本医疗保险": "resident",
}
# zh: as above; plans may name other classes of work in small letters
RISK_WORDS = {"高风险": "high", "高危": "high", "一般": "normal", "普通": "normal"}
CODE = re.compile(r"[a-z][a-z0-9_.-]{0,59}")
# zh: as above; plans may name other groups in small letters
GROUP_WORDS = {
    "普通": ORDINARY, "普通职工": ORDINARY, "一般": ORDINARY, "中高级": "senior", "中高级职务": "senior", "高级职称": "senior",
    "困难职工": "hardship", "困难": "hardship", "劳动模范": "model_worker", "劳模": "model_worker",
    "新就业形态": "new_form", "新就业形态劳动者": "new_form",
}  # fmt: skip
# zh: as above: how long a labour contract runs
CONTRACT = re.compile(r"(?P<count>[0-9]{1,3})((?P<years>年)|个月|月)?")
# zh: as above: "2", "２", "2份", "2.0"
SHARES = re.compile(r"(?P<count>[0-9]{1,2})(\.0+)? ?份?")
# zh: as above
NO_END = ("无固定期限", "长期")
# zh: as above
YES, NO = {"是", "有", "已参加", "y", "yes", "1", "√"}, {"否", "无", "没有", "未参加", "n", "no", "0", "×"}
ANSWERS = {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False), "": None}


class RosterUnreadable(ValueError):
    """The file is a table but no roster; the words say why and what to do, in whatever language they are read."""

    def __init__(self, words: str | Promise) -> None:
        super().__init__(words)
        self.words = words


@dataclass(slots=True)
class Row:
    """One line as read. `reasons`: why it cannot be enrolled, in words; empty so far as reading can tell. `unread`: the columns whose
    cells cannot be read; the others hold what the line says."""

    number: int
    said: Sequence[str]
    name: str = ""
    id_number: IdNumber | None = None
    phone: str | None = None
    shares: int = 1
    employment: str = ""
    insurance: bool | None = None
    union: bool | None = None
    joined: date | None = None
    insurance_type: str | None = None
    risk: str | None = None
    card: bool | None = None
    group: str | None = None
    contract: int | None = None
    retired: date | None = None
    surplus: bool = False
    reasons: list[str | Promise] = field(default_factory=list)
    unread: tuple[str, ...] = ()

    def cannot_read(self, key: str, words: str | Promise) -> None:
        """The cell of this column says nothing that is understood, and why."""
        self.reasons.append(words)
        self.unread += (key,)


@dataclass(frozen=True, slots=True)
class Reading:
    """A roster of which the header is understood: the cells of its lines and their numbers in the file, in the order of the file. Its
    lines are read one by one. `places`: which cell of a line holds which column; `on`: the day after which nobody is born."""

    numbers: Sequence[int]
    cells: Sequence[Sequence[str]]
    places: Mapping[str, int]
    on: date

    def __len__(self) -> int:
        return len(self.numbers)

    def row(self, at: int) -> Row:
        """The line at this place, read anew each time."""
        return _read_row(self.numbers[at], self.cells[at], self.places, on=self.on)

    def said(self, cells: Sequence[str], key: str) -> str:
        return cells[self.places[key]] if key in self.places else ""


# How far down the header is looked for: above it stand titles, who filled the list in, and when.
HEADER_WITHIN = 10


def read_header(table: Table, *, on: date) -> Reading:
    """The columns by the header's words, in any order, and the lines below. RosterUnreadable when a needed column is missing or stands
    twice."""
    places, below = _header(table)
    width, name, number = max(places.values()) + 1, places["name"], places["id_number"]
    # The header may stand here once more, as on each page of a printed list.
    again = {*COLUMNS["name"], *(line[name] for line in (table.header, *table.rows[:below]) if name < len(line))}
    numbers, lines = [], []
    for place, said in zip(table.numbers[below:], table.rows[below:], strict=True):
        cells = said if len(said) >= width else [*said, *[""] * (width - len(said))]
        if cells[name] in again and _title(cells[number], bare=True) in COLUMNS["id_number"]:
            continue
        numbers.append(place)
        lines.append(cells)
    if not lines:
        raise RosterUnreadable(gettext_lazy("名册里没有职工，请从表头下一行开始填写。"))
    return Reading(numbers, lines, places, on)


def _header(table: Table) -> tuple[dict[str, int], int]:
    """Which cell of a line holds which column, and the place of the first line below the header: the first line that names all needed
    columns, or two lines that name them together, as merged cells do."""
    above = [table.header, *table.rows[:HEADER_WITHIN]]
    for i, cells in enumerate(above[:HEADER_WITHIN]):
        if _complete(places := _places(cells)):
            lower = above[i + 1] if i + 1 < len(above) else []
            goes_on = bool(_places(lower)) and not any(cell for k, cell in enumerate(lower) if k in {places[key] for key in REQUIRED})
            return (_places(_together(cells, lower)), i + 1) if goes_on else (places, i)
    for i, (upper, lower) in enumerate(pairwise(above[:HEADER_WITHIN]), start=1):
        if _complete(places := _places(_together(upper, lower))):
            return places, i
    best = max(map(_places, above), key=len)
    missing = "、".join(TITLES[key] for key in REQUIRED if key not in best)
    raise RosterUnreadable(format_lazy(gettext_lazy("名册缺少这些列：{columns}。请使用下载的名册模板。"), columns=missing))


def _complete(places: Mapping[str, int]) -> bool:
    return all(key in places for key in REQUIRED)


def _together(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """The titles of two lines: the lower one says more exactly what the upper one says."""
    return [low or up for up, low in zip_longest(upper, lower, fillvalue="")]


def _title(cell: str, *, bare: bool = False) -> str:
    """Without blanks and a star; `bare`: also without what stands in brackets behind it."""
    plain = unicodedata.normalize("NFKC", cell)
    return re.sub(r"\([^)]*\)|[\s*:]" if bare else r"[\s*:]", "", plain)


def _places(cells: Sequence[str]) -> dict[str, int]:
    """Which cell names which column: the first of its synonyms that is there, as it stands or else with something in brackets behind
    it. RosterUnreadable when a column stands twice and the second would be lost."""
    titles, bare = [_title(cell) for cell in cells], [_title(cell, bare=True) for cell in cells]
    places: dict[str, int] = {}
    for key, names in (COLUMNS | MORE_COLUMNS).items():
        known = [unicodedata.normalize("NFKC", name) for name in names]
        for said in (titles, bare) if key in BRACKETS else (titles,):
            if found := next((name for name in known if name in said), None):
                _refuse_second(key, found, said)
                places[key] = said.index(found)
                break
    return places


def _refuse_second(key: str, title: str, said: Sequence[str]) -> None:
    if key in ONCE and (count := said.count(title)) > 1:
        words = gettext_lazy("名册里“{title}”这一列出现了 {count} 次，不知道该用哪一列。请把所有人放在一列里，多余的列删掉后再上传。")
        raise RosterUnreadable(format_lazy(words, title=title, count=count))


class Lines:
    """The lines of a roster as they count for one unit and one plan. Reading a line costs little and a hundred thousand of them much,
    so one that nothing speaks against is read once, by whoever makes it text, and not kept."""

    def __init__(self, reading: Reading, unit: WorkUnit, schedule: Schedule) -> None:
        self.reading, self.unit, self.schedule = reading, unit, schedule
        self._asked: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self.reading)

    def read(self, at: int) -> Row:
        """The line at this place, as the unit employs people; shares that the plan makes void are not on it (`surplus`)."""
        row = self.reading.row(at)
        row.employment = employed_at(self.unit, row.employment)
        counted = counted_shares(self.schedule, row.shares)
        row.surplus, row.shares = counted < row.shares, counted
        return row

    def numbered(self, number: int) -> Row:
        """The line with this number in the file, the same object each time: what is found against it is put on it."""
        if number not in self._asked:
            self._asked[number] = self.read(bisect_left(self.reading.numbers, number))
        return self._asked[number]

    def all(self) -> list[Row]:
        return [self.numbered(number) for number in self.reading.numbers]

    def against(self) -> list[Row]:
        """Those that something speaks against, of those that were asked for, in the order of the file."""
        return [row for _number, row in sorted(self._asked.items()) if row.reasons]


def _read_row(number: int, cells: Sequence[str], places: Mapping[str, int], *, on: date) -> Row:
    row = Row(number, cells)
    try:
        row.name = parse_person_name(cells[places["name"]])
    except IdentityError as error:
        row.name = cells[places["name"]][:50]  # whoever looks for the line knows it by what was typed
        row.cannot_read("name", gettext_lazy(error.message))
    try:
        row.id_number = parse_id_number(cells[places["id_number"]], on=on)
    except IdentityError as error:
        row.cannot_read("id_number", gettext_lazy(error.message))
    if "phone" in places and (phone := cells[places["phone"]]):
        try:
            row.phone = parse_phone(phone)
        except IdentityError as error:
            row.cannot_read("phone", gettext_lazy(error.message))
    _read_answers(row, cells, places)
    if places.keys() & MORE_COLUMNS.keys():
        _read_more(row, {key: cells[places[key]].strip() if key in places else "" for key in MORE_COLUMNS}, on=on)
    return row


def _read_answers(row: Row, cells: Sequence[str], places: Mapping[str, int]) -> None:
    if "employment" in places:
        said = cells[places["employment"]].strip()
        if said in EMPLOYMENT_WORDS:
            row.employment = EMPLOYMENT_WORDS[said]
        else:
            words = gettext_lazy("在职情况“{word}”不能识别，请填“企业在职”“事业单位在职”或“退休”")
            row.cannot_read("employment", format_lazy(words, word=said[:20]))
    if "insurance" in places:
        row.insurance = _yes_or_no(row, "insurance", cells[places["insurance"]])
    if "union" in places:
        row.union = _yes_or_no(row, "union", cells[places["union"]])
    if "shares" in places and (shares := cells[places["shares"]].strip()):
        if count := _shares(shares):
            row.shares = count
        else:
            row.cannot_read("shares", gettext_lazy("份数应为 1 到 99 的整数"))


@lru_cache(1000)
def _shares(text: str) -> int:
    """How many shares a cell says, in whatever digits; 0 when it says none."""
    found = SHARES.fullmatch(unicodedata.normalize("NFKC", text))
    return int(found["count"]) if found else 0


def _yes_or_no(row: Row, key: str, said: str) -> bool | None:
    answer = said.strip().lower()
    if answer not in ANSWERS:
        row.cannot_read(key, format_lazy(gettext_lazy("“{title}”请填“是”或“否”"), title=(TITLES | MORE_TITLES)[key]))
    return ANSWERS.get(answer)


def _read_more(row: Row, said: Mapping[str, str], *, on: date) -> None:
    """What only some plans ask: the first day in the unit, the kind of basic insurance, the class of the work."""
    insurance, risk = said["insurance_type"], said["risk"]
    row.joined = _past_day(row, "joined", said["joined"], on=on)
    if insurance:
        row.insurance_type = INSURANCE_WORDS.get(insurance)
        if row.insurance_type is None:
            words = gettext_lazy("医保种类“{word}”不能识别，请填“职工医保”或“居民医保”")
            row.cannot_read("insurance_type", format_lazy(words, word=insurance[:20]))
    if risk:
        row.risk = RISK_WORDS.get(risk) or (risk if CODE.fullmatch(risk) else None)
        if row.risk is None:
            row.cannot_read("risk", format_lazy(gettext_lazy("工种风险“{word}”不能识别，请填“一般”或“高风险”"), word=risk[:20]))
    row.retired = _past_day(row, "retired", said["retired"], on=on)
    _read_standing(row, said)


def _past_day(row: Row, key: str, said: str, *, on: date) -> date | None:
    """A day that has come, or a reason why the line cannot be enrolled."""
    if not said:
        return None
    title = MORE_TITLES[key]
    try:
        day = parse_date(said)
    except DateError as error:
        row.cannot_read(key, format_lazy(gettext_lazy("{title}：{message}"), title=title, message=gettext_lazy(str(error))))
        return None
    if day > on:
        row.cannot_read(key, format_lazy(gettext_lazy("{title}在今天之后"), title=title))
    return day


def _read_standing(row: Row, said: Mapping[str, str]) -> None:
    """The union's member card, the staff group, the length of the labour contract in months."""
    card, group, contract = said["card"], said["group"], said["contract"]
    if card:
        row.card = _yes_or_no(row, "card", card)
    if group:
        row.group = GROUP_WORDS.get(group) or (group if CODE.fullmatch(group) else None)
        if row.group is None:
            words = gettext_lazy("人员身份“{word}”不能识别，请填“普通职工”“中高级”“困难职工”或“劳动模范”")
            row.cannot_read("group", format_lazy(words, word=group[:20]))
    if contract in NO_END:
        row.contract = OPEN_ENDED
    elif contract:
        if found := CONTRACT.fullmatch(contract):
            row.contract = int(found["count"]) * (12 if found["years"] else 1)
        else:
            words = gettext_lazy("合同期限“{word}”不能识别，请填月数（如 36）或“无固定期限”")
            row.cannot_read("contract", format_lazy(words, word=contract[:20]))


def employment_of(unit: WorkUnit) -> str:
    """How those of a unit are employed of whom the list does not say it."""
    if unit.civil_servant_subsidy or unit.nature not in ("enterprise", "institution"):
        return "institution_subsidised"
    return unit.nature


def facts_of(
    row: Row, unit: WorkUnit, *, renewal: bool = False, retired: bool = False, retired_on: date | None = None
) -> PersonFacts:
    """What the list does not say is taken from the unit: its kind of employer, its class of work, and that its union enrols its
    members. Who is known to have `retired` is retired unless the list says otherwise."""
    assert row.id_number is not None
    return PersonFacts(
        birth_date=row.id_number.birth_date,
        gender=row.id_number.gender,
        employment=row.employment or ("retired" if retired else employment_of(unit)),
        union_member=True if row.union is None else row.union,
        basic_insurance=True if row.insurance is None else row.insurance,
        joined_unit_on=row.joined,
        renewal=renewal,
        insurance_type=row.insurance_type,
        risk=row.risk or unit.risk or None,
        unit_nature=unit.nature,
        card_holder=row.card,
        group=row.group,
        contract_months=row.contract,
        retired_on=row.retired or retired_on,
    )


def line_of(member: Member, id_number: str, phone: str | None, shares: int) -> dict[str, str]:
    """A person who is known as a line of the template says it."""
    answer = {None: "", True: "是", False: "否"}  # zh: the roster's own words
    employments = {EMPLOYMENT_WORDS[word]: word for word in CHOICES["employment"]}
    kinds = {INSURANCE_WORDS[word]: word for word in CHOICES["insurance_type"]}
    risks, groups = ({known[word]: word for word in CHOICES[key]} for key, known in (("risk", RISK_WORDS), ("group", GROUP_WORDS)))
    return {
        "name": member.name,
        "id_number": id_number,
        "phone": phone or "",
        "employment": employments.get(member.employment, ""),
        "insurance": answer[member.basic_insurance],
        "union": answer[member.union_member],
        "shares": str(shares),
        "joined": member.joined_unit_on.isoformat() if member.joined_unit_on else "",
        "insurance_type": kinds.get(member.insurance_type, ""),
        "risk": risks.get(member.risk, member.risk),
        "card": answer[member.card_holder],
        "group": groups.get(member.staff_group, member.staff_group),
        "retired": member.retired_on.isoformat() if member.retired_on else "",
        "contract": NO_END[0] if member.contract_months == OPEN_ENDED else str(member.contract_months or ""),
    }


def more_columns(schedule: Schedule) -> list[str]:
    """Which of the further columns this plan needs."""
    needed = asked(schedule)
    return [key for key in MORE_COLUMNS if FACTS[key] in needed]


def titles_of(schedule: Schedule) -> dict[str, str]:
    """The columns of a roster for this plan: those of every roster, and what only some plans ask."""
    return TITLES | {key: MORE_TITLES[key] for key in more_columns(schedule)}


def _heading(key: str, words: str) -> str:
    """As it stands above the column: a star where every line must say something."""
    return f"{words}*" if key in REQUIRED else words


def problem_sheet(reading: Reading, why: Mapping[int, str], schedule: Schedule, title: str) -> bytes:
    """The lines of which `why` (by line number) says that they cannot be enrolled as they stand, in the columns of the template,
    with a column of reasons more: correct them and upload this very sheet."""
    titles = titles_of(schedule)
    columns = [Column(_heading(key, words), "text", 20, CHOICES.get(key, ())) for key, words in titles.items()]
    columns += [Column(_("要改正的问题"), "text", 70), Column(_("原行号"), "count", 8)]
    bad = [(number, cells) for number, cells in zip(reading.numbers, reading.cells, strict=True) if number in why]
    lines = [[*(reading.said(cells, key) for key in titles), why[number], number] for number, cells in bad]
    out = io.BytesIO()
    write_workbook(out, [Sheet(_("名册"), title, columns, lines)])
    return out.getvalue()


OWN_WORKERS = gettext_lazy("名册只登记本单位职工本人。配偶、子女不要写进名册：由职工本人登录后，在这个计划的页面为其参加。")
# zh: as above
EXAMPLE = ("张三（示例，请删除）", "360426199101010071", "13800138000", "企业在职", "是", "是", "1")
# zh: as above
MORE_EXAMPLES = {
    "joined": "2024-03-01", "insurance_type": "职工医保", "risk": "一般", "card": "是", "group": "普通职工", "contract": "36",
    "retired": "2025-06-30",
}  # fmt: skip
# zh: as above: what the drop-downs of the template offer
CHOICES = {
    "employment": ("企业在职", "事业单位在职", "享受公务员医疗补助", "退休"),
    "insurance": ("是", "否"),
    "union": ("是", "否"),
    "insurance_type": ("职工医保", "居民医保"),
    "risk": ("一般", "高风险"),
    "card": ("是", "否"),
    "group": ("普通职工", "中高级", "困难职工", "劳动模范", "新就业形态"),
}


def own_workers(schedule: Schedule) -> str:
    """Said with the list of a plan that families join too: it is of the unit's workers alone. Empty for all other plans."""
    return "" if schedule.enrolling.relations == ("self",) else str(OWN_WORKERS)


def template_sheet(schedule: Schedule, lines: Iterable[Mapping[str, str]] = ()) -> bytes:
    """A roster to fill in, with drop-downs: an example line, or the `lines` of last period's list (by column)."""
    titles = titles_of(schedule)
    columns = [Column(_heading(key, words), "text", 22, CHOICES.get(key, ())) for key, words in titles.items()]
    known: list[list[Any]] = [[line.get(key, "") for key in titles] for line in lines]
    example = [*EXAMPLE, *(MORE_EXAMPLES[key] for key in more_columns(schedule))]
    out = io.BytesIO()
    notes = [_("带 * 的列必填。一行一个人，列的顺序可以改，列名不要改。身份证号这一列请保持“文本”格式。")]
    notes += [own] if (own := own_workers(schedule)) else []
    write_workbook(out, [Sheet(_("名册"), _("{name}名册").format(name=schedule.name.zh), columns, known or [example], notes)])
    return out.getvalue()
