"""Load every plan file of the catalogue and publish what is new. All or nothing; running it again changes nothing."""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from programs.rules.planfile import read_folder
from programs.services import PlanRefused, check, load_plans, publish
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere

CATALOGUE = Path(__file__).resolve().parents[2] / "catalogue"


class Command(BaseCommand):
    help = "Load and publish the plan files of the catalogue (or of another folder)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=CATALOGUE)
        parser.add_argument("--draft", action="store_true", help="leave new terms as drafts")

    def handle(self, *args: Any, folder: Path, draft: bool, **options: Any) -> None:
        files, error = read_folder(folder)
        if error:
            raise CommandError(f"{_('没有载入任何计划。')}\n{error.in_language(get_language() or 'zh')}")
        try:
            with everywhere(reason="load the catalogue"), transaction.atomic():
                loaded = load_plans(files, by=SYSTEM)
                for one in loaded:
                    if not draft and one.terms.state == "draft":
                        publish(check(one.terms, by=SYSTEM), by=SYSTEM)
        except PlanRefused as refused:
            raise CommandError(f"{_('没有载入任何计划。')}\n{refused.message}") from refused
        counts = Counter(one.outcome for one in loaded)
        self.stdout.write(", ".join(f"{counts[outcome]} {outcome}" for outcome in ("new", "changed", "same")))
