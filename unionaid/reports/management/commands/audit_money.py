"""Look at every invariant of money, now. Changes nothing; ends with an error when one does not hold.

manage.py audit_money          a line each, and the rows at fault
manage.py audit_money --json   the same for a program
"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from unionaid.ledger.invariants import Finding
from unionaid.offices.scope import everywhere
from unionaid.reports.money import EVERY, audit


class Command(BaseCommand):
    help = "Look at every invariant of money; exit code 1 and the rows at fault when one does not hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *args: Any, as_json: bool, **options: Any) -> None:
        with everywhere(reason="audit of money"):
            found = {one.code: one for one in audit()}
        if as_json:
            rows = [{"code": one.code, "says": f"{one.words}", **_of(found.get(one.code))} for one in EVERY]
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1))
        for one in () if as_json else EVERY:
            self.stdout.write(f"{'✗' if one.code in found else '✓'} {one.code:4} {one.words}")
            for row in found[one.code].rows if one.code in found else ():
                self.stdout.write(f"       {row}")
        total = len(EVERY)
        if found:
            words = _("核对了 {total} 项，{count} 项不符：{codes}")
            raise CommandError(words.format(total=total, count=len(found), codes="、".join(found)))
        self.stderr.write(_("核对了 {total} 项，全部相符。").format(total=total))


def _of(finding: Finding | None) -> dict[str, Any]:
    return {"holds": finding is None, "count": finding.count if finding else 0, "rows": list(finding.rows) if finding else []}
