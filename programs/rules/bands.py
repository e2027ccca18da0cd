"""The bands of waiting (免责期、减责期): stretches of cover that follow each other, each told in days or in months of cover. Terms that
say “30 days nothing, up to three months half” mix the two."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from unionaid.lib.calendar import plus_days, plus_months

Data = Mapping[str, Any]
LATER = {"day": plus_days, "month": plus_months}


def unit_of(band: Data, end: str) -> str:
    """In what the beginning ("from") or the end ("to") of a band is written; empty where it is open."""
    return next((unit for unit in LATER if f"{end}_{unit}" in band), "")


def band_starts(data: Data, start: date) -> list[date]:
    """The first day of each band under cover from this day on."""
    bands = zip(data["bands"], data["units"], strict=True)
    return [LATER[unit](start, first - 1) for (first, _last, _value), (unit, _to) in bands]


def last_start(data: Data, start: date) -> date:
    """The first day on which nothing is waited for any more."""
    return band_starts(data, start)[-1]
