"""Finding people."""

from django.contrib.auth.models import AnonymousUser

from members.models import Member
from unionaid.accounts.models import User
from unionaid.lib.identity import IdentityError, parse_id_number, parse_phone
from unionaid.web.keys import ring


def member_of_user(user: User | AnonymousUser) -> int | None:
    """The id of the member this login is bound to, or None. Needs a scope that holds the user."""
    return Member.objects.filter(user_id=user.pk).values_list("id", flat=True).first()


def members_by_number(text: str) -> list[int]:
    """Ids of the people in scope with this ID number or phone, by the blind indexes; empty for what is no such number."""
    keys = ring()
    try:
        return list(Member.objects.filter(id_hash=keys.blind("id_number", parse_id_number(text).number)).values_list("pk", flat=True))
    except IdentityError:
        pass
    try:
        hashed = keys.blind("phone", parse_phone(text))
    except IdentityError:
        return []
    return list(Member.objects.filter(secret__phone_hash=hashed).values_list("pk", flat=True)[:20])
