"""Telling the broker that a queue has work; losing the message loses nothing (the sweep finds the rows)."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def nudge(queue: str) -> None:
    """Ask a worker of this queue to look for due jobs now."""
    try:
        current_app.send_task("workflow.run_due", args=[queue], queue=queue, ignore_result=True, retry=False)
    except OperationalError:
        logger.warning("broker not reachable; the sweep will find the work of queue %s", queue)
