"""Hold the record of acts against its seals. Changes nothing; ends with an error and names every entry that is not as it was sealed.

manage.py verify_audit                       the chain as it stands
manage.py verify_audit --head HEX …          and whether it still holds the heads that were sent away
manage.py verify_audit --heads FILE          the same for a file of heads (a line each: day, digest, …)
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditSeal
from unionaid.workflow.sealing import faults


class Command(BaseCommand):
    help = "Verify the hash chain over the audit record; exit code 1 when an entry was edited, removed, added or reordered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", action="append", default=[], metavar="HEX", help="a digest that was sent away")
        parser.add_argument("--heads", type=Path, metavar="FILE", help="a file of lines that were sent away")

    def handle(self, *args: Any, head: list[str], heads: Path | None, **options: Any) -> None:
        if heads is not None:
            head = head + [line.split()[1] for line in heads.read_text("utf-8").splitlines() if len(line.split()) > 1]
        count = 0
        with everywhere(reason="verify the record of acts"):
            for fault in faults(heads=tuple(head)):
                count += 1
                self.stdout.write(f"{fault}")
            sealed = AuditSeal.objects.count()
        if count:
            raise CommandError(_("办理记录有 {count} 处与封存时不一致。").format(count=count))
        said = _("{count} 个封存块，全部一致。") if sealed else _("还没有封存过办理记录，现在没有可核对的；每小时封存一次。")
        self.stdout.write(said.format(count=sealed))
