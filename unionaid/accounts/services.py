"""Making and closing logins."""

from django.db import IntegrityError, transaction

from unionaid.accounts.models import User


class LoginTaken(Exception):
    """There is already a login for this person."""


def register(
    *, username: str, display_name: str, password: str, id_hash: bytes | None = None, phone_hash: bytes | None = None
) -> User:
    """Make a login; LoginTaken when the name or the ID number already has one."""
    try:
        with transaction.atomic():
            return User.objects.create_user(
                username, password, display_name=display_name, id_hash=id_hash, phone_hash=phone_hash
            )
    except IntegrityError as error:
        raise LoginTaken from error


def set_password(user: User, password: str) -> None:
    """Change the password; every other session of the user ends with the next request."""
    user.set_password(password)
    user.save(update_fields=["password"])
