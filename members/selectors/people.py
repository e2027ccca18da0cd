"""Finding people."""

from django.contrib.auth.models import AnonymousUser

from members.models import Member
from unionaid.accounts.models import User


def member_of_user(user: User | AnonymousUser) -> int | None:
    """The id of the member this login is bound to, or None. Needs a scope that holds the user."""
    return Member.objects.filter(user_id=user.pk).values_list("id", flat=True).first()
