"""Proving again who one is, before money leaves (step-up): the password, and the code of the second factor where the login has one.

A proof holds for a few minutes, in the session it was given in and for money alone. It is a row of its own that nobody can change or
take away; being logged in proves nothing. Wrong tries are such rows too: after a few of them nothing is looked at for a while.
"""

import hashlib
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from unionaid.accounts import second_factor
from unionaid.accounts.models import Proof, User

HOLDS = timedelta(minutes=5)
MOST_WRONG, WRONG_WITHIN = 5, timedelta(minutes=15)


class NotProven(Exception):
    """It was not proven; the message says what to do. `field` is the one at fault; `too_often`: nothing was looked at."""

    def __init__(self, message: str, field: str, *, too_often: bool = False) -> None:
        super().__init__(message)
        self.message, self.field, self.too_often = message, field, too_often


def is_fresh(user: User, session: str) -> bool:
    """Did this person prove it in this session within the last five minutes, by the clock of the database?"""
    rows = Proof.objects.filter(user=user, session_hash=_hashed(session), passed=True, at__gt=Now() - HOLDS)
    return bool(session) and rows.exists()


@transaction.atomic
def prove(user: User, session: str, *, password: str, code: str = "") -> NotProven | None:
    """Look at password and code and write down how it went; what was wrong, or None. It returns instead of raising, so that a wrong try
    stays written in the caller's transaction. One at a time for one person: guesses sent together do not get past the limit."""
    owner = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if refused := _too_often(owner, "password"):
        return refused
    trouble = _looked_at(owner, password, code)
    Proof.objects.create(user=owner, session_hash=_hashed(session), passed=trouble is None)
    return trouble


@transaction.atomic
def let_in(user: User, session: str, *, code: str) -> NotProven | None:
    """Look at the code after a log-in by password; what was wrong, or None. Wrong tries count with those of `prove`; a right one proves
    nothing for money."""
    owner = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if refused := _too_often(owner, "code"):
        return refused
    if second_factor.take(owner, code):
        return None
    Proof.objects.create(user=owner, session_hash=_hashed(session), passed=False)
    return _wrong_code()


def _too_often(owner: User, field: str) -> NotProven | None:
    wrong = Proof.objects.filter(user=owner, passed=False, at__gt=Now() - WRONG_WITHIN).count()
    if wrong < MOST_WRONG:
        return None
    words = _("连续输错太多次，请 15 分钟后再试。不是您本人输错的，请马上更改密码并告诉系统管理员。")
    return NotProven(words, field, too_often=True)


def _looked_at(owner: User, password: str, code: str) -> NotProven | None:
    if not owner.is_active or not owner.check_password(password):
        return NotProven(_("密码不对，请再输一遍。"), "password")
    if owner.has_second_factor and not second_factor.take(owner, code):
        return _wrong_code()
    return None


def _wrong_code() -> NotProven:
    return NotProven(_("动态验证码不对或已用过，请输入验证器上新的 6 位数字。"), "code")


def _hashed(session: str) -> bytes:
    return hashlib.sha256(session.encode()).digest()
