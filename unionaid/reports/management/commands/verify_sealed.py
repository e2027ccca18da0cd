"""Whether every kept file is there and as it was written down, and whether the keys open what is sealed. Changes nothing.

manage.py verify_sealed               everything; a long walk where millions of papers are kept
manage.py verify_sealed --newest 500  the newest of each kind
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from unionaid.offices.scope import everywhere
from unionaid.reports.sealed import faults


class Command(BaseCommand):
    help = "Open every kept file and a sample of each sealed column; exit code 1 when something is missing or does not open."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--newest", type=int, metavar="N", help="at most so many files of each kind")

    def handle(self, *args: Any, newest: int | None, **options: Any) -> None:
        count = 0
        with everywhere(reason="verify sealed files and columns"):
            for fault in faults(files=newest):
                count += 1
                self.stdout.write(fault)
        if count:
            raise CommandError(_("有 {count} 处打不开或与登记不符。").format(count=count))
        self.stdout.write(_("文件都在，内容与登记一致，密钥能打开。"))
