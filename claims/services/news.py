"""What claimants are told of the way of their claims: a notice at each change, found by the timetable and written for many at once, so
that no step of a claim is the slower for it. However long the house stood still, nobody is left untold of where their claim is now; of
a claim that went on meanwhile the latest is told. What was wrong with somebody's
papers or illness stands on the claim's page alone: a message may lie open on a table."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from claims.models import Claim
from claims.transitions import TOLD
from unionaid.lib.calendar import now
from unionaid.lib.money import format_yuan
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.notices import Told, tell_each

# How far back the look of every few minutes goes; what an idle house left longer untold is found by the look of every day.
LATELY = timedelta(days=3)
FIND_ALL = "claims.find_untold"
AT_ONCE, PART = 10_000, 200

NEWS: dict[str, tuple[Promise, Promise]] = {
    "unit_review": (
        _("申领已交单位核对"),
        _("申领 {number}（{program}）已提交，由您的单位先核对，核对完转到办事处。您现在不用做什么，有进展会通知您。"),
    ),
    "submitted": (
        _("申领已到办事处"),
        _("申领 {number}（{program}）已到办事处，等待初审。您现在不用做什么，有进展会通知您。"),
    ),
    "supplement_requested": (
        _("您的申领还差材料，请补充"),
        _("申领 {number}（{program}）还差材料，请打开这份申领，看要补什么。补充之后接着审核，不用重新申领。"),
    ),
    "reviewed": (
        _("申领初审已通过"),
        _("申领 {number}（{program}）初审已通过，由另一位工作人员终审。您现在不用做什么。"),
    ),
    "on_notice": (
        _("申领已核定，正在公示"),
        _("申领 {number}（{program}）核定互助金 {amount} 元，公示到 {day}（含当天）。没有异议就会付款，您现在不用做什么。"),
    ),
    "approved": (
        _("申领已批准"),
        _("申领 {number}（{program}）已批准，互助金 {amount} 元，等待付款。您现在不用做什么。"),
    ),
    "in_batch": (
        _("互助金已列入付款批次"),
        _("申领 {number}（{program}）的互助金 {amount} 元已列入付款批次，复核后交银行付款。您现在不用做什么。"),
    ),
    "paying": (
        _("互助金正在付给您"),
        _("申领 {number}（{program}）的互助金已交银行付款，一般几天内到账，到账后再通知您。"),
    ),
    "paid": (
        _("互助金已到账"),
        _("申领 {number}（{program}）的互助金已付到您的账户，请查收。"),
    ),
    "rejected": (
        _("申领没有获得给付"),
        _("申领 {number}（{program}）没有获得给付。请打开这份申领，看原因和依据的条款；不同意的，可以在那里申诉。"),
    ),
    "replaced": (
        _("申领正在重新审核"),
        _("申领 {number}（{program}）公示时有人提出异议，查实后重新审核，结果以新的一份为准。您现在不用做什么。"),
    ),
}


def _untold() -> QuerySet[Claim]:
    not_told = Q(told_since__isnull=True) | Q(told_since__lt=F("since"))
    return Claim.objects.filter(not_told, state__in=TOLD, since__isnull=False)


def find_untold(on: date) -> None:
    """Write jobs for the claims whose last change, of the last days, nobody has told of; and once a day the job that looks at those of
    all days (`find_all`). Three statements."""
    rows = _untold().filter(since__gt=now() - LATELY).order_by("since", "id")
    _tell_later(rows.only("office_id", "since", "version")[:AT_ONCE])
    enqueue(FIND_ALL, [(0, f"{FIND_ALL}:{on}", None)], by=SYSTEM)


def find_all(after: int) -> int | None:
    """The same of the claims with keys above this one, however long ago they moved; where to go on, None when all were looked at."""
    with everywhere(reason="claimants who were not told"):
        rows = list(_untold().filter(pk__gt=after).order_by("pk").only("office_id", "since", "version")[:AT_ONCE])
        _tell_later(rows)
    return rows[-1].pk if len(rows) == AT_ONCE else None


def _tell_later(rows: Iterable[Claim]) -> None:
    """A job for some of these each, by office."""
    parts = []
    for _office, found in groupby(sorted(rows, key=lambda row: row.office_id), key=lambda row: row.office_id):
        claims = list(found)
        parts += [claims[i : i + PART] for i in range(0, len(claims), PART)]
    jobs = [([one.pk for one in part], f"claims.tell_news:{part[0].pk}:{part[0].version}:{len(part)}", part[0]) for part in parts]
    enqueue("claims.tell_news", jobs, by=SYSTEM)


@transaction.atomic
def tell_of(claim_ids: Sequence[int]) -> None:
    """Tell of those of these claims, of one office, whose last change nobody has told of. A second run tells nobody. A constant number
    of statements."""
    rows = _untold().filter(pk__in=claim_ids).select_for_update(of=("self",)).select_related("program").order_by("pk")
    claims = list(rows)
    if claims:
        tell_each([_told(claim) for claim in claims], office_id=claims[0].office_id)
        Claim.objects.filter(pk__in=[claim.pk for claim in claims]).update(told_since=F("since"))


def _told(claim: Claim) -> Told:
    title, text = NEWS[claim.state]
    amount = format_yuan(claim.approved_fen or 0)
    values = {"number": claim.number, "program": claim.program.title, "amount": amount, "day": claim.notice_until or ""}
    return Told(claim.claimant_id, title, text, f"/my/claims/{claim.public_id}", values)
