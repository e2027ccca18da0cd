"""Load every plan file of the catalogue and publish what is new. All or nothing; running it again changes nothing."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from programs.rules.schedule import ScheduleError, load_yaml
from programs.services import PlanRefused, load_plan, publish
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere

CATALOGUE = Path(__file__).resolve().parents[2] / "catalogue"


class Command(BaseCommand):
    help = "Load and publish the plan files of the catalogue (or of another folder)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=CATALOGUE)
        parser.add_argument("--draft", action="store_true", help="leave new terms as drafts")

    def handle(self, *args: Any, folder: Path, draft: bool, **options: Any) -> None:
        counts = {"new": 0, "changed": 0, "same": 0}
        try:
            with everywhere(reason="load the catalogue"):
                for path in sorted(folder.glob("*.yaml")):
                    data = load_yaml(path.read_bytes(), source=path.name)
                    loaded = load_plan(data, by=SYSTEM, source=path.name)
                    counts[loaded.outcome] += 1
                    if loaded.terms.state == "draft" and not draft:
                        publish(loaded.terms, by=SYSTEM)
        except (ScheduleError, PlanRefused) as error:
            raise CommandError(f"Nothing was loaded. {error}") from error
        self.stdout.write(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
