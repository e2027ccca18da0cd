"""Reading claims."""

from django.db.models import QuerySet

from claims.models import Claim


def claims_in_scope() -> QuerySet[Claim]:
    """The claims the open scope shows, newest first."""
    return Claim.objects.select_related("program", "member").order_by("-id")
