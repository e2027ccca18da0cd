"""All that can be verified of a database, its files and its keys, in one go. Changes nothing; ends with an error at the first fault.

manage.py verify                   tables fit the program, invariants of money, the record of acts, files and keys
manage.py verify --head HEX …      and the record still holds the heads that were sent away
manage.py verify --newest N        of the files at most so many of each kind
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _


class Command(BaseCommand):
    help = "Run every verifier one after the other; exit code 1 at the first that finds something."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", action="append", default=[], metavar="HEX", help="a digest that was sent away")
        parser.add_argument("--newest", type=int, metavar="N", help="at most so many files of each kind")

    def handle(self, *args: Any, head: list[str], newest: int | None, **options: Any) -> None:
        streams = {"stdout": self.stdout, "stderr": self.stderr}
        try:
            call_command("migrate", check_unapplied=True, verbosity=0, **streams)
        except SystemExit:
            raise CommandError(_("数据库的表与程序的版本不一致，请先运行 manage.py migrate。")) from None
        call_command("audit_money", **streams)
        call_command("verify_audit", head=head, **streams)
        call_command("verify_sealed", newest=newest, **streams)
