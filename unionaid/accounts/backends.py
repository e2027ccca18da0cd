"""Logging in by whatever number a person remembers: staff number, ID number or phone."""

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from unionaid.accounts.models import User
from unionaid.accounts.selectors import user_by_number


class NumberBackend(BaseBackend):
    """Finds the user by any of their numbers; spends the same time on unknown ones."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: object
    ) -> User | None:
        if not username or password is None:
            return None
        user = user_by_number(username)
        if user is None:
            make_password(password)  # as slow as a real check, so unknown numbers do not answer faster
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()
