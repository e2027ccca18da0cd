"""Joining a program: checks by the rules, the cover, the contribution that is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from members.facts import person_facts, previous_ends, renews, shares_held, waiting
from members.models import Consent, ContributionDue, Enrolment, Evidence, Member, WorkUnit
from members.selectors.whole_units import single, whole_of
from members.services.contributions import raise_due, settle_what_is_free
from members.services.participation import hold
from members.services.people import has_consent
from programs.models import Terms
from programs.rules.eligibility import FAIL, PASS, Verdict, judge, may_join
from programs.rules.fees import PERSON, FeeFactMissing, NoFeeClass, contribution, counted_shares, fee_class, split_single
from programs.rules.schedule import Schedule, TermNotOffered
from programs.selectors import schedule_of
from unionaid.lib.money import fen_from_yuan, round_half_up
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere, looking_everywhere
from unionaid.web.files import kept
from unionaid.web.said import spoken
from unionaid.workflow.moves import MoveRefused, move, record


class EnrolmentRefused(MoveRefused):
    """The rules say no, or do not know yet; `verdicts` are all their answers."""

    def __init__(self, message: str, verdicts: tuple[Verdict, ...] = ()) -> None:
        super().__init__(message)
        self.verdicts = verdicts


class AlreadyCovered(MoveRefused):
    """The person has cover in this program on some of these days."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper sent along: what it is meant to show, and its harmless copy."""

    kind: str
    upload: CleanUpload


def enrol(
    *,
    member: Member,
    holder: Member,
    relation: str,
    terms: Terms,
    shares: int,
    unit: WorkUnit | None,
    on: date,
    by: Actor,
    papers: Sequence[Paper] = (),
    term_months: int | None = None,
) -> Enrolment:
    """Join one person to one program. Cover begins on the day after (or with the period) once the contribution has
    arrived, and lasts the chosen months where the plan offers several lengths. EnrolmentRefused with all verdicts;
    AlreadyCovered when cover would overlap (the database says so)."""
    schedule = schedule_of(terms)
    term = _term(schedule, term_months)
    if not schedule.enrolling.individual and not schedule.is_grant and unit is None:
        raise EnrolmentRefused(_("这个计划由单位统一参加，请联系单位经办人。"))
    ordinary = schedule.cover(on=on, term_months=term)
    start = (ordinary or schedule.period).start
    with looking_everywhere(reason="what this person had before, through whomever, their unit's people, and the guardian's consent"):
        if unit and relation == "self":
            hold(unit, schedule)
        if relation == "minor_child":
            _guarded(member, holder)
        ends = previous_ends([member.pk], terms, before=start).get(member.pk)
        if schedule.enrolling.together_with:  # whoever enrols the same person under a plan that counts together waits here
            Member.objects.select_for_update(of=("self",), no_key=True).only("pk").get(pk=member.pk)
        held = shares_held(member, schedule, schedule.cover_from(start, term_months=term) or schedule.period)
        whole = whole_of(unit, terms, on=on) if unit and relation == "self" else None
    renewal = renews(ends, start, within_days=schedule.enrolling.renewal_within_days)
    person = replace(person_facts(member, holder=holder, relation=relation, renewal=renewal, unit=unit), shares_held=held)
    verdicts = judge(schedule, person=person, on=on, cover_start=start, shares=shares) + single(schedule, whole, member, shares=shares)
    if not may_join(verdicts):
        said = next((v for v in verdicts if v.outcome == FAIL), None) or next(v for v in verdicts if v.outcome != PASS)
        raise EnrolmentRefused(str(spoken(said.sentence)), verdicts)
    office_id = unit.office_id if unit else holder.office_id
    if office_id is None:
        raise EnrolmentRefused(_("请先填写您的工作单位，我们才知道由哪个办事处为您办理。"))
    cover = schedule.joined(on, term_months=term, previous_end=ends)
    if cover is None:
        raise EnrolmentRefused(_("本期保障到今天为止，没有剩余的保障日，请参加下一期"))
    until, waived = waiting(schedule, cover.start, ends)
    try:
        fee_fen = fen_from_yuan(round_half_up(contribution(schedule, person, shares, starts_on=cover.start, term_months=term)))
    except FeeFactMissing as error:
        raise EnrolmentRefused(_("互助费按工种风险或单位性质计算，请先补充这一项。")) from error
    except NoFeeClass as error:
        raise EnrolmentRefused(_("计划没有列出适用于您的互助费，请联系办事处。")) from error
    try:
        with everywhere(reason="write one's own enrolment"):
            show_to(member, office_id, unit)
            enrolment = Enrolment.objects.create(
                office_id=office_id,
                member=member,
                holder=holder,
                relation=relation,
                unit=unit,
                program_id=terms.program_id,
                terms=terms,
                shares=counted_shares(schedule, shares),
                cover=DateRange(cover.start, cover.end),
                term_months=term,
                waiting_until=until,
                waiting_waived=waived,
                days_since_cover=None if ends is None else (cover.start - ends).days,
                first_time=ends is None,
                contribution_fen=fee_fen,
                refundable=fee_class(schedule, person, starts_on=cover.start, term_months=term).refundable,
            )
            for paper in papers:
                _keep_paper(enrolment, paper)
            parts = split_single(schedule, person, shares, in_unit=unit is not None, starts_on=cover.start, term_months=term)
            _raise_dues(enrolment, parts, pay_by=schedule.pay_by(on))
            record([enrolment], "enrol", by=by)
            if not any(parts.values()):
                settle_what_is_free(enrolment=enrolment)
    except IntegrityError as error:
        if "cover_never_overlaps" in str(error):
            raise AlreadyCovered(already_covered_words(terms)) from error
        raise
    return enrolment


def _term(schedule: Schedule, chosen: int | None) -> int | None:
    """The months of cover; EnrolmentRefused when the plan offers several and the choice is still to be made."""
    try:
        return schedule.term(chosen)
    except TermNotOffered as error:
        raise EnrolmentRefused(no_term_words()) from error


def no_term_words() -> str:
    """Said when a length of cover has to be chosen first."""
    return _("请先在计划提供的保障时间里选一种。")


def _guarded(child: Member, guardian: Member) -> None:
    """A child joins through its guardian, whose consent stands (PIPL 31), and through nobody else. Whether a child without one is the
    worker's is looked at by the office, which has the household paper. EnrolmentRefused otherwise."""
    if child.guardian_id not in (None, guardian.pk) and not _covered_through(guardian, child):
        raise EnrolmentRefused(_("未成年子女由登记的监护人为其参加。请先在“为谁参加”里登记孩子的信息。"))
    if not has_consent(child, Consent.Purpose.MINOR):
        raise EnrolmentRefused(_("还没有监护人同意处理孩子信息的记录。请在“为谁参加”里重新登记孩子的信息并勾选同意。"))


def _covered_through(holder: Member, member: Member) -> bool:
    """Had the person paid cover through this worker before? Of a child with two parents the office has then seen the papers."""
    return Enrolment.objects.filter(member=member, holder=holder, state="effective").exists()


def already_covered_words(terms: Terms) -> str:
    """Said to whoever tries to join a program twice for the same days, without telling who enrolled the person."""
    return _("“{program}”在这段时间已有参加记录，不能重复参加。请在“我的保障”中查看，或联系单位经办人。").format(
        program=terms.program.title
    )


def _raise_dues(enrolment: Enrolment, parts: Mapping[str, Decimal], *, pay_by: date) -> None:
    """The person's part is owed by whoever they join through, the other payers' parts by their unit."""
    amounts = {payer: fen_from_yuan(round_half_up(amount)) for payer, amount in parts.items()}
    own = {payer: fen for payer, fen in amounts.items() if payer == PERSON}
    others = {payer: fen for payer, fen in amounts.items() if payer != PERSON}
    told: dict[str, Any] = {"office_id": enrolment.office_id, "enrolment": enrolment, "pay_by": pay_by}
    raise_due(unit=None, member=enrolment.holder, amounts=own, **told)
    if others:
        raise_due(unit=enrolment.unit, member=None, amounts=others, **told)


def _keep_paper(enrolment: Enrolment, paper: Paper) -> None:
    Evidence.objects.create(enrolment=enrolment, kind=paper.kind, **kept(paper.upload))


def show_to(member: Member, office_id: int, unit: WorkUnit | None) -> None:
    """From now on this office and unit see the person; for whom no office was responsible, it is from now on."""
    fresh = Member.objects.select_for_update().get(pk=member.pk)
    offices, units = {*fresh.office_ids, office_id}, {*fresh.unit_ids, *([unit.pk] if unit else [])}
    if offices == {*fresh.office_ids} and units == {*fresh.unit_ids} and fresh.office_id:
        return
    fresh.office_id, fresh.office_ids, fresh.unit_ids = fresh.office_id or office_id, sorted(offices), sorted(units)
    fresh.save(update_fields=["office", "office_ids", "unit_ids"])


def withdraw(enrolment: Enrolment, *, by: Actor) -> Enrolment:
    """Take back an enrolment whose contribution has not arrived; what is owed for it, by whomever, is cancelled with it."""
    move([enrolment], "withdraw", by=by)
    with everywhere(reason="what others owe for one's own enrolment"):
        if ContributionDue.objects.filter(enrolment=enrolment, state__in=["part_paid", "settled"]).exists():
            raise EnrolmentRefused(_("已经收到一部分互助费，不能在这里撤回。请联系办事处，由办事处办理退款。"))
        move(list(ContributionDue.objects.filter(enrolment=enrolment, state="open")), "cancel", by=by)
    return enrolment
