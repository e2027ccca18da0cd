"""Erase who somebody is, at their own request or because nothing needs it any more. The ID number is asked for, or read from standard
input, so that it stands in no history of commands.

manage.py erase_person
"""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from claims.payouts.erasing import ErasureRefused, erase
from members.models import Member
from members.services.people import id_hash
from unionaid.lib.calendar import today
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere


class Command(BaseCommand):
    help = "Erase who a person is; refused, with the reason, while something still needs it."

    def handle(self, *args: Any, **options: Any) -> None:
        number = getpass.getpass("ID number: ") if sys.stdin.isatty() else sys.stdin.readline()
        with everywhere(reason="erase a person"):
            member = Member.objects.filter(id_hash=id_hash(number.strip().upper())).first()
            if member is None:
                raise CommandError(_("没有找到这个人。"))
            try:
                erase(member, by=SYSTEM, on=today())
            except ErasureRefused as no:
                raise CommandError(no.message) from no
        self.stdout.write(_("已删除。账上的金额不变。"))
