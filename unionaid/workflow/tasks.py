"""How jobs become Celery tasks: one task per queue that runs what is due, and the timetable's sweep."""

from celery import shared_task

from unionaid.workflow import jobs


@shared_task(name="workflow.run_due")
def run_due(queue: str) -> int:
    """Run the due jobs of a queue; where there may be more, ask again, so that thousands do not wait for the sweep."""
    ran = jobs.run_due(queue)
    if ran == jobs.AT_ONCE:
        jobs.nudge(queue)
    return ran


@shared_task(name="workflow.sweep")
def sweep() -> None:
    """Find due work whose nudge was lost or whose worker died; every queue nudges itself again."""
    for queue in sorted({kind.queue for kind in jobs.KINDS.values()}):
        jobs.nudge(queue)


@shared_task(name="workflow.ask_what_is_due")
def ask_what_is_due() -> None:
    """Write the jobs that the calendar asks for."""
    jobs.ask_what_is_due()
