"""For whom an item is: its conditions on the person (sex, relation, age when cover began), which are the same on the day of joining
and on every day of a claim. A combo has items that are not for everybody who may join it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from programs.rules.facts import PersonFacts
from programs.rules.schedule import AgeRule, Item

CONDITIONS = ("gender", "relation", "age_at_start")  # the gates that ask this


def choosy(item: Item) -> bool:
    """Is there anybody whom the item is not for?"""
    return any(gate.name in CONDITIONS for gate in item.gates)


def takes(item: Item, person: PersonFacts, *, age: int) -> bool | None:
    """Is the item for this person, who had so many completed years on the first day of cover? None: the person's group decides, and
    nobody has told it."""
    answers = {_takes_by[gate.name](gate.data, person, age) for gate in item.gates if gate.name in CONDITIONS}
    return False if False in answers else None if None in answers else True


def age_fits(rules: Iterable[AgeRule], person: PersonFacts, age: int) -> bool | None:
    """Does one of these ages hold for such a person? None: only for people of a group, and nobody has told the person's."""
    found = [rule for rule in rules if rule.from_age <= age <= rule.to_age and _alike(rule, person)]
    if any(rule.group in (None, person.group) for rule in found):
        return True
    return None if found and person.group is None else False


def _alike(rule: AgeRule, person: PersonFacts) -> bool:
    """Is the rule about such people, whatever their group?"""
    return (
        rule.gender in ("any", person.gender)
        and rule.relation in ("any", person.relation)
        and rule.renewal in (None, person.renewal)
    )


_takes_by: dict[str, Callable[[Mapping[str, Any], PersonFacts, int], bool | None]] = {
    "gender": lambda data, person, age: person.gender == data["gender"],
    "relation": lambda data, person, age: person.relation in data["relations"],
    "age_at_start": lambda data, person, age: age_fits(data["ages"], person, age),
}
