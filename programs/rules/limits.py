"""The limits of a plan that count over claims, as people read them: what they are called and how much they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from programs.rules.schedule import Schedule
from programs.rules.steps import EACH, counted_under
from programs.rules.words import Words


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: under which key it is counted, for what (the scope of a ceiling; deductible, days), how much it holds (yuan, or
    days), and the items that count under it."""

    key: str
    scope: str
    amount: Decimal
    items: tuple[Words, ...]

    @property
    def is_days(self) -> bool:
        return self.scope == "days"

    @property
    def each(self) -> str:
        """The beginning of the keys of a limit that is counted for each disease, or each year of cover; empty for all others."""
        return self.key.removesuffix(EACH) if self.key.endswith(f":{EACH}") else ""

    @property
    def words(self) -> Words:
        """What it limits, and the items it is for."""
        says, names = SAYS[self.scope], _joined(self.items)
        return Words(f"{says.zh}（{names.zh}）", f"{says.en} ({names.en})")


SAYS = {
    "year": Words("每个保障年度最多给付", "at most in each year of cover"),
    "period": Words("本保障期内最多给付", "at most in this period of cover"),
    "lifetime": Words("终身最多给付", "at most in a lifetime"),
    "disease": Words("本保障期内同一疾病最多给付", "at most for one disease in this period of cover"),
    "deductible": Words("本保障期内先由个人承担（起付线）", "borne by the person first in this period of cover (deductible)"),
    "days": Words("本保障期内最多计天数", "days counted at most in this period of cover"),
}


ALL_ITEMS = Words("各项合计", "all items together")


def limit_names(schedule: Schedule) -> dict[str, Words]:
    """For which items each key counts, in the plan's own names; "all items together" where it counts for every one of several."""
    found: dict[str, dict[str, Words]] = {}
    for item in schedule.items:
        for step in item.steps:
            if counted := counted_under(step, 1, EACH):
                found.setdefault(counted[0], {})[item.code] = item.name
    whole = len(schedule.items)
    return {key: ALL_ITEMS if len(names) == whole > 1 else _joined(list(names.values())) for key, names in found.items()}


def _joined(names: Sequence[Words]) -> Words:
    return Words("、".join(name.zh for name in names), ", ".join(name.en for name in names))


def name_of(key: str, names: Mapping[str, Words]) -> Words:
    """The name of a limit by its key; of one that is counted for each disease (or for those of a class), or for each year, whichever it
    is. KeyError for a key of other terms."""
    scope, name, *_which = key.split(":")
    each = {"disease": "disease", "class": "disease", "year": "year"}.get(scope)
    return names[f"{each}:{name}:{EACH}"] if each else names[key]


def limits(schedule: Schedule, *, shares: int) -> tuple[Limit, ...]:
    """Every limit that counts over claims for so many shares, in the order of the plan. Shares above the plan's greatest number
    raise no limit. Sums without an end are no limit."""
    found: dict[str, Limit] = {}
    counting = min(shares, schedule.enrolling.max_shares)
    for item in schedule.items:
        for step in item.steps:
            key, amount = counted_under(step, counting, EACH) or ("", None)
            if amount is None:
                continue
            before = found.get(key)
            if before is None:
                found[key] = Limit(key, key.partition(":")[0], amount, (item.name,))
            elif item.name not in before.items:
                found[key] = replace(before, items=(*before.items, item.name))
    return tuple(found.values())
