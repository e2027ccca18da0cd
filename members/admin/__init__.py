"""The desk's view of this room, gathered for Django."""

from members.admin import contributions, enrolments, people, remittances, statements, unit_changes, unit_lineage, units

__all__ = ["contributions", "enrolments", "people", "remittances", "statements", "unit_changes", "unit_lineage", "units"]
