"""Relief is net of the benefits for the same event. When these are decided anew after it (a correction, an appeal, an objection, a halted
payment) the relief follows by the way of every correction: what was decided stays, and two people decide on the difference."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.facts import beside_of, nets_aid
from claims.models import BenefitStatement, Claim
from claims.services import corrections, halts, reckoning
from claims.services.corrections import CORRECTABLE
from claims.services.screening import screen
from claims.transitions import DECIDABLE
from programs.rules.assess import assess
from programs.rules.facts import case_of, cover_of, person_of, prior_of
from programs.selectors import schedule_of
from unionaid.ledger.accounts import Fund
from unionaid.lib.calendar import now
from unionaid.lib.money import fen_from_yuan, format_yuan, yuan_from_fen
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.moves import move
from unionaid.workflow.notices import tell


def renew(claim_id: int, *, on: date) -> list[Claim]:
    """Look at the relief that was decided for the event of this claim: where the benefits that it is net of are others now and it would
    come out otherwise, a correction of it waits for its review; what was decided too high and is not on its way to the bank is held
    instead. Nothing while a benefit of the event is not decided; a correction that is on its way is shown with the amounts of now.
    Nothing on a second run."""
    with everywhere(reason="relief net of the benefits as they are decided now"):
        event = Claim.objects.get(pk=claim_id)
        on_its_way = Claim.objects.filter(corrects=OuterRef("pk")).exclude(state__in=["rejected", "withdrawn"])
        same = Claim.objects.filter(occasion=event.occasion, member_id=event.member_id, state__in=CORRECTABLE)
        rows = same.exclude(fund=Fund.MUTUAL_AID).exclude(Exists(on_its_way)).select_for_update(of=("self",)).order_by("pk")
        found = [_anew(one, on=on) for one in rows.select_related("member", "claimant", "enrolment", "terms", "program")]
        _show_anew(event)
    return [one for one in found if one is not None]


def _show_anew(event: Claim) -> None:
    """Whoever decides on a correction of relief of this event sees what it comes to now."""
    same = reckoning.with_people().filter(occasion=event.occasion, member_id=event.member_id, corrects__isnull=False)
    if rows := list(same.filter(state__in=DECIDABLE).exclude(fund=Fund.MUTUAL_AID)):
        reckoning.preview(rows)
        screen(rows)


def _anew(relief: Claim, *, on: date) -> Claim | None:
    """The correction, or the relief itself where its payment is held; None where it comes out the same."""
    beside = beside_of([relief]).get(relief.pk)
    if beside is None or beside.undecided or not nets_aid(relief):
        return None
    final = relief.statements.get(is_final=True)
    total_fen = _total_with(final, relief, beside.paid)
    if total_fen == final.total_fen:
        return None
    figures = {"paid_fen": fen_from_yuan(beside.paid), "before_fen": final.total_fen, "now_fen": total_fen}
    words = _("同一件事核定的互助金现在是 {paid_fen} 元，救助要扣减：原来核定 {before_fen} 元，重新计算是 {now_fen} 元。")
    note = words.format(**{name: format_yuan(fen) for name, fen in figures.items()})
    if total_fen < final.total_fen and relief.state in halts.HALTABLE:
        return halts.propose(relief, reason=note, clause=_clause(relief), by=SYSTEM, on=on)
    made = corrections.successor_of(relief, changes={}, by=SYSTEM, on=on)
    details = {"corrects": relief.number, **figures}
    move([made], "recompute", by=SYSTEM, note=note, changes={"submitted_at": now()}, details=details)
    _tell(relief, made)
    return made


def _total_with(final: BenefitStatement, relief: Claim, paid: Decimal) -> int:
    """What the relief comes to (fen) for all that it was decided by, with these benefits beside it."""
    facts, given = final.facts, yuan_from_fen(relief.other_aid_fen or 0)
    found = assess(
        schedule_of(relief.terms),
        person=person_of(facts["person"]),
        cover=cover_of(facts["cover"]),
        case=replace(case_of(facts["case"]), other_aid=given + paid),
        prior=prior_of(facts.get("prior", {})),
    )
    return fen_from_yuan(found.total)


def _clause(relief: Claim) -> str:
    """The clauses of the items that take off what others gave."""
    items = [item for item in schedule_of(relief.terms).items if relief.event in item.events]
    netted = [item.clause for item in items if any(step.name == "offset" and step.data["other_aid"] for step in item.steps)]
    return _("、").join(dict.fromkeys(netted))[:60]


_RENEWED = (
    gettext_lazy("一笔救助要重新核定"),
    gettext_lazy(
        "申领 {number}（{program}）：同一件事的互助金有变化，这笔救助要按规定重新计算，编号 {made}。多出的补发给您，多付的请您退回；"
        "您现在不用做什么，有结果会通知您。"
    ),
)


def _tell(relief: Claim, made: Claim) -> None:
    title, text = _RENEWED
    told = {"number": relief.number, "program": relief.program.title, "made": made.number}
    tell([made.claimant_id], office_id=made.office_id, title=title, text=text, link=f"/my/claims/{made.public_id}/", values=told)
    Claim.objects.filter(pk=made.pk).update(told_since=made.since)
