"""Compute stored claims again and print every difference. Changes nothing; ends with an error when there is one.

manage.py reassess                 every claim decided
manage.py reassess --claim NUMBER  one claim
manage.py reassess --all           estimates kept on the way as well
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from claims.models import BenefitStatement
from claims.selectors.recomputed import differences
from unionaid.offices.scope import everywhere


class Command(BaseCommand):
    help = "Recompute stored claims from their stored facts and terms, and print any difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--claim", metavar="NUMBER", default="", help="one claim alone")
        parser.add_argument("--all", action="store_true", help="also the estimates kept before the decision")

    def handle(self, *args: Any, claim: str, **options: Any) -> None:
        every = bool(options["all"])
        with everywhere(reason="recompute stored claims"):
            count = 0
            for found in differences(number=claim, final_only=not every):
                count += 1
                self.stdout.write(
                    _("申领 {number}（核定书 {id}）{what}：存 {stored}，算 {computed}").format(
                        number=found.number, id=found.statement_id, what=found.what, stored=found.stored, computed=found.computed
                    )
                )
            rows = BenefitStatement.objects.filter(**({} if every else {"is_final": True}), **({"claim__number": claim} if claim else {}))
            total = rows.count()
        if claim and not total:
            raise CommandError(_("没有申领 {number} 的核定书。").format(number=claim))
        if count:
            raise CommandError(_("核对了 {total} 份核定书，有 {count} 处不一致。").format(total=total, count=count))
        self.stdout.write(_("核对了 {total} 份核定书，全部一致。").format(total=total))
