"""Finding logins."""

from typing import Any

from django.http import HttpRequest

from unionaid.accounts.models import User
from unionaid.lib.identity import IdentityError, parse_id_number, parse_phone
from unionaid.web.keys import ring


def user_by_number(text: str) -> User | None:
    """The one user with this staff number, ID number or phone; None when none or several have it.

    A phone shared by several people (a family's) is no login for any of them.
    """
    by_name = User.objects.filter(username=text.strip()).first()
    if by_name:
        return by_name
    try:
        return User.objects.filter(id_hash=ring().blind("id_number", parse_id_number(text).number)).first()
    except IdentityError:
        pass
    try:
        found = User.objects.filter(phone_hash=ring().blind("phone", parse_phone(text)))[:2]
    except IdentityError:
        return None
    return found[0] if len(found) == 1 else None


def typed_number(_request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """As what a wrong try to log in is counted: the number that was typed, hashed by a key. It may be somebody's ID number."""
    return ring().blind("typed", str((credentials or {}).get("username", "")).strip()).hex()
