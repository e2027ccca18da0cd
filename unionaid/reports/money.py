"""The audit of money: every invariant of the house looked at once, what was found kept and cried out."""

import logging
from datetime import date

from django.utils.translation import gettext as _

from claims.payouts.invariants import INVARIANTS as PAYOUTS
from members.selectors.contributions import INVARIANTS as CONTRIBUTIONS
from unionaid.books.invariants import INVARIANTS as BOOKS
from unionaid.ledger.invariants import LEDGER, Finding, look
from unionaid.lib.calendar import now
from unionaid.offices.models import Office
from unionaid.offices.roles import SYSTEM
from unionaid.reports.guards import GUARDS
from unionaid.reports.models import MoneyAudit
from unionaid.web.alarm import tell_watchers
from unionaid.workflow.jobs import enqueue

logger = logging.getLogger(__name__)
EVERY = (*LEDGER, *PAYOUTS, *CONTRIBUTIONS, *BOOKS, GUARDS)


def audit() -> list[Finding]:
    """What does not hold in the open scope; empty when all is well. One statement for each invariant, whatever the number of rows."""
    return look(EVERY)


def find(on: date) -> None:
    """Once a day, one audit for each tree of offices, in the scope of that tree."""
    for top in Office.objects.filter(parent=None).order_by("pk"):
        enqueue("reports.audit_money", [(top.pk, f"reports.audit_money:{top.pk}:{on}", None)], by=SYSTEM, office_id=top.pk)


def keep(office_id: int, on: date) -> MoneyAudit:
    """Audit the open scope and keep what was found; what is wrong is cried out in the log and to `ALARM_TO`. A second run of the day
    changes nothing."""
    known = MoneyAudit.objects.filter(office_id=office_id, on=on).first()
    if known:
        return known
    began, found = now(), audit()
    made = MoneyAudit.objects.create(
        office_id=office_id, on=on, looked_at=len(EVERY), seconds=round((now() - began).total_seconds()),
        findings=[{"code": one.code, "count": one.count, "rows": list(one.rows)} for one in found],
    )  # fmt: skip
    if found:
        _cry(found, on)
    return made


def _cry(found: list[Finding], on: date) -> None:
    """No name and no number of a person is in it: codes, counts, and keys of rows."""
    lines = [f"{one.code} {one.words}: {one.count} ({', '.join(one.rows[:5])})" for one in found]
    logger.critical("money audit of %s: %s", on, "; ".join(lines))
    tell_watchers(_("资金核对发现 {count} 处不符（{day}）").format(count=len(found), day=on), "\n".join(lines))
