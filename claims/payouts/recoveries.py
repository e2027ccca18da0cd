"""Recovery (追回) of what was paid too much: what is owed back, in parts if agreed, matched from what arrives at the bank, set off against
later benefit only as the plan says, and written off by two people. The earlier decisions and payments stay as they were."""

from collections.abc import Sequence
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.crypto import get_random_string
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.models import Claim
from claims.payouts.models import PayoutLine, Recovery, RecoveryInstalment, RecoveryPayment
from members.models import Remittance
from members.services.contributions import lock_rows, restate
from programs.selectors import schedule_of
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.models import Transaction
from unionaid.ledger.posting import Line, Posting, post, reverse
from unionaid.lib.calendar import days_between, plus_days
from unionaid.lib.money import format_yuan
from unionaid.offices.roles import SYSTEM, Actor, may
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record
from unionaid.workflow.notices import tell

OPENED, RECEIVED, SET_OFF, WRITTEN_OFF = "recovery", "recovery_received", "recovery_set_off", "recovery_written_off"
MOVED = "recovery_moved"  # between the books of two funds
TAKEN_BACK, MOVED_BACK, SET_OFF_UNDONE = "recovery_unmatched", "recovery_moved_back", "recovery_set_off_undone"
USUAL_DAYS = 30  # in which to pay back, where no instalments are agreed. The house's own figure, from no plan's terms.
MOST_INSTALMENTS = 36
REMIND_AFTER = (1, 15, 30)  # days after a last day that was missed; the house's own figures


class RecoveryRefused(MoveRefused):
    """It cannot be done so; the message says why. `field` is the field at fault, if one is."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


# -- opening ---------------------------------------------------------------------------------------------------------


def open_for(claim_id: int, *, by: Actor, on: date) -> None:
    """The correction found that too much was paid: what is owed back stands in the books from now on, and the claimant is told in plain
    words. A second run does nothing."""
    claim = Claim.objects.select_for_update(of=("self",)).select_related("program").get(pk=claim_id)
    if claim.state != "recovery" or Recovery.objects.filter(claim=claim).exists():
        return
    final = claim.statements.select_related("instead_of").get(is_final=True)
    over_fen = (final.instead_of.total_fen if final.instead_of else 0) - final.total_fen
    made = Recovery.objects.create(
        office_id=claim.office_id, number=f"ZH{on:%y%m}{get_random_string(7, '0123456789')}", claim=claim, claimant_id=claim.claimant_id,
        program_id=claim.program_id, fund=claim.fund, amount_fen=over_fen, opened_on=on, decided_by_id=claim.approved_by_id,
    )  # fmt: skip
    lines = (Line(Code.RECOVERABLE, over_fen), Line(Code.BENEFITS, -over_fen))
    post(OPENED, [Posting(made, Fund(made.fund), lines)], on=on, by=by)
    record([made], "open_recovery", by=by, details={"claim": claim.number, "amount_fen": over_fen})
    _tell(made, *_ASKED, last=pay_by(made), why=claim.message)


def pay_by(recovery: Recovery) -> date:
    """The last day to pay back where no instalments are agreed."""
    return plus_days(recovery.opened_on, USUAL_DAYS)


def agree(recovery: Recovery, parts: Sequence[tuple[date, int]], *, by: Actor, on: date, note: str = "") -> Recovery:
    """Agree on instalments (last day, fen) for all that is left; they take the place of those agreed before."""
    if not may(by, "recoveries.agree", recovery.office_id):
        raise NotAllowed(_("您没有商定分期的权限。"))
    fresh = _locked(recovery)
    if fresh.state != "open":
        raise RecoveryRefused(_("这笔追回现在是“{state}”，不能再商定分期。").format(state=fresh.state_label))
    if not 1 <= len(parts) <= MOST_INSTALMENTS:
        raise RecoveryRefused(_("分期要在 1 到 {most} 期之间。").format(most=MOST_INSTALMENTS), "count")
    days = [day for day, _fen in parts]
    if days != sorted(set(days)) or days[0] < on or any(fen <= 0 for _day, fen in parts):
        raise RecoveryRefused(_("各期的日期要从今天起一期比一期晚，金额要大于 0。"), "first_on")
    if sum(fen for _day, fen in parts) != fresh.left_fen:
        raise RecoveryRefused(_("各期加起来要正好是还没退的 {left} 元。").format(left=format_yuan(fresh.left_fen)), "count")
    RecoveryInstalment.objects.filter(recovery=fresh).delete()
    RecoveryInstalment.objects.bulk_create([RecoveryInstalment(recovery=fresh, due_on=day, amount_fen=fen) for day, fen in parts])
    details = {"parts": [{"due_on": f"{day}", "amount_fen": fen} for day, fen in parts]}
    record([fresh], "agree_instalments", by=by, note=note, details=details)
    _tell(fresh, *_AGREED, count=len(parts), first=days[0], amount=format_yuan(parts[0][1]))
    return fresh


# -- what comes back -------------------------------------------------------------------------------------------------


@transaction.atomic
def match(recovery: Recovery, remittance: Remittance, *, amount_fen: int, by: Actor, on: date) -> RecoveryPayment:
    """So much of what arrived at the bank was paid back for this recovery; the rest stays with the remittance."""
    if not may(by, "recoveries.book", recovery.office_id):
        raise NotAllowed(_("您没有登记退回款的权限。"))
    arrived = lock_rows(Remittance, [remittance.pk]).get(remittance.pk)
    fresh = _locked(recovery)
    if arrived is None or arrived.office_id != fresh.office_id:
        raise RecoveryRefused(_("请从列出的来款里选择一笔。"), "remittance")
    most = min(arrived.left_fen, fresh.left_fen - _held(fresh))
    if not 0 < amount_fen <= most:
        words = _("这笔来款最多可以核销 {most} 元（来款剩下的和还没退的，取较小的一个）。")
        raise RecoveryRefused(words.format(most=format_yuan(max(0, most))), "amount")
    paid = _take(fresh, amount_fen, by=by, on=arrived.received_on, remittance=arrived)
    fund, back = Fund(fresh.fund), paid.amount_fen
    into = Code.UNAPPLIED
    if fund != Fund.MUTUAL_AID:  # what arrives stands in the books of the mutual-aid fund first
        post(MOVED, [Posting(paid, Fund.MUTUAL_AID, (Line(Code.UNAPPLIED, back), Line(Code.BANK, -back)))], on=on, by=by)
        into = Code.BANK
    post(RECEIVED, [Posting(paid, fund, (Line(into, back), Line(Code.RECOVERABLE, -back)))], on=on, by=by)
    restate([arrived.pk], by=by)
    _after(fresh, by=by)
    return paid


@transaction.atomic
def take_back(payment: RecoveryPayment, *, by: Actor, on: date, note: str) -> RecoveryPayment:
    """What arrived was matched with the wrong recovery, or was no such payment: an entry of its own turns it around, in the books as
    well; what is owed back is owed again, and the remittance can be matched anew. One person, with the reason, as with a contribution."""
    if not may(by, "recoveries.book", payment.office_id):
        raise NotAllowed(_("您没有登记退回款的权限。"))
    if not note.strip():
        raise RecoveryRefused(_("请写明为什么撤销。"), "note")
    if payment.remittance_id is None or payment.takes_back_id is not None:
        raise RecoveryRefused(_("这一笔不是从来款登记的，不能撤销。"), "payment")
    lock_rows(Remittance, [payment.remittance_id])
    fresh = Recovery.objects.select_for_update(of=("self",), no_key=True).get(pk=payment.recovery_id)
    if fresh.state not in ("open", "settled"):
        raise RecoveryRefused(_("这笔追回现在是“{state}”，不能撤销。请先决定核销；已经核销的不能再改。").format(state=fresh.state_label))
    if RecoveryPayment.objects.filter(takes_back=payment).exists():
        raise RecoveryRefused(_("这一笔已经撤销过了。"), "payment")
    if fresh.state == "settled":
        move([fresh], "reopen", by=by, note=note.strip())
        move([Claim.objects.get(pk=fresh.claim_id)], "reopen_recovery", by=by, note=note.strip())
    made = RecoveryPayment.objects.create(
        office_id=payment.office_id, recovery=fresh, remittance_id=payment.remittance_id, amount_fen=-payment.amount_fen,
        takes_back=payment, note=note.strip(), received_on=on, by_id=by.user_id,
    )  # fmt: skip
    record([fresh], "take_back", by=by, note=note.strip(), details={"amount_fen": payment.amount_fen, "payment": payment.pk})
    posted = Transaction.objects.filter(source_type=RecoveryPayment._meta.label_lower, source_id=payment.pk)
    for kind, undone in ((MOVED, MOVED_BACK), (RECEIVED, TAKEN_BACK)):
        reverse(undone, list(posted.filter(kind=kind)), on=on, by=by, note=note.strip())
    restate([payment.remittance_id], by=by)
    fresh.refresh_from_db()
    _tell(fresh, *_TAKEN_BACK, back=format_yuan(payment.amount_fen), left=format_yuan(fresh.left_fen))
    return made


def set_off(lines: Sequence[PayoutLine]) -> None:
    """What of these payments is kept back for an open recovery of the same claimant and fund: as much as the plan of the later claim
    allows, and never what another payment under way already keeps back. The recoveries stay locked. Constant statements."""
    willing = [line for line in lines if schedule_of(line.claim.terms).deciding.set_off_ratio]
    if not willing:
        return
    people = {line.claim.claimant_id for line in willing}
    rows = Recovery.objects.select_for_update(of=("self",), no_key=True).filter(state="open", claimant__in=people).order_by("pk")
    owing: dict[tuple[int, str, int], list[Recovery]] = {}
    for row in rows:
        owing.setdefault((row.claimant_id, row.fund, row.office_id), []).append(row)
    found = [row for several in owing.values() for row in several]
    held = dict(_under_way(found).values_list("set_off_against").annotate(fen=Sum("set_off_fen")))
    for line in willing:
        for recovery in owing.get((line.claim.claimant_id, line.claim.fund, line.office_id), []):
            left = recovery.left_fen - held.get(recovery.pk, 0)
            part = min(left, int(line.amount_fen * schedule_of(line.claim.terms).deciding.set_off_ratio))
            if part > 0:
                line.amount_fen, line.set_off_fen, line.set_off_against = line.amount_fen - part, part, recovery
                held[recovery.pk] = held.get(recovery.pk, 0) + part
                break


def book_set_offs(lines: Sequence[PayoutLine], *, by: Actor, on: date) -> None:
    """These payments have arrived: what they kept back has been paid back with them. It was already where they pay again what the bank
    had sent back late: the fund had kept it all the while, and it counts once."""
    recoveries = lock_rows(Recovery, {line.set_off_against_id for line in lines})
    earlier = set(_standing([line.claim_id for line in lines]).values_list("line__claim_id", flat=True))
    lines = [line for line in lines if line.claim_id not in earlier]
    paid = [_take(recoveries[line.set_off_against_id], line.set_off_fen, by=by, on=on, line=line) for line in lines]
    post(SET_OFF, [_kept_back(one) for one in paid], on=on, by=by)
    for recovery_id in sorted({one.recovery_id for one in paid}):
        _after(recoveries[recovery_id], by=by)


@transaction.atomic
def owe_again(claim_id: int, *, by: Actor, on: date) -> None:
    """This claim is not paid after all (it was halted): what had been kept back of it before the bank sent the rest back has paid nothing
    back. An entry of its own turns it around, in the books as well, and it is owed again, whatever had become of the rest. A second run
    does nothing."""
    found = _standing([claim_id]).first()
    if found is None:
        return
    fresh = _locked(found.recovery)
    if RecoveryPayment.objects.filter(takes_back=found).exists():
        return
    why = _("抵还它的那份申领停付了，没有付出")
    if fresh.state in ("settled", "written_off"):
        move([Claim.objects.get(pk=fresh.claim_id)], "owe_again", by=by, note=why)
    if fresh.state != "open":
        move([fresh], "owe_again", by=by, note=why, changes={"write_off_reason": ""})
    RecoveryPayment.objects.create(
        office_id=found.office_id, recovery=fresh, amount_fen=-found.amount_fen, takes_back=found, note=why, received_on=on,
        by_id=by.user_id,
    )  # fmt: skip
    record([fresh], "undo_set_off", by=by, note=why, details={"amount_fen": found.amount_fen, "payment": found.pk})
    posted = Transaction.objects.filter(source_type=RecoveryPayment._meta.label_lower, source_id=found.pk, kind=SET_OFF)
    reverse(SET_OFF_UNDONE, list(posted), on=on, by=by, note=why)
    fresh.refresh_from_db()
    number = Claim.objects.values_list("number", flat=True).get(pk=claim_id)
    _tell(fresh, *_NOT_SET_OFF, halted=number, back=format_yuan(found.amount_fen), left=format_yuan(fresh.left_fen))


def _standing(claims: Sequence[int] | OuterRef) -> QuerySet[RecoveryPayment]:
    """What was kept back of these claims and has paid something back: it stands though the bank sent the rest back later."""
    theirs = Q(line__claim=claims) if isinstance(claims, OuterRef) else Q(line__claim__in=claims)
    return RecoveryPayment.objects.filter(theirs, taken_back__isnull=True)


def _kept_back(paid: RecoveryPayment) -> Posting:
    lines = (Line(Code.BENEFITS, paid.amount_fen), Line(Code.RECOVERABLE, -paid.amount_fen))
    return Posting(paid, Fund(paid.recovery.fund), lines)


def _under_way(recoveries: Sequence[Recovery]) -> QuerySet[PayoutLine]:
    """Payments that keep something back for these recoveries and have not arrived: open, or sent back and not yet sent again, though they
    were in a batch for it and were taken out (what was halted will not be). Not what has paid back already with an earlier payment."""
    to_come = Q(state__in=["open", "failed"]) | Q(state="void", reissue_of__isnull=False)
    lines = PayoutLine.objects.filter(to_come, set_off_against__in=recoveries, reissued_as__isnull=True)
    return lines.exclude(Exists(_standing(OuterRef("claim")))).exclude(claim__state="halted").order_by()


def _held(recovery: Recovery) -> int:
    found: int = _under_way([recovery]).aggregate(fen=Sum("set_off_fen", default=0))["fen"]
    return found


def _take(recovery: Recovery, amount_fen: int, *, by: Actor, on: date, **source: Remittance | PayoutLine) -> RecoveryPayment:
    try:
        with transaction.atomic():
            made = RecoveryPayment.objects.create(
                office_id=recovery.office_id, recovery=recovery, amount_fen=amount_fen, received_on=on, by_id=by.user_id, **source
            )
    except IntegrityError as error:
        if "recovery_never_more" not in str(error) and "remittance_never" not in str(error) and "not open" not in str(error):
            raise
        raise RecoveryRefused(_("这笔追回或来款刚刚有变化，请刷新后再试。")) from error
    record([recovery], "pay_back", by=by, details={"amount_fen": amount_fen})
    return made


def _after(recovery: Recovery, *, by: Actor) -> None:
    """Told what has come back; all of it: the matter is over."""
    recovery.refresh_from_db()
    if recovery.left_fen:
        _tell(recovery, *_PART, left=format_yuan(recovery.left_fen))
        return
    move([recovery], "settle", by=by)
    move([Claim.objects.get(pk=recovery.claim_id)], "close_recovery", by=by)
    _tell(recovery, *_SETTLED)


# -- what is not paid back in time -------------------------------------------------------------------------------------


def overdue_since(recovery: Recovery, parts: Sequence[tuple[date, int]], *, on: date) -> date | None:
    """The last day that was missed (that day itself still counts): of the first agreed part (last day, fen; in their order) that is
    not paid whole, or, where none are agreed, of the whole. None when nothing is late."""
    if recovery.state != "open":
        return None
    later = sum(fen for _day, fen in parts)
    for day, fen in parts or [(pay_by(recovery), 0)]:
        later -= fen
        if later < recovery.left_fen:
            return day if day < on else None
    return None


def overdue_fen(recovery: Recovery, parts: Sequence[tuple[date, int]], *, on: date) -> int:
    """How much should have been back by now and is not."""
    if overdue_since(recovery, parts, on=on) is None:
        return 0
    return recovery.left_fen - sum(fen for day, fen in parts if day >= on)


def parts_of(recovery: Recovery) -> list[tuple[date, int]]:
    """What was agreed: (last day, fen), in their order."""
    return [(one.due_on, one.amount_fen) for one in recovery.instalments.all()]


def left_of_parts(parts: Sequence[tuple[date, int]], open_fen: int) -> list[int]:
    """How much of each agreed part (in their order) is not back, when `open_fen` of them all is not: what came back counts for the
    earliest."""
    left = list[int]()
    for _day, fen in reversed(parts):
        left.append(min(fen, open_fen))
        open_fen -= left[-1]
    return left[::-1]


def overdue(rows: QuerySet[Recovery], *, on: date) -> QuerySet[Recovery]:
    """Of these, the open ones that are late: more is left than the parts whose last day has not passed."""
    coming = RecoveryInstalment.objects.filter(recovery=OuterRef("pk"))
    later = coming.filter(due_on__gte=on).order_by().values("recovery").annotate(fen=Sum("amount_fen")).values("fen")
    with_parts = Q(Exists(coming.filter(due_on__lt=on))) & Q(left_fen__gt=Coalesce(Subquery(later), 0))
    return rows.filter(with_parts | ~Q(Exists(coming)) & Q(opened_on__lt=plus_days(on, -USUAL_DAYS)), state="open")


def step_of(recovery: Recovery, *, on: date) -> tuple[date, int] | None:
    """The reminder that is due: of which last day, and the how manieth for it. None when it was sent, or nothing is late."""
    day = overdue_since(recovery, parts_of(recovery), on=on)
    step = sum(days_between(day, on) >= days for days in REMIND_AFTER) if day else 0
    if day is None or (recovery.reminded_for == day and recovery.reminded_step >= step):
        return None
    return day, step


def find_overdue(on: date) -> None:
    """Write a job for every reminder that is due. Three statements for each two thousand that are late."""
    for row in overdue(Recovery.objects.order_by("pk"), on=on).prefetch_related("instalments").iterator(chunk_size=2000):
        if due := step_of(row, on=on):
            enqueue("recoveries.remind", [(row.pk, f"recoveries.remind:{row.pk}:{due[0]}:{due[1]}", row)], by=SYSTEM)


@transaction.atomic
def remind(recovery_id: int, *, on: date) -> None:
    """Tell the claimant that a last day has passed, once for each step. A second run does nothing."""
    fresh = Recovery.objects.select_for_update(of=("self",), no_key=True).select_related("claim", "program").get(pk=recovery_id)
    due = step_of(fresh, on=on)
    if due is None:
        return
    Recovery.objects.filter(pk=fresh.pk).update(reminded_for=due[0], reminded_step=due[1])
    record([fresh], "remind_overdue", by=SYSTEM, details={"last_day": f"{due[0]}", "step": due[1]})
    _tell(fresh, *_REMINDED, day=due[0], late=format_yuan(overdue_fen(fresh, parts_of(fresh), on=on)))


# -- writing off -----------------------------------------------------------------------------------------------------


def propose_write_off(recovery: Recovery, *, by: Actor, note: str) -> Recovery:
    """The rest cannot be had back; a second person decides. Nothing may be on its way for it."""
    if not note.strip():
        raise RecoveryRefused(_("请写明核销的原因，例如家庭困难的证明、催收的经过。"), "note")
    fresh = _locked(recovery)
    if _held(fresh):
        raise RecoveryRefused(_("有一笔给付正在抵还这笔多付，等它到账或退回之后再申请核销。"))
    return move([fresh], "propose_write_off", by=by, note=note, changes={"write_off_reason": note})[0]


def keep(recovery: Recovery, *, by: Actor, note: str) -> Recovery:
    """It is not written off: what is left stays owed."""
    if not note.strip():
        raise RecoveryRefused(_("请写明不同意核销的原因。"), "note")
    return move([recovery], "keep", by=by, note=note, changes={"write_off_reason": ""})[0]


@transaction.atomic
def write_off(recovery: Recovery, *, by: Actor, on: date, note: str = "") -> Recovery:
    """A second person, who did not decide the correction either, lets the rest go: it is benefit that was paid after all."""
    fresh = _locked(recovery)
    left, before = fresh.left_fen, fresh.written_off_fen
    move([fresh], "write_off", by=by, note=note, changes={"written_off_fen": before + left})
    lines = (Line(Code.BENEFITS, left), Line(Code.RECOVERABLE, -left))
    # What was let go once and came to be owed again is let go for what brought it back: a thing is posted once.
    again = fresh.payments.filter(takes_back__isnull=False).last() if before else None
    post(WRITTEN_OFF, [Posting(again or fresh, Fund(fresh.fund), lines)], on=on, by=by)
    move([Claim.objects.get(pk=fresh.claim_id)], "close_written_off", by=by)
    _tell(fresh, *_LET_GO, left=format_yuan(left))
    return fresh


def _locked(recovery: Recovery) -> Recovery:
    found: Recovery = Recovery.objects.select_for_update(of=("self",), no_key=True).get(pk=recovery.pk)
    return found


# -- what the claimant is told ---------------------------------------------------------------------------------------

_ASKED = (
    gettext_lazy("有一笔互助金多付了，请退回"),
    gettext_lazy(
        "{program}：重新核定后，多付了 {amount} 元。原因：{why} 请在 {last} 前转账退回，附言写 {number}；"
        "一次退回有困难的，可以打电话给办事处商量分期。不同意的，可以申诉。"
    ),
)
_AGREED = (
    gettext_lazy("多付的互助金可以分期退回"),
    gettext_lazy("编号 {number}：已商定分 {count} 期退回，第一期 {amount} 元，最晚 {first}。转账时附言写 {number}。"),
)
_PART = (gettext_lazy("收到您退回的互助金"), gettext_lazy("编号 {number}：已经收到，还剩 {left} 元。谢谢您。"))
_TAKEN_BACK = (
    gettext_lazy("一笔退回款登记错了，已经改正"),
    gettext_lazy(
        "编号 {number}：原来登记收到您退回的 {back} 元，核对后不是这笔追回的，已撤销。现在还要退 {left} 元。有疑问请打电话给办事处。"
    ),
)
_NOT_SET_OFF = (
    gettext_lazy("一笔抵还撤销了，因为那份申领停付"),
    gettext_lazy(
        "编号 {number}：原来从申领 {halted} 的互助金里抵还了 {back} 元。这份申领停付、另行重新审核，所以抵还也撤销了，"
        "现在还要退 {left} 元。重新审核后有互助金的，按条款可能再从里面抵还。有疑问请打电话给办事处。"
    ),
)
_REMINDED = (
    gettext_lazy("提醒：多付的互助金还没有退回"),
    gettext_lazy(
        "编号 {number}：原定 {day} 前退回的，还有 {late} 元没有收到。已经转账的，不用管这条提醒；一次退有困难的，"
        "请打电话给办事处，可以重新商量分期。转账附言写 {number}。"
    ),
)
_SETTLED = (gettext_lazy("多付的互助金已经退清"), gettext_lazy("编号 {number}：多付的 {amount} 元已经退清，您不用再做什么。谢谢您。"))
_LET_GO = (gettext_lazy("多付的互助金不用再退了"), gettext_lazy("编号 {number}：剩下的 {left} 元不用再退，您不用再做什么。"))


def _tell(recovery: Recovery, title: Promise, text: Promise, **values: object) -> None:
    told = {"number": recovery.number, "program": recovery.program.title, "amount": format_yuan(recovery.amount_fen)} | values
    link = f"/my/claims/{recovery.claim.public_id}/recovery"
    tell([recovery.claimant_id], office_id=recovery.office_id, title=title, text=text, link=link, values=told)
