"""For whom one may begin a claim, under whose covers, and in which capacity: the worker for themselves, their own and those through whom
they joined; a unit's agent for the worker they found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from claims.models import Claim
from claims.selectors.covers import DEATHS, events_of, my_covers
from claims.selectors.filing import Filing, Relative, covers_of, relatives_of
from members.models import Enrolment, Member
from unionaid.offices.roles import Actor


@dataclass(frozen=True)
class Party:
    """`claimant`: who claims in their own right; `filing`: how somebody files for them. `others`: by the key of a worker through whom the
    claimant joined, that worker, for whom the claimant may file."""

    by: Actor
    claimant: Member
    covers: Sequence[Enrolment]
    filing: Filing | None = None
    others: Mapping[int, Relative] = field(default_factory=dict)

    def events(self) -> dict[str, list[Enrolment]]:
        """Every event that one of the covers answers to, with those covers."""
        return events_of(self.covers, self.claimant.pk)

    def _other(self, cover: Enrolment) -> Relative | None:
        """The worker whose cover this is, where it is not one's own or through oneself."""
        if self.claimant.pk in (cover.member_id, cover.holder_id):
            return None
        return self.others.get(cover.holder_id)

    def key(self, cover: Enrolment) -> str:
        """Tells the people apart for whom one may claim, and in whose place."""
        other = self._other(cover)
        return f"{cover.member_id}-{other.worker.pk}" if other else str(cover.member_id)

    def filed(self, cover: Enrolment, events: Iterable[str]) -> tuple[Member, Filing | None]:
        """Who claims under this cover, and who fills it in for them. Who survives a worker claims in their own right."""
        other = self._other(cover)
        if other is None or cover.member_id == other.worker.pk and {*events} & {*DEATHS}:
            return self.claimant, self.filing
        return other.worker, Filing(self.by, Claim.FiledAs.FAMILY, self.by.member_id, other.relation)

    def behalf(self, cover: Enrolment, events: Iterable[str]) -> str:
        """The name of whom one files for under this cover; empty where one claims oneself."""
        claimant, filing = self.filed(cover, events)
        return claimant.name if filing else ""

    def words(self, covers: Sequence[Enrolment] = ()) -> dict[str, Any]:
        """For the top of a page: the name of whom one files for."""
        cover = next(iter(covers), None)
        other = self._other(cover) if cover else None
        return {"behalf": self.claimant.name if self.filing else other.worker.name if other else ""}

    def person_words(self, cover: Enrolment) -> str:
        """The person covered, as one chooses among them."""
        other = self._other(cover)
        if other is not None:
            return _("{name}（由您代{worker}申领）").format(name=cover.member.name, worker=other.worker.name)
        if cover.member_id == self.claimant.pk:
            return cover.member.name if self.filing else _("{name}（本人）").format(name=cover.member.name)
        return _("{name}（{relation}）").format(name=cover.member.name, relation=cover.get_relation_display())


def of_worker(by: Actor) -> Party:
    """A worker, with those who joined through them and those through whom they joined."""
    me = Member.objects.get(pk=by.member_id)
    others = {one.worker.pk: one for one in relatives_of(me.pk)}
    own = my_covers()
    there = {cover.pk for cover in own}
    theirs = [cover for key in others for cover in covers_of(key) if cover.pk not in there]
    return Party(by, me, [*own, *theirs], others=others)


def of_agent(by: Actor, worker: Any) -> Party | None:
    """A worker of the agent's units, who was found before (`worker`: their key); None for all others, and for the agent's own person."""
    found = Member.objects.filter(pk=worker).first() if isinstance(worker, int) else None
    if found is None or found.user_id == by.user_id:
        return None
    return Party(by, found, covers_of(found.pk, unit_ids=by.unit_ids), Filing(by, Claim.FiledAs.UNIT_AGENT))
