"""Reading contributions: which debt a remittance probably settles, and whether the books say what the rows say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, Func, OuterRef
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.models import ContributionDue, DuePaper, Refund, Remittance
from members.transitions import DUE_LIVE, LIVE, REMITTANCE_OPEN
from unionaid.ledger.invariants import Finding, Invariant, look

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Suggestion:
    """So much of this remittance probably settles this debt; `sure` when remark and amount agree. A person, or the job for the
    sure ones, says yes."""

    remittance: Remittance
    due: ContributionDue
    amount_fen: int
    sure: bool
    why: Words


def suggest(remittances: Sequence[Remittance]) -> dict[int, list[Suggestion]]:
    """What to match with what, by the id of the remittance. No debt is promised twice, the earliest money comes first. Two
    statements, however many."""
    found: dict[int, list[Suggestion]] = {}
    waiting = [one for one in sorted(remittances, key=lambda one: (one.received_on, one.pk)) if one.left_fen > 0]
    if not waiting:
        return found
    named, owed = _named(waiting), dict[int, int]()
    by_amount = _same_amount([one for one in waiting if not any(name in named for name in one.named)])
    for one in waiting:
        dues = [named[name] for name in one.named if name in named and named[name].office_id == one.office_id]
        dues = [due for due in dues if owed.get(due.pk, due.owed_fen) > 0 and due.in_time(one.received_on)]
        fits = _by_remark(one, dues, owed) if dues else _by_payer(one, by_amount, owed)
        for fit in fits:
            owed[fit.due.pk] = owed.get(fit.due.pk, fit.due.owed_fen) - fit.amount_fen
        if fits:
            found[one.pk] = fits
    return found


def _live() -> Any:
    return ContributionDue.objects.filter(state__in=DUE_LIVE).select_related("unit", "member", "roster")


def _named(remittances: Iterable[Remittance]) -> dict[str, ContributionDue]:
    names = {name for one in remittances for name in one.named}
    return {due.reference: due for due in _live().filter(reference__in=names)}


def _same_amount(remittances: Sequence[Remittance]) -> dict[tuple[int, int, str], list[ContributionDue]]:
    """Open debts by office, amount and the name of whoever owes."""
    known: dict[tuple[int, int, str], list[ContributionDue]] = {}
    names = {one.payer_name for one in remittances} - {""}
    rows = _live().filter(office_id__in={one.office_id for one in remittances}, owed_fen__in={one.left_fen for one in remittances})
    for due in (*rows.filter(unit__name__in=names).order_by("pk"), *rows.filter(member__name__in=names).order_by("pk")):
        known.setdefault((due.office_id, due.owed_fen, str(due.unit or due.member)), []).append(due)
    return known


def _by_remark(one: Remittance, dues: Sequence[ContributionDue], owed: Mapping[int, int]) -> list[Suggestion]:
    left, fits = one.left_fen, []
    wanted = sum(owed.get(due.pk, due.owed_fen) for due in dues)
    sure = wanted == left
    why = _("附言和金额都一致") if sure else _("附言一致，金额少于应缴") if wanted > left else _("附言一致，金额多于应缴")
    for due in dues:
        amount = min(left, owed.get(due.pk, due.owed_fen))
        if amount > 0:
            fits.append(Suggestion(one, due, amount, sure, why))
            left -= amount
    return fits


def _by_payer(one: Remittance, known: Mapping[tuple[int, int, str], list[ContributionDue]], owed: Mapping[int, int]) -> list[Suggestion]:
    dues = known.get((one.office_id, one.left_fen, one.payer_name), [])
    free = [due for due in dues if owed.get(due.pk, due.owed_fen) == one.left_fen and due.in_time(one.received_on)]
    if not free:
        return []
    why = _("付款人和金额一致，附言没有写") if len(free) == 1 else _("付款人和金额一致，这样的应缴不止一笔")
    return [Suggestion(one, free[0], one.left_fen, False, why)]


def open_remittances() -> Any:
    """Money that is still to be matched or sent back, the oldest first."""
    return Remittance.objects.filter(state__in=REMITTANCE_OPEN).order_by("received_on", "pk")


def candidates_for(due: ContributionDue) -> list[Remittance]:
    """Open remittances that name this debt, or while it is owed are of the same payer and amount."""
    rows = open_remittances().filter(office_id=due.office_id, left_fen__gt=0)
    if due.pay_by and due.state in DUE_LIVE:
        rows = rows.filter(received_on__lte=due.pay_by)
    found = list(rows.filter(named__contains=[due.reference])[:10])
    if due.state not in DUE_LIVE:
        return found
    named = {one.pk for one in found}
    return found + [one for one in rows.filter(left_fen=due.owed_fen, payer_name=str(due.unit or due.member))[:10] if one.pk not in named]


def what_became(remittances: Sequence[Remittance]) -> dict[int, str]:
    """Of money whose remark names only debts that are not owed any more, by its id: "settled" when one of them is paid already (it may
    have been paid twice), "cancelled" otherwise. One statement."""
    names = {name for one in remittances for name in one.named}
    found = dict(ContributionDue.objects.filter(reference__in=names).values_list("reference", "state"))
    said = {}
    for one in remittances:
        states = {found[name] for name in one.named if name in found}
        if states and not states & set(DUE_LIVE):
            said[one.pk] = "settled" if "settled" in states else "cancelled"
    return said


def over_paid(due: ContributionDue) -> list[Remittance]:
    """The money that settled this debt and of which something is left over."""
    rows = Remittance.objects.filter(matches__due=due, matches__undone_at__isnull=True, state="over", left_fen__gt=0)
    return list(rows.distinct().order_by("pk")[:10])


_SHOWN = ("unit__office", "roster__terms__program", "enrolment__program", "enrolment__member")  # for the unit's pages


def own_reference() -> Func:
    """The reference of the debt that an outer query is about, as the remark of a remittance may hold it (`named__contains`)."""
    return Func(OuterRef("reference"), template="ARRAY[%(expressions)s]::varchar[]", output_field=ArrayField(CharField()))


def my_due(pk: int) -> ContributionDue | None:
    """One debt of the agent's units, or None."""
    return ContributionDue.objects.select_related(*_SHOWN).filter(pk=pk, unit__isnull=False).first()


def slip_by_id(public_id: Any) -> DuePaper | None:
    """A slip in the open scope, or None."""
    return DuePaper.objects.filter(public_id=public_id).first()


# What must hold of contributions and cover (`unionaid.ledger.invariants`).
INVARIANTS = (
    Invariant(
        "F1",
        _("互助费收入等于已核销的来款"),
        """SELECT office_id, '' FROM (
          SELECT e.office_id, -e.amount_fen AS fen FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE a.code = 'contributions' AND a.fund = 'mutual_aid'
          UNION ALL SELECT office_id, -amount_fen FROM members_match WHERE undone_at IS NULL) x
        GROUP BY office_id HAVING sum(fen) <> 0""",
    ),
    Invariant(
        "F2",
        _("待核销来款等于到账金额减去已核销、已退回和已放行退款的部分"),
        """SELECT office_id, '' FROM (
          SELECT e.office_id, -e.amount_fen AS fen FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE a.code = 'unapplied'
          UNION ALL SELECT office_id, recovered_fen - amount_fen FROM members_remittance WHERE state <> 'reversed'
          UNION ALL SELECT office_id, amount_fen FROM members_match WHERE undone_at IS NULL
          UNION ALL SELECT office_id, amount_fen FROM members_refund WHERE state IN ('released', 'paid')) x
        GROUP BY office_id HAVING sum(fen) <> 0""",
    ),
    Invariant(
        "F3",
        _("应退互助费等于已放行、还没有退出的退款"),
        """SELECT office_id, '' FROM (
          SELECT e.office_id, -e.amount_fen AS fen FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE a.code = 'refundable'
          UNION ALL SELECT office_id, -amount_fen FROM members_refund WHERE state = 'released') x
        GROUP BY office_id HAVING sum(fen) <> 0""",
    ),
    Invariant(
        "F4",
        _("每笔来款的已核销、退款金额与明细一致"),
        """SELECT r.office_id, r.bank_reference FROM members_remittance r WHERE
          r.matched_fen <> (SELECT coalesce(sum(m.amount_fen), 0) FROM members_match m
                            WHERE m.remittance_id = r.id AND m.undone_at IS NULL)
          OR r.refunded_fen <> (SELECT coalesce(sum(f.amount_fen), 0) FROM members_refund f
                                WHERE f.remittance_id = r.id AND f.state IN ('proposed', 'released', 'paid'))""",
    ),
    Invariant(
        "F5",
        _("每笔应缴的已缴金额与核销明细一致"),
        """SELECT d.office_id, d.reference FROM members_contributiondue d WHERE d.paid_fen <>
          (SELECT coalesce(sum(m.amount_fen), 0) FROM members_match m WHERE m.due_id = d.id AND m.undone_at IS NULL)""",
    ),
    Invariant(
        "F6",
        _("每笔应缴的状态与金额一致"),
        """SELECT office_id, reference FROM members_contributiondue WHERE
          (state = 'open' AND (paid_fen <> 0 OR owed_fen = 0)) OR (state = 'part_paid' AND (paid_fen = 0 OR owed_fen = 0))
          OR (state = 'settled' AND owed_fen <> 0) OR (state = 'cancelled' AND paid_fen <> 0)""",
    ),
    Invariant(
        "I9",
        _("互助费缴清的，保障才生效"),
        """SELECT e.office_id, 'members_enrolment ' || e.id FROM members_contributiondue d JOIN members_enrolment e
          ON e.id = d.enrolment_id WHERE e.state = 'effective' AND d.state IN ('open', 'part_paid')
        UNION ALL SELECT e.office_id, 'members_enrolment ' || e.id FROM members_contributiondue d JOIN members_enrolment e
          ON e.roster_id = d.roster_id WHERE e.state = 'effective' AND d.state IN ('open', 'part_paid')""",
    ),
    Invariant(
        "F8",
        _("登记有误的来款，由两个人申请和更正"),
        """SELECT r.office_id, r.bank_reference FROM members_remittance r WHERE r.state = 'reversed' AND NOT EXISTS (
          SELECT 1 FROM members_remittancecorrection c WHERE c.remittance_id = r.id AND c.state = 'done'
            AND c.released_by_id <> c.proposed_by_id)""",
    ),
    Invariant(
        "F7",
        _("退款由两个人申请和放行"),
        """SELECT office_id, 'members_refund ' || id FROM members_refund WHERE state IN ('released', 'paid', 'failed')
          AND (released_by_id IS NULL OR proposed_by_id IS NULL OR released_by_id = proposed_by_id)""",
    ),
    Invariant(
        "I10",
        _("一个人在同一计划里的保障期不重叠，数据库的约束在"),
        f"""SELECT office_id, 'members_enrolment ' || id FROM (
          SELECT office_id, id, lower(cover) < max(upper(cover)) OVER (PARTITION BY member_id, program_id ORDER BY lower(cover), id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS twice
          FROM members_enrolment WHERE state IN ({", ".join(f"'{state}'" for state in LIVE)})) x WHERE twice
        UNION ALL SELECT NULL, 'cover_never_overlaps' WHERE NOT EXISTS (
          SELECT FROM pg_constraint WHERE conname = 'cover_never_overlaps' AND contype = 'x' AND convalidated)""",
    ),
)


def discrepancies() -> list[Finding]:
    """Every invariant of contributions and cover that does not hold in the open scope. Empty when all is well."""
    return look(INVARIANTS)


def refunds_of(remittance: Remittance) -> Any:
    """What went or is going back of it."""
    return Refund.objects.filter(remittance=remittance).select_related("proposed_by", "released_by").order_by("pk")
