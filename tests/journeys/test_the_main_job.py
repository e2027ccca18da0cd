"""From a roster to a paid claim and a yearly report, with real commits, as `bin/demo` plays it."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from openpyxl import load_workbook
from pypdf import PdfReader

from claims.models import Claim
from claims.payouts.models import PayoutLine
from members.models import Enrolment, RosterRow
from unionaid.ledger.models import Entry
from unionaid.offices.scope import everywhere


@pytest.fixture
def played(committed: None, tmp_path: Path) -> Path:
    call_command("load_offices", stdout=io.StringIO())
    call_command("load_catalogue", stdout=io.StringIO())
    call_command("play", out=tmp_path, rows=120, inline=True, stdout=io.StringIO())
    return tmp_path


def test_the_played_year_comes_out_to_the_fen(played: Path) -> None:
    summary = json.loads((played / "summary.json").read_text("utf-8"))
    assert [c["state"] for c in summary["claims"]] == ["paid"] * 14
    assert sum(c["paid_fen"] for c in summary["claims"]) == 24_786_394
    assert summary["ledger_balance_fen"] == 0
    with everywhere(reason="look"):
        assert RosterRow.objects.filter(outcome="bad").count() == summary["roster"]["refused"] == 3
        assert not RosterRow.objects.filter(outcome="bad", reasons={}).exists()
        assert not RosterRow.objects.exclude(id_number=None).exists()  # the staged numbers are gone
        assert Enrolment.objects.exclude(state="effective").count() == 0
        assert sum(Entry.objects.values_list("amount_fen", flat=True)) == 0
        assert PayoutLine.objects.filter(state="failed").count() == 1
        assert Claim.objects.filter(payout_lines__state="succeeded").count() == 14
    with pytest.raises(CommandError, match="stands already"):
        call_command("play", out=played, inline=True)
    _the_files_are_for_people(played)


def _the_files_are_for_people(played: Path) -> None:
    text = PdfReader(played / "certificate.pdf").pages[0].extract_text().replace("\x00", "")
    assert "艾小梅" in text
    sheet = load_workbook(played / "yearly-report.xlsx").active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=9)]
    assert rows[-1][0] == "合计"
    assert round(sum(row[11] for row in rows[:-1]), 2) == round(rows[-1][11], 2) == 247_863.94
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    answers = load_workbook(played / "roster-result.xlsx").active
    assert any("最后一位不对" in str(cell.value) for row in answers.iter_rows() for cell in row)
