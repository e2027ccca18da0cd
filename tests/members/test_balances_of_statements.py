"""What a bank's statement says lay on the account at the end of a day: taken where it adds up, never guessed."""

from datetime import date

import pytest

from members.bankstatement import read

ON = date(2026, 7, 10)
HEAD = "交易日期,交易流水号,贷方发生额,借方发生额,对方户名,附言,余额"
UP = ["2026-07-01,a,100,,王,x,1100.00", "2026-07-01,b,,30.50,李,x,1069.50", "2026-07-02,c,0.50,,王,x,1070.00"]


def _csv(rows: list[str], head: str = HEAD) -> dict[date, int]:
    return read("\r\n".join([head, *rows]).encode(), "s.csv", on=ON).balances


def test_each_day_ends_with_its_last_line_whichever_way_the_file_runs() -> None:
    days = {date(2026, 7, 1): 106_950, date(2026, 7, 2): 107_000}
    assert _csv(UP) == days
    assert _csv(UP[::-1]) == days


@pytest.mark.parametrize(
    "rows",
    [
        [UP[0], UP[2]],  # a line is missing
        [UP[0], UP[1].replace("1069.50", "1069.51"), UP[2]],
        [UP[0].replace(",1100.00", ","), *UP[1:]],
        [UP[0].replace("1100.00", "一千"), *UP[1:]],
    ],
)
def test_what_does_not_add_up_says_nothing(rows: list[str]) -> None:
    assert _csv(rows) == {}


def test_without_a_column_of_balances_there_are_none() -> None:
    assert _csv([row.rpartition(",")[0] for row in UP], HEAD.rpartition(",")[0]) == {}


CAMT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>{0}
<Ntry><Amt Ccy="CNY">5</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-07-01</Dt></BookgDt>
<AcctSvcrRef>r1</AcctSvcrRef></Ntry></Stmt></BkToCstmrStmt></Document>"""
BALANCE = """<Bal><Tp><CdOrPrtry><Cd>{0}</Cd></CdOrPrtry></Tp><Amt Ccy="{1}">{2}</Amt>
<CdtDbtInd>{3}</CdtDbtInd><Dt><Dt>2026-07-01</Dt></Dt></Bal>"""


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([("OPBD", "CNY", "1", "CRDT"), ("CLBD", "CNY", "12.34", "CRDT")], {date(2026, 7, 1): 1234}),
        ([("CLBD", "CNY", "12.34", "DBIT")], {date(2026, 7, 1): -1234}),
        ([("CLBD", "CNY", "12.34", "CRDT"), ("CLBD", "CNY", "12.35", "CRDT")], {}),
        ([("CLBD", "USD", "12.34", "CRDT")], {}),
        ([("CLBD", "CNY", "NaN", "CRDT")], {}),
        ([], {}),
    ],
)
def test_camt_says_it_in_its_closing_balance(said: list[tuple[str, ...]], found: dict[date, int]) -> None:
    data = CAMT.format("".join(BALANCE.format(*one) for one in said)).encode()
    assert read(data, "s.xml", on=ON).balances == found
