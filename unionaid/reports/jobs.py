"""Reports built later, and the house's own checks, night by night."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from unionaid.lib.calendar import now
from unionaid.offices.models import Office
from unionaid.offices.roles import SYSTEM
from unionaid.reports import money, services, stuck
from unionaid.workflow import sealing
from unionaid.workflow.jobs import Run, enqueue, job, timetable


@timetable
def find_due(on: date) -> None:
    """The audit of money of the day; each hour a seal on the record of acts, each day its head sent away; work that stands still."""
    money.find(on)
    stuck.find(on)
    top = Office.objects.filter(parent=None).order_by("pk").first()
    if top is not None:
        enqueue("reports.seal_record", [(top.pk, f"reports.seal_record:{now():%Y-%m-%dT%H}", None)], by=SYSTEM)
        enqueue("reports.send_head", [(top.pk, f"reports.send_head:{on}", None)], by=SYSTEM)


@job("reports.audit_money", queue="reports", label=_("核对资金"))
def audit_money(run: Run) -> dict[str, Any] | None:
    """Look at every invariant of money of one tree of offices."""
    money.keep(run.subject_ids[0], run.on)


@job("reports.build_yearly", queue="reports", label=_("编制年报"))
def build_yearly(run: Run) -> dict[str, Any] | None:
    """Build one yearly statement."""
    return services.build(run.subject_ids[0], run)


@job("reports.seal_record", queue="reports", label=_("封存办理记录"))
def seal_record(run: Run) -> dict[str, Any] | None:
    """Seal what was written in the record of acts since the last time."""
    run.done = run.total = sealing.seal()


@job("reports.send_head", queue="reports", label=_("送出办理记录校验值"))
def send_head(run: Run) -> dict[str, Any] | None:
    """Send the head of the chain of seals away."""
    sealing.send_head(run.on)


@job("reports.tell_stuck", queue="default", label=_("报告停住的工作"))
def tell_stuck(run: Run) -> dict[str, Any] | None:
    """Cry out what stands still. Not on the queue of the reports, which may be the one that hangs."""
    run.done = run.total = stuck.tell(run.on)
