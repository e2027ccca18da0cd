"""Work on the books done later."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from unionaid.books.services import reconciling
from unionaid.offices.models import Office
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.jobs import Run, enqueue, job, timetable


@timetable
def find_due(on: date) -> None:
    """Once a day, the red days of each tree of offices are looked at again."""
    for top in Office.objects.filter(parent=None).order_by("pk"):
        enqueue("books.look_again", [(top.pk, f"books.look_again:{top.pk}:{on}", None)], by=SYSTEM, office_id=top.pk)


@job("books.reconcile_statement", label=_("银行对账"))
def reconcile_statement(run: Run) -> dict[str, Any] | None:
    """Compare the books with what an imported statement says of each day."""
    reconciling.take_balances(run.subject_ids[0], by=SYSTEM)


@job("books.look_again", queue="reports", label=_("重新核对银行对账"))
def look_again(run: Run) -> dict[str, Any] | None:
    """Compare the red days anew."""
    run.done = run.total = reconciling.look_again(run.on, by=SYSTEM)
