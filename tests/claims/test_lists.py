"""Many claims in one step: each has its own outcome, what the first takes of a limit is gone for the next, and the statements are as
many for ten as for two hundred."""

import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from claims.models import Admission, BenefitStatement, CeilingUsage, Claim, ClaimDocument, Review
from claims.selectors.recomputed import differences
from claims.services import adjudication, ceilings, intake
from members.models import Enrolment
from programs.models import Terms
from programs.rules.facts import prior_of
from programs.selectors import schedule_of
from tests.claims.test_statements_of_the_path import spoken
from tests.factories.desk import CRITICAL, Desk
from tests.factories.world import ASKED, ILL
from unionaid.lib.calendar import plus_days
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.moves import Conflict, NotAllowed, carry_out, take_up

FEN = {"medfee_sumamt": 1_800_000, "fund_pay_sumamt": 1_200_000, "psn_part_amt": 600_000, "psn_cash_pay": 600_000}


def cap(desk: Desk, scope: str = "period", amount: str = "10000") -> Terms:
    """Pays the personal cost up to a limit."""
    steps = [{"take": "personal_cost"}, {"ceiling": {"amount": amount, "scope": scope, "key": "plan"}}]
    item = {"code": "inpatient", "name": {"zh": "住院", "en": "Stay"}, "clause": "第七条", "events": ["admission"], "steps": steps}
    example = {"name": "一例", "case": {"event": "admission", "personal_cost": "6000"}, "expect": "6000"}
    return desk.plan_with(items=[item], examples=[example], exclusions=None, exclusive=None)


def drafted(desk: Desk, cover: Enrolment, day: int = 0) -> Claim:
    """A draft for 6,000 yuan that only has to be sent in."""
    by, on = desk.world.worker(cover.member), plus_days(ILL, day)
    claim = intake.open_claim(enrolment=cover, claimant=cover.member, event="admission", by=by, on=ASKED)
    intake.set_stay(claim, admitted_on=on, discharged_on=on, fen=FEN, by=by, on=ASKED)
    for paper in schedule_of(claim.terms).documents_for("admission"):
        upload = CleanUpload("image/jpeg", b"j", "a.jpg", f"{claim.pk:060d}{paper.code:>4.4}")
        intake.add_document(claim, kind=paper.code, upload=upload, by=by)
    return intake.choose_card(claim, cover.member.cards.first() or desk.world.card(cover.member, f"62284804{cover.pk:011d}"), by=by)


def again(claim: Claim, days: Sequence[int]) -> list[Claim]:
    """The same draft once more for each of these days before the first."""
    stay, papers = claim.admissions.get(), list(claim.documents.all())
    made = Claim.objects.bulk_create([_copy(claim, number=f"K{uuid.uuid4().hex[:20]}", occasion=uuid.uuid4()) for _day in days])
    shifted = [plus_days(stay.admitted_on, -day) for day in days]
    Admission.objects.bulk_create([_copy(stay, claim=one, admitted_on=on, discharged_on=on) for one, on in zip(made, shifted, strict=True)])
    ClaimDocument.objects.bulk_create([_copy(paper, claim=one, sha256=uuid.uuid4().hex) for one in made for paper in papers])
    return made


def _copy(row: Any, **changes: Any) -> Any:
    columns = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}
    fresh = {name: uuid.uuid4() for name in ("public_id",) if name in columns}
    return type(row)(**{name: value for name, value in (columns | fresh).items() if name.removesuffix("_id") not in changes}, **changes)


def path(desk: Desk, claims: list[Claim]) -> list[dict[int, Any]]:
    """Sent in by the unit's agent, reviewed, approved; who was refused at each step."""
    return [
        dict(intake.submit_each(claims, by=desk.world.agent_actor, on=ASKED)),
        dict(adjudication.review_each(claims, by=desk.reviewer, on=ASKED)),
        dict(adjudication.approve_each(claims, by=desk.approver, on=ASKED)),
    ]


def test_two_hundred_take_the_statements_of_ten(desk: Desk) -> None:
    terms = cap(desk, amount="99999999")
    firsts = [drafted(desk, desk.cover(terms, 401 + 2 * i), day=i) for i in range(5)]
    more = [again(one, range(1, 42)) for one in firsts]
    lists = [[*firsts, *(claims[0] for claims in more)], [claim for claims in more for claim in claims[1:]]]
    said = []
    for claims in lists:
        with CaptureQueriesContext(connection) as seen:
            assert path(desk, claims) == [{}, {}, {}]
        said.append(spoken(seen))
    assert list(map(len, lists)) == [10, 200]
    assert len(said[0]) == len(said[1]) <= 30, "\n".join(text[:160] for text in said[1])
    assert set(Claim.objects.values_list("state", "approved_fen")) == {("approved", 600_000)}
    assert AuditEntry.objects.filter(entity="claims.claim", action="approve").count() == 210
    assert Review.objects.filter(decision="approve").count() == 210
    assert sum(CeilingUsage.objects.values_list("used_fen", flat=True)) == 210 * 600_000
    assert list(differences()) == []


def test_each_of_a_list_has_its_own_outcome(desk: Desk) -> None:
    cover = desk.cover(cap(desk))
    lacking, *claims = [drafted(desk, cover, day) for day in range(6)]
    lacking.documents.first().delete()
    refused = intake.submit_each([lacking, *claims], by=desk.world.agent_actor, on=ASKED)
    assert {pk: type(no).__name__ for pk, no in refused.items()} == {lacking.pk: "ClaimRefused"}
    first, second, third, gone, own = claims
    adjudication.return_for_supplement(gone, by=desk.reviewer, on=ASKED, note="请补充")
    refused = adjudication.review_each(claims, by=desk.reviewer, on=ASKED)
    assert set(refused) == {gone.pk}
    assert "初审已经办理了“退回补充材料”" in refused[gone.pk].message
    Claim.objects.filter(pk=own.pk).update(reviewed_by=desk.approver.user_id)
    refused = adjudication.approve_each([own, gone, third, second, first], by=desk.approver, on=ASKED)
    assert {pk: type(no) for pk, no in refused.items()} == {third.pk: adjudication.DecisionRefused, gone.pk: Conflict, own.pk: NotAllowed}
    assert [(one.state, one.approved_fen) for one in (first, second)] == [("approved", 600_000), ("approved", 400_000)]
    assert (CeilingUsage.objects.get(key="period:plan").used_fen, third.reviews.count()) == (1_000_000, 1)
    assert "0 元" in refused[third.pk].message
    assert list(differences()) == []


def test_blind_to_what_the_first_took_the_list_is_refused_by_the_database(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: every claim of the list is reckoned as if it stood alone."""
    cover = desk.cover(cap(desk))
    claims = [drafted(desk, cover, day) for day in range(2)]
    intake.submit_each(claims, by=desk.world.agent_actor, on=ASKED)
    adjudication.review_each(claims, by=desk.reviewer, on=ASKED)
    monkeypatch.setattr(ceilings.Usage, "_row", lambda usage, place: None)
    with pytest.raises(Exception, match="ceiling_never_overspent"), transaction.atomic():
        adjudication.approve_each(claims, by=desk.approver, on=ASKED)
    monkeypatch.undo()
    assert not adjudication.approve_each(claims, by=desk.approver, on=ASKED)
    assert sum(Claim.objects.values_list("approved_fen", flat=True)) == 1_000_000


def test_what_the_first_of_a_list_was_granted_is_history_for_the_next(desk: Desk, by_admission: None) -> None:
    cover = desk.cover(desk.plan(CRITICAL), 303)
    claims = [desk.diagnosis(cover, "critical_mild"), desk.diagnosis(cover, "critical_severe")]
    stays = [drafted(desk, desk.cover(cap(desk), 305), day) for day in range(1)]
    stays += again(stays[0], [1, 2])
    intake.submit_each(stays, by=desk.world.agent_actor, on=ASKED)
    adjudication.review_each([*claims, *stays], by=desk.reviewer, on=ASKED)
    adjudication.approve_each([*claims, *stays[:2]], by=desk.approver, on=ASKED)
    assert [claim.approved_fen for claim in claims] == [300_000, 700_000], "the difference, as one after the other"
    told = [prior_of(one.facts["prior"]) for one in BenefitStatement.objects.filter(is_final=True, claim__in=stays).order_by("claim")]
    assert [prior.admissions for prior in told] == [0, 1]


def test_a_lifetime_limit_counts_whichever_office_decided_first(desk: Desk) -> None:
    claim = desk.world.claim(desk.cover(cap(desk, "lifetime")), 600_000)
    other, whose = desk.world.cast.b, {"member_id": claim.member_id, "program_id": claim.program_id}
    CeilingUsage.objects.create(
        office=other, key="lifetime:plan", period_start=ceilings.LIFETIME, used_fen=900_000, ceiling_fen=1_000_000, **whose
    )
    with office_scope(Scope(offices=covers(desk.world.cast.a))):
        adjudication.review(claim, by=desk.reviewer, on=ASKED)
        assert adjudication.approve(claim, by=desk.approver, on=ASKED).approved_fen == 100_000
    with everywhere(reason="look"):
        assert CeilingUsage.objects.get(key="lifetime:plan").used_fen == 1_000_000


def test_an_arrow_that_asks_something_else_is_not_carried_out(desk: Desk) -> None:
    claim = desk.world.claim(desk.cover(), 600_000)
    turn = take_up([claim], "review", by=desk.reviewer)
    with pytest.raises(ValueError, match="asks something else"):
        carry_out(turn, "approve")
    claim.refresh_from_db()
    assert claim.state == "submitted"
