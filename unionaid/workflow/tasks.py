"""How jobs become Celery tasks: one task per queue that runs what is due, and the timetable's sweep."""

from celery import shared_task

from unionaid.workflow import jobs


@shared_task(name="workflow.run_due")
def run_due(queue: str) -> int:
    """Run the due jobs of a queue."""
    return jobs.run_due(queue)


@shared_task(name="workflow.sweep")
def sweep() -> None:
    """Find due work whose nudge was lost or whose worker died; every queue nudges itself again."""
    for queue in sorted({kind.queue for kind in jobs.KINDS.values()}):
        jobs.nudge(queue)


@shared_task(name="workflow.ask_what_is_due")
def ask_what_is_due() -> None:
    """Write the jobs that the calendar asks for."""
    jobs.ask_what_is_due()
