"""Clean small claims decided together: approved by the second person (批量批准), or settled by the first reviewer alone where the plan
leaves them to one (批量核定). The same decision as on the claim's page, of many in one transaction, each with its own outcome."""

from collections.abc import Callable, Mapping, Sequence

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.models import Claim
from claims.selectors.queue import decisions_from, not_held, open_flags, theirs
from claims.selectors.rules import paths, rules
from claims.services.adjudication import Refusals, approve_each, settle_each
from claims.services.screening import screen
from claims.transitions import CLAIM
from programs.models import Terms
from programs.selectors import schedule_of
from unionaid.lib.money import fen_from_yuan
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.workflow.bulk import WORKS, Act, Work, bulk_work
from unionaid.workflow.jobs import Run
from unionaid.workflow.models import BulkWork

PART = 100  # claims of one transaction


def to_approve(by: Actor) -> QuerySet[Claim]:
    """What this person may approve together now: waiting for approval, inside its office's limit, without an open flag, not their
    own, not passed by them before, and in nobody's hands. Two statements, and the rows'."""
    return _clean("approve", by)


def to_settle(by: Actor) -> QuerySet[Claim]:
    """What this person may settle alone together now: as above, of what waits for its first review; and of that what the plan leaves to
    one person: under its amount, of none of its kinds for two, no correction. Three statements, and the rows'."""
    return _clean("settle", by).filter(_left_to_one(), corrects=None)


def _clean(action: str, by: Actor) -> QuerySet[Claim]:
    arrow = CLAIM.arrow(action)
    within, held_to = Q(pk__in=[]), rules()
    for pk, path in paths(office for office in by.office_ids if may(by, arrow.permission, office)):
        if limit := held_to.bulk_limit_fen(path):
            within |= Q(office=pk, estimated_fen__gt=0, estimated_fen__lte=limit)
    rows = Claim.objects.none()
    for state in arrow.sources:
        if arrow in decisions_from(state):
            rows = rows | not_held(theirs((state, arrow), by), by)
    return rows.filter(within).exclude(open_flags()).select_related("member", "program").order_by("stage_since", "pk")


def _left_to_one() -> Q:
    """The claims that their plan leaves to one person, by what the rules gave when they were last screened."""
    found = Q(pk__in=[])
    terms = Terms.objects.filter(state__in=Terms.frozen_in, schedule__deciding__has_key="final_review")
    for one in terms.only("content_hash", "schedule"):
        rule = schedule_of(one).deciding
        if rule.final_from is not None:
            found |= Q(terms=one.pk, estimated_fen__lt=fen_from_yuan(rule.final_from)) & ~Q(event__in=rule.final_events)
    return found


def _limit_of(office: Office) -> int:
    return rules().bulk_limit_fen(office.path)


def _deciding(candidates: Callable[[Actor], QuerySet[Claim]], decide: Callable[..., Refusals]) -> Act:
    """An act on claims: they are locked first, so that nobody is handed one of them meanwhile, and their flags are computed anew."""

    def act(ids: Sequence[int], work: BulkWork, run: Run) -> Mapping[int, str]:
        claims = list(Claim.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids).only("pk").order_by("pk"))
        screen(claims)
        fit = set(candidates(run.by).filter(pk__in=ids).values_list("pk", flat=True))
        wanted = [claim for claim in claims if claim.pk in fit]
        refused = decide(wanted, by=run.by, on=run.on, note=str(WORKS[work.kind].label), most_fen=work.limit_fen) if wanted else {}
        unfit = _("不再符合一起办理的条件（已由他人办理、正由他人审核、有了疑点或超过上限）。")
        return {pk: refused[pk].message if pk in refused else unfit for pk in ids if pk in refused or pk not in fit}

    return act


bulk_work(
    "approve_claims",
    Work(
        gettext_lazy("批量批准"), "claims.approve", to_approve, _deciding(to_approve, approve_each), PART, limit_fen=_limit_of
    ),
)
bulk_work(
    "settle_claims",
    Work(
        gettext_lazy("批量核定"), "claims.review", to_settle, _deciding(to_settle, settle_each), PART, limit_fen=_limit_of
    ),
)
