"""A roster from file to cover: what every kind of bad file and bad line comes to, what may be done twice, what goes out again."""

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import openpyxl
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from members.models import Enrolment, Member, Roster, RosterRow, RosterSheet
from members.services import lineage, problem_sheets, roster_enrolling, rosters, units
from members.services.people import numbers_of
from programs.selectors import schedule_of
from tests.factories.world import JOINED, World, make_unit
from tests.unionaid.lib.test_bad_workbooks import BLANK_ROWS, HEAD, at_the_end, book, changed, zipped
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import check_character, make_id_number
from unionaid.lib.spreadsheet import Column, Sheet, read_table, write_workbook
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import run_due
from unionaid.workflow.moves import Conflict

BORN = date(1990, 3, 8)
GOOD = make_id_number("610802", BORN, 101)


def _number(order: int) -> str:
    return make_id_number("610802", BORN, order)


def _uploaded(world: World, data: bytes, name: str = "r.csv") -> Roster:
    with frozen(JOINED), everywhere(reason="arrange"):
        return rosters.upload(unit=world.unit, terms=world.yulin, data=data, file_name=name, by=world.agent_actor, on=JOINED)


def _checked(world: World, data: bytes, name: str = "r.csv") -> Roster:
    roster = _uploaded(world, data, name)
    with frozen(JOINED), everywhere(reason="check"):
        rosters.check(roster.pk, by=SYSTEM, on=JOINED)
        roster.refresh_from_db()
    return roster


def _enrolled(world: World, data: bytes) -> Roster:
    roster = _checked(world, data)
    with frozen(JOINED), everywhere(reason="enrol"):
        rosters.confirm(roster, by=world.agent_actor)
        rosters.commit(roster.pk, by=SYSTEM, on=JOINED)
        roster.refresh_from_db()
    return roster


def _text(lines: list[tuple[str, ...]], header: tuple[str, ...] = ("姓名", "身份证号")) -> str:
    return "".join(",".join(line) + "\n" for line in [header, *lines])


def _outcomes(roster: Roster) -> list[tuple[int, str, str]]:
    """(row number, outcome, reasons) of every line."""
    with everywhere(reason="look"):
        rows = RosterRow.objects.filter(roster=roster).order_by("row_number")
        return [(row.row_number, row.outcome, row.why) for row in rows]


# --- files that cannot be read -----------------------------------------------------------------------------------------


def old_workbook(*rows: tuple[str, ...]) -> bytes:
    """An xls file (BIFF8 in a compound document) of texts, written by hand."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def words(text: str, length: str) -> bytes:
        return struct.pack(length, len(text)) + b"\x01" + text.encode("utf-16-le")

    start = [record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 0, 0, 0)) for kind in (0x5, 0x10)]
    cells = b"".join(
        record(0x204, struct.pack("<HHH", y, x, 0) + words(text, "<H")) for y, row in enumerate(rows) for x, text in enumerate(row)
    )
    end = record(0xA, b"")
    sheet = struct.pack("<IBB", len(start[0]) + 4 + 6 + len(words("名册", "<B")) + len(end), 0, 0) + words("名册", "<B")
    stream = (start[0] + record(0x85, sheet) + end + start[1] + cells + end).ljust(4096, b"\0")
    stream = stream.ljust(-(-len(stream) // 512) * 512, b"\0")
    sectors = len(stream) // 512
    fat = struct.pack("<II", 0xFFFFFFFD, 0xFFFFFFFE)
    fat += b"".join(struct.pack("<I", n + 3) for n in range(sectors - 1)) + struct.pack("<I", 0xFFFFFFFE)

    def entry(name: str, kind: int, child: int, first: int, size: int) -> bytes:
        raw = (name + "\0").encode("utf-16-le") if name else b""
        links = struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child)
        return raw.ljust(64, b"\0") + struct.pack("<HBB", len(raw), kind, 1) + links + bytes(36) + struct.pack("<IQ", first, size)

    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 2, len(stream))
    folder += entry("", 0, 0xFFFFFFFF, 0, 0) * 2
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<I", 0)
    return head.ljust(512, b"\xff") + fat.ljust(512, b"\xff") + folder + stream


UNREADABLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "an empty sheet": (lambda: book(lambda _book, _page: None), "没有内容"),
    "one column": (lambda: "姓名\n张三\n李四\n".encode(), "每一行只有一格"),
    "other columns": (lambda: "甲,乙\n1,2\n".encode(), "缺少这些列：姓名、身份证号"),
    "a header and nobody": (lambda: "姓名,身份证号\n".encode(), "没有职工"),
    "a cell in the last corner": (lambda: at_the_end(b'<row r="1048576"><c r="XFD1048576" t="str"><v>x</v></c></row>'), "展开后太大"),
    "a zip bomb": (lambda: zipped(b"0" * 400_000_000), "展开后太大"),
    "an encrypted book": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "密码"),
    "too many rows": (lambda: ("姓名,身份证号\n" + "张三,1\n" * 100_001).encode(), "行数太多"),
    "too large": (lambda: b"a" * (20 * 1024 * 1024 + 1), "文件太大"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(200), "不是名册文件"),
}


def test_every_file_that_cannot_be_read_says_why_and_leaves_nothing(world: World) -> None:
    for name, (data, words) in UNREADABLE.items():
        roster = _checked(world, data(), "r.xlsx")
        assert (roster.state, words in "".join(roster.notes)) == ("unreadable", True), (name, roster.notes)
    with everywhere(reason="look"):
        assert not RosterRow.objects.exists()
        assert not Member.objects.exists()


# --- files that look odd and are read -----------------------------------------------------------------------------------


def _page(rows: list[list[str]], more: Callable[[Any, Any], object] = lambda _book, _page: None) -> bytes:
    def fill(made: Any, page: Any) -> None:
        for y, row in enumerate(rows):
            for x, text in enumerate(row):
                page.write_string(y, x, text)
        more(made, page)

    return book(fill)


TWO = [["姓名", "身份证号"], ["张三", GOOD]]
TURNED = [("13800138000", GOOD, "张三")]
READ: dict[str, Callable[[], bytes]] = {
    "csv, UTF-8": lambda: _text([("张三", GOOD)]).encode(),
    "csv, UTF-8 with a mark": lambda: _text([("张三", GOOD)]).encode("utf-8-sig"),
    "csv, GB18030": lambda: _text([("张三", GOOD)]).encode("gb18030"),
    "csv, UTF-16 and tabs": lambda: _text([("张三", GOOD)]).replace(",", "\t").encode("utf-16"),
    "xls": lambda: old_workbook(("姓名", "身份证号"), ("张三", GOOD)),
    "columns in another order, with synonyms": lambda: _text(TURNED, ("联系电话", "公民身份号码", "职工姓名 *")).encode(),
    "a merged title": lambda: _page([["", ""], *TWO], lambda _book, page: page.merge_range(0, 0, 0, 1, "2026 名册")),
    "a hidden column": lambda: _page(TWO, lambda _book, page: page.set_column(1, 1, None, None, {"hidden": 1})),
    "formulas": lambda: _page(TWO, lambda _book, page: page.write_formula(1, 0, '="张"&"三"', None, "张三")),
    "1,048,576 blank rows": lambda: at_the_end(BLANK_ROWS),
    "a dimension that lies": lambda: changed(b'ref="A1:C2"', b'ref="A1:XFD1048576"'),
    "an entity": lambda: changed(b"<worksheet ", b'<!DOCTYPE x [<!ENTITY a "A">]><worksheet '),
}


def test_every_file_that_looks_odd_is_read(world: World) -> None:
    for name, data in READ.items():
        roster = _checked(world, data(), "r.xls" if name != "xls" else "r.xlsx")
        assert (roster.state, roster.good_count, roster.bad_count) == ("checked", 1, 0), (name, roster.notes, _outcomes(roster))
    assert HEAD[:2] == ["姓名", "身份证号"]


# --- lines --------------------------------------------------------------------------------------------------------------


def _permit(region: str) -> str:
    return make_id_number(region, BORN, 107)


def _foreign() -> str:
    """The permanent residence card of 2023: a 9, two digits of the place, three of the country, and on as everybody's."""
    first17 = "911156" + "19900308" + "111"
    return first17 + check_character(first17)


LINES: dict[tuple[str, str], str] = {
    ("𠮷野䶮", _number(103)): "",
    ("阿卜杜•克里木", _number(105)): "",
    ("陈港", _permit("810000")): "",
    ("澳生", _permit("820000")): "",
    ("台生", _permit("830000")): "",
    ("玛丽", _foreign()): "",
    ("全角", "".join(chr(ord(c) + 0xFEE0) for c in _number(109))): "",
    ("空格", " ".join(_number(111))): "",
    ("小写", next(n for order in range(200, 400) if (n := _number(order)).endswith("X")).lower()): "",
    ("科学", "6.10802E+17"): "科学计数法",
    ("小数", _number(113) + ".0"): "18 位",
    ("旧号", "610802900308101"): "15 位旧号码",
    ("旧证", "USA110012345678"): "旧版外国人永久居留身份证",
    ("位数", _number(115)[:-1]): "18 位",
    ("校验", _number(117)[:-1] + ("1" if _number(117)[-1] != "1" else "2")): "最后一位不对",
    ("生日", "610802199013081017"): "出生日期不存在",
    ("空号", ""): "请填写身份证号",
    ("", _number(119)): "请填写身份证上的姓名",
    ("补名", _number(119)): "",  # the line above cannot be enrolled: this one is no repetition of it
    ("=1+1", _number(121)): "不能识别的字符",
}


def test_every_odd_line_is_taken_or_named_with_its_reason(world: World) -> None:
    roster = _checked(world, _text(list(LINES)).encode())
    found = _outcomes(roster)
    assert [number for number, _outcome, _reasons in found] == list(range(2, len(LINES) + 2))
    for ((name, _id), words), (number, outcome, reasons) in zip(LINES.items(), found, strict=True):
        assert (outcome, words in reasons, bool(reasons)) == ("bad" if words else "good", True, bool(words)), (number, name, reasons)
    with everywhere(reason="look"):
        assert RosterRow.objects.get(roster=roster, row_number=3).name == "阿卜杜·克里木"


def test_hidden_and_filtered_rows_are_read_and_named_in_the_preview(world: World) -> None:
    def hide(_book: Any, page: Any) -> None:
        page.autofilter(0, 0, 5, 1)
        for row in (2, 3, 5, 9):  # the last one is empty
            page.set_row(row, None, None, {"hidden": True})

    roster = _checked(world, _page([["姓名", "身份证号"], *(["张三", _number(141 + 2 * i)] for i in range(5))], hide))
    assert roster.good_count == 5
    (note,) = [note for note in roster.notes if "隐藏" in note]
    assert "有 3 行" in note
    assert "第 3-4, 6 行" in note
    assert not any("隐藏" in note for note in _checked(world, _text([("张三", GOOD)]).encode()).notes)


def test_all_that_speaks_against_a_line_is_said_at_once_and_nothing_that_is_not_known(world: World) -> None:
    old = make_id_number("610802", date(1941, 3, 8), 131)
    lines = [
        ("年老", old, "138", "是"), ("没入", _number(133), "138", "否"), ("也许", _number(135), "138", "也许"),
        ("两遍", _number(137), "138", "是"), ("两遍", _number(137), "13800138000", "是"), ("两错", _number(139), "138", "是"),
        ("两错", _number(139), "139", "是"),
    ]  # fmt: skip
    text = "姓名,身份证号,手机号,工会会员\n" + "".join(",".join(line) + "\n" for line in lines)
    found = _outcomes(_checked(world, text.encode()))
    assert [outcome for _number, outcome, _why in found] == ["bad", "bad", "bad", "bad", "good", "bad", "bad"]
    said = [why for _number, _outcome, why in found]
    assert all("手机号" in why for why, (_name, _id, phone, _union) in zip(said, lines, strict=True) if len(phone) == 3), said
    for at, more in ((0, "岁"), (1, "还不是工会会员"), (2, "请填“是”或“否”"), (3, "与第 6 行是同一个"), (6, "与第 7 行是同一个")):
        assert more in said[at], said[at]
    assert "还不是工会会员" not in said[2]
    assert "同一个" not in said[5]


def test_numbers_that_a_spreadsheet_kept_as_numbers_are_refused_by_row(world: World) -> None:
    data = _page([HEAD, ["王小明"]], lambda _book, page: page.write_number(1, 1, int(GOOD[:17] + "0")))
    ((number, outcome, reasons),) = _outcomes(_checked(world, data))
    assert (number, outcome) == (2, "bad")
    assert "科学计数法" in reasons


def test_what_goes_out_again_holds_no_live_formula(world: World) -> None:
    live = ['=HYPERLINK("http://x.example")', "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0"]
    roster = _checked(world, _page([["姓名", "身份证号", "手机号"], *([text, text, text] for text in live)]))
    assert (roster.good_count, roster.bad_count) == (0, len(live))
    with everywhere(reason="look"), frozen(JOINED):
        problems = problem_sheets.problem_list(roster)
        seen = rosters.outcome_sheet(roster)
        last = rosters.last_list(world.unit, world.yulin, by=world.agent_actor, on=JOINED)
    for data in (problems, seen, last):
        cells = [cell for row in openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows() for cell in row]
        assert cells
        assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    said = {cell.value for row in openpyxl.load_workbook(io.BytesIO(problems)).active.iter_rows() for cell in row}
    assert {text.strip() for text in live} <= said


def test_the_sheet_of_problems_corrected_is_a_roster(world: World) -> None:
    wrong = _number(131)[:-1] + ("1" if _number(131)[-1] != "1" else "2")
    roster = _checked(world, _text([("张三", GOOD), ("李四", wrong)]).encode())
    with everywhere(reason="look"):
        table = read_table(problem_sheets.problem_list(roster), "r.xlsx")
    assert [row[:2] for row in table.rows] == [["李四", wrong]]
    rows = [[cell.replace(wrong, _number(131)) for cell in row] for row in table.rows]
    out = io.BytesIO()
    write_workbook(out, [Sheet("名册", "名册", [Column(title) for title in table.header], rows)])
    assert _checked(world, out.getvalue()).good_count == 1


def test_a_job_writes_the_sheet_in_every_language_and_it_goes_with_the_roster(world: World) -> None:
    roster = _checked(world, _text([("张三", GOOD), ("李四", "1")]).encode())
    for _time in range(2):
        with frozen(JOINED):
            run_due("default")
        problem_sheets.write(roster.pk)
    with everywhere(reason="look"):
        sheets = {one.language: one.file for one in RosterSheet.objects.filter(roster=roster)}
        assert set(sheets) == {"zh-hans", "en"}
        said = {language: read_table(file.open().read(), "r.xlsx").rows[0][-2] for language, file in sheets.items()}
        assert ("18 位" in said["zh-hans"], "18" in said["en"], said["en"].isascii()) == (True, True, True)
        rosters.cancel(roster, by=world.agent_actor)
        assert not RosterSheet.objects.exists()
        problem_sheets.write(roster.pk)
        assert not RosterSheet.objects.exists(), "a job that comes late writes none"


# --- once is enough -----------------------------------------------------------------------------------------------------


def test_checking_and_enrolling_twice_is_doing_it_once(world: World) -> None:
    roster = _enrolled(world, _text([("张三", GOOD), ("李四", _number(133))]).encode())
    version = roster.version
    with frozen(JOINED), everywhere(reason="again"):
        rosters.check(roster.pk, by=SYSTEM, on=JOINED)
        rosters.commit(roster.pk, by=SYSTEM, on=JOINED)
        roster.refresh_from_db()
        assert (roster.version, roster.state, Enrolment.objects.count(), roster.dues.count()) == (version, "committed", 2, 1)


def test_the_same_bytes_are_taken_once_until_they_are_put_aside(world: World) -> None:
    data = _text([("张三", GOOD)]).encode()
    roster = _checked(world, data)
    with pytest.raises(rosters.RosterRefused, match="已经上传过"):
        _uploaded(world, data, "another name.csv")
    with everywhere(reason="put aside"):
        rosters.cancel(roster, by=world.agent_actor)
    with everywhere(reason="too late"), pytest.raises(Conflict):
        rosters.confirm(roster, by=world.agent_actor)
    assert _enrolled(world, data).good_count == 1


def test_the_same_people_in_another_file_are_known_and_told_line_by_line(world: World) -> None:
    """The row's key is the person: who is covered already is refused by name, who is new joins."""
    _enrolled(world, _text([("张三", GOOD)]).encode())
    again = _checked(world, _text([("张三", GOOD), ("李四", _number(133)), ("李四", _number(133))]).encode())
    assert [(outcome, reasons) for _number_, outcome, reasons in _outcomes(again)] == [
        ("bad", "本单位已为此人参加过这个计划，不能重复参加"),
        ("good", ""),
        ("bad", "与第 3 行是同一个身份证号"),
    ]


def test_whom_another_roster_covered_first_stays_with_that_unit(world: World) -> None:
    """Both units see the same three people as new; the first one enrols two of them. The second enrols who is left, and moves nobody
    else. A third list of people who are all covered by now comes to nothing: it waits for no payment."""
    with frozen(JOINED), everywhere(reason="arrange"):
        unit, agent = make_unit(world.cast.b, "91610100MA70A1B3D")
        units.approve_unit(unit, by=world.cast.actor(world.cast.outsider))
        theirs = replace(world, unit=unit, agent=agent)
    lines = [("张三", GOOD), ("李四", _number(133)), ("王五", _number(135))]
    late, empty = _checked(theirs, _text(lines).encode()), _checked(theirs, _text(lines[:2]).encode())
    _enrolled(world, _text(lines[:2]).encode())
    with frozen(JOINED), everywhere(reason="enrol"):
        for roster in (late, empty):
            rosters.confirm(roster, by=theirs.agent_actor)
            rosters.commit(roster.pk, by=SYSTEM, on=JOINED)
            roster.refresh_from_db()
        works = dict(Member.objects.values_list("name", "unit_id"))
        assert works == {"张三": world.unit.pk, "李四": world.unit.pk, "王五": unit.pk}
        assert [member.name for member in Member.objects.filter(unit_ids__contains=[unit.pk])] == ["王五"]
        assert (late.state, late.good_count, late.bad_count) == ("committed", 1, 2)
        assert (empty.state, empty.good_count, empty.dues.count()) == ("cancelled", 0, 0)
        assert "没有登记任何人" in "".join(empty.notes)


def test_a_list_of_a_unit_that_was_merged_away_is_not_confirmed(world: World) -> None:
    with frozen(JOINED), everywhere(reason="arrange"):
        into, _agent = make_unit(world.cast.a, "91610100MA70A1B3D")
        units.approve_unit(into, by=world.cast.actor(world.cast.reviewer))
    roster = _checked(world, _text([("张三", GOOD)]).encode())
    with frozen(JOINED), everywhere(reason="merge"):
        lineage.merge(world.unit, into, headcount=80, women_count=40, basis="合并", by=world.cast.actor(world.cast.manager), on=JOINED)
        with pytest.raises(rosters.RosterRefused, match="已并入其他单位"):
            rosters.confirm(Roster.objects.get(pk=roster.pk), by=world.agent_actor)


def test_everybody_enrolled_has_their_own_number(world: World) -> None:
    """What was sealed for a record opens for that record and is that person's."""
    with everywhere(reason="known before"):
        known = world.member(133, name="李四", born=BORN)
    _enrolled(world, _text([("张三", GOOD), ("李四", _number(133))]).encode())
    with everywhere(reason="look"):
        assert RosterRow.objects.get(name="李四").member_key == known.pk
        names = dict(Member.objects.values_list("pk", "name"))
        assert {names[pk]: number for pk, (number, _phone) in numbers_of(list(names)).items()} == {"张三": GOOD, "李四": _number(133)}


def test_who_became_known_since_the_check_is_enrolled_as_who_they_are(world: World) -> None:
    """Of a roster of new people nobody is looked up again; the unique number ends that, and everybody is looked up after all."""
    roster = _checked(world, _text([("张三", GOOD), ("李四", _number(134))]).encode())
    assert roster.known_count == 0
    with frozen(JOINED), everywhere(reason="known since"):
        known = world.member(134, name="李四", born=BORN)
        rosters.confirm(roster, by=world.agent_actor)
        cover = rosters._cover(roster, on=JOINED)
        assert cover is not None
        attempt = {"by": SYSTEM, "on": JOINED, "tell": rosters._quiet, "only_new": True}
        with pytest.raises(roster_enrolling.KnownByNow), transaction.atomic():  # the control: without another look it ends here
            rosters._enrol(roster, schedule_of(roster.terms), cover, **attempt)
        rosters.commit(roster.pk, by=SYSTEM, on=JOINED)
        roster.refresh_from_db()
        assert (roster.state, roster.good_count, roster.bad_count) == ("committed", 2, 0)
        assert RosterRow.objects.get(roster=roster, name="李四").member_key == known.pk
        assert Enrolment.objects.filter(roster=roster, member=known).count() == 1


def test_progress_is_told_stage_by_stage(world: World) -> None:
    told: list[tuple[str, int, int]] = []

    def tell(stage: str, *, done: int = 0, total: int = 0) -> None:
        told.append((stage, done, total))

    roster = _uploaded(world, _text([("张三", GOOD), ("李四", _number(133))]).encode())
    with frozen(JOINED), everywhere(reason="look"):
        rosters.check(roster.pk, by=SYSTEM, on=JOINED, tell=tell)
        roster.refresh_from_db()
        rosters.confirm(roster, by=world.agent_actor)
        rosters.commit(roster.pk, by=SYSTEM, on=JOINED, tell=tell)
    assert told == [("读取文件", 0, 0), ("逐行核对", 0, 2), ("与上期名单比对", 2, 2), ("登记参加", 0, 2), ("计算互助费", 2, 2)]


def test_a_roster_takes_the_same_statements_however_many_people(world: World) -> None:
    def statements(first: int, people: int) -> int:
        born = date(1970, 1, 1).toordinal()
        lines = [("张三", make_id_number("610802", date.fromordinal(born + i // 900), i % 900)) for i in range(first, first + people)]
        with CaptureQueriesContext(connection) as seen:
            assert _enrolled(world, _text(lines).encode()).good_count == people
        return len(seen.captured_queries)

    few, many = statements(0, 1_000), statements(1_000, 100_000)
    assert few == many
