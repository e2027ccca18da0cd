"""Put the starting tree of offices in place; running it again changes nothing but names."""

from typing import Any

from django.core.management.base import BaseCommand

from unionaid.offices.models import Office
from unionaid.offices.scope import everywhere
from unionaid.offices.services import add_office
from unionaid.offices.tree import TREE


class Command(BaseCommand):
    help = "Load the starting tree of offices."

    def handle(self, *args: Any, **options: Any) -> None:
        made: dict[str, Office] = {}
        with everywhere(reason="load the office tree"):
            for code, name, level, above, region in TREE:
                made[code] = add_office(
                    code=code, name=name, level=level, parent=made.get(above), region_code=region
                )
        self.stdout.write(f"{len(made)} offices")
