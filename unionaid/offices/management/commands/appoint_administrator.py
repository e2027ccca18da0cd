"""Give one of the first two system administrators a log-in: the desk, where all others are appointed, opens to nobody before."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from unionaid.accounts.models import User
from unionaid.accounts.services import GIVEN_HOLDS, LoginTaken, is_over, register, set_password
from unionaid.lib.calendar import now, today
from unionaid.offices.admin import LoginForm, PasswordForm
from unionaid.offices.desk import remember
from unionaid.offices.models import Office, StaffPost
from unionaid.offices.roles import SYSTEM, Role
from unionaid.offices.scope import everywhere

FIRST = 2  # nobody appoints or resets themselves, so it takes two to begin


class Command(BaseCommand):
    help = "Give one of the first two system administrators a log-in; the password is asked for, or read from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="the log-in, as s-wang")
        parser.add_argument("name", help="the person's name")

    def handle(self, *args: Any, **options: Any) -> None:
        with everywhere(reason="appoint one of the first system administrators"), transaction.atomic():
            if self._anew(options["username"]):
                return
            top = self._top()
            form = LoginForm({"username": options["username"], "display_name": options["name"], "password": self._password()})
            if not form.is_valid():
                raise CommandError("; ".join(str(words) for errors in form.errors.values() for words in errors))
            try:
                user = register(**form.cleaned_data, given=True)
            except LoginTaken as error:
                raise CommandError(f"There is a log-in {options['username']} already.") from error
            post = StaffPost.objects.create(user=user, office=top, role=Role.SYSTEM_ADMIN, since=today(), confirmed_at=now())
            remember(post, "give_post", by=SYSTEM)
        self.stdout.write(
            f"{user.username} is system administrator of {top.name}; at the first log-in, within {GIVEN_HOLDS.days} days, "
            "they choose a password of their own and set up the authenticator"
        )

    def _anew(self, username: str) -> bool:
        """One of them let the days go by in which the first password had to be changed: it is given anew, so that nobody is shut out."""
        late = User.objects.filter(username=username, posts__role=Role.SYSTEM_ADMIN, password_given_at__isnull=False).first()
        if late is None or not is_over(late):
            return False
        form = PasswordForm({"password": self._password()})
        if not form.is_valid():
            raise CommandError("; ".join(str(words) for words in form.errors["password"]))
        set_password(late, form.cleaned_data["password"], given=True)
        remember(late, "reset_password", by=SYSTEM)
        self.stdout.write(f"{username} has a new first password")
        return True

    def _top(self) -> Office:
        """Headquarters, while it has fewer than the first two."""
        top = Office.objects.filter(parent=None).select_for_update(no_key=True).order_by("pk").first()
        if top is None:
            raise CommandError("There is no office yet: run load_offices.")
        if StaffPost.objects.filter(office=top, role=Role.SYSTEM_ADMIN, until=None, confirmed_at__isnull=False).count() >= FIRST:
            raise CommandError(f"{top.name} has {FIRST} system administrators: they appoint others at the desk.")
        return top

    def _password(self) -> str:
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\n")
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise CommandError("The two passwords differ.")
        return password
