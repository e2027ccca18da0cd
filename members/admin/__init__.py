"""The desk's view of this room, gathered for Django."""

from members.admin import (
    contributions,
    corrections,
    departures,
    enrolments,
    notices,
    people,
    remittance_corrections,
    remittances,
    rosters,
    statements,
    unit_changes,
    unit_lineage,
    units,
    voidings,
)

__all__ = [
    "contributions",
    "corrections",
    "departures",
    "enrolments",
    "notices",
    "people",
    "remittance_corrections",
    "remittances",
    "rosters",
    "statements",
    "unit_changes",
    "unit_lineage",
    "units",
    "voidings",
]
