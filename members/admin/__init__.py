"""The desk's view of this room, gathered for Django."""

from members.admin import contributions, enrolments, people, remittances, rosters, statements, unit_changes, unit_lineage, units

__all__ = ["contributions", "enrolments", "people", "remittances", "rosters", "statements", "unit_changes", "unit_lineage", "units"]
