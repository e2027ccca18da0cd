"""Work on claims that is done later."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from claims.services import bulk, carried, netting, news, objections, public_notice, putting_away, rehearsal, relief, unit_review
from members.services.departures import end_objection
from members.services.sight import binding
from members.services.voiding import objection
from unionaid.workflow.jobs import Run, job, timetable

# `carried` registers what of this floor goes along with a unit, `bulk` what may be decided together.
__all__ = [
    "bulk", "carried", "close_notice", "find_due", "find_untold", "open_relief", "pass_by_unit", "put_away", "rehearse", "renew_relief",
]  # fmt: skip

objection(objections.claims_under)
end_objection(objections.claims_from)
binding(unit_review.at_unit)


@job("claims.rehearse", queue="reports", label=_("测算条款"))
def rehearse(run: Run) -> dict[str, Any] | None:
    """Run one rehearsal."""
    return rehearsal.advance(run.subject_ids[0], run)


@job("claims.put_away", label=_("整理已到账的申领"))
def put_away(run: Run) -> dict[str, Any] | None:
    """Put the next long paid claims away."""
    return putting_away.put_away(run.cursor)


@timetable
def find_due(on: date) -> None:
    """Public notices that are over, claims that their unit did not look at in time, and claimants who have not been told."""
    news.find_untold(on)
    public_notice.find_over(on)
    unit_review.find_late(on)
    putting_away.find_long_paid(on)


@job("claims.close_notice", label=_("结束公示"))
def close_notice(run: Run) -> dict[str, Any] | None:
    """End one public notice."""
    public_notice.close(run.subject_ids[0], on=run.on)


@job("claims.pass_by_unit", label=_("单位逾期未核对，转办事处"))
def pass_by_unit(run: Run) -> dict[str, Any] | None:
    """Take one claim on without its unit."""
    unit_review.move_on(run.subject_ids[0], on=run.on)


@job("claims.open_relief", label=_("按规则发起救助"))
def open_relief(run: Run) -> dict[str, Any] | None:
    """Open what follows from one granted benefit by rule."""
    relief.follow(run.subject_ids[0], on=run.on)


@job("claims.renew_relief", label=_("互助金有变化，重新计算救助"))
def renew_relief(run: Run) -> dict[str, Any] | None:
    """Look anew at the relief that was decided for one event."""
    netting.renew(run.subject_ids[0], on=run.on)


@job("claims.find_untold", queue="notices", label=_("找出还没有通知的进展"))
def find_untold(run: Run) -> dict[str, Any] | None:
    """Look at the next stretch of claims."""
    after = news.find_all(run.cursor.get("after", 0) if run.cursor else 0)
    return None if after is None else {"after": after}


@job("claims.tell_news", queue="notices", label=_("通知申领的进展"))
def tell_news(run: Run) -> dict[str, Any] | None:
    """Tell some claimants where their claims are now."""
    news.tell_of(run.subject_ids)
