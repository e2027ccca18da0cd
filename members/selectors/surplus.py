"""What would be too many shares for somebody if a cover were theirs, and where the surplus can be voided. Reads in the caller's scope."""

from dataclasses import dataclass

from django.db.backends.postgresql.psycopg_any import DateRange

from members.models import Enrolment, Member
from members.transitions import LIVE
from programs.selectors import schedule_of
from unionaid.offices.roles import Actor, may


@dataclass(frozen=True, slots=True)
class Way:
    """A cover of which so many shares may be void; `whole`: all it has."""

    cover: Enrolment
    shares: int

    @property
    def whole(self) -> bool:
        return self.shares == self.cover.shares


@dataclass(frozen=True, slots=True)
class Excess:
    """`held` shares of plans that count together and those of this cover are more than `most`, by `over`. `ways`: the covers of which
    whoever asks may propose to void them, this one first."""

    cover: Enrolment
    held: int
    most: int
    over: int
    ways: tuple[Way, ...]


def excess_of(cover: Enrolment, person: Member, *, by: Actor) -> Excess | None:
    """What of this cover would be too much for the person beside what they have; None when nothing would. One statement at most."""
    rules = schedule_of(cover.terms).enrolling
    if not rules.together_with:
        return None
    days = DateRange(cover.starts_on, cover.ends_before)
    live = Enrolment.objects.filter(member=person, program__code__in=rules.together_with, state__in=LIVE, cover__overlap=days)
    beside = list(live.exclude(pk=cover.pk).select_related("terms__program", "unit", "member", "holder").order_by("pk"))
    held = sum(one.shares for one in beside)
    over = held + cover.shares - rules.max_shares
    if not held or over <= 0:
        return None
    ways = [Way(one, min(over, one.shares)) for one in [cover, *beside] if may(by, "voidings.propose", one.office_id)]
    return Excess(cover, held, rules.max_shares, over, tuple(ways))
