"""A batch on its way out: checked by a second, released by a third person."""

from claims.payouts import checking, services
from claims.payouts.models import PayoutBatch
from tests.factories.offices import Cast


def check(cast: Cast, batch: PayoutBatch) -> PayoutBatch:
    """付明 finds the figures to be those of the papers."""
    return checking.check(batch, seen=checking.figures_of(batch), version=batch.version, by=cast.actor(cast.checker))


def release(cast: Cast, batch: PayoutBatch) -> PayoutBatch:
    """Checked by 付明, released by 李国强; the work itself is left to the job."""
    return services.release(check(cast, batch), by=cast.actor(cast.manager))
