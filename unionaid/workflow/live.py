"""How far a job is at this moment, beside the database: a job's own row changes only when its transaction ends.

Kept in the broker for an hour, read by the job's page. When the broker cannot be reached nobody is told, and nothing else happens.
"""

import json
import logging
from dataclasses import asdict, dataclass
from functools import lru_cache

import redis
from django.conf import settings

logger = logging.getLogger(__name__)
KEPT_SECONDS, PATIENCE_SECONDS = 3600, 0.3


@dataclass(frozen=True, slots=True)
class Live:
    """The stage a job is at, in words; how many of how many are done in it (0 of 0: not counted), in how many seconds."""

    stage: str
    done: int
    total: int
    seconds: float


@lru_cache(maxsize=1)
def _store() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS)


def _key(job_id: int) -> str:
    return f"unionaid:live:{settings.DATABASES['default']['NAME']}:{job_id}"


def tell(job_id: int, live: Live) -> None:
    """Let the job's page know."""
    try:
        _store().set(_key(job_id), json.dumps(asdict(live)), ex=KEPT_SECONDS)
    except redis.RedisError:
        logger.warning("broker not reachable; nobody is told how far job %s is", job_id)


def hear(job_id: int) -> Live | None:
    """What was told last, if anything."""
    try:
        told = _store().get(_key(job_id))
    except redis.RedisError:
        return None
    return Live(**json.loads(told)) if told else None


def forget(job_id: int) -> None:
    """The job is over."""
    try:
        _store().delete(_key(job_id))
    except redis.RedisError:
        logger.warning("broker not reachable; what was told of job %s goes by itself", job_id)
