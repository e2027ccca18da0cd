"""What a reviewer should look at twice: flags, never verdicts. A constant number of statements per claim."""

from collections.abc import Iterator, Sequence

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from claims.models import Claim, ClaimDocument
from claims.selectors.estimate import papers_wanted
from members.models import BankCard
from unionaid.lib.calendar import day_of, today

GONE = ("draft", "withdrawn", "rejected")


def flags(claim: Claim, papers: Sequence[ClaimDocument], language: str) -> list[str]:
    """Everything about this claim that calls for a second look, in sentences."""
    return [
        *_missing_papers(claim, papers, language),
        *_same_papers(claim, papers),
        *_overlapping_stays(claim),
        *_account(claim),
        *_waiting(claim),
    ]


def _missing_papers(claim: Claim, papers: Sequence[ClaimDocument], language: str) -> Iterator[str]:
    given = {paper.kind for paper in papers}
    on = day_of(claim.submitted_at) if claim.submitted_at else today()
    for paper in papers_wanted(claim, on=on):
        if paper.required and paper.code not in given:
            yield _("缺少必需的材料：{name}。").format(name=paper.name.in_language(language))


def _same_papers(claim: Claim, papers: Sequence[ClaimDocument]) -> Iterator[str]:
    """The same file in another claim."""
    same = (
        ClaimDocument.objects.filter(sha256__in=[paper.sha256 for paper in papers])
        .exclude(claim=claim)
        .exclude(claim__state__in=GONE)
        .order_by("claim__number")
        .values_list("claim__number", flat=True)
        .distinct()[:5]
    )
    for number in same:
        yield _("有一份材料和申领 {number} 的材料完全相同。").format(number=number)


def _overlapping_stays(claim: Claim) -> Iterator[str]:
    """Another claim of the same person for some of the same days."""
    own = [(stay.admitted_on, stay.discharged_on) for stay in claim.admissions.all()]
    others = (
        Claim.objects.filter(member_id=claim.member_id)
        .exclude(pk=claim.pk)
        .exclude(state__in=GONE)
        .order_by("id")
        .values_list("number", "admissions__admitted_on", "admissions__discharged_on")
    )
    for number, admitted, discharged in others:
        if admitted and any(admitted <= last and first <= discharged for first, last in own):
            yield _("住院日期与申领 {number}（{first}至{last}）重叠，请核对是否同一次住院。").format(
                number=number, first=date_format(admitted), last=date_format(discharged)
            )


def _account(claim: Claim) -> Iterator[str]:
    """The account belongs to somebody else, or is somebody else's too."""
    if claim.card is None:
        return
    if claim.card.owner_name != claim.claimant.name:
        yield _("收款账户的户名与申领人姓名不一致。")
    if BankCard.objects.filter(number_hash=claim.card.number_hash).exclude(member_id=claim.card.member_id).exists():
        yield _("这个收款账户也登记在另一位职工名下。")


def _waiting(claim: Claim) -> Iterator[str]:
    until, day = claim.enrolment.waiting_until, claim.event_on
    if until and day and day <= until and claim.accident_on is None:
        yield _("事发日在等待期内（等待期至 {day}）。").format(day=date_format(until))
