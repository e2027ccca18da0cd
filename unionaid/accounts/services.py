"""Making and closing logins."""

from datetime import timedelta

from django.db import IntegrityError, transaction

from unionaid.accounts.models import User
from unionaid.lib.calendar import now
from unionaid.web.keys import ring

EMAIL = ("accounts_user", "email")
GIVEN_HOLDS = timedelta(days=7)  # the house's own figure


class LoginTaken(Exception):
    """There is already a login for this person."""


def register(
    *, username: str, display_name: str, password: str, id_hash: bytes | None = None, phone_hash: bytes | None = None,
    given: bool = False,
) -> User:  # fmt: skip
    """Make a login; LoginTaken when the name or the ID number already has one. `given`: somebody else chose the password."""
    try:
        with transaction.atomic():
            return User.objects.create_user(
                username, password, display_name=display_name, id_hash=id_hash, phone_hash=phone_hash,
                password_given_at=now() if given else None,
            )  # fmt: skip
    except IntegrityError as error:
        raise LoginTaken from error


def set_password(user: User, password: str, *, given: bool = False) -> None:
    """Change the password; every other session of the user ends with the next request. `given`: somebody else chose it."""
    user.set_password(password)
    user.password_given_at = now() if given else None
    user.save(update_fields=["password", "password_given_at"])


def is_over(user: User) -> bool:
    """Has a password that somebody else chose stood for too long without being changed? Then nobody is let in with it."""
    return user.password_given_at is not None and now() - user.password_given_at >= GIVEN_HOLDS


def set_email(user: User, email: str) -> None:
    """Keep the address for notices, sealed; an empty one is forgotten."""
    user.email = ring().seal(email, bound_to=(*EMAIL, user.pk)) if email else None
    user.save(update_fields=["email"])


def email_of(user: User) -> str:
    """The address for notices; empty when there is none."""
    return ring().open_text(user.email, bound_to=(*EMAIL, user.pk)) if user.email else ""


def speak(user: User, language: str) -> None:
    """Remember the language chosen last: notices are written in it."""
    User.objects.filter(pk=user.pk).exclude(language=language).update(language=language)


def correct_login(user_id: int, *, name: str = "", id_hash: bytes | None = None) -> None:
    """The person's name or ID number was recorded wrongly: the log-in follows, by number where it had one. LoginTaken when another
    log-in has that number."""
    own = User.objects.filter(pk=user_id)
    try:
        with transaction.atomic():
            if name:
                own.update(display_name=name)
            if id_hash:
                own.exclude(id_hash=None).update(id_hash=id_hash)
    except IntegrityError as error:
        raise LoginTaken from error
