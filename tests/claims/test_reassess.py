"""What was decided can be computed again from what was kept; a difference of a fen is found."""

import io

import pytest
from django.core.management import CommandError, call_command

from claims.models import BenefitStatement, Claim
from claims.selectors.recomputed import differences
from claims.services import adjudication
from programs.models import Terms
from programs.rules import steps
from tests.factories.world import ASKED, JOINED, World, make_world
from tests.races.test_guards_taken_away import without
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere


@pytest.fixture
def paid(world: World):
    with everywhere(reason="arrange"), frozen(ASKED):
        yield _decided(world)


def _decided(world: World) -> Claim:
    """A decided claim of 6,000 yuan self-pay under the Yulin terms: 4,400."""
    claim = world.claim(world.cover(world.member(101)), 600_000)
    adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
    return adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)


def _run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("reassess", *arguments, stdout=out)
    return out.getvalue()


def test_a_decided_claim_comes_out_the_same(paid: Claim) -> None:
    assert list(differences()) == []
    assert "1 份核定书，全部一致" in _run()
    assert "3 份核定书，全部一致" in _run("--all")
    assert "1 份" in _run("--claim", paid.number)


def test_the_statement_keeps_all_that_went_in(paid: Claim) -> None:
    kept = BenefitStatement.objects.get(claim=paid, is_final=True).facts
    assert kept["case"]["stays"][0]["settlement"]["psn_part_amt"] == "6000.00"
    assert kept["cover"]["period"]["start"] == "2026-01-06"
    assert kept["person"]["birth_date"]


def test_a_rule_that_gives_another_amount_is_found(paid: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(steps.STEPS, "ceiling", lambda run, data: setattr(run, "amounts", [run.total + 1]))
    found = {difference.what: (difference.stored, difference.computed) for difference in differences()}
    assert found["total"] == ("4400.00", "4401.00")
    with pytest.raises(CommandError, match="不一致"):
        _run()


def test_terms_that_were_changed_behind_are_found(committed: None) -> None:
    """Published terms are frozen; the owner of the tables alone could take that away, and the hash tells of it."""
    with frozen(JOINED):
        world = make_world()
    with everywhere(reason="arrange"), frozen(ASKED):
        terms = _decided(world).terms
    take = "ALTER TABLE programs_terms DISABLE TRIGGER frozen_rows"
    changed = {**terms.schedule, "summary": {"zh": "x", "en": "x"}}
    with without(take, take.replace("DISABLE", "ENABLE")), everywhere(reason="past the services"):
        Terms.objects.filter(pk=terms.pk).update(schedule=changed)
        assert [difference.what for difference in differences()] == ["terms"]


def test_an_amount_that_is_off_by_a_fen_is_found(paid: Claim) -> None:
    Claim.objects.filter(pk=paid.pk).update(approved_fen=440_001)
    assert [(d.what, d.stored, d.computed) for d in differences()] == [("approved_fen", "440001", "440000")]


def test_a_claim_that_is_not_there_is_named(paid: Claim) -> None:
    with pytest.raises(CommandError, match="没有申领 X1"):
        _run("--claim", "X1")
