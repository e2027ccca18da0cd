"""Reading enrolments."""

from django.db.models import QuerySet

from members.models import Enrolment, Roster, WorkUnit


def covers_in_scope() -> QuerySet[Enrolment]:
    """The enrolments the open scope shows, newest first, with all that pages show of them."""
    return Enrolment.objects.select_related("member", "program", "terms", "unit", "office").order_by("-id")


def rosters_in_scope() -> QuerySet[Roster]:
    """The rosters of the open scope, newest first."""
    return Roster.objects.select_related("terms__program").order_by("-id")


def units_in_scope() -> QuerySet[WorkUnit]:
    """The units of the open scope."""
    return WorkUnit.objects.order_by("name")
