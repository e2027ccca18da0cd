"""How far a running job is, told while its transaction is still open: kept beside the database, in the cache, for an hour. The
job's row says the same when a part of the work is done; whatever happens to the cache, nothing but a moment's news is lost."""

import logging
import uuid

from django.core.cache import cache

logger = logging.getLogger(__name__)
KEPT_SECONDS = 3600


def tell(job: uuid.UUID, stage: str, done: int, total: int) -> None:
    """The job is at this stage and did so many of so many."""
    try:
        cache.set(_key(job), (stage, done, total), KEPT_SECONDS)
    except Exception as error:  # whatever ails the cache, the work goes on
        logger.info("progress of a job could not be told: %s", type(error).__name__)


def told(job: uuid.UUID) -> tuple[str, int, int] | None:
    """What was told last; None when nothing was."""
    try:
        found: tuple[str, int, int] | None = cache.get(_key(job))
    except Exception as error:  # the page shows what the row says
        logger.info("progress of a job could not be read: %s", type(error).__name__)
        return None
    return found


def _key(job: uuid.UUID) -> str:
    return f"job:{job}"
