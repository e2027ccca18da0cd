"""The lists of people that the demo's units send in: of the played year, and of the next period, which may be joined when it is over."""

import io
from collections.abc import Sequence
from datetime import date

from members.services import roster_rows
from programs.models import Terms
from programs.rules.planfile import PlanFile
from programs.services import check, load_plan, publish
from unionaid.lib.calendar import plus_days
from unionaid.lib.identity import make_id_number
from unionaid.lib.spreadsheet import Column, Sheet, write_workbook
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere

Row = list[str]
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗", "建国秀英伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂"
WRONG, WRONG_EVERY = 7, 50  # of the list's people: the first with something wrong, and how many until the next
NEIGHBOURS = [  # those of the other unit
    [name, make_id_number("610802", date(1988, 4, 1 + i), 701 + i), f"1370000000{i}", "企业在职", "是", "是", "1"]
    for i, name in enumerate(("邻小雨", "邻大江", "邻秋生"))
]


def roster_lines(count: int) -> list[Row]:
    """A unit's list of `count` people; every fiftieth has something wrong with it, each time something else."""
    lines = [_person_row(i) for i in range(count)]
    for nth, at in enumerate(range(WRONG, count, WRONG_EVERY)):
        _spoil(lines, at, nth)
    return lines


def _person_row(i: int) -> Row:
    born = date(1968 + i % 36, 1 + i % 12, 1 + i % 28)
    name = SURNAMES[i % len(SURNAMES)] + GIVEN[i * 7 % len(GIVEN)] + (GIVEN[i * 3 % len(GIVEN)] if i % 3 else "")
    number = make_id_number("610802", born, 100 + i % 800)
    return [name, number, f"139{i:08d}", "企业在职", "是", "是", "1"]


def _spoil(lines: list[Row], at: int, nth: int) -> None:
    """Something wrong with this line, one of ten things in turn: which column, and what stands there."""
    number = lines[at][1]
    column, wrong = [
        (1, number[:17] + ("0" if number[17] != "0" else "1")), (1, "6.10802E+17"), (1, lines[at - 1][1]), (3, "已退休"), (4, "否"),
        (5, "否"), (6, "3"), (0, "张3"), (2, "12345"), (1, make_id_number("610802", date(1955, 1, 1), 101)),
    ][nth % 10]  # fmt: skip
    lines[at][column] = wrong


def publish_next_period(terms: Terms, *, opens: date) -> Terms:
    """The same plan for the year after these terms, joined from `opens` on, with up to three shares and a waiting period that whoever
    renews does not have."""
    start = terms.period.upper
    last = plus_days(date(start.year + 1, start.month, start.day), -1)
    data = {
        **terms.schedule,
        "version": str(start.year),
        "source": {**terms.schedule["source"], "note": f"{start.year} 年这一期为演示设定，便于演示续保。"},
        "period": {"start": start.isoformat(), "end": last.isoformat()},
        "enrolment": {
            **terms.schedule["enrolment"], "opens": opens.isoformat(), "closes": last.isoformat(), "shares": {"max": 3},
        },
        "waiting": {"days": 30, "waived_on_renewal_within_days": 30},
    }  # fmt: skip
    with everywhere(reason="publish the demo's next period"):
        loaded = load_plan(PlanFile(data, {}, f"demo {start.year}"), by=SYSTEM)
        return publish(check(loaded.terms, by=SYSTEM), by=SYSTEM)


def renewed_lines(lines: Sequence[Row], *, moved: Row) -> list[Row]:
    """The list of the next period made of the last one's people who had nothing wrong: the last two left; of the others one has two
    shares, one is retired, one stands there twice; two are new, one (`moved`) has cover through another unit."""
    rows = [line for at, line in enumerate(lines) if at % WRONG_EVERY != WRONG]
    name, number, shares, employment = (list(roster_rows.TITLES).index(key) for key in ("name", "id_number", "shares", "employment"))
    stay = [list(row) for row in rows[:-2]]
    stay[0][shares], stay[1][employment] = "2", "已退休"
    new = [list(rows[0]) for _each in range(2)]
    for i, row in enumerate(new):
        row[name], row[number] = ("新来一", "新来二")[i], make_id_number("610802", date(1995, 6, 1 + i), 901)
    return [*stay, *new, list(moved), list(stay[2])]


def list_file(title: str, rows: Sequence[Row]) -> bytes:
    """These rows as the sheet that a unit sends in."""
    out = io.BytesIO()
    columns = [Column(name, "text", 20) for name in roster_rows.TITLES.values()]
    write_workbook(out, [Sheet("花名册", title, columns, rows)])
    return out.getvalue()
