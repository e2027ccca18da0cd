"""List work that stands still, now. Changes nothing; ends with an error when there is any, for a watch that does not need our workers.

manage.py stuck_work
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from unionaid.lib.calendar import today
from unionaid.offices.scope import everywhere
from unionaid.reports.stuck import look


class Command(BaseCommand):
    help = "List jobs that failed or hang and batches that stand still; exit code 1 when there are any."

    def handle(self, *args: Any, **options: Any) -> None:
        with everywhere(reason="work that stands still"):
            found = look(today())
        for one in found:
            self.stdout.write(str(one))
        if found:
            raise CommandError(_("{count} 项工作停住了。").format(count=len(found)))
        self.stderr.write(_("没有停住的工作。"))
