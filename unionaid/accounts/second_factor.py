"""The second factor of a login: codes of an authenticator app (TOTP, RFC 6238), each taken once. The key is sealed."""

import base64
import secrets
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote

from django.db.models import F
from django_otp.oath import TOTP

from unionaid.accounts.models import User
from unionaid.lib.calendar import now
from unionaid.web.keys import ring

KEY = ("accounts_user", "totp_key")
SESSION = "second_factor"  # in a session: of which authenticator a code was typed in it
BYTES, TOLERANCE = 20, 1  # a step of 30 seconds earlier or later: clocks differ


def begin(user: User) -> str:
    """A fresh key for the authenticator, in its letters; it counts from the first right code on (`confirm`). A key that counts already
    is not touched: what is shown then is empty."""
    if user.has_second_factor:
        return ""
    if user.totp_key is None:
        user.totp_key = ring().seal(secrets.token_bytes(BYTES), bound_to=(*KEY, user.pk))
        user.save(update_fields=["totp_key"])
    return base64.b32encode(_key(user)).decode()


def address(user: User, issuer: str) -> str:
    """What the QR code holds."""
    key = base64.b32encode(_key(user)).decode()
    return f"otpauth://totp/{quote(issuer)}:{quote(user.username)}?secret={key}&issuer={quote(issuer)}"


def confirm(user: User, code: str) -> bool:
    """The first right code: from now on the second factor is asked for."""
    if user.totp_key is None or not take(user, code):
        return False
    User.objects.filter(pk=user.pk, totp_since=None).update(totp_since=now())
    user.refresh_from_db(fields=["totp_since"])
    return True


def take(user: User, code: str) -> bool:
    """Is this the code of now? Each is taken once, however many send it at the same moment."""
    if user.totp_key is None or not (code.isascii() and code.isdigit() and len(code) == 6):
        return False
    totp = TOTP(_key(user))
    if not totp.verify(int(code), tolerance=TOLERANCE, min_t=user.totp_last + 1):
        return False
    return bool(User.objects.filter(pk=user.pk, totp_last__lt=totp.t()).update(totp_last=totp.t()))


def is_passed(user: User, session: MutableMapping[str, Any]) -> bool:
    """Was a code of the authenticator that counts now typed in this session?"""
    return user.totp_since is not None and session.get(SESSION) == user.totp_since.isoformat()


def remember(user: User, session: MutableMapping[str, Any]) -> None:
    """A right code was typed in this session; it is not asked for again before the next log-in or another authenticator."""
    session[SESSION] = user.totp_since.isoformat() if user.totp_since else ""


def drop(user: User) -> None:
    """The device is lost: the login has no second factor until a new one is set up."""
    User.objects.filter(pk=user.pk).update(totp_key=None, totp_since=None, totp_last=F("totp_last") + 1)


def _key(user: User) -> bytes:
    return ring().open(user.totp_key or b"", bound_to=(*KEY, user.pk))
