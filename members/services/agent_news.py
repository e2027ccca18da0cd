"""What the agents of a unit are told, as far as they are known as workers: notices stand on a worker's pages."""

from collections.abc import Iterable

from django.utils.functional import Promise

from members.models import Member, UnitAgent, WorkUnit
from unionaid.offices.scope import everywhere
from unionaid.workflow.notices import tell


def tell_users(
    user_ids: Iterable[int], unit: WorkUnit, title: Promise, text: Promise, *, link: str = "", words: str = "", **more: str
) -> None:
    """A notice about the unit to each of these people who is known as a worker; `more`: what else the text names."""
    with everywhere(reason="tell those whom something about a unit concerns"):
        members = list(Member.objects.filter(user_id__in=list(user_ids)).values_list("pk", flat=True))
        tell(members, office_id=unit.office_id, title=title, text=text, link=link, values={"unit": unit.name, "words": words, **more})


def tell_agents(unit: WorkUnit, title: Promise, text: Promise, *, link: str = "/unit/", words: str = "", **more: str) -> None:
    """A notice to each of the unit's present agents; `more`: what else the text names."""
    with everywhere(reason="who the agents of a unit are"):
        users = list(UnitAgent.objects.filter(unit=unit, until__isnull=True).values_list("user_id", flat=True))
    tell_users(users, unit, title, text, link=link, words=words, **more)
