"""From a figure of the trial balance down to the claim that was paid; each office sees its own books; workbooks hold values only."""

from io import BytesIO

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from claims.payouts import services as payouts
from claims.services import adjudication
from tests.factories.clients import client_of
from tests.factories.funds import OPENING_FEN, fill
from tests.factories.payouts import release
from tests.factories.world import ASKED, JOINED, World
from unionaid.books.selectors import statement_of, trial, trial_of
from unionaid.ledger.models import Account, Entry
from unionaid.ledger.selectors import Turnover
from unionaid.lib.calendar import frozen
from unionaid.lib.money import format_yuan
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import run_due

IN_THE_BANK = format_yuan(OPENING_FEN + 12_500)
DAYS = {"first": "2026-01-01", "last": "2026-07-01"}


@pytest.fixture
def paid(world: World):
    """One claim of 4,400 yuan was paid out of the fund."""
    cast = world.cast
    with everywhere(reason="arrange"), frozen(ASKED):
        claim = world.claim(world.cover(world.member(101)), 600_000)
        adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
        adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)
        batch = payouts.assemble(office=cast.a, claims=[claim], by=cast.actor(cast.payer), on=ASKED)
        release(cast, batch)
        fill(cast, on=JOINED, fund="relief", amount_fen=777)
    with frozen(ASKED):
        run_due("payouts")
        yield world, claim


def test_a_figure_leads_down_to_the_claim_behind_it(paid) -> None:
    world, claim = paid
    payer = client_of(world.cast.payer)
    page = payer.get(reverse("admin:ledger_account_changelist"), DAYS).content.decode()
    for words in ("借贷相等", IN_THE_BANK, "4,400.00", "救助金", "7.77"):
        assert words in page
    with everywhere(reason="look"):
        benefits = Account.objects.get(code="benefits")
        entry = Entry.objects.get(account=benefits)
    address = reverse("admin:ledger_statement", args=[benefits.pk])
    assert f"{address}?first=2026-01-01" in page
    statement = payer.get(address, DAYS).content.decode()
    below = reverse("admin:ledger_transaction", args=[entry.transaction_id])
    assert below in statement
    transaction = payer.get(below).content.decode()
    with everywhere(reason="look"):
        batch = claim.payout_lines.get().batch
    assert f"给付批次 {batch.number}" in transaction
    thing = reverse("admin:payout_batch", args=[batch.pk])
    assert thing in transaction
    assert claim.number in payer.get(thing).content.decode()


def test_other_offices_books_are_not_there(paid) -> None:
    world, _claim = paid
    with everywhere(reason="look"):
        account, entry = Account.objects.filter(office=world.cast.a).first(), Entry.objects.first()
    outsider = client_of(world.cast.outsider)
    for name, pk in (("admin:ledger_statement", account.pk), ("admin:ledger_transaction", entry.transaction_id)):
        assert outsider.get(reverse(name, args=[pk])).status_code == 404
    page = outsider.get(reverse("admin:ledger_account_changelist"), {**DAYS, "office": world.cast.a.pk})
    assert page.status_code == 400
    assert "榆林" not in page.content.decode()
    assert "还没有记过账" in outsider.get(reverse("admin:ledger_account_changelist"), DAYS).content.decode()
    headquarters = client_of(world.cast.auditor).get(reverse("admin:ledger_account_changelist"), DAYS).content.decode()
    assert IN_THE_BANK in headquarters


@pytest.mark.parametrize(
    "asked", [{"first": "2026-13-01"}, {"first": "2026-07-02", "last": "2026-07-01"}, {"last": "\x00"}, {"office": "x"}]
)
def test_what_cannot_be_asked_is_answered_in_words(paid, asked: dict[str, str]) -> None:
    world, _claim = paid
    payer = client_of(world.cast.payer)
    with everywhere(reason="look"):
        account = Account.objects.first()
    pages = [reverse("admin:ledger_account_changelist"), reverse("admin:ledger_trial_workbook")]
    pages += [reverse(name, args=[account.pk]) for name in ("admin:ledger_statement", "admin:ledger_statement_workbook")]
    statuses = {payer.get(page, asked).status_code for page in pages}
    assert statuses <= {200, 400}
    if "first" in asked:
        assert statuses == {400}


def test_workbooks_hold_values_only_and_say_who_took_them(paid) -> None:
    world, claim = paid
    payer = client_of(world.cast.payer)
    with everywhere(reason="look"):
        bank = Account.objects.get(code="bank", fund="mutual_aid")
    for address in (reverse("admin:ledger_trial_workbook"), reverse("admin:ledger_statement_workbook", args=[bank.pk])):
        answer = payer.get(address, DAYS)
        assert answer.status_code == 200
        cells = [cell for sheet in load_workbook(BytesIO(answer.content)) for row in sheet.iter_rows() for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f"]
        values = [cell.value for cell in cells]
        assert (OPENING_FEN + 12_500) / 100 in values
        assert any("甄珍 于" in str(value) for value in values)


def test_a_statement_goes_on_where_the_page_before_ended(paid) -> None:
    world, _claim = paid
    with everywhere(reason="look"):
        bank = Account.objects.get(code="bank", fund="mutual_aid")
        whole = statement_of(bank, first=JOINED, last=ASKED)
        first = statement_of(bank, first=JOINED, last=ASKED, size=1)
        second = statement_of(bank, first=JOINED, last=ASKED, size=1, after=first.following)
    assert [line.balance_fen for line in whole.lines] == [OPENING_FEN, OPENING_FEN + 12_500]
    assert [*first.lines, *second.lines] == [*whole.lines]
    assert (whole.following, second.following) == ("", "")


def test_books_that_do_not_balance_are_seen() -> None:
    """The negative control of "they balance": one account alone."""
    alone = Turnover(1, 1, "mutual_aid", "bank", 0, 5, 0)
    assert not trial_of([alone]).balances
    assert trial_of([alone, Turnover(2, 1, "mutual_aid", "interest", 0, 0, 5)]).balances
    assert not trial_of([alone, Turnover(2, 1, "relief", "interest", 0, 0, 5)]).balances, "each fund by itself"


def test_the_trial_balance_is_one_statement(paid, django_assert_num_queries) -> None:
    world, _claim = paid
    with everywhere(reason="look"), django_assert_num_queries(1):
        assert trial([world.cast.a.pk, world.cast.b.pk], first=JOINED, last=ASKED).balances
