"""Spouses and children whose papers the office has seen: a child's guardian, and who somebody is whose number is known otherwise."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from members.facts import person_facts, previous_ends, shares_held, waiting
from members.models import Consent, Enrolment, IdentityQuestion, JoinDraft, Member, Voiding
from members.selectors.surplus import Excess, excess_of
from members.services import voiding
from members.services.enrolment import show_to
from members.services.people import PersonRefused
from members.transitions import LIVE
from programs.rules.eligibility import PASS, judge
from programs.selectors import schedule_of
from unionaid.lib.calendar import Period, now
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import everywhere
from unionaid.web.said import spoken
from unionaid.workflow.moves import Conflict, NotAllowed, record


def confirm_guardian(child: Member, guardian: Member, *, office_id: int, by: Actor) -> Member:
    """The office has seen the household paper: from now on the worker may see and act for the child. NotAllowed or PersonRefused."""
    _refuse_stranger(by, office_id)
    with everywhere(reason="bind a child to the guardian whose paper was seen"):
        if identity_open([child.pk]):
            raise PersonRefused(_("请先核对这位家人的身份，再登记监护关系。"))
        Member.objects.filter(pk=child.pk, guardian__isnull=True).update(guardian=guardian)  # of two at once the first is
        child.refresh_from_db()
        if child.guardian_id != guardian.pk:
            raise PersonRefused(_("这个孩子登记的监护人是另一位，请先核对清楚。"))
        record([child], "confirm_guardian", by=by, details={"guardian": guardian.pk})
    return child


def identity_open(people: Iterable[int]) -> set[int]:
    """Of these people, those who stand for what a worker told of somebody whom their number knows otherwise. One statement."""
    with everywhere(reason="whether somebody is who their number says"):
        return set(IdentityQuestion.objects.filter(member__in=list(people)).values_list("member_id", flat=True))


@dataclass(frozen=True, slots=True)
class Settled:
    """Who it is, and the covers for which the person had cover already: each is void or waits for a second person to say so. `voided`:
    the surplus that was too much for the person; `is_open`: it has to be void, or more of it has, before who it is can be settled."""

    person: Member
    double: tuple[Enrolment, ...]
    voided: Voiding | None = None
    is_open: bool = False


class TooManyShares(PersonRefused):
    """The person has no room for so many shares; `excess` says how many are too much, and where they may be void."""

    def __init__(self, excess: Excess) -> None:
        words = _("此人这些天已有合并计算的 {held} 份，加上这里的 {shares} 份，超过每人最多的 {most} 份，多出 {over} 份。")
        words += _("请选择作废哪一份保障里多出的。")
        super().__init__(words.format(held=excess.held, shares=excess.cover.shares, most=excess.most, over=excess.over))
        self.excess = excess


def settle(cover: Enrolment, *, name_on_paper: str, void: int | None = None, by: Actor, on: date) -> Settled:
    """The office has seen the papers: who joined through the worker is the person on record with this number, whose name the paper
    shows. What the worker did for them goes over to that record. A name on record that nobody answers for (no log-in, no unit, no cover
    of its own) is taken from the paper. Nobody is covered twice: a cover that the person has already stays where it is, nothing is ever
    claimed under it, and its voiding is proposed, after which what was paid for it may go back. Where the person has no room for so many
    shares, those too many of the cover `void` (id) are void first; where money has arrived another person has to agree, and who it is
    stays open until then. NotAllowed; PersonRefused when the paper shows another name than the one on record; TooManyShares."""
    _refuse_stranger(by, cover.office_id)
    with transaction.atomic(), everywhere(reason="who a number belongs to, whoever knows them"):
        question = IdentityQuestion.objects.select_for_update(of=("self",)).filter(member=cover.member_id).first()
        if question is None:
            raise Conflict(_("身份已经核对过，不用再核对。"), ())
        known = Member.objects.select_for_update(of=("self",)).get(pk=question.known_id)
        _hold_against_paper(known, name_on_paper, by)
        covers, voided = _covers_of(question), None
        if excess := _excess(covers, known, by):
            voided = _void_surplus(excess, void, by=by, on=on)
            covers = _covers_of(question)
            if voided.state == "proposed" or _excess(covers, known, by):
                return Settled(known, (), voided, is_open=True)
        double = tuple(one for one in covers if not _carry(one, known))
        Consent.objects.filter(member=question.member_id).update(member=known)
        JoinDraft.objects.filter(member=question.member_id).update(member=known)
        question.settled_by_id, question.settled_at = by.user_id, now()
        question.save(update_fields=["settled_by", "settled_at"])
        record(covers, "settle_identity", by=by)
        for one in double:
            _propose_void(one, by=by, on=on)
    return Settled(known, double, voided)


def _covers_of(question: IdentityQuestion) -> list[Enrolment]:
    rows = Enrolment.objects.filter(member=question.member_id)
    return list(rows.select_related("terms__program", "unit", "holder", "member").order_by("pk"))


def _excess(covers: Iterable[Enrolment], known: Member, by: Actor) -> Excess | None:
    """Of the first cover that would be too much for the person. One for which they have cover already does not become theirs."""
    for cover in covers:
        if cover.state in LIVE and not _doubled(cover, known) and (excess := excess_of(cover, known, by=by)):
            return excess
    return None


def _void_surplus(excess: Excess, void: int | None, *, by: Actor, on: date) -> Voiding:
    way = next((way for way in excess.ways if way.cover.pk == void), None)
    if way is None:
        raise TooManyShares(excess)
    note = _("核对证件后查明：此人合并计算的份数超过每人最多的 {most} 份，多出 {over} 份。").format(most=excess.most, over=excess.over)
    if way.whole:
        return voiding.propose(way.cover, reason="duplicate", note=note, by=by, on=on)
    return voiding.propose(way.cover, reason="surplus", note=note, shares=way.shares, by=by, on=on)


def _refuse_stranger(by: Actor, office_id: int) -> None:
    if not may(by, "people.confirm_guardian", office_id):
        raise NotAllowed(_("您没有“{action}”的权限。").format(action=_("核对监护关系")))


def _hold_against_paper(known: Member, name: str, by: Actor) -> None:
    """PersonRefused when the paper shows another name than the record and somebody answers for the record."""
    if known.name == name:
        return
    if known.user_id or known.unit_id or Enrolment.objects.filter(member=known, state__in=LIVE).exists():
        raise PersonRefused(
            _("证件上的姓名和这个身份证号登记的姓名不一致。请再对照一遍；登记的姓名写错了的，请本人、登记的单位或负责的办事处提出资料更正，更正后再来核对。")
        )
    known.name = name
    known.save(update_fields=["name"])
    record([known], "correct", by=by, details={"fields": ["name"]})


def _carry(cover: Enrolment, known: Member) -> bool:
    """This cover is the person's from now on, and what they had before counts for it as if it had been known; False when the person has
    cover in this plan on some of these days. PersonRefused when it is too many shares beside what they have."""
    if cover.state in LIVE and _doubled(cover, known):
        return False
    schedule, start = schedule_of(cover.terms), cover.starts_on
    ends = previous_ends([known.pk], cover.terms, before=start).get(known.pk)
    cover.member, cover.waiting_until, cover.waiting_waived = known, *waiting(schedule, start, ends)
    cover.days_since_cover, cover.first_time = None if ends is None else (start - ends).days, ends is None
    if cover.state in LIVE:
        _refuse_too_much(cover)
        show_to(known, cover.office_id, cover.unit)
    try:
        with transaction.atomic():
            cover.save(update_fields=["member", "waiting_until", "waiting_waived", "days_since_cover", "first_time"])
    except IntegrityError as error:
        if "cover_never_overlaps" not in str(error):
            raise
        raise Conflict(_("这个人刚刚参加了同一个计划，请刷新后再核对一次。"), ()) from error
    return True


def _doubled(cover: Enrolment, known: Member) -> bool:
    live = Enrolment.objects.filter(member=known, program_id=cover.program_id, state__in=LIVE, cover__overlap=cover.cover)
    return live.exists()


def _propose_void(cover: Enrolment, *, by: Actor, on: date) -> None:
    """Unless somebody has proposed it already."""
    if not Voiding.objects.filter(enrolment=cover, state="proposed").exists():
        note = _("核对证件后查明：此人这段时间已经参加“{program}”，同一个计划不能参加两次。")
        voiding.propose(cover, reason="duplicate", note=note.format(program=cover.terms.program.title), by=by, on=on)


def _refuse_too_much(cover: Enrolment) -> None:
    schedule = schedule_of(cover.terms)
    held = shares_held(cover.member, schedule, Period(cover.starts_on, cover.ends_before))
    person = person_facts(cover.member, holder=cover.holder, relation=cover.relation, renewal=False, unit=cover.unit)
    person, start = replace(person, shares_held=held), cover.starts_on
    verdicts = judge(schedule, person=person, on=start, cover_start=start, shares=cover.shares)
    for one in verdicts:  # of what was asked on the day of joining only this depends on what else the person has
        if one.rule == "shares" and one.outcome != PASS:
            raise PersonRefused(str(spoken(one.sentence.of_another())))
