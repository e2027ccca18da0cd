"""What an office sets for its review: time limits, the limit of bulk approval. Every change is on record."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from claims.models import ReviewRule
from claims.transitions import TIMED
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed, record


class RuleRefused(MoveRefused):
    """Nothing was changed; the message says why. `field` is the one at fault."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def set_rule(
    office: Office, *, bulk_limit_fen: int, soon_days: int, cooling_days: int, step_days: Mapping[str, int], seen: int, by: Actor
) -> ReviewRule:
    """Set the rule of one office. `step_days`: working days by step, of those in `TIMED`; `seen`: the version the
    person looked at, 0 when there was none."""
    _may_set(office, by)
    if unknown := set(step_days) - set(TIMED):
        raise KeyError(sorted(unknown)[0])
    values = {"bulk_limit_fen": bulk_limit_fen, "soon_days": soon_days, "cooling_days": cooling_days, "step_days": dict(step_days)}
    conflict = Conflict(_("这份设置刚被别人改过。请刷新页面，看过新的内容再改。"), [])
    if seen:
        if not ReviewRule.objects.filter(office=office, version=seen).update(**values, version=F("version") + 1):
            raise conflict
    else:
        try:
            with transaction.atomic():
                ReviewRule.objects.create(office=office, **values)
        except IntegrityError as error:
            raise conflict from error
    rule = ReviewRule.objects.select_related("office").get(office=office)
    record([office], "set_rules", by=by, details=values)
    return rule


def _may_set(office: Office, by: Actor) -> None:
    if not may(by, "claims.set_rules", office.pk):
        raise NotAllowed(_("您不能修改这个机构的审核设置。"))
