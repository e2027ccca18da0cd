"""Voiding (作废): an enrolment that never should have been — twice, of the wrong person, of too many shares, of a refused roster.

Cover is void from its beginning; what is not owed any more is taken out of the debts, and what of it was paid waits with its
remittance for a refund (`members.services.refunds`). Where money has arrived, one person proposes and another releases.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import ContributionDue, Enrolment, Match, Roster, Voiding
from members.selectors.whole_units import whole_of
from members.services.contributions import lock_covers, write_off
from members.services.participation import hold
from members.services.rosters import parts_of
from members.transitions import LIVE
from programs.rules.eligibility import FAIL, judge_unit
from programs.selectors import schedule_of
from unionaid.lib.calendar import day_of
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import everywhere, looking_everywhere
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record
from unionaid.workflow.notices import tell


class VoidingRefused(MoveRefused):
    """It is not void, or cannot become so; the message says why."""


Objection = Callable[[Sequence[int]], str]
OBJECTIONS: list[Objection] = []


def objection(speak: Objection) -> Objection:
    """Register what speaks against voiding these enrolments (ids): words, or empty. Upper floors register theirs in `jobs.py`."""
    OBJECTIONS.append(speak)
    return speak


# -- proposed ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def propose(cover: Enrolment, *, reason: str, note: str, shares: int | None = None, by: Actor, on: date) -> Voiding:
    """Say that this enrolment, or `shares` of its shares when they are too many, is void. Where nothing has been paid whoever may
    release does it at once; otherwise another person releases it."""
    _refuse_person(by, cover.office_id)
    surplus = reason == Voiding.Reason.SURPLUS
    if reason == Voiding.Reason.REFUSED_BATCH or reason not in Voiding.Reason.values:
        raise VoidingRefused(_("请选择作废的原因。"))
    if surplus and not (shares and 1 <= shares < cover.shares):
        raise VoidingRefused(_("作废的份数应在 1 和 {most} 之间；要全部作废的，请选别的原因。").format(most=max(1, cover.shares - 1)))
    if surplus and shares:
        _refuse_other_shares(cover, cover.shares - shares)
    fen = cover.contribution_fen * shares // cover.shares if shares and surplus else cover.contribution_fen
    told = {"enrolment": cover, "reason": reason, "shares": shares if surplus else None}
    return _write(by=by, on=on, note=note, covers=[cover], amount_fen=fen, **told)


@transaction.atomic
def propose_roster(roster: Roster, *, note: str, by: Actor, on: date) -> Voiding:
    """Say that a whole enrolled roster is refused."""
    _refuse_person(by, roster.office_id)
    if roster.state not in ("committed", "effective"):
        raise VoidingRefused(_("这份名册现在是“{state}”，不能作废。").format(state=roster.state_label))
    covers = list(Enrolment.objects.filter(roster=roster, state__in=LIVE))
    fen = sum(cover.contribution_fen for cover in covers)
    return _write(by=by, on=on, note=note, covers=covers, roster=roster, reason="refused_batch", amount_fen=fen)


def _write(*, by: Actor, on: date, note: str, covers: Sequence[Enrolment], amount_fen: int, **told: object) -> Voiding:
    if not note.strip():
        raise VoidingRefused(_("请写明作废的依据，职工会看到原因。"))
    _refuse_covers(covers)
    try:
        with transaction.atomic():
            made = Voiding.objects.create(
                office_id=covers[0].office_id, note=note.strip(), amount_fen=amount_fen, proposed_by_id=by.user_id,
                with_money=money_has_arrived(covers), **told,
            )  # fmt: skip
    except IntegrityError as error:
        if "one_open_voiding" not in str(error):
            raise
        raise VoidingRefused(_("已有人提出作废，正在等复核。")) from error
    record([made], "propose_voiding", by=by, note=made.note)
    if not made.with_money and may(by, "voidings.release", made.office_id):
        move([made], "settle", by=by)
        _carry_out(made, by=by, on=on)
    return made


def _refuse_other_shares(cover: Enrolment, left: int) -> None:
    """Where everyone of a unit has the same number of shares, whoever keeps some of theirs keeps as many as somebody else of the unit
    has. VoidingRefused otherwise."""
    schedule = schedule_of(cover.terms)
    if cover.unit is None or cover.relation != "self" or schedule.enrolling.unit is None:
        return
    with looking_everywhere(reason="how many shares the others of the unit have"):
        hold(cover.unit, schedule)
        whole = whole_of(cover.unit, cover.terms, on=None)
        gender = cover.member.gender
    own = Counter({(gender, cover.shares): 1})
    listed = whole.listed - own if cover.roster_id else whole.listed
    others = replace(whole, joined=whole.joined - own, listed=listed)
    said = judge_unit(schedule, others.facts(schedule, {(gender, left): 1}))
    if left not in others.shares and any(one.rule == "same_shares" and one.outcome == FAIL for one in said):
        words = _("同一单位的职工份数必须相同：其他人每人 {counts} 份，这样作废后此人是 {left} 份。请改作废的份数，或者把整份记录作废。")
        raise VoidingRefused(words.format(counts="、".join(map(str, sorted(others.shares))), left=left))


def _refuse_person(by: Actor, office_id: int) -> None:
    if not may(by, "voidings.propose", office_id) or by.user_id is None:
        raise NotAllowed(_("您没有“{action}”的权限。").format(action=_("提出作废")))


def _refuse_covers(covers: Sequence[Enrolment]) -> None:
    if not covers:
        raise VoidingRefused(_("没有可以作废的参加记录。"))
    for cover in covers:
        if cover.state not in LIVE:
            raise VoidingRefused(_("这份参加记录现在是“{state}”，不能作废。").format(state=cover.state_label))
    for speak in OBJECTIONS:
        if words := speak([cover.pk for cover in covers]):
            raise VoidingRefused(words)


def _dues(covers: Sequence[Enrolment]) -> list[ContributionDue]:
    """What is owed for these, the roster's debts for those who joined by one."""
    rosters = {cover.roster_id for cover in covers if cover.roster_id}
    own = [cover.pk for cover in covers if not cover.roster_id]
    rows = ContributionDue.objects.filter(roster_id__in=rosters) | ContributionDue.objects.filter(enrolment_id__in=own)
    return list(rows.order_by("pk"))


def money_has_arrived(covers: Sequence[Enrolment]) -> bool:
    """Has anything been paid towards these, or towards the roster they came by?"""
    return Match.objects.filter(due__in=_dues(covers), undone_at__isnull=True).exists()


# -- released ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def release(voiding: Voiding, *, by: Actor, on: date) -> Voiding:
    """A second person agrees: from now on it is void."""
    move([voiding], "release", by=by, changes={"with_money": voiding.with_money or money_has_arrived(_covers(voiding))})
    _carry_out(voiding, by=by, on=on)
    return voiding


def drop(voiding: Voiding, *, by: Actor, note: str) -> Voiding:
    """It is not void after all."""
    if not note.strip():
        raise VoidingRefused(_("请写明不予作废的原因。"))
    return move([voiding], "drop", by=by, note=note.strip())[0]


def _covers(voiding: Voiding) -> list[Enrolment]:
    own = {"roster_id": voiding.roster_id} if voiding.roster_id else {"pk": voiding.enrolment_id}
    rows = Enrolment.objects.filter(**own, state__in=LIVE).select_related("member", "unit", "roster__unit", "terms__program")
    return list(rows.order_by("pk"))


def _carry_out(voiding: Voiding, *, by: Actor, on: date) -> None:
    """Cover first, then the debts: what of them was paid goes back to its remittance."""
    lock_covers([due.pk for due in _dues(_covers(voiding))])
    covers = _covers(voiding)
    _refuse_covers(covers)
    if voiding.released_by_id == voiding.proposed_by_id and money_has_arrived(covers):
        raise VoidingRefused(_("刚刚有互助费到账，现在要由另一位同事复核。请刷新后重新提出。"))
    if voiding.shares:
        _refuse_other_shares(covers[0], covers[0].shares - voiding.shares)
    parts = _parts_of(voiding, covers)
    if voiding.shares:
        _reduce(voiding, covers[0], by)
    else:
        move(covers, "void", by=by, note=voiding.note)
    if voiding.roster_id:
        move([voiding.roster], "void", by=by, note=voiding.note)  # type: ignore[list-item]
    for due in _dues(covers):
        fen = min(parts.get(due.pk, 0), due.amount_fen - due.waived_fen)
        if fen and due.state != "cancelled":
            write_off(due, fen, reason="void", by=by, on=on, note=voiding.note)
    _tell(covers, voiding)


def _reduce(voiding: Voiding, cover: Enrolment, by: Actor) -> None:
    """Fewer shares; those that stay are owed as before. The voiding is done already, so that the debts may become less."""
    assert voiding.shares
    changes = {"shares": cover.shares - voiding.shares, "contribution_fen": cover.contribution_fen - voiding.amount_fen}
    action = "reduce" if cover.state == "effective" else "reduce_unpaid"
    move([cover], action, by=by, note=voiding.note, changes=changes, details={"void": voiding.shares})


def _parts_of(voiding: Voiding, covers: Sequence[Enrolment]) -> dict[int, int]:
    """Of each debt (id), how much is not owed any more (fen)."""
    dues = _dues(covers)
    if voiding.roster_id:
        return {due.pk: due.amount_fen - due.waived_fen for due in dues}
    cover = covers[0]
    if cover.roster_id is None:
        kept = {due.pk: due.amount_fen - due.waived_fen for due in dues}
        return {pk: fen * voiding.shares // cover.shares if voiding.shares else fen for pk, fen in kept.items()}
    wanted = parts_of(cover, voiding.shares or cover.shares)
    return {due.pk: wanted.get(due.payer, 0) for due in dues}


def _tell(covers: Sequence[Enrolment], voiding: Voiding) -> None:
    """Those who are covered, or through whom they joined."""
    by_program: dict[str, set[int]] = {}
    for cover in covers:
        by_program.setdefault(cover.terms.program.title, set()).add(cover.holder_id)
    title = gettext_lazy("一份参加记录的部分份数已作废") if voiding.shares else gettext_lazy("一份参加记录已作废")
    text = gettext_lazy("“{program}”：{note}。作废的部分不再有保障，多缴的互助费由办事处退回缴费方。有疑问请联系办事处。")
    for program, people in by_program.items():
        values = {"program": program, "note": voiding.note.rstrip("。")}
        tell(people, office_id=voiding.office_id, title=title, text=text, link="/my/", values=values)


def void_on(cover: Enrolment) -> date | None:
    """The day on which a void enrolment was voided."""
    with everywhere(reason="when a certificate became void"):
        own = Voiding.objects.filter(state="done", shares__isnull=True)
        found = (own.filter(enrolment=cover) | own.filter(roster_id=cover.roster_id, roster__isnull=False)).order_by("-id").first()
    return day_of(found.released_at) if found and found.released_at else None
