"""The desk's view of this room, gathered for Django."""

from members.admin import contributions, enrolments, people, units

__all__ = ["contributions", "enrolments", "people", "units"]
