"""For whom one may begin a claim, under whose covers, and in which capacity: the worker for themselves, their own and those through whom
they joined; a unit's agent, and the desk, for the worker they found; the desk also for the heir of one who died."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from claims.models import Claim
from claims.selectors.covers import DEATHS, events_of, grants_for, my_covers
from claims.selectors.filing import Filing, Relative, covers_of, relatives_of, takes_in_at
from members.models import Enrolment, Member
from members.selectors.joining import Offer
from members.selectors.people import people_by_id
from unionaid.lib.calendar import today
from unionaid.offices.roles import Actor


@dataclass(frozen=True, slots=True)
class Relieved:
    """Somebody for whom relief may be applied for: the person, how one chooses them, and what is offered to them. `alive`: nobody
    applies for their own death."""

    member: Member
    words: str
    offers: Sequence[Offer]
    alive: bool = True

    def events(self) -> list[str]:
        """Every event that one of the offers answers to."""
        found = [event for offer in self.offers for event in offer.schedule.events]
        return [event for event in dict.fromkeys(found) if event not in DEATHS or not self.alive]


@dataclass(frozen=True)
class Party:
    """`claimant`: who claims in their own right; `filing`: how somebody files for them. `others`: by the key of a worker through whom the
    claimant joined, that worker, for whom the claimant may file. `relief`: by the key of a person, who may be relieved.
    `deceased`: whose heir claims."""

    by: Actor
    claimant: Member
    covers: Sequence[Enrolment]
    filing: Filing | None = None
    others: Mapping[int, Relative] = field(default_factory=dict)
    relief: Mapping[str, Relieved] = field(default_factory=dict)
    deceased: str = ""

    def events(self) -> set[str]:
        """Every event that one of the covers, or of the offers of relief, answers to."""
        return {*events_of(self.covers, self.claimant.pk), *(event for one in self.relief.values() for event in one.events())}

    def answering(self, events: Collection[str]) -> list[Enrolment]:
        """The covers that answer to one of these events, each once."""
        by_event = events_of(self.covers, self.claimant.pk)
        return list({cover.pk: cover for event in events for cover in by_event.get(event, ())}.values())

    def people(self, events: Collection[str]) -> dict[str, str]:
        """For whom one may claim when this happened: the key and the words of each."""
        covered = {self.key(cover): self.person_words(cover) for cover in self.answering(events)}
        relieved = {key: one.words for key, one in self.relief.items() if {*one.events()} & {*events}}
        return relieved | covered

    def key(self, cover: Enrolment) -> str:
        """Tells the people apart for whom one may claim, and in whose place."""
        other = self._other(cover)
        return key_of(cover.member_id, other.worker.pk) if other else str(cover.member_id)

    def _other(self, cover: Enrolment) -> Relative | None:
        """The worker whose cover this is, where it is not one's own or through oneself."""
        if self.claimant.pk in (cover.member_id, cover.holder_id):
            return None
        return self.others.get(cover.holder_id)

    def _through(self, key: str) -> Relative | None:
        through = key.partition("-")[2]
        return self.others.get(int(through)) if through.isdigit() else None

    def filed(self, key: str, events: Iterable[str]) -> tuple[Member, Filing | None]:
        """Who claims for the person with this key, and who fills it in for them. Who survives a worker claims in their own right."""
        other = self._through(key)
        if other is None or key == key_of(other.worker.pk, other.worker.pk) and {*events} & {*DEATHS}:
            return self.claimant, self.filing
        return other.worker, Filing(self.by, Claim.FiledAs.FAMILY, self.by.member_id, other.relation)

    def behalf(self, key: str, events: Iterable[str]) -> str:
        """The name of whom one files for; empty where one claims oneself."""
        claimant, filing = self.filed(key, events)
        return claimant.name if filing else ""

    def words(self, key: str = "") -> dict[str, Any]:
        """For the top of a page: the name of whom one files for."""
        other = self._through(key)
        return {"behalf": self.claimant.name if self.filing else other.worker.name if other else "", "deceased": self.deceased}

    def person_words(self, cover: Enrolment) -> str:
        """The person covered, as one chooses among them."""
        other = self._other(cover)
        if other is not None:
            return _in_place(cover.member.name, other)
        if cover.member_id == self.claimant.pk:
            return cover.member.name if self.filing else _("{name}（本人）").format(name=cover.member.name)
        return _("{name}（{relation}）").format(name=cover.member.name, relation=cover.get_relation_display())


def key_of(member_id: int, worker_id: int) -> str:
    """The key of a person for whom one claims in the place of this worker."""
    return f"{member_id}-{worker_id}"


def _in_place(name: str, other: Relative) -> str:
    return _("{name}（由您代{worker}申领）").format(name=name, worker=other.worker.name)


def of_worker(by: Actor) -> Party:
    """A worker, with those who joined through them and those through whom they joined."""
    me = Member.objects.get(pk=by.member_id)
    others = {one.worker.pk: one for one in relatives_of(me.pk)}
    own = my_covers()
    there = {cover.pk for cover in own}
    theirs = [cover for key in others for cover in covers_of(key) if cover.pk not in there]
    relief = {str(me.pk): Relieved(me, _("{name}（本人）").format(name=me.name), grants_for(me, on=today()))}
    for key, other in others.items():
        offers = grants_for(other.worker, on=today())
        relief[key_of(key, key)] = Relieved(other.worker, _in_place(other.worker.name, other), offers, alive=False)
    return Party(by, me, [*own, *theirs], others=others, relief=relief)


def of_agent(by: Actor, worker: Any) -> Party | None:
    """A worker of the agent's units, who was found before (`worker`: their key); None for all others, and for the agent's own person."""
    found = Member.objects.filter(pk=worker).first() if isinstance(worker, int) else None
    if found is None or found.user_id == by.user_id:
        return None
    unit_id = found.unit_id if found.unit_id in by.unit_ids else None
    relief = {str(found.pk): Relieved(found, found.name, grants_for(found, on=today()))} if unit_id else {}
    filing = Filing(by, Claim.FiledAs.UNIT_AGENT, unit_id=unit_id)
    return Party(by, found, covers_of(found.pk, unit_ids=by.unit_ids), filing, relief=relief)


def of_desk(by: Actor, told: Any) -> Party | None:
    """A worker of the desk's offices who was found before (`told`: `worker`, their key), or the heir who claims after their death (`heir`,
    that one's key, and `relation` to the worker): under the covers of those offices, after a death under those of the worker alone. None
    for all others, and for whoever sits at the desk."""
    asked = told if isinstance(told, dict) else {}
    found = Member.objects.filter(pk=asked.get("worker")).first()
    heir = people_by_id([asked["heir"]]).get(asked["heir"]) if found and asked.get("heir") else None
    if found is None or by.user_id in (found.user_id, heir.user_id if heir else None):
        return None
    at = takes_in_at(by)
    covers = covers_of(found.pk, office_ids=at)
    offers = grants_for(found, on=today()) if found.office_id in at else []
    relief = {str(found.pk): Relieved(found, found.name, offers, alive=heir is None)}
    if heir is None:
        return Party(by, found, covers, Filing(by, Claim.FiledAs.DESK), relief=relief)
    filing = Filing(by, Claim.FiledAs.DESK, heir=asked.get("relation", ""))
    return Party(by, heir, [cover for cover in covers if cover.member_id == found.pk], filing, relief=relief, deceased=found.name)
