"""Finding people."""

from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser

from members.models import Member
from members.services.people import numbers_of
from unionaid.accounts.models import User
from unionaid.lib.identity import IdentityError, parse_id_number, parse_phone
from unionaid.offices.scope import everywhere
from unionaid.web.keys import ring

MOST_NAMESAKES = 200  # of those who see them; among more, a whole number finds the person
WHOLE = 18  # characters of an ID number


def member_of_user(user: User | AnonymousUser) -> int | None:
    """The id of the member this login is bound to, or None. Needs a scope that holds the user."""
    return Member.objects.filter(user_id=user.pk).values_list("id", flat=True).first()


def members_by_number(text: str) -> list[int]:
    """Ids of the people in scope with this ID number or phone, by the blind indexes; empty for what is no such number."""
    keys = ring()
    try:
        return list(Member.objects.filter(id_hash=keys.blind("id_number", parse_id_number(text).number)).values_list("pk", flat=True))
    except IdentityError:
        pass
    try:
        hashed = keys.blind("phone", parse_phone(text))
    except IdentityError:
        return []
    return list(Member.objects.filter(secret__phone_hash=hashed).values_list("pk", flat=True)[:20])


def people_by_id(ids: Iterable[int]) -> dict[int, Member]:
    """The people whom rows of the open scope name; the caller must have found the ids there."""
    with everywhere(reason="the people of one's own cover"):
        return Member.objects.in_bulk(set(ids))


def workers_called(name: str, number: str) -> list[Member]:
    """The people in scope of exactly this name whose ID number this is, or ends so (four characters or more). Nobody is found by a name
    alone, nor by the end of a number alone."""
    told = number.strip().upper()
    if len(told) == WHOLE:
        return list(Member.objects.filter(pk__in=members_by_number(told), name=name, guardian=None))
    people = {member.pk: member for member in Member.objects.filter(name=name, guardian=None).order_by("pk")[:MOST_NAMESAKES]}
    ends = {key: full for key, (full, _phone) in numbers_of(list(people)).items()} if people else {}
    return [people[key] for key, full in ends.items() if full.endswith(told)]
