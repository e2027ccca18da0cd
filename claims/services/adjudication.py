"""Deciding a claim: two people, the rules' statement, the ceilings under a lock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import F
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from claims.checks import flagged_among
from claims.facts import BELOW_DEDUCTIBLE
from claims.models import Admission, Claim, Review
from claims.services import reckoning, wordings
from claims.services.following import follow_later, renew_later
from claims.services.reckoning import WITH_PEOPLE, DecisionRefused, Decisions, Reckoned, decisions, taken_up, taken_up_and_read
from claims.services.screening import screen
from claims.transitions import GRANTED
from programs.rules.assess import Assessment
from programs.rules.declared import declared_fault
from programs.rules.explain import FACT_WORDS
from programs.rules.facts import STAY_EVENTS
from programs.selectors import schedule_of
from unionaid.lib.calendar import day_of, now
from unionaid.lib.money import fen_from_yuan, format_yuan
from unionaid.lib.workdays import counted, due_on
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import current_scope, looking_everywhere
from unionaid.web.rows import Rows, insert_all
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed, Turn, carry_out, move, record, take_up

ESTABLISHED = (
    "diagnosis_code", "diagnosis_class", "disability_grade", "accident_on", "event_kind", "other_aid_fen", "circumstances", "declared",
)  # fmt: skip


# Why each of several claims was not taken further, by key. Those that are not named were.
Refusals = Mapping[int, MoveRefused]


def alone(claim: Claim, refused: Refusals) -> Claim:
    """A list of one: the claim, or its refusal raised."""
    if claim.pk in refused:
        raise refused[claim.pk]
    return claim


def preview(claim: Claim) -> None:
    """What the rules give now, kept with the claim; nothing is reserved."""
    reckoning.preview([claim])


def review(claim: Claim, *, by: Actor, on: date, note: str = "") -> Claim:
    """First review passed: on to the second person."""
    return alone(claim, review_each([claim], by=by, on=on, note=note))


def review_each(claims: Sequence[Claim], *, by: Actor, on: date, note: str = "") -> Refusals:
    """The first review of each of these claims is passed; one that cannot go is refused and stops none of the others."""
    turn, known = taken_up_and_read(claims, "review", by=by)
    refuse_own(turn)
    going = turn.going
    carry_out(turn, note=note, beside=[reckoning.ahead(going, known), reviews(going, "review", by, note)])
    return turn.refused


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reviewer found otherwise than it was told: columns of the claim, hospital grades by the key of the stay."""

    columns: Mapping[str, Any]
    grades: Mapping[int, int | None]
    details: Mapping[str, Any]

    def __bool__(self) -> bool:
        return bool(self.columns or self.grades)


def changes_of(claim: Claim, facts: Mapping[str, Any], grades: Mapping[int, int | None]) -> Changes:
    """What of these facts is not told so in the claim. DecisionRefused for a stay of another claim, and for an accident after every
    stay, or after the operation, that it is said to have caused."""
    stays = {stay.pk: stay for stay in claim.admissions.all()}
    if set(grades) - set(stays):
        raise DecisionRefused(_("住院记录有变化，请刷新页面后再核定。"))
    if accident_after_stays(facts.get("accident_on"), claim.event, list(stays.values())):
        raise DecisionRefused(_("意外发生的日期不能晚于入院日期，请核对。"), "accident_on")
    if accident_after_surgery(facts.get("accident_on"), claim.event, claim.event_on):
        raise DecisionRefused(_("意外发生的日期不能晚于手术日期，请核对。"), "accident_on")
    if "declared" in facts and (words := declared_fault(schedule_of(claim.terms).asks_for(claim.event), facts["declared"])):
        raise DecisionRefused(words.in_language(get_language() or ""))
    columns = {name: value for name, value in facts.items() if getattr(claim, name) != value}
    found = {key: grade for key, grade in grades.items() if stays[key].hospital_grade != grade}
    details = {name: {"from": _plain(getattr(claim, name)), "to": _plain(value)} for name, value in columns.items()}
    if found:
        details["hospital_grade"] = [
            {"admitted_on": _plain(stays[key].admitted_on), "from": stays[key].hospital_grade, "to": grade} for key, grade in found.items()
        ]
    return Changes(columns, found, details)


def accident_after_stays(accident_on: date | None, event: str, stays: Sequence[Admission]) -> bool:
    """Is an accident told for stays that all began before it? Then it caused none of them."""
    return accident_on is not None and event in STAY_EVENTS and bool(stays) and all(stay.admitted_on < accident_on for stay in stays)


def accident_after_surgery(accident_on: date | None, event: str, told_on: date | None) -> bool:
    """Is an accident told for an operation that was before it?"""
    return accident_on is not None and event == "surgery" and told_on is not None and told_on < accident_on


def _plain(value: Any) -> Any:
    """As an audit entry keeps it."""
    return value.isoformat() if isinstance(value, date) else value


def establish(
    claim: Claim, facts: Mapping[str, Any], *, by: Actor, note: str = "", grades: Mapping[int, int | None] | None = None
) -> Claim:
    """The first reviewer settles from the papers what the rules need: class, grade, diagnosis, kind of event, the day of an
    accident, other aid, exclusions that hold, and the grade of the hospital of each stay (`grades`, by the key of the stay).

    Only before the first review is passed, so that the person who approves has not set the figures. Keys of `ESTABLISHED`
    only; None or an empty list says that it is not so. The estimate is computed anew.
    """
    unknown = set(facts) - set(ESTABLISHED)
    if unknown:
        raise KeyError(sorted(unknown)[0])
    not_own(claim, by)
    if not may(by, "claims.review", claim.office_id):
        raise NotAllowed(_("您没有初审的权限。"))
    locked = Claim.objects.select_for_update(of=("self",)).get(pk=claim.pk)
    if locked.state != "submitted":
        raise DecisionRefused(_("只有等待初审的申领可以核定事实。"))
    found = changes_of(locked, facts, grades or {})
    if not found:
        return claim
    for key, grade in found.grades.items():
        Admission.objects.filter(pk=key).update(hospital_grade=grade)
    Claim.objects.filter(pk=claim.pk).update(**found.columns, version=F("version") + 1)
    claim.refresh_from_db()
    record([claim], "establish", by=by, note=note, details=found.details)
    preview(claim)
    screen([claim])
    return claim


def refuse_unseen(claim: Claim, action: str, seen: int | None) -> None:
    """Conflict when the claim changed since whoever decides opened it (`seen`: its version then) and still waits for this action: a
    colleague settled other facts, or it went to the claimant and came back. The claim is locked. Where it has gone on meanwhile the
    action itself is refused, with what was done and in which role. Without a version (None) nothing is asked; else one statement."""
    if seen is None:
        return
    rows = Claim.objects.select_for_update(of=("self",), no_key=True).filter(pk=claim.pk, state__in=Claim.graph.arrow(action).sources)
    if any(version != seen for version in rows.values_list("version", flat=True)):
        raise Conflict(_("您打开这一页以后，这份申领有了变化，例如核定了别的事实，或补充了材料。请看过现在的内容，再决定。"), [])


def return_for_supplement(claim: Claim, *, by: Actor, on: date, note: str) -> Claim:
    """Ask the claimant for what is missing, in words meant for them."""
    return ask_back(claim, "return_for_supplement", by=by, note=note)


def ask_back(claim: Claim, action: str, *, by: Actor, note: str) -> Claim:
    """Back to the claimant, by the office or by the unit; from now on the time does not count against the office."""
    if not note.strip():
        raise DecisionRefused(_("请写明需要补充什么，申领人会看到这段话。"))
    not_own(claim, by)
    stopped_at = now()
    # A claim that was reviewed is reviewed anew afterwards; in every other step the time that it took so far stays used.
    used = counted(day_of(claim.since), day_of(stopped_at)) if claim.since and claim.state != "reviewed" else 0
    move([claim], action, by=by, note=note, changes={"message": note, "stopped_at": stopped_at, "step_days": used})
    write_review(claim, action, by, note)
    return claim


def stood_days(claim: Claim, until: datetime) -> int:
    """The days this claim stood with the claimant up to a moment: what was counted before, and the stop that lasts."""
    lasts = (day_of(until) - day_of(claim.stopped_at)).days if claim.stopped_at else 0
    return claim.stood_days + max(0, lasts)


def send_back(claim: Claim, *, by: Actor, on: date, note: str) -> Claim:
    """The second person has a question for the first: the claim is reviewed once more."""
    if not note.strip():
        raise DecisionRefused(_("请写明退回初审的原因。"))
    not_own(claim, by)
    move([claim], "send_back", by=by, note=note)
    write_review(claim, "send_back", by, note)
    return claim


def reject(claim: Claim, *, by: Actor, on: date, reason_code: str, clause: str, note: str) -> Claim:
    """No benefit: with a reason of the office or the country, the plan's clause where the reason needs one, and words for the claimant."""
    if not (reason_code and note.strip()):
        raise DecisionRefused(_("不予给付要选择原因，写明给申领人的说明。"))
    not_own(claim, by)
    wordings.given(claim.office, reason_code, clause=clause)
    changes = {"message": note, "reason_code": reason_code, "reason_clause": clause.strip()}
    move([claim], "reject", by=by, note=note, changes=changes, details={"reason": reason_code, "clause": clause})
    if reason_code == BELOW_DEDUCTIBLE:
        _count_deductible(claim)
    if claim.corrects_id is not None:
        renew_later([claim])
    write_review(claim, "reject", by, note, reason_code)
    return claim


def _count_deductible(claim: Claim) -> None:
    """A cost that stays below the yearly deductible pays nothing and still uses it up: the next claim begins where it ended."""
    deciding = decisions([claim])
    one = deciding.reckon(claim)
    if one.found.total or one.found.missing:
        raise DecisionRefused(_("按条款计算不是因为未达到起付线而为 0 元，请核对后选择其他原因。"))
    if one.before and one.before.total_fen:
        raise DecisionRefused(_("原来的决定已经给付，不能按未达到起付线办理，请选择其他原因。"))
    deciding.hold(one)
    deciding.write()


def approve(claim: Claim, *, by: Actor, on: date, note: str = "") -> Claim:
    """Approve for good: the claim is locked, its ceilings are locked, the amount is computed and frozen, and what it takes is
    written under each ceiling, all in one transaction. Nothing to pay cannot be approved: reject it with its reason. Where the
    plan wants a public notice (公示) it begins now, and payment waits for its end."""
    return alone(claim, approve_each([claim], by=by, on=on, note=note))


def approve_each(claims: Sequence[Claim], *, by: Actor, on: date, note: str = "", most_fen: int | None = None) -> Refusals:
    """Approve each of these claims, in the order of their keys, in one transaction: what the first takes of a limit is no longer there
    for the next. One that cannot be approved is refused and stops none of the others. `most_fen`: what gives more is refused too."""
    return _decide(claims, "approve", by=by, on=on, note=note, most_fen=most_fen)


def settle(claim: Claim, *, by: Actor, on: date, note: str = "") -> Claim:
    """The first reviewer decides alone, where the plan leaves small claims without doubts to one person. DecisionRefused when
    amount, category or a flag asks for a second one."""
    return alone(claim, settle_each([claim], by=by, on=on, note=note))


def settle_each(claims: Sequence[Claim], *, by: Actor, on: date, note: str = "", most_fen: int | None = None) -> Refusals:
    """The same of each of these claims, in one transaction, as `approve_each`."""
    return _decide(claims, "settle", by=by, on=on, note=note, most_fen=most_fen)


SECOND_PERSON = {
    "always": gettext_lazy("本计划的申领都要由第二个人终审，请办理“初审通过”。"),
    "amount": gettext_lazy("互助金达到本计划的终审金额，要由第二个人终审，请办理“初审通过”。"),
    "category": gettext_lazy("这类事由要由第二个人终审，请办理“初审通过”。"),
    "flag": gettext_lazy("这份申领有需要留意的地方，要由第二个人终审，请办理“初审通过”。"),
}


def _leaves_to_one(claim: Claim) -> bool:
    """Does the plan leave any claim to one person? A correction of an earlier decision never."""
    return schedule_of(claim.terms).deciding.final_from is not None and claim.corrects_id is None


def _refuse_alone(one: Reckoned, flagged: set[int]) -> None:
    """DecisionRefused, with why, when this claim goes to a second person."""
    rule, why = schedule_of(one.claim.terms).deciding, "always"
    if _leaves_to_one(one.claim):
        why = rule.second_person(benefit=one.found.total, event=one.claim.event, flagged=one.claim.pk in flagged)
    if why:
        raise DecisionRefused(str(SECOND_PERSON[why]))


def _decide(claims: Sequence[Claim], action: str, *, by: Actor, on: date, note: str, most_fen: int | None = None) -> Refusals:
    """Decide each of these claims for good, or say why not; nothing is written before all are decided on."""
    scope = current_scope()  # of whoever decides
    with looking_everywhere(reason="the people and the covers of the claims, and what was granted before"):
        turn = take_up(claims, action, by=by, reading=WITH_PEOPLE, scope=scope)
        refuse_own(turn)
        if not turn.going:
            return turn.refused
        deciding = decisions(turn.going)
        granted = _granted(turn, deciding, by_one=action == "settle", most_fen=most_fen)
        deciding.usage.write()
    _grant(turn, action, granted, deciding.held, on=on, note=note)
    return turn.refused


def _granted(turn: Turn[Claim], deciding: Decisions, *, by_one: bool, most_fen: int | None) -> dict[int, dict[str, Any]]:
    """What is granted to each claim of the turn that can be decided, by key; the others are refused. What it takes is held."""
    flagged = _flagged_anew([claim for claim in turn.going if _leaves_to_one(claim)]) if by_one else set()
    granted = dict[int, dict[str, Any]]()
    for claim in turn.going:
        try:
            one = deciding.reckon(claim)
            due = _due(one, most_fen)
            if by_one:
                _refuse_alone(one, flagged)
        except DecisionRefused as no:
            turn.refused[claim.pk] = no
            continue
        deciding.hold(one)
        granted[claim.pk] = {"approved_fen": due}
    return granted


def _flagged_anew(claims: Sequence[Claim]) -> set[int]:
    """Which of them have an open flag, by key. What calls for a second look is looked for anew: nobody decides alone by old flags."""
    screen(claims)
    return flagged_among(claims)


def _grant(
    turn: Turn[Claim], action: str, granted: Mapping[int, dict[str, Any]], held: Sequence[Reckoned], *, on: date, note: str
) -> None:  # fmt: skip
    """At once, or on public notice for the days that the plan wants; with the statement of each, and who decided on it."""
    days = {claim.pk: schedule_of(claim.terms).deciding.notice_days for claim in turn.going}
    until = {count: due_on(on, count) for count in set(days.values()) if count}
    noticed = {pk: {**own, "notice_from": on, "notice_until": until[days[pk]]} for pk, own in granted.items() if days[pk]}
    at_once = {pk: own for pk, own in granted.items() if pk not in noticed}
    carry_out(turn, note=note, each=at_once, beside=_kept(held, at_once, action, turn.by, note))
    follow_later([claim for claim in turn.going if claim.pk in at_once])
    carry_out(turn, f"{action}_on_notice", note=note, each=noticed, beside=_kept(held, noticed, action, turn.by, note))


def _kept(held: Sequence[Reckoned], keys: Collection[int], action: str, by: Actor, note: str) -> list[Rows]:
    """What is kept of those of these decisions that are on claims with these keys."""
    own = [one for one in held if one.claim.pk in keys]
    return [reckoning.statements(own, final=True), reviews([one.claim for one in own], action, by, note)]


def reclaim(claim: Claim, *, by: Actor, on: date, clause: str, note: str) -> Claim:
    """A correction finds that too much was paid: it grants nothing, takes the place of the earlier decision, gives back what that one
    took too much under each limit, and a recovery (追回) of the difference begins. Only of what the bank has paid: until then nothing
    is known to be owed back. `clause` and `note` are told to the claimant."""
    if not (clause.strip() and note.strip()):
        raise DecisionRefused(_("要求退回多付的互助金，要写明依据的条款和给申领人的说明。"))
    turn = taken_up([claim], "reclaim", by=by)
    refuse_own(turn)
    alone(claim, turn.refused)
    deciding = decisions(turn.going)
    one = deciding.reckon(turn.going[0])
    over_fen = _overpaid(one, deciding.past.lines.get(claim.pk, ()))
    changes = {"approved_fen": 0, "message": note, "reason_clause": clause}
    carry_out(turn, note=note, changes=changes, details={"over_fen": over_fen, "clause": clause})
    deciding.hold(one)
    deciding.write(reviews([claim], "reclaim", by, note))
    renew_later([claim])
    return claim


def _overpaid(one: Reckoned, line: Sequence[Claim]) -> int:
    """By how much (fen) the decisions of this correction's line were too high; DecisionRefused when nothing is owed back."""
    _refuse_missing(one.found)
    total = fen_from_yuan(one.found.total)
    if one.before is None or total >= one.before.total_fen:
        raise DecisionRefused(_("重新核定的金额没有减少，没有多付。请按计算结果办理批准，或“不予给付”维持原决定。"))
    if any(earlier.state in GRANTED and earlier.state != "paid" for earlier in line):
        raise DecisionRefused(_("原来的互助金还没有付到账，现在不能要求退回。请等银行付款有结果，再办理。"))
    return one.before.total_fen - total


def _due(one: Reckoned, most_fen: int | None) -> int:
    """What is to be paid in fen: of a correction the difference to what was decided before. DecisionRefused when that is nothing, cannot
    be told, or is more than `most_fen`."""
    _refuse_missing(one.found)
    total, before_fen = fen_from_yuan(one.found.total), one.before.total_fen if one.before else 0
    if one.before and total <= before_fen:
        raise DecisionRefused(
            _("重新核定是 {now} 元，原来已核定 {before} 元，没有需要补发的差额；多付了的，请办理“核定多付，要求退回”。").format(
                now=format_yuan(total), before=format_yuan(before_fen)
            )
        )
    if total == 0:
        raise DecisionRefused(_("按条款计算的互助金为 0 元，不能批准。请按计算说明中的原因办理“不予给付”。"))
    if most_fen is not None and total - before_fen > most_fen:
        raise DecisionRefused(_("批准时计算的金额超过 {limit} 元的上限。").format(limit=format_yuan(most_fen)))
    return total - before_fen


def _refuse_missing(assessment: Assessment) -> None:
    if assessment.missing:
        words = "、".join(FACT_WORDS[fact].in_language(get_language() or "zh") for fact in assessment.missing)
        raise DecisionRefused(_("还缺少计算所需的内容：{facts}。请先补充，再批准。").format(facts=words))


def write_review(claim: Claim, decision: str, by: Actor, note: str, reason_code: str = "") -> None:
    """Keep one decision of one person on a claim."""
    write_reviews([claim], decision, by, note, reason_code)


def write_reviews(claims: Sequence[Claim], decision: str, by: Actor, note: str, reason_code: str = "") -> None:
    """Keep the same decision of one person on each of these claims. One statement."""
    insert_all(reviews(claims, decision, by, note, reason_code))


def reviews(claims: Sequence[Claim], decision: str, by: Actor, note: str, reason_code: str = "") -> Rows:
    """The same as rows, to be kept beside what else the decision writes."""
    said = {"decision": decision, "by_id": by.user_id, "note": note, "reason_code": reason_code}
    return Review, [{"claim_id": claim.pk, **said} for claim in claims]


def not_own(claim: Claim, by: Actor) -> None:
    """Nobody decides on their own or their ward's claim, nor on one that they filled in for somebody."""
    if no := _own(claim, by):
        raise no


def refuse_own(turn: Turn[Claim]) -> None:
    """The same of every claim of a turn."""
    turn.refused |= {pk: no for pk, claim in turn.rows.items() if (no := _own(claim, turn.by))}


def _own(claim: Claim, by: Actor) -> NotAllowed | None:
    if by.user_id is not None and by.user_id in (claim.member.user_id, claim.claimant.user_id):
        return NotAllowed(_("这是您本人或您家人的申领，要由别人来办。"))
    if by.user_id is not None and by.user_id in (claim.filed_by_id, claim.filed_before_by_id):
        return NotAllowed(_("这份申领是您代办的，要由别人来办。"))
    return None
