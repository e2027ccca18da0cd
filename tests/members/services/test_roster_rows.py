"""What stands in a file and is a roster all the same: headers in every place and shape, cells as other programs write them."""

from datetime import date

import pytest

from members.services.roster_rows import RosterUnreadable, Row, read_header
from unionaid.lib.identity import make_id_number
from unionaid.lib.spreadsheet import read_table

ON = date(2026, 1, 5)
ONE, TWO = (make_id_number("610802", date(1990, 3, 8), order) for order in (101, 102))
BOTH = f"张三,{ONE},2\n李四,{TWO},2\n"


def _read(text: str) -> list[Row]:
    reading = read_header(read_table(text.encode(), "r.csv"), on=ON)
    return [reading.row(at) for at in range(len(reading))]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"姓名,身份证号,份数\n{BOTH}", id="as it should be"),
        pytest.param(f"填报单位：某厂,填报日期：2026-01-01,\n,,\n姓名,身份证号,份数\n{BOTH}", id="who filled it in, above the header"),
        pytest.param(f"姓名,证件,\n,身份证号,份数\n{BOTH}", id="a header of two lines"),
        pytest.param(f"姓名,身份证号,其他\n,,份数\n{BOTH}", id="a header that goes on below"),
        pytest.param(f"姓 名 *,居民身份证号码（18位）,份数（份）\n{BOTH}", id="blanks, stars and brackets"),
        pytest.param(
            f"姓名（拼音）,姓名,身份证号,份数,会员（卡号）\nzhang san,张三,{ONE},2,0012\nli si,李四,{TWO},2,0013\n",
            id="columns that only look alike",
        ),
        pytest.param(f"姓名,身份证号,份数\n张三,{ONE},2\n姓名,身份证号,份数\n李四,{TWO},2\n", id="the header once more"),
        pytest.param(f"姓名,身份证号,份数\n张三,{ONE},2份\n李四,{TWO},２\n", id="shares with a word, in wide digits"),
        pytest.param(f"姓名;身份证号;份数\n{BOTH.replace(',', ';')}", id="semicolons"),
        pytest.param(f"姓名，身份证号，份数\n{BOTH.replace(',', '，')}", id="the comma of Chinese keyboards"),
        pytest.param(f"姓名,身份证号,份数\n张三,{ONE}\t,2\n李四,{TWO}\t,2\n", id="tabs behind the numbers"),
        pytest.param(f"姓名,身份证号,份数\n张三,=\"{ONE}\",2\n李四,'{TWO},2\n", id="numbers kept as text"),
        pytest.param(f"姓名,身份证号,份数\r{BOTH}".replace("\n", "\r"), id="ends of lines of an old Macintosh"),
    ],
)
def test_the_same_two_people_are_read(text: str) -> None:
    rows = _read(text)
    assert [(row.name, row.id_number and row.id_number.number, row.shares, row.reasons) for row in rows] == [
        ("张三", ONE, 2, []),
        ("李四", TWO, 2, []),
    ]


@pytest.mark.parametrize("shares", ["0", "-1", "1.5", "100", "两份", "1e1", "=1+1"])
def test_other_shares_are_named(shares: str) -> None:
    (row,) = _read(f"姓名,身份证号,份数\n张三,{ONE},{shares}\n")
    assert [str(words) for words in row.reasons] == ["份数应为 1 到 99 的整数"]


def test_a_name_that_is_refused_is_shown_as_it_was_typed() -> None:
    (row,) = _read(f"姓名,身份证号\n钱六（退休）,{ONE}\n")
    assert (row.name, len(row.reasons)) == ("钱六（退休）", 1)


def test_two_lists_side_by_side_are_refused_since_the_second_would_be_lost() -> None:
    with pytest.raises(RosterUnreadable) as refused:
        read_header(read_table(f"姓名,身份证号,姓名,身份证号\n张三,{ONE},李四,{TWO}\n".encode(), "r.csv"), on=ON)
    assert "“姓名”这一列出现了 2 次" in str(refused.value.words)
