"""Contributions (互助费): what is due, what arrived, which arrival settles which debt, and what is not owed any more.

Money that arrives is first unapplied; a match makes it income; undoing a match reverses it. The sums of a remittance and of a debt
are kept by triggers under CHECKs, so that nothing is matched beyond what arrived or what is owed. Cover takes effect when every
debt of its roster or enrolment is settled. Locks are taken in one order: rosters, enrolments, debts, remittances.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils.crypto import get_random_string
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.bankstatement import references_in
from members.models import ContributionDue, DuePaper, Enrolment, Match, Member, Refund, Remittance, Roster, Voiding, WorkUnit
from members.selectors.contributions import suggest
from members.services.fee_news import IN_FORCE, PAID, tell_later
from members.transitions import DUE_LIVE, REMITTANCE_OPEN
from programs.selectors import schedule_of
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.models import Transaction
from unionaid.ledger.posting import Line, Posting, post, reverse
from unionaid.lib.calendar import now
from unionaid.lib.money import format_yuan
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.models import Office
from unionaid.offices.roles import SYSTEM, Actor, may
from unionaid.web.files import kept
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.models import Job
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed, Standing, move, record
from unionaid.workflow.notices import tell

_LETTERS = "ABCDEFGHJKLMNPQRTUWXY346789"
ARRIVED, MATCHED, UNMATCHED = "remittance", "contribution_match", "contribution_unmatch"
AT_ONCE = 500  # remittances matched in one transaction of the job
MAX_SLIPS = 10


class RemittanceRefused(MoveRefused):
    """The money that arrived does not settle this debt; the message says why."""


@dataclass(frozen=True, slots=True)
class Pair:
    """So much of this remittance is to settle so much of this debt."""

    remittance_id: int
    due_id: int
    amount_fen: int


# -- what is owed ----------------------------------------------------------------------------------------------------


def raise_due(
    *,
    office_id: int,
    unit: WorkUnit | None,
    member: Member | None,
    amounts: Mapping[str, int],
    roster: Roster | None = None,
    enrolment: Enrolment | None = None,
    pay_by: date | None = None,
) -> list[ContributionDue]:
    """Write down what each payer owes (fen by payer; payers of nothing are left out). The reference is what the payer
    writes on the transfer, so that the money finds its way. `pay_by`: the last day on which the bank may book it."""
    return ContributionDue.objects.bulk_create(
        [
            ContributionDue(
                office_id=office_id,
                unit=unit,
                member=member,
                roster=roster,
                enrolment=enrolment,
                payer=payer,
                reference=f"HZ{get_random_string(8, _LETTERS)}",
                amount_fen=amount,
                pay_by=pay_by,
            )
            for payer, amount in amounts.items()
            if amount > 0
        ]
    )


def add_slip(due: ContributionDue, upload: CleanUpload, *, by: Actor) -> DuePaper:
    """The payer shows that the money was sent. The same paper is kept once. It proves nothing: the bank's statement does."""
    if due.state not in DUE_LIVE:
        raise RemittanceRefused(_("这笔互助费已经办完，不用再传缴费凭据。"))
    known = DuePaper.objects.filter(due=due, sha256=upload.sha256).first()
    if known:
        return known
    if DuePaper.objects.filter(due=due).count() >= MAX_SLIPS:
        raise RemittanceRefused(_("一笔互助费最多传 {count} 份凭据，已经够了。").format(count=MAX_SLIPS))
    slip = DuePaper.objects.create(due=due, uploaded_by_id=by.user_id, **kept(upload))
    record([due], "add_slip", by=by)
    return slip


# -- what arrived ----------------------------------------------------------------------------------------------------


def post_arrivals(remittances: Sequence[Remittance], *, on: date, by: Actor) -> None:
    """Money in the bank that nobody has matched yet, each on the day the bank booked it."""
    post(ARRIVED, [_arrival(one) for one in remittances], on=on, by=by)


def _arrival(one: Remittance) -> Posting:
    lines = (Line(Code.BANK, one.amount_fen), Line(Code.UNAPPLIED, -one.amount_fen))
    return Posting(one, Fund.MUTUAL_AID, lines, on=one.received_on)


@transaction.atomic
def confirm(
    due: ContributionDue,
    *,
    payer_name: str,
    bank_reference: str,
    received_on: date,
    amount_fen: int,
    remark: str,
    by: Actor,
    on: date,
) -> Remittance:
    """Money arrived for this debt, typed in from the statement: taken in and matched as far as it goes. Less than is owed leaves
    the debt part paid, more leaves the rest with the remittance. A line of the bank's statement counts once. RemittanceRefused
    or Conflict otherwise."""
    refuse_person(by, [due.office_id])
    if received_on > on:
        raise RemittanceRefused(_("到账日期不能在今天之后，请核对银行流水。"))
    if amount_fen <= 0:
        raise RemittanceRefused(_("到账金额应大于 0。"))
    fresh = lock([due.pk], [])[0].get(due.pk)
    _refuse_settled(due, fresh)
    assert fresh is not None
    _refuse_late(fresh, received_on)
    remittance = enter(
        office_id=due.office_id, payer_name=payer_name, bank_reference=bank_reference, received_on=received_on,
        amount_fen=amount_fen, remark=remark, by=by,
    )  # fmt: skip
    post_arrivals([remittance], on=on, by=by)
    match([Pair(remittance.pk, due.pk, min(amount_fen, fresh.owed_fen))], by=by, on=on)
    due.refresh_from_db()
    remittance.refresh_from_db()
    return remittance


def enter(*, office_id: int, bank_reference: str, remark: str, by: Actor, **told: Any) -> Remittance:
    """Write down money that arrived, typed in from the bank's statement; not posted yet. A line of the statement counts once."""
    try:
        with transaction.atomic():
            remittance = Remittance.objects.create(
                office_id=office_id,
                bank_reference=bank_reference,
                remark=remark,
                named=references_in(remark),
                entered_by_id=by.user_id,
                **told,
            )
    except IntegrityError as error:
        if "remittance_once" not in str(error):
            raise
        words = _("这一笔银行流水已经用过，请核对流水号。")
        if Remittance.objects.filter(office_id=office_id, bank_reference=bank_reference, left_fen__gt=0).exists():
            words += _("它已在来款列表里，还有没有核销的部分，请到那笔来款的页面核销。")
        raise RemittanceRefused(words) from error
    record([remittance], "enter", by=by)
    return remittance


# -- matching --------------------------------------------------------------------------------------------------------


@transaction.atomic
def match(pairs: Sequence[Pair], *, by: Actor, on: date) -> list[Match]:
    """Settle debts with remittances, many with many, all or none, in a constant number of statements. RemittanceRefused when
    something is asked beyond what is left or owed, Conflict when a debt is not open any more."""
    if not pairs:
        return []
    offices = ContributionDue.objects.filter(pk__in={pair.due_id for pair in pairs}).values_list("office_id", flat=True)
    refuse_person(by, set(offices))
    return match_again(pairs, by=by, on=on)


def match_again(pairs: Sequence[Pair], *, by: Actor, on: date) -> list[Match]:
    """`match` without asking who: for whoever had the right to what makes it necessary (a corrected remittance)."""
    dues, remittances = lock({pair.due_id for pair in pairs}, {pair.remittance_id for pair in pairs})
    _refuse_pairs(pairs, dues, remittances)
    made = _write(pairs, dues, by=by, on=on)
    state_of_dues(list(dues.values()), by=by, on=on)
    restate(remittances, by=by)
    return made


def _write(pairs: Sequence[Pair], dues: Mapping[int, ContributionDue], *, by: Actor, on: date) -> list[Match]:
    """The matches and what they do in the books."""
    try:
        with transaction.atomic():
            made = Match.objects.bulk_create(
                [
                    Match(
                        office_id=dues[pair.due_id].office_id,
                        remittance_id=pair.remittance_id,
                        due_id=pair.due_id,
                        amount_fen=pair.amount_fen,
                        matched_by_id=by.user_id,
                    )
                    for pair in pairs
                ],
                batch_size=5000,
            )
    except IntegrityError as error:
        if "match_once" in str(error):
            raise RemittanceRefused(_("这笔来款已经核销过这笔应缴。金额要改的，请先撤销原来的核销。")) from error
        if "remittance_never_overspent" in str(error) or "due_never_overpaid" in str(error):
            raise RemittanceRefused(_("来款的余额或应缴的金额刚刚有变化，没有核销。请刷新后再试。")) from error
        raise
    post(MATCHED, [_income(one) for one in made], on=on, by=by)
    return made


def _income(one: Match) -> Posting:
    return Posting(one, Fund.MUTUAL_AID, (Line(Code.UNAPPLIED, one.amount_fen), Line(Code.CONTRIBUTIONS, -one.amount_fen)))


def lock_covers(due_ids: Iterable[int]) -> None:
    """Whoever settles the last debt of a roster or an enrolment must see the others as they are: one at a time."""
    rows = list(ContributionDue.objects.filter(pk__in=set(due_ids)).values_list("roster_id", "enrolment_id"))
    for model, ids in ((Roster, {r for r, _e in rows if r}), (Enrolment, {e for _r, e in rows if e})):
        list(model.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))


def lock_rows(model: type[Any], ids: Iterable[int]) -> dict[int, Any]:
    """These rows as they are now, held until the end of the transaction, in key order."""
    rows = model.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=set(ids)).order_by("pk")
    return {row.pk: row for row in rows}


def lock(due_ids: Iterable[int], remittance_ids: Iterable[int]) -> tuple[dict[int, ContributionDue], dict[int, Remittance]]:
    lock_covers(due_ids)
    return lock_rows(ContributionDue, due_ids), lock_rows(Remittance, remittance_ids)


def refuse_person(by: Actor, office_ids: Iterable[int]) -> None:
    for office_id in set(office_ids):
        if not may(by, "contributions.confirm", office_id):
            raise NotAllowed(_("您没有“{action}”的权限。").format(action=_("确认到账")))


def _refuse_settled(due: ContributionDue, fresh: ContributionDue | None) -> None:
    if fresh is None or fresh.state not in DUE_LIVE:
        if fresh and fresh.state == "cancelled":
            words = _("互助费 {reference} 已取消，不再收取。钱确实到账了的，请在“登记一笔来款”里登记，再提出退款。")
            raise Conflict(words.format(reference=due.reference), [Standing(due.pk, fresh.state, fresh.state_label)])
        label = fresh.state_label if fresh else _("不存在")
        words = _("互助费 {reference} 现在是“{state}”，不能再核销。请刷新页面再看。").format(reference=due.reference, state=label)
        raise Conflict(words, [Standing(due.pk, fresh.state if fresh else "", label)])


def _refuse_late(due: ContributionDue, received_on: date) -> None:
    """What came after the last day brings no cover any more."""
    if not due.in_time(received_on):
        words = _("互助费 {reference} 的缴费期限是 {day}，这笔款 {received} 才到账，不能核销。请只登记来款，参加取消后退回缴费方。")
        raise RemittanceRefused(words.format(reference=due.reference, day=date_format(due.pay_by), received=date_format(received_on)))


def _refuse_pairs(pairs: Sequence[Pair], dues: Mapping[int, ContributionDue], remittances: Mapping[int, Remittance]) -> None:
    spent, paid = Counter[int](), Counter[int]()
    for pair in pairs:
        due, remittance = dues.get(pair.due_id), remittances.get(pair.remittance_id)
        if due is None or remittance is None:
            raise Conflict(_("这笔来款或应缴不存在。"), [Standing(pair.due_id, "", _("不存在"))])
        if due.office_id != remittance.office_id:
            raise RemittanceRefused(_("来款和应缴不是同一个机构的，不能核销。"))
        _refuse_settled(due, due)
        if pair.amount_fen <= 0:
            raise RemittanceRefused(_("核销金额应大于 0。"))
        _refuse_late(due, remittance.received_on)
        spent[remittance.pk] += pair.amount_fen
        paid[due.pk] += pair.amount_fen
        if spent[remittance.pk] > remittance.left_fen:
            raise RemittanceRefused(
                _("来款 {reference} 只剩 {left} 元，不够核销 {wanted} 元。").format(
                    reference=remittance.bank_reference, left=format_yuan(remittance.left_fen), wanted=format_yuan(spent[remittance.pk])
                )
            )
        if paid[due.pk] > due.owed_fen:
            raise RemittanceRefused(
                _("互助费 {reference} 还欠 {owed} 元，不能核销 {wanted} 元；多出的部分留在来款里。").format(
                    reference=due.reference, owed=format_yuan(due.owed_fen), wanted=format_yuan(paid[due.pk])
                )
            )


def state_of_dues(dues: Sequence[ContributionDue], *, by: Actor, on: date) -> None:
    """Move the debts to where their figures are, and make cover effective where nothing is open any more."""
    figures = {row.pk: row for row in ContributionDue.objects.filter(pk__in=[due.pk for due in dues])}
    settled = [row for row in figures.values() if row.state in DUE_LIVE and row.owed_fen == 0 and row.paid_fen]
    part = [row for row in figures.values() if row.state in DUE_LIVE and row.owed_fen and row.paid_fen]
    gone = [row for row in figures.values() if row.state in DUE_LIVE and row.owed_fen == 0 and not row.paid_fen]
    move(settled, "settle", by=by, changes={"settled_on": on})
    move(part, "pay_part", by=by)
    move(gone, "waive", by=by)
    tell_later(PAID, [*part, *(due for due in settled if due.unit_id)])
    if settled or gone:
        _make_effective([*settled, *gone], by=by)


def _make_effective(dues: Sequence[ContributionDue], *, by: Actor) -> None:
    """Cover takes effect when every payer's part has arrived."""
    rosters, enrolments = ({getattr(due, name) for due in dues} - {None} for name in ("roster_id", "enrolment_id"))
    wanting = ContributionDue.objects.filter(state__in=DUE_LIVE)
    rosters -= set(wanting.filter(roster_id__in=rosters).values_list("roster_id", flat=True))
    enrolments -= set(wanting.filter(enrolment_id__in=enrolments).values_list("enrolment_id", flat=True))
    move(list(Roster.objects.filter(pk__in=rosters, state="committed")), "settle", by=by)
    due = Enrolment.objects.filter(state="contribution_due")
    alone = list(due.filter(pk__in=enrolments))
    move([*due.filter(roster_id__in=rosters), *alone], "confirm", by=by)
    tell_later(IN_FORCE, alone)  # a roster's people are told part by part


def settle_what_is_free(*, roster: Roster | None = None, enrolment: Enrolment | None = None) -> None:
    """Cover for which nobody owes anything takes effect at once: there is no arrival to wait for. With a debt it waits. A roster of
    which nobody was enrolled stays as it is."""
    own: dict[str, Any] = {"roster": roster} if roster else {"pk": enrolment.pk if enrolment else None}
    dues = ContributionDue.objects.filter(roster=roster) if roster else ContributionDue.objects.filter(enrolment=enrolment)
    if dues.exists():  # asked first: a roster's hundred thousand covers are not read to be left as they are
        return
    covers = list(Enrolment.objects.filter(**own, state="contribution_due"))
    if not covers:
        return
    move([roster] if roster else [], "settle", by=SYSTEM)
    move(covers, "confirm", by=SYSTEM)
    if enrolment:
        if not schedule_of(enrolment.terms).is_grant:  # what relief rests on is no cover that begins
            tell_later(IN_FORCE, covers)
        enrolment.refresh_from_db()


def restate(ids: Iterable[int], *, by: Actor, touched: bool = True) -> None:
    """Move the remittances to where their figures are; those that stay where they are only when they were touched."""
    rows = list(Remittance.objects.filter(pk__in=set(ids)))
    pending = Refund.objects.filter(remittance__in=rows, state__in=["proposed", "released"])
    going = set(pending.values_list("remittance_id", flat=True))
    names = {name for row in rows for name in row.named}
    live = set(ContributionDue.objects.filter(reference__in=names, state__in=DUE_LIVE).values_list("reference", flat=True))
    moves: dict[str, list[Remittance]] = {}
    for row in rows:
        action = _action(row, row.pk in going, any(name in live for name in row.named))
        if touched or Remittance.graph.arrow(action).target != row.state:
            moves.setdefault(action, []).append(row)
    for action in sorted(moves):
        move(moves[action], action, by=by)


def _action(row: Remittance, going_back: bool, names_live: bool) -> str:
    """What the figures say: all matched; all matched or gone back; some still to match; more than is owed; nothing yet."""
    if going_back:
        return "leave_over"
    if row.left_fen == 0:
        return "refund" if row.refunded_fen else "match"
    if not row.matched_fen and not row.recovered_fen:
        return "leave_over" if row.refunded_fen else "unmatch"
    return "match_part" if names_live else "leave_over"


def match_sure_later(office: Office, *, by: Actor) -> Job:
    """Have every suggestion that is sure (remark and amount agree) confirmed by a job."""
    if not may(by, "contributions.confirm", office.pk):
        raise NotAllowed(_("您没有“{action}”的权限。").format(action=_("确认到账")))
    key = f"members.match_sure:{office.pk}:{get_random_string(12)}"
    enqueue("members.match_sure", [(office.pk, key, None)], by=by, permission="contributions.confirm", office_id=office.pk)
    return Job.objects.get(key=key)


def match_sure(office_id: int, run: Run) -> dict[str, Any] | None:
    """The next part: the sure ones among the next remittances, in one transaction with the place."""
    waiting = Remittance.objects.filter(office_id=office_id, state__in=REMITTANCE_OPEN, left_fen__gt=0).order_by("pk")
    after = run.cursor.get("after", 0)
    if not run.cursor:
        run.total, run.stage = waiting.count(), _("核销附言和金额都一致的来款")
    rows = list(waiting.filter(pk__gt=after)[:AT_ONCE])
    if not rows:
        run.stage, run.done = "", run.total
        return None
    found = [one for ones in suggest(rows).values() for one in ones if one.sure]
    match([Pair(one.remittance.pk, one.due.pk, one.amount_fen) for one in found], by=run.by, on=run.on)
    run.done = min(run.total, run.done + len(rows))
    run.result["matched"] = run.result.get("matched", 0) + len(found)
    return {"after": rows[-1].pk}


# -- taking back -----------------------------------------------------------------------------------------------------


@transaction.atomic
def unmatch(one: Match, *, by: Actor, on: date, note: str) -> None:
    """A match was wrong: undo it, as long as no cover rests on it. The remittance can be matched anew."""
    refuse_person(by, [one.office_id])
    if not note.strip():
        raise RemittanceRefused(_("请写明撤销的原因。"))
    dues, _remittances = lock([one.due_id], [one.remittance_id])
    due = dues[one.due_id]
    covered = due.roster and due.roster.state == "effective" or due.enrolment and due.enrolment.state == "effective"
    if due.state == "settled" and covered:
        raise RemittanceRefused(_("这笔互助费已经使保障生效，不能撤销核销；参加记录作废后，多出的互助费可以退款。"))
    undo([one.pk], due, Match.Undone.MISTAKE, by=by, on=on, note=note.strip())
    state_of_dues([due], by=by, on=on)
    restate([one.remittance_id], by=by)


def undo(match_ids: Sequence[int], due: ContributionDue, reason: str, *, by: Actor, on: date, note: str) -> None:
    """Open the debt, undo these live matches of it, and reverse their income."""
    move([due], "reopen", by=by, note=note, changes={"settled_on": None})
    live = Match.objects.filter(pk__in=match_ids, due=due, undone_at__isnull=True)
    if live.update(undone_at=now(), undone_by_id=by.user_id, undone_reason=reason) != len(match_ids):
        raise Conflict(_("这笔核销已经撤销过了。"), [Standing(due.pk, due.state, due.state_label)])
    label = Match._meta.label_lower
    reverse(
        UNMATCHED,
        list(Transaction.objects.filter(kind=MATCHED, source_type=label, source_id__in=match_ids)),
        on=on, by=by, note=note[:200],
    )  # fmt: skip


@transaction.atomic
def refuse(enrolment: Enrolment, *, by: Actor, on: date, note: str) -> Enrolment:
    """The office does not take this person in: nothing is owed any more, and what was paid can go back."""
    if not note.strip():
        raise RemittanceRefused(_("请写明不予参加的原因，职工会看到。"))
    if enrolment.roster_id is not None:
        raise RemittanceRefused(_("单位统一参加的，请在名册的应缴里减收。"))
    ids = list(ContributionDue.objects.filter(enrolment=enrolment).values_list("pk", flat=True))
    lock_covers(ids)
    move([enrolment], "refuse", by=by, note=note.strip())
    for due in ContributionDue.objects.filter(pk__in=ids, state__in=[*DUE_LIVE, "settled"]).order_by("pk"):
        write_off(due, due.amount_fen - due.waived_fen, reason="refused", by=by, on=on, note=note)
    text = gettext_lazy("办事处没有同意您参加“{program}”：{words}。已经缴的互助费由办事处退回。有疑问请联系办事处。")
    values = {"program": enrolment.terms.program.title, "words": note.strip().rstrip("。")}
    title = gettext_lazy("没有通过参加申请")
    tell([enrolment.holder_id], office_id=enrolment.office_id, title=title, text=text, link="/my/", values=values)
    return enrolment


@transaction.atomic
def waive(due: ContributionDue, amount_fen: int, *, reason: str, by: Actor, on: date, note: str) -> ContributionDue:
    """`write_off` at the desk, by whoever may say what has arrived."""
    refuse_person(by, [due.office_id])
    return write_off(due, amount_fen, reason=reason, by=by, on=on, note=note)


@transaction.atomic
def write_off(due: ContributionDue, amount_fen: int, *, reason: str, by: Actor, on: date, note: str) -> ContributionDue:
    """So much is not owed any more, because enrolments were refused or are void: whoever refused or voided them had the right. What
    was paid beyond what is still owed is taken out of the income again and stays with its remittance, from where it can be sent
    back. Never more than the refused and void enrolments themselves. The same when cover is over and the contribution was a principal
    (`principals`)."""
    if reason not in (Match.Undone.REFUSED, Match.Undone.VOID, Match.Undone.TERM_OVER):
        raise KeyError(reason)
    remittance_ids = set(Match.objects.filter(due=due, undone_at__isnull=True).values_list("remittance_id", flat=True))
    fresh = lock([due.pk], remittance_ids)[0].get(due.pk)
    if fresh is None or fresh.state == "cancelled":
        _refuse_settled(due, fresh)
    assert fresh is not None
    _refuse_waiver(fresh, amount_fen)
    surplus = amount_fen - fresh.owed_fen
    again = _free(fresh, surplus, reason, by=by, on=on, note=note) if surplus > 0 else []
    ContributionDue.objects.filter(pk=fresh.pk).update(waived_fen=F("waived_fen") + amount_fen)
    record([fresh], "reduce", by=by, note=note.strip(), details={"fen": amount_fen, "reason": reason})
    if again:
        _write(again, {fresh.pk: fresh}, by=by, on=on)
    state_of_dues([fresh], by=by, on=on)
    restate(remittance_ids, by=by)
    due.refresh_from_db()
    return due


def _refuse_waiver(due: ContributionDue, amount_fen: int) -> None:
    own = {"roster_id": due.roster_id} if due.roster_id else {"pk": due.enrolment_id}
    out = Enrolment.objects.filter(**own, state__in=["refused", "void", "withdrawn", "cancelled_unpaid"])
    some_shares = Voiding.objects.filter(state="done", shares__isnull=False, enrolment__in=Enrolment.objects.filter(**own))
    back = Enrolment.objects.filter(**own, state="effective", refundable=True, principal_back_on__isnull=False)
    gone = sum(
        rows.aggregate(fen=Sum(column, default=0))["fen"]
        for rows, column in ((out, "contribution_fen"), (some_shares, "amount_fen"), (back, "contribution_fen"))
    )
    siblings = {"roster_id": due.roster_id} if due.roster_id else {"enrolment_id": due.enrolment_id}
    before = ContributionDue.objects.filter(**siblings).aggregate(fen=Sum("waived_fen", default=0))["fen"]
    if not 0 < amount_fen <= due.amount_fen - due.waived_fen:
        raise RemittanceRefused(_("减收的金额应大于 0，不超过应缴。"))
    if amount_fen > gone - before:
        raise RemittanceRefused(
            _("只能减收不予参加、已撤回或已作废的参加记录的互助费，现在最多 {most} 元。").format(most=format_yuan(max(0, gone - before)))
        )


def _free(due: ContributionDue, surplus: int, reason: str, *, by: Actor, on: date, note: str) -> list[Pair]:
    """Undo the latest matches until the surplus is free; what of them is still owed is to be matched again."""
    freed, undone = 0, []
    for one in Match.objects.filter(due=due, undone_at__isnull=True).order_by("-pk"):
        if freed >= surplus:
            break
        freed += one.amount_fen
        undone.append(one)
    undo([one.pk for one in undone], due, reason, by=by, on=on, note=note)
    rest = freed - surplus
    return [Pair(undone[-1].remittance_id, due.pk, rest)] if rest else []
