"""Changing the tree of offices."""

from unionaid.offices.models import Office


def add_office(
    *, code: str, name: str, level: str, parent: Office | None, region_code: str = "", phone: str = ""
) -> Office:
    """Add an office below `parent`, or find the one with this code and bring its words up to date."""
    office, made = Office.objects.get_or_create(
        code=code, defaults={"name": name, "level": level, "parent": parent, "path": ""}
    )
    office.name, office.region_code, office.phone = name, region_code, phone
    office.path = f"{parent.path if parent else '/'}{office.pk}/"
    office.save(update_fields=["name", "region_code", "phone", "path"])
    return office
