"""Reconciliation (对账): what the books say lies at the bank = what the bank says + what is on its way between the two, each item listed.
What is left over is the difference: red until a person explains it, and red again when it changes."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from claims.payouts.models import PayoutBatch
from members.models import BankStatement, StatementRow
from unionaid.books.models import BankBalance, Reconciliation
from unionaid.ledger.accounts import Code
from unionaid.ledger.models import Entry
from unionaid.ledger.selectors import turnover
from unionaid.lib.calendar import now, plus_days
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.web.files import kept
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record

NAMED = 50  # items of a kind that are listed one by one; the rest is one sum


class ReconcilingRefused(MoveRefused):
    """It cannot be entered or explained so; the message says why. `field` is the field at fault, if one is."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def enter_balance(office: Office, *, on_day: date, balance_fen: int, paper: CleanUpload, by: Actor, on: date) -> Reconciliation:
    """Type in what the bank's paper says lay on the account at the end of a day, and compare."""
    if not may(by, "reconciliations.make", office.pk) or by.user_id is None:
        raise NotAllowed(_("您没有“{action}”的权限。").format(action=_("登记对账单余额")))
    if on_day > on:
        raise ReconcilingRefused(_("日期不能在今天之后，请核对对账单。"), "on_day")
    made = BankBalance.objects.create(office=office, on=on_day, balance_fen=balance_fen, entered_by_id=by.user_id, **kept(paper))
    found = compare(made, by=by)
    record([found], "enter_balance", by=by, details={"balance_fen": balance_fen})
    return found


def take_balances(statement_id: int, *, by: Actor) -> None:
    """An imported statement says what lay on the account at the end of its days: keep it and compare each. A second run changes nothing."""
    statement = BankStatement.objects.get(pk=statement_id)
    known = {f"{day}" for day in BankBalance.objects.filter(statement=statement).values_list("on", flat=True)}
    for day, fen in statement.day_balances:
        if day not in known:
            told = {"statement": statement, "file_name": statement.file_name, "sha256": statement.file_sha256}
            made = BankBalance.objects.create(
                office_id=statement.office_id, on=date.fromisoformat(day), balance_fen=fen, entered_by_id=statement.uploaded_by_id, **told
            )
            compare(made, by=by)


@transaction.atomic
def compare(balance: BankBalance, *, by: Actor) -> Reconciliation:
    """Compare a day anew with the latest that the bank said of it. What was explained stays so while the difference is the same."""
    known = Reconciliation.objects.filter(office_id=balance.office_id, on=balance.on).values_list("undebited", flat=True).first()
    items = items_of(balance.office_id, balance.on, undebited=known or ())
    figures: dict[str, Any] = {
        "balance": balance,
        "bank_fen": balance.balance_fen,
        "ledger_fen": ledger_fen(balance.office_id, balance.on),
        "items_fen": sum(item["fen"] for item in items),
        "items": items,
        "looked_at": now(),
        "entered_by_id": balance.entered_by_id if balance.statement_id is None else None,
    }
    first = {**figures, "office_id": balance.office_id, "on": balance.on}
    Reconciliation.objects.bulk_create([Reconciliation(**first)], ignore_conflicts=True)
    rows = Reconciliation.objects.select_for_update(no_key=True, of=("self",))
    found: Reconciliation = rows.get(office_id=balance.office_id, on=balance.on)
    difference = figures["ledger_fen"] - figures["bank_fen"] - figures["items_fen"]
    if found.state == "explained" and found.difference_fen == difference:
        return found
    if found.state == ("differs" if difference else "agrees") and found.difference_fen == difference:
        Reconciliation.objects.filter(pk=found.pk).update(**figures)
    else:
        gone = {"reason": "", "explained_by_id": None, "explained_at": None}
        move([found], "differ" if difference else "agree", by=by, changes=figures | gone, details={"difference_fen": difference})
    found.refresh_from_db()
    return found


def compare_again(office_id: int, on_day: date, *, by: Actor) -> None:
    """Compare a day anew, if the bank has said anything of it."""
    latest = BankBalance.objects.filter(office_id=office_id, on=on_day).order_by("-id").first()
    if latest is not None:
        compare(latest, by=by)


def ledger_fen(office_id: int, on_day: date) -> int:
    """What the books say lies at the bank at the end of the day: the bank accounts of all funds of the office."""
    return sum(row.closing_fen for row in turnover([office_id], first=on_day, last=on_day) if row.code == Code.BANK)


def items_of(office_id: int, on_day: date, *, undebited: Collection[int] = ()) -> list[dict[str, Any]]:
    """What explains why books and bank differ at the end of the day: paid out by the bank and not confirmed yet, arrived and not taken in
    yet, posted later than it happened. Fen by which the books are higher."""
    return [*_in_transit(office_id, on_day, undebited), *_not_taken_in(office_id, on_day), *_posted_later(office_id, on_day)]


def _in_transit(office_id: int, on_day: date, undebited: Collection[int]) -> list[dict[str, Any]]:
    """Released payments without an answer: the bank has the order, the books take the money off when it confirms. Those of an
    `undebited` batch still lie at the bank, unless a line of a statement names the batch."""
    total = -sum(row.closing_fen for row in turnover([office_id], first=on_day, last=on_day) if row.code == Code.IN_TRANSIT)
    sent = PayoutBatch.objects.filter(office_id=office_id, state="released", business_on__lte=on_day, lines__state="open")
    batches = list(sent.annotate(fen=Sum("lines__amount_fen")).order_by("-id").values_list("pk", "number", "fen")[:NAMED]) if total else []
    rest = total - sum(fen for _pk, _number, fen in batches)
    waits = {pk for pk, number, _fen in batches if pk in undebited and not _paid_out(office_id, number, on_day)}
    items = [
        {"kind": "undebited" if pk in waits else "batch", "id": pk, "words": number, "fen": 0 if pk in waits else fen}
        for pk, number, fen in batches
    ]
    return [*items, *([{"kind": "in_transit", "id": 0, "words": "", "fen": rest}] if rest else [])]


def _paid_out(office_id: int, number: str, on_day: date) -> bool:
    """Does a statement of the bank name this batch among what went out up to that day?"""
    outgoing = StatementRow.objects.filter(statement__office_id=office_id, outcome=StatementRow.Outcome.OUTGOING, received_on__lte=on_day)
    return outgoing.filter(remark__contains=number).exists()


def _not_taken_in(office_id: int, on_day: date) -> list[dict[str, Any]]:
    """Lines of statements that were read and wait to be taken in: money at the bank that the books do not know."""
    rows = StatementRow.objects.filter(
        statement__office_id=office_id, statement__state__in=("read", "taking"), outcome=StatementRow.Outcome.GOOD, received_on__lte=on_day
    )
    total = rows.aggregate(fen=Sum("amount_fen", default=0))["fen"]
    named = rows.order_by("received_on", "id").values_list("statement_id", "bank_reference", "amount_fen")[:NAMED] if total else []
    items = [{"kind": "arrived", "id": pk, "words": number, "fen": -fen} for pk, number, fen in named]
    rest = -total - sum(item["fen"] for item in items)
    return [*items, *([{"kind": "arrived", "id": 0, "words": "", "fen": rest}] if rest else [])]


def _posted_later(office_id: int, on_day: date) -> list[dict[str, Any]]:
    """What happened at the bank by then and was posted after it, because its month was closed when it became known."""
    late = Entry.objects.filter(
        account__office_id=office_id, account__code=Code.BANK, posted_on__gt=on_day, transaction__happened_on__lte=on_day
    )
    named = list(late.order_by("id").values_list("transaction_id", "amount_fen")[: NAMED + 1])
    if len(named) > NAMED:
        return [{"kind": "later", "id": 0, "words": "", "fen": -late.aggregate(fen=Sum("amount_fen"))["fen"]}]
    return [{"kind": "later", "id": pk, "words": str(pk), "fen": -fen} for pk, fen in named]


def unexplained_lines(office_id: int, on_day: date) -> Sequence[StatementRow]:
    """Lines of that day's imported statements that the books do not take in: what the bank paid out, and what could not be read."""
    rows = StatementRow.objects.filter(
        Q(statement__state="taken") | Q(statement__state="read"), statement__office_id=office_id, received_on=on_day,
        outcome__in=(StatementRow.Outcome.OUTGOING, StatementRow.Outcome.BAD),
    )  # fmt: skip
    return list(rows.select_related("statement").order_by("id")[:NAMED])


def explain(found: Reconciliation, *, reason: str, by: Actor) -> Reconciliation:
    """A person says where the difference comes from. Not whoever typed in the bank's balance."""
    if not reason.strip():
        raise ReconcilingRefused(_("请写明差额是怎么来的、打算怎么处理。"), "reason")
    return move([found], "explain", by=by, note=reason.strip(), changes={"reason": reason.strip()})[0]


@transaction.atomic
def say_debited(found: Reconciliation, batch: PayoutBatch, *, debited: bool, by: Actor) -> Reconciliation:
    """A person has looked at the bank's account: by the end of this day it had, or had not, paid this released batch out. Not whoever typed
    in the bank's balance, and not against a statement that names the batch."""
    if not may(by, "reconciliations.explain", found.office_id) or by.user_id is None or by.user_id == found.entered_by_id:
        raise NotAllowed(_("对账单余额是您登记的，或者您没有说明差额的权限，要由另一位同事来办。"))
    mine: Reconciliation = Reconciliation.objects.select_for_update(no_key=True, of=("self",)).get(pk=found.pk)
    if batch.pk not in {item["id"] for item in mine.items if item["kind"] in ("batch", "undebited")}:
        raise ReconcilingRefused(_("这个批次不在这一天的在途里，请重新核对。"))
    if not debited and _paid_out(mine.office_id, batch.number, mine.on):
        raise ReconcilingRefused(_("银行流水里已有批次 {number} 的支出，不能说还没有扣款。").format(number=batch.number))
    mine.undebited = sorted({*mine.undebited, batch.pk} - ({batch.pk} if debited else set()))
    mine.save(update_fields=["undebited"])
    record([mine], "say_debited" if debited else "say_undebited", by=by, details={"batch": batch.number})
    return compare(mine.balance, by=by)


def look_again(on: date, *, by: Actor, days: int = 40) -> int:
    """Compare each red day of the last weeks and the latest day of each office anew: more may have been posted meanwhile. How many."""
    red = Reconciliation.objects.filter(state="differs", on__gt=plus_days(on, -days)).values_list("office_id", "on")
    latest = Reconciliation.objects.order_by("office_id", "-on").distinct("office_id").values_list("office_id", "on")
    found = sorted({*red, *latest})
    for office_id, day in found:
        compare_again(office_id, day, by=by)
    return len(found)
