"""Which plans a worker may join, and why not the others; the drafts and what they come to. Only reads; the rules judge."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.facts import person_facts, previous_ends, renews
from members.models import Enrolment, JoinDraft, JoinPaper, Member, WorkUnit
from members.selectors.people import people_by_id
from members.selectors.whole_units import Whole, binds_singles, common_shares, single, wholes
from members.transitions import LIVE
from programs.models import Terms
from programs.rules.asked import age_groups, asked
from programs.rules.eligibility import ADULT, FAIL, PASS, UNKNOWN, Verdict, group_words, judge
from programs.rules.facts import OPEN_ENDED
from programs.rules.fees import PERSON, NoFeeClass, contribution, split_single
from programs.rules.schedule import Schedule
from programs.selectors import offered_terms, schedule_of
from unionaid.lib.calendar import Period, add_years
from unionaid.lib.identity import IdentityError, parse_credit_code
from unionaid.lib.money import fen_from_yuan, round_half_up
from unionaid.offices.scope import everywhere

YES, ASK, JOINED, UNIT, NO = "yes", "ask", "joined", "unit", "no"
ORDER = (YES, ASK, UNIT, JOINED, NO)
# What only the person who joins decides; not asked of the worker when a plan is for the worker's child alone.
PERSONAL = ("minor", "age", "gender", "items", "shares")


@dataclass(frozen=True, slots=True)
class Offer:
    """One plan as it stands for this worker: for whom it is judged (`relation`: the worker, or who of the family may join where the worker
    may not), may they join (`standing`), every rule's answer, what a share costs (fen; None when that is not known), the questions that
    this plan asks and nobody has answered yet (`open`), how many shares they have or would take first (`shares`), and how many they may
    have (`choices`). `family`: the worker joins by the unit's list, and may enrol somebody of the family themself."""

    terms: Terms
    schedule: Schedule
    relation: str
    standing: str
    verdicts: tuple[Verdict, ...]
    fee_fen: int | None
    open: tuple[str, ...]
    shares: int
    choices: tuple[int, ...]
    family: bool = False


# The questions that only some plans ask, and what they are about.
FURTHER = {
    "retirement": gettext_lazy("退休日期"),
    "contract": gettext_lazy("劳动合同"),
    "card": gettext_lazy("工会会员卡"),
    "group": gettext_lazy("人员身份"),
    "risk": gettext_lazy("工种"),
}


def worker_of(member_id: int) -> Member:
    """The worker with the unit and office they work at (a worker's scope holds no units, only the name of one's own)."""
    return with_unit(Member.objects.select_related("office").get(pk=member_id))


def with_unit(member: Member) -> Member:
    """The same worker, their unit read along."""
    if member.unit_id:
        with everywhere(reason="one's own work unit"):
            member.unit = WorkUnit.objects.get(pk=member.unit_id)
    return member


def unanswered(member: Member) -> list[str]:
    """The eligibility questions the worker has not answered yet, in the order they are asked."""
    told = {
        "employment": bool(member.employment),
        "insurance": member.basic_insurance is not None,
        "union": member.union_member is not None,
        "work": member.office_id is not None,
    }
    return [name for name, answered in told.items() if not answered]


def offers(member: Member, *, on: date) -> list[Offer]:
    """Every plan offered where the worker works, those they may join first; relief and condolence, which nobody joins, are left out
    (`grants`). A constant number of statements."""
    rows = Enrolment.objects.filter(Q(member=member) | Q(holder=member), state__in=LIVE)
    live = list(rows.select_related("program").only("program__code", "member_id", "cover", "state", "shares"))
    terms = [one for one in offered_terms(on=on, office=member.office) if not schedule_of(one).is_grant]
    units = units_of(member, terms, on=on)
    found = [offer_of(member, one, live, units, on=on) for one in terms]
    return sorted(found, key=lambda offer: ORDER.index(offer.standing))


def grants(member: Member, *, on: date) -> list[Offer]:
    """The relief and condolence that may be applied for where the worker works, and how each stands for them."""
    terms = [one for one in offered_terms(on=on, office=member.office) if schedule_of(one).is_grant]
    return sorted((offer_of(member, one, (), {}, on=on) for one in terms), key=lambda offer: ORDER.index(offer.standing))


def units_of(member: Member, terms: Sequence[Terms], *, on: date) -> dict[int, Whole]:
    """The worker's unit as a whole under those of these terms that people may join by themselves and whose rules of units bind them."""
    alone = [one for one in terms if schedule_of(one).enrolling.individual and binds_singles(schedule_of(one))]
    if member.unit is None or not alone:
        return {}
    with everywhere(reason="how many of one's unit joined"):
        return wholes(member.unit, alone, on=on)


def offer_of(member: Member, terms: Terms, live: Sequence[Enrolment], units: Mapping[int, Whole], *, on: date) -> Offer:
    """How one plan stands for the worker; `live` are the covers of the worker and those who joined through them, `units` what
    `units_of` found."""
    schedule = schedule_of(terms)
    cover = schedule.cover(on=on) or schedule.period
    known = _Known(member, schedule, cover, [row for row in live if row.program_id == terms.program_id], live, units.get(terms.pk))
    tried = [(relation, known.verdicts(relation, on=on)) for relation in schedule.enrolling.relations]
    relation, verdicts = next(((one, said) for one, said in tried if all(v.outcome != FAIL for v in said)), tried[0])
    joined = schedule.enrolling.relations == ("self",) and any(row.cover.upper > cover.start for row in known.own)
    fee_fen = fee_of(schedule, member, 1, relation, unit=member.unit, on=on)
    left = _further(schedule, member, verdicts)
    covered = max((row.shares for row in known.rows if row.cover.upper > cover.start), default=0)
    alone = _alone(schedule, member)
    by_list = not schedule.is_grant and relation not in alone
    standing, shares = _standing(verdicts, joined, left, by_list=by_list), known.shares(relation)
    family = standing == UNIT and any(one != "self" and one in alone and all(v.outcome != FAIL for v in said) for one, said in tried)
    choices = known.choices(relation, covered)
    return Offer(terms, schedule, relation, standing, verdicts, fee_fen, left, covered or shares, choices, family)


def _alone(schedule: Schedule, member: Member) -> tuple[str, ...]:
    """Who joins here without the unit's list; where units join, only those who belong to a worker of one."""
    return schedule.enrolling.without_list if schedule.enrolling.individual or member.unit else ()


@dataclass(frozen=True, slots=True)
class _Known:
    """What a plan's rules may look at of a worker: the covers in this plan of the worker and their family (`rows`), all their covers,
    and their unit as a whole as far as it binds them."""

    member: Member
    schedule: Schedule
    cover: Period
    rows: Sequence[Enrolment]
    live: Sequence[Enrolment]
    unit: Whole | None

    @property
    def own(self) -> list[Enrolment]:
        return [row for row in self.rows if row.member_id == self.member.pk]

    def verdicts(self, relation: str, *, on: date) -> tuple[Verdict, ...]:
        """What the rules say of the worker, or of somebody of the family as far as the worker's own right goes."""
        cover, schedule = self.cover, self.schedule
        last = max((row.cover.upper for row in self.own if row.state == "effective" and row.cover.upper <= cover.start), default=None)
        renewal = renews(last, cover.start, within_days=schedule.enrolling.renewal_within_days)
        person = person_facts(self.member, relation=relation, renewal=renewal, unit=self.member.unit)
        shares = self.shares(relation)
        said = judge(schedule, person=replace(person, shares_held=self.held), on=on, cover_start=cover.start, shares=shares)
        said += single(schedule, self._whole(relation), self.member, shares=shares) if schedule.enrolling.individual else ()
        return said if relation == "self" else tuple(verdict for verdict in said if verdict.rule not in PERSONAL)

    @property
    def held(self) -> int:
        """The worker's shares under plans that count together with this one."""
        codes, cover = self.schedule.enrolling.together_with, self.cover
        beside = [row for row in self.live if codes and row.member_id == self.member.pk and row.program.code in codes]
        return sum(row.shares for row in beside if row.cover.lower < cover.end and row.cover.upper > cover.start)

    def shares(self, relation: str) -> int:
        """One, or as many as the others of the unit have where everyone has the same."""
        return self._of_unit(relation) or 1

    def choices(self, relation: str, covered: int) -> tuple[int, ...]:
        """How many shares one may have."""
        fixed, most = self._of_unit(relation), max(self.schedule.enrolling.max_shares - self.held, covered, 1)
        return (fixed,) if fixed else tuple(range(1, most + 1))

    def _of_unit(self, relation: str) -> int | None:
        whole, rule = self._whole(relation), self.schedule.enrolling.unit
        return common_shares(whole.listed or whole.joined) if whole and rule and rule.same_shares else None

    def _whole(self, relation: str) -> Whole | None:
        return (self.unit or Whole(self.member.unit)) if relation == "self" and self.member.unit else None


def _further(schedule: Schedule, member: Member, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """The questions this plan asks beyond the general ones, as far as their answer is open and would change something."""
    needed = asked(schedule)
    left = {
        "retirement": any(one.rule == "retirement" and one.outcome == UNKNOWN for one in verdicts),
        "contract": "contract_months" in needed and member.contract_months is None,
        "card": "card_holder" in needed and member.card_holder is None,
        "group": any(one.outcome == UNKNOWN and one.evidence == "group" for one in verdicts),
        "risk": "risk" in needed and not member.risk and not (member.unit and member.unit.risk),
    }
    return tuple(name for name in FURTHER if left[name])


def further_answers(member: Member, language: str) -> list[tuple[str, str]]:
    """What is known of a person of what only some plans ask, in words; what nobody has told is left out."""
    months, risk = member.contract_months, dict(WorkUnit.Risk.choices).get(member.risk, member.risk)
    contract = {0: _("没有签劳动合同"), OPEN_ENDED: _("无固定期限合同")}.get(months or 0, _("{months} 个月").format(months=months))
    told = {
        "retirement": date_format(member.retired_on) if member.retired_on else "",
        "contract": "" if months is None else contract,
        "card": {None: "", True: _("有"), False: _("没有")}[member.card_holder],
        "group": group_words(member.staff_group).in_language(language) if member.staff_group else "",
        "risk": str(risk),
    }
    return [(name, said) for name, said in told.items() if said]


def groups_to_tell(member: Member, *, on: date) -> list[str]:
    """The staff groups that a plan offered to this worker takes at an age of their own."""
    found = [group for terms in offered_terms(on=on, office=member.office) for group in age_groups(schedule_of(terms))]
    return list(dict.fromkeys(found))


def _standing(verdicts: Sequence[Verdict], joined: bool, left: Sequence[str], *, by_list: bool) -> str:
    outcomes = {verdict.outcome for verdict in verdicts}
    if joined:
        return JOINED
    if [verdict.rule for verdict in verdicts if verdict.outcome == FAIL] == ["participation"]:
        return UNIT
    if FAIL in outcomes:
        return NO
    if by_list:
        return UNIT
    return ASK if UNKNOWN in outcomes or left else YES if outcomes == {PASS} else NO


def fee_of(
    schedule: Schedule,
    member: Member,
    shares: int,
    relation: str = "self",
    *,
    unit: WorkUnit | None,
    on: date,
    term_months: int | None = None,
) -> int | None:
    """What these shares cost this person who joins on this day for so many months (the plan's first length when none is chosen), in
    fen, without what others pay for them; where only units join, what everybody pays together. None when the plan names no
    contribution for them, or when it depends on something they have not told."""
    person, months = person_facts(member, relation=relation, unit=unit), term_months or next(iter(schedule.terms), None)
    start = (schedule.cover(on=on, term_months=months) or schedule.period).start
    try:
        if relation in schedule.enrolling.without_list:
            parts = split_single(schedule, person, shares, in_unit=unit is not None, starts_on=start, term_months=months)
            amount = parts.get(PERSON, Decimal(0))
        else:
            amount = contribution(schedule, person, shares, starts_on=start, term_months=months)
    except NoFeeClass:
        return None
    return fen_from_yuan(round_half_up(amount))


def cover_of(draft: JoinDraft, *, on: date) -> Period:
    """The days of cover if the draft is sent in today; a renewal may follow on from the last cover."""
    schedule = schedule_of(draft.terms)
    cover = schedule.cover(on=on, term_months=draft.term_months) or schedule.period
    if schedule.follows_on_within is None or not draft.member_id:
        return cover
    with everywhere(reason="when the last cover of the person a draft names ended, through whomever they had it"):
        ended = previous_ends([draft.member_id], draft.terms, before=cover.start).get(draft.member_id)
    return schedule.joined(on, term_months=draft.term_months, previous_end=ended) or cover


def my_draft(public_id: uuid.UUID) -> JoinDraft | None:
    """A draft of the open scope with its terms and its person, or None."""
    draft = JoinDraft.objects.select_related("terms__program", "holder__office").filter(public_id=public_id).first()
    if draft:
        with_unit(draft.holder)
    if draft and draft.member_id and draft.member_id != draft.holder_id:
        draft.member = people_by_id([draft.member_id])[draft.member_id]
    elif draft:
        draft.member = draft.holder if draft.member_id else None
    return draft


def draft_named(public_id: uuid.UUID) -> JoinDraft | None:
    """A draft of the open scope by itself, to be sent in, or None."""
    return JoinDraft.objects.filter(public_id=public_id).first()


def my_drafts() -> list[JoinDraft]:
    """The worker's unfinished drafts, newest first."""
    return list(JoinDraft.objects.select_related("terms__program").order_by("-id")[:50])


def my_join_paper(public_id: uuid.UUID) -> JoinPaper | None:
    """A paper of one of the worker's drafts, or None."""
    return JoinPaper.objects.select_related("draft").filter(public_id=public_id).first()


def my_cover(public_id: uuid.UUID) -> Enrolment | None:
    """One enrolment of the worker, or of someone who joined through them, with its person; None for all others."""
    cover = Enrolment.objects.select_related("program", "terms", "office").filter(public_id=public_id).first()
    if cover:
        with everywhere(reason="the person and the unit of one's own cover"):
            cover.member = Member.objects.get(pk=cover.member_id)
            cover.unit = WorkUnit.objects.filter(pk=cover.unit_id).first()
    return cover


def wards_of(member: Member, *, on: date) -> list[Member]:
    """The children whose guardian the worker is and who are not 18 yet on this day."""
    return list(Member.objects.filter(guardian=member, birth_date__gt=add_years(on, -ADULT)).order_by("birth_date", "id"))


def unit_named(text: str) -> WorkUnit | None:
    """The approved unit with exactly this name or credit code, anywhere; None when there is none (or more than one)."""
    try:
        wanted = Q(credit_code=parse_credit_code(text))
    except IdentityError:
        wanted = Q(name=text.strip())
    with everywhere(reason="find one's work unit by its exact name or code"):
        found = list(WorkUnit.objects.select_related("office").filter(wanted, state="approved")[:2])
    return found[0] if len(found) == 1 else None
