"""What an office has set for its review: its own rule, or that of the nearest office above it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from claims.models import COOLING_DAYS, STEP_DAYS, USUAL_STEP_DAYS, ReviewRule
from unionaid.offices.models import Office


@dataclass(frozen=True)
class Rules:
    """All rules by the path of their office."""

    by_path: dict[str, ReviewRule]

    def of(self, path: str) -> ReviewRule | None:
        """The rule that holds for the office with this path."""
        above = [own for own in self.by_path if path.startswith(own)]
        return self.by_path[max(above, key=len)] if above else None

    def days(self, path: str, step: str) -> int:
        """Working days within which this office does this step (one of `TIMED`)."""
        rule, usual = self.of(path), USUAL_STEP_DAYS.get(step, STEP_DAYS)
        return int(rule.step_days.get(step, usual)) if rule else usual

    def cooling_days(self, path: str) -> int:
        """Days between the change of a payee account of this office's claims and the first payment to it."""
        rule = self.of(path)
        return rule.cooling_days if rule else COOLING_DAYS

    def bulk_limit_fen(self, path: str) -> int:
        """Up to this benefit a clean claim of this office may be approved with others; 0: never."""
        rule = self.of(path)
        return rule.bulk_limit_fen if rule else 0


def rules() -> Rules:
    """Every office's rule. One statement."""
    return Rules({rule.office.path: rule for rule in ReviewRule.objects.select_related("office")})


def ids_of_path(path: str) -> list[int]:
    """The ids of an office and of all above it."""
    return [int(pk) for pk in path.strip("/").split("/")]


def paths(offices: Iterable[int]) -> Sequence[tuple[int, str]]:
    """(id, path) of these offices. One statement."""
    return list(Office.objects.filter(pk__in=offices).values_list("pk", "path"))
