"""What the rules need and nobody told is settled by the first reviewer; a mild case that turns out severe pays the difference."""

from datetime import date
from decimal import Decimal

import pytest

from claims.facts import prior_use
from claims.models import CeilingUsage, Claim
from claims.selectors.recomputed import differences
from claims.services import adjudication, ceilings, corrections
from claims.services.adjudication import DecisionRefused
from programs.rules.assess import Assessment
from tests.factories.world import ASKED, World, load
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.moves import NotAllowed


@pytest.fixture
def open_world(world: World):
    with everywhere(reason="arrange"), frozen(ASKED):
        yield world


@pytest.fixture
def cover(open_world: World):
    return open_world.cover(open_world.member(102), terms=load("national-critical-illness.2026"))


def _diagnosis(world: World, cover, **told) -> Claim:
    facts = {"event_on": date(2026, 5, 20), "diagnosis": "急性心肌梗死", "hospital": "榆林市第一医院", **told}
    return world.claim(cover, 0, event="diagnosis", facts=facts)


def _approve(world: World, claim: Claim) -> Claim:
    adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
    return adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)


def test_a_reclassified_case_pays_the_difference(open_world: World, cover) -> None:
    mild = _approve(open_world, _diagnosis(open_world, cover, diagnosis_class="critical_mild", diagnosis_code="I21.0"))
    assert mild.approved_fen == 300_000
    severe = _diagnosis(open_world, cover, diagnosis_class="critical_severe", diagnosis_code="I21.9")
    assert prior_use(severe).paid_items == {"critical": Decimal("3000.00")}
    assert _approve(open_world, severe).approved_fen == 700_000


def test_another_disease_is_not_set_off(open_world: World, cover) -> None:
    _approve(open_world, _diagnosis(open_world, cover, diagnosis_class="critical_mild", diagnosis_code="I21.0"))
    other = _diagnosis(open_world, cover, diagnosis_class="critical_mild", diagnosis_code="C50.9")
    assert prior_use(other).paid_items == {}


@pytest.mark.parametrize(("first", "second"), [("", "I21.9"), ("I21.0", "")])
def test_a_disease_told_by_its_class_alone_is_the_same_told_by_code(open_world: World, cover, first: str, second: str) -> None:
    mild = {"diagnosis_class": "critical_mild"}
    before = _approve(open_world, _diagnosis(open_world, cover, **mild, diagnosis_code=first))
    again = _diagnosis(open_world, cover, **mild, diagnosis_code=second)
    assert prior_use(again).paid_items == {"critical": Decimal("3000.00")}
    assert again.statements.order_by("-id").first().total_fen == 0
    mended = corrections.reclassify(
        before, {"diagnosis_class": "critical_severe"}, by=open_world.cast.actor(open_world.cast.reviewer), on=ASKED, note="病理报告"
    )
    stored = mended.statements.order_by("-id").first()
    assert (stored.total_fen, list(differences(number=mended.number, final_only=False))) == (1_000_000, [])


def test_the_reviewer_settles_the_class(open_world: World, cover) -> None:
    claim = _diagnosis(open_world, cover, diagnosis_class="critical_mild", diagnosis_code="I21.0")
    reviewer = open_world.cast.actor(open_world.cast.reviewer)
    adjudication.establish(claim, {"diagnosis_class": "critical_severe"}, by=reviewer, note="病理报告")
    assert claim.statements.order_by("-id").first().total_fen == 1_000_000
    entry = AuditEntry.objects.get(entity="claims.claim", entity_id=claim.pk, action="establish")
    assert entry.details["diagnosis_class"] == {"from": "critical_mild", "to": "critical_severe"}


def test_who_approves_does_not_set_the_facts(open_world: World, cover) -> None:
    claim = _diagnosis(open_world, cover, diagnosis_class="critical_mild", diagnosis_code="I21.0")
    with pytest.raises(NotAllowed):
        adjudication.establish(claim, {"diagnosis_class": "critical_severe"}, by=open_world.cast.actor(open_world.cast.approver))
    adjudication.review(claim, by=open_world.cast.actor(open_world.cast.reviewer), on=ASKED)
    with pytest.raises(DecisionRefused):
        adjudication.establish(claim, {"diagnosis_class": "critical_severe"}, by=open_world.cast.actor(open_world.cast.reviewer))


def test_nothing_is_approved_while_a_fact_is_missing(open_world: World, cover) -> None:
    claim = _diagnosis(open_world, cover, diagnosis_class="critical_mild", diagnosis_code="I21.0")
    Claim.objects.filter(pk=claim.pk).update(diagnosis_class="")
    claim.refresh_from_db()
    adjudication.review(claim, by=open_world.cast.actor(open_world.cast.reviewer), on=ASKED)
    with pytest.raises(DecisionRefused, match="给付类别"):
        adjudication.approve(claim, by=open_world.cast.actor(open_world.cast.approver), on=ASKED)
    assert Claim.objects.get(pk=claim.pk).state == "reviewed"


@pytest.mark.parametrize(("codes", "amounts"), [(("", "I21.9"), [600, 400]), (("I21.0", ""), [600, 400]), (("I21.0", "C50.9"), [600, 600])])
def test_claims_by_class_and_by_code_share_the_limit_of_a_disease(
    open_world: World, codes: tuple[str, str], amounts: list[int]
) -> None:
    lump = [{"fixed": "600"}, {"ceiling": {"amount": "1000", "scope": "disease"}}]
    item = {"code": "ill", "name": {"zh": "补助", "en": "aid"}, "clause": "第一条", "events": ["diagnosis"], "waits": False, "steps": lump}
    example = {"name": "一例", "case": {"event": "diagnosis", "diagnosis_code": "I21.0"}, "expect": "600.00"}
    terms = load("national-critical-illness.2026", items=[item], examples=[example], exclusions=None, documents=[])
    cover = open_world.cover(open_world.member(102), terms=terms)
    claims = [_diagnosis(open_world, cover, diagnosis_class="critical_mild", diagnosis_code=code) for code in codes]
    assert [_approve(open_world, claim).approved_fen for claim in claims] == [amount * 100 for amount in amounts]


def test_no_other_field_can_be_set(open_world: World, cover) -> None:
    claim = _diagnosis(open_world, cover, diagnosis_class="critical_mild", diagnosis_code="I21.0")
    with pytest.raises(KeyError):
        adjudication.establish(claim, {"approved_fen": 1}, by=open_world.cast.actor(open_world.cast.reviewer))


def test_a_limit_follows_later_terms_and_never_falls_below_what_was_used(open_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = open_world.claim(open_world.cover(open_world.member(103)), 600_000)
    for limit, kept in (("5000", 500_000), ("9000", 900_000), ("3000", 440_000)):
        monkeypatch.setattr(ceilings, "limits_of", lambda *a, limit=limit, **k: {"lifetime:plan": Decimal(limit)})
        usage = ceilings.lock([claim])
        usage.take(claim, Assessment((), Decimal(0)))
        usage.write()
        row = CeilingUsage.objects.get(member=claim.member, key="lifetime:plan")
        assert row.ceiling_fen == kept
        CeilingUsage.objects.filter(pk=row.pk).update(used_fen=440_000)
