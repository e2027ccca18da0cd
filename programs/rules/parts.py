"""The steps and conditions of a benefit as a plan file writes them, into data that `steps.py` and `gates.py` work with."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from programs.rules.bands import unit_of
from programs.rules.bases import BORNE, Base
from programs.rules.schedule import AgeRule, Gate, Step
from programs.rules.words import Words

Data = Mapping[str, Any]


def step_of(data: Data) -> Step:
    """One step of an amount."""
    return Step(*_part(data, _STEP_DATA))


def gate_of(data: Data) -> Gate:
    """One condition of an item."""
    return Gate(*_part(data, _GATE_DATA))


def age_rule_of(data: Data) -> AgeRule:
    """Whom one line of ages is about, and from which age to which."""
    return AgeRule(
        data.get("gender", "any"), data["from"], data["to"], data.get("renewal"), data.get("relation", "any"), data.get("group")
    )


def words_of(data: Data) -> Words:
    return Words(data["zh"], data["en"])


def base_of(value: Any) -> Base:
    """A base as a plan file writes it: by name, or composed."""
    if isinstance(value, str):
        return Base(value)
    cap = Decimal(value["cap"]) if "cap" in value else None
    return Base(value["base"], tuple(value.get("plus", [])), tuple(value.get("less", [])), cap)


def grades_of(value: int | list[int]) -> Data:
    """The grades of hospital that a condition lets through: from one on, or those listed."""
    if isinstance(value, list):
        return {"grades": tuple(sorted(value)), "least": 0}
    return {"grades": tuple(range(value, 4)), "least": value}


def _part(data: Data, readers: Mapping[str, Callable[[Any], Data]]) -> tuple[str, Data, str]:
    name = next(key for key in data if key != "clause")
    return name, readers[name](data[name]), data.get("clause", "")


def _sums(data: Data) -> dict[str, Decimal]:
    return {key: Decimal(amount) for key, amount in data.items()}


def _labels(data: Data) -> dict[str, Words]:
    return {key: words_of(one) for key, one in data.get("labels", {}).items()}


def _edges(bands: list[Data], value: str) -> tuple[tuple[Decimal, Decimal | None, Decimal], ...]:
    return tuple((Decimal(b["over"]), Decimal(b["up_to"]) if "up_to" in b else None, Decimal(b[value])) for b in bands)


def _amounts(*keys: str, **defaults: Any) -> Callable[[Any], Data]:
    """Reads a mapping: these keys as decimals, the others as they are, `defaults` for what is left out."""
    return lambda data: {**defaults, **{key: Decimal(value) if key in keys else value for key, value in data.items()}}


def _by_grade(data: Any) -> Decimal | dict[int, Decimal]:
    """A figure, or one for each grade of the hospital."""
    return {int(grade): Decimal(one) for grade, one in data.items()} if isinstance(data, dict) else Decimal(data)


def _wait_data(data: list[Data]) -> Data:
    """`units`: in what the beginning and the end of each band are written; `unit`: what of cover is told, months where all are."""
    units = tuple((unit_of(b, "from"), unit_of(b, "to")) for b in data)
    bands = tuple(
        (b[f"from_{first}"], b.get(f"to_{last}"), Decimal(b.get("amount", b.get("ratio"))))
        for b, (first, last) in zip(data, units, strict=True)
    )
    by_month = {unit for both in units for unit in both if unit} == {"month"}
    what = "amount" if "amount" in data[0] else "ratio"
    return {"what": what, "unit": "month" if by_month else "day", "units": units, "bands": bands}


_DAYS = {"deductible_days": 0, "max_days": 0, "max_days_in_period": 0, "key": "plan"}
_STEP_DATA: dict[str, Callable[[Any], Data]] = {
    "take": lambda data: {"base": base_of(data)},
    "deduct": lambda data: {"key": "deductible", **data, "amount": _by_grade(data["amount"])},
    "offset": lambda data: {
        "fields": tuple(data.get("fields", [])),
        "own": tuple(name for name in data.get("fields", []) if name in BORNE),
        "other_aid": data.get("other_aid", False),
    },
    "less_items": lambda data: {"items": tuple(data)},
    "ratio": lambda data: {"ratio": _by_grade(data)},
    "marginal": lambda data: {"bands": _edges(data["bands"], "ratio"), "per": data.get("per", "case"), "key": data.get("key", "plan")},
    "per_admission": lambda data: {"ratios": tuple(Decimal(one) for one in data)},
    "per_day": lambda data: {**_DAYS, **data, "rate": _by_grade(data["rate"])},
    "fixed": lambda data: {"amount": Decimal(data)},
    "declared": lambda data: {"figure": data},
    "for_each": _amounts("every", "amount", started=False, counts=False),
    "table": lambda data: {"by": data["by"], "amounts": _sums(data["amounts"]), "labels": _labels(data)},
    "scale": lambda data: {"by": data["by"], "sum": Decimal(data["sum"]), "ratios": _sums(data["ratios"]), "labels": _labels(data)},
    "tiers": lambda data: {"bands": _edges(data, "amount"), "counts": False},
    "shares": lambda data: {"max": data},
    "wait": _wait_data,
    "add_if_over": lambda data: {"base": base_of(data["base"]), "over": Decimal(data["over"]), "amount": Decimal(data["amount"])},
    "less_paid": lambda data: {},
    "up_to_cost": lambda data: {"base": base_of(data)},
    "ceiling": _amounts("amount", key="plan", per_share=False),
}
_GATE_DATA: dict[str, Callable[[Any], Data]] = {
    "death_within_days": lambda data: {"days": data},
    "diagnosis_in": lambda data: {"prefixes": tuple(data)},
    "hospital_grade": grades_of,
    "once_per_disease": lambda data: {},
    "with_admission": lambda data: {},
    "once": lambda data: {"scope": data},
    "gender": lambda data: {"gender": data},
    "age": lambda data: {"from": data["from"], "to": data["to"]},
    "relation": lambda data: {"relations": tuple(data)},
    "age_at_start": lambda data: {"ages": tuple(map(age_rule_of, data))},
}
