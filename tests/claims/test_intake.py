"""Telling, correcting and sending a claim: what the services promise beneath the pages."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest

from claims.facts import prior_use
from claims.models import Admission, CeilingUsage, Claim
from claims.selectors.estimate import papers_wanted
from claims.selectors.needs import needs_of
from claims.selectors.recomputed import differences
from claims.services import adjudication, intake
from members.models import BankCard, Enrolment
from programs.rules.parse import parse
from programs.rules.planfile import read_plan
from tests.factories.world import ASKED, CATALOGUE, ILL, JOINED, World
from unionaid.lib.calendar import frozen
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import Actor
from unionaid.offices.scope import Scope, everywhere, office_scope

OUT = date(2026, 5, 28)


@pytest.fixture
def cover(world: World):
    with everywhere(reason="arrange"), frozen(JOINED):
        made = world.cover(world.member(101))
    with everywhere(reason="arrange"), frozen(ASKED):
        yield Enrolment.objects.select_related("member", "terms", "program").get(pk=made.pk)


@pytest.fixture
def by(world: World, cover: Enrolment) -> Actor:
    return world.worker(cover.member)


@pytest.fixture
def draft(cover: Enrolment, by: Actor) -> Claim:
    return intake.open_claim(enrolment=cover, claimant=cover.member, event="admission", by=by, on=ASKED)


def _upload(order: int) -> CleanUpload:
    return CleanUpload("image/jpeg", b"jpeg", f"photo{order}.jpg", f"{order:064d}")


def test_a_number_that_is_taken_is_drawn_again(draft: Claim, cover: Enrolment, by: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([draft.number[-7:], "0000001"])
    monkeypatch.setattr(intake, "get_random_string", lambda *_: next(draws))
    again = intake.open_claim(enrolment=cover, claimant=cover.member, event="admission", by=by, on=ASKED)
    assert again.number == "SL26070000001"


def test_the_day_of_the_claim_follows_its_first_stay(draft: Claim, by: Actor) -> None:
    later = intake.set_stay(draft, admitted_on=ILL, discharged_on=OUT, fen={}, by=by, on=ASKED)
    earlier = intake.set_stay(draft, admitted_on=date(2026, 4, 1), discharged_on=date(2026, 4, 2), fen={}, by=by, on=ASKED)
    assert draft.event_on == earlier.admitted_on
    intake.remove_stay(draft, earlier, by=by)
    assert draft.event_on == later.admitted_on


@pytest.mark.parametrize(
    ("fen", "field"),
    [
        ({"medfee_sumamt": 100, "fund_pay_sumamt": 99}, "medfee_sumamt"),
        ({"medfee_sumamt": 100, "psn_part_amt": 100, "psn_cash_pay": 0}, "psn_part_amt"),
        ({"medfee_sumamt": 100, "psn_part_amt": 100, "fulamt_ownpay_amt": 60, "overlmt_selfpay": 41}, "fulamt_ownpay_amt"),
        ({"medfee_sumamt": 100, "psn_part_amt": 100, "hifp_pay": 101}, "hifp_pay"),
        ({"medfee_sumamt": 100, "psn_part_amt": 40, "fund_pay_sumamt": 60, "hifp_pay": 50, "maf_pay": 11}, "fund_pay_sumamt"),
        ({"medfee_sumamt": 100, "psn_part_amt": 100, "psn_cash_pay": 60, "acct_mulaid_pay": 39}, "psn_part_amt"),
    ],
)
def test_a_sheet_that_does_not_add_up_names_its_field(draft: Claim, by: Actor, fen: dict[str, int], field: str) -> None:
    with pytest.raises(intake.ClaimRefused) as refused:
        intake.set_stay(draft, admitted_on=ILL, discharged_on=OUT, fen=fen, by=by, on=ASKED)
    assert refused.value.field == field
    assert not draft.admissions.exists()


@pytest.mark.parametrize("name", ["invoice_number", "setl_id"])
def test_one_settlement_counts_once_in_a_claim(draft: Claim, by: Actor, name: str) -> None:
    told = {"fen": {}, "by": by, "on": ASKED}
    first = intake.set_stay(draft, admitted_on=ILL, discharged_on=OUT, papers={name: "0012345678"}, **told)
    with pytest.raises(intake.ClaimRefused, match="只算一次") as no:
        intake.set_stay(draft, admitted_on=date(2026, 4, 1), discharged_on=date(2026, 4, 2), papers={name: "0012345678"}, **told)
    assert (no.value.field, draft.admissions.get()) == (name, first)
    intake.set_stay(draft, admitted_on=ILL, discharged_on=OUT, papers={name: "0012345678"}, stay=first, **told)
    intake.set_stay(draft, admitted_on=date(2026, 4, 1), discharged_on=date(2026, 4, 2), papers={name: ""}, **told)
    assert draft.admissions.count() == 2


def test_a_number_has_one_form_however_it_is_typed(draft: Claim, by: Actor) -> None:
    told = {"fen": {}, "by": by, "on": ASKED}
    kept = intake.set_stay(draft, admitted_on=ILL, discharged_on=OUT, papers={"invoice_number": " ａb００１２—3456-78 "}, **told)
    assert kept.invoice_number == "AB0012345678"
    with pytest.raises(intake.ClaimRefused, match="只算一次"):
        intake.set_stay(draft, admitted_on=OUT, discharged_on=ASKED, papers={"invoice_number": "Ab 0012345678"}, **told)
    for typed in ("无", "1" * 41, "㌀" * 30 + "1"):
        with pytest.raises(intake.ClaimRefused) as no:
            intake.set_stay(draft, admitted_on=OUT, discharged_on=ASKED, papers={"setl_id": typed}, **told)
        assert no.value.field == "setl_id"


def test_nobody_lies_in_two_hospitals_in_one_night(draft: Claim, by: Actor) -> None:
    told = {"fen": {}, "by": by, "on": ASKED}
    kept = intake.set_stay(draft, admitted_on=ILL, discharged_on=OUT, **told)
    for first, last in ((18, 21), (21, 22), (27, 30), (22, 22), (20, 28)):
        said = "已经填过" if (first, last) == (20, 28) else "重叠的夜晚"
        with pytest.raises(intake.ClaimRefused, match=said) as no:
            intake.set_stay(draft, admitted_on=date(2026, 5, first), discharged_on=date(2026, 5, last), **told)
        assert (no.value.field, draft.admissions.get()) == ("admitted_on", kept)
    intake.set_stay(draft, admitted_on=date(2026, 5, 21), discharged_on=OUT, stay=kept, **told)  # the same one corrected
    for first, last in ((15, 21), (28, 30)):  # the days of a transfer
        intake.set_stay(draft, admitted_on=date(2026, 5, first), discharged_on=date(2026, 5, last), **told)
    Claim.objects.filter(pk=draft.pk).update(event="outpatient")
    draft.refresh_from_db()
    intake.set_stay(draft, admitted_on=ILL, discharged_on=OUT, **told)  # visits are no nights


def test_a_death_before_its_accident_is_refused(draft: Claim, by: Actor) -> None:
    with pytest.raises(intake.ClaimRefused, match="不能早于"):
        intake.tell(draft, {"accident_on": ILL, "death_on": date(2026, 5, 19)}, by=by, on=ASKED)


def test_of_several_papers_all_or_none_are_kept(draft: Claim, by: Actor) -> None:
    intake.add_documents(draft, kind="settlement", uploads=[_upload(1)], by=by)
    with pytest.raises(intake.ClaimRefused, match="photo1.jpg"):
        intake.add_documents(draft, kind="settlement", uploads=[_upload(2), _upload(1)], by=by)
    with pytest.raises(intake.ClaimRefused, match="最多"):
        intake.add_documents(draft, kind="settlement", uploads=[_upload(i) for i in range(2, 50)], by=by)
    assert draft.documents.count() == 1


def test_a_file_stays_as_long_as_any_claim_names_it_whoever_sees_that_claim(
    world: World, cover: Enrolment, draft: Claim, by: Actor, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[Any]]
) -> None:
    """The agent of one unit takes a paper back that a claim through another unit has too; then the other one is taken back as well."""
    other = intake.open_claim(enrolment=cover, claimant=cover.member, event="admission", by=by, on=ASKED, occasion=draft.occasion)
    (paper,) = intake.add_documents(draft, kind="settlement", uploads=[_upload(1)], by=by)
    intake.share_documents(other, [paper])
    Claim.objects.filter(pk=other.pk).update(unit=None)
    with office_scope(Scope(units=frozenset({world.unit.pk}))), django_capture_on_commit_callbacks(execute=True):
        assert not Claim.objects.filter(pk=other.pk).exists(), "the control: out of the agent's sight"
        intake.remove_document(draft, paper, by=world.agent_actor)
    assert other.documents.get().file.open().read() == b"jpeg"
    with django_capture_on_commit_callbacks(execute=True):
        intake.remove_document(other, other.documents.get(), by=by)
    assert not paper.file.storage.exists(paper.file.name)


def test_the_same_account_is_kept_once(cover: Enrolment, by: Actor) -> None:
    numbers = ("6228480402564890018", "6228480402564890018", "6222021234567890128")
    cards = [intake.own_account(cover.member, bank_name="农业银行", number=number, by=by).pk for number in numbers]
    assert cards[0] == cards[1] != cards[2]
    assert BankCard.objects.count() == 2


def test_a_sent_claim_is_closed_to_every_change(world: World, cover: Enrolment, by: Actor) -> None:
    claim = world.claim(cover, 600_000)
    stay, paper = claim.admissions.get(), claim.documents.first()
    claim.state = "draft"  # what an old window still believes
    for act in (
        lambda: intake.tell(claim, {"hospital": "别的医院"}, by=by, on=ASKED),
        lambda: intake.set_stay(claim, admitted_on=ILL, discharged_on=OUT, fen={}, by=by, on=ASKED, stay=stay),
        lambda: intake.remove_stay(claim, stay, by=by),
        lambda: intake.add_documents(claim, kind="other", uploads=[_upload(9)], by=by),
        lambda: intake.remove_document(claim, paper, by=by),
        lambda: intake.choose_card(claim, claim.card, by=by),
    ):
        with pytest.raises(intake.ClaimRefused, match="已经提交"):
            act()


@pytest.mark.usefixtures("by_admission")
def test_who_claims_for_another_counts_with_what_that_person_has_used(world: World, cover: Enrolment) -> None:
    """A spouse's usage is hidden from the holder's scope; the estimate must see it all the same."""
    first = world.claim(cover, 600_000)
    adjudication.review(first, by=world.cast.actor(world.cast.reviewer), on=ASKED)
    adjudication.approve(first, by=world.cast.actor(world.cast.approver), on=ASKED)
    holder = world.member(102, "李强")
    Enrolment.objects.filter(pk=cover.pk).update(holder=holder, relation="spouse")
    second = world.claim(Enrolment.objects.select_related("member", "terms", "program").get(pk=cover.pk), 100_000)
    with office_scope(Scope(member=holder.pk)):
        assert not CeilingUsage.objects.exists()
        assert prior_use(second).used["period:plan"] == 4400
        assert prior_use(second).admissions == 1


@pytest.mark.parametrize(
    ("plan", "event", "stays", "figures"),
    [
        ("shaanxi-yulin-medical.2026", "admission", "required", "fulamt_ownpay_amt"),
        ("beijing-allowance.2026", "admission", "required", ""),
        ("fuzhou-medical.2012", "admission", "required", "medfee_sumamt"),
        ("national-allowance-combo.2026", "diagnosis", "optional", ""),
        ("chongqing-critical-illness.2026", "diagnosis", "optional", "psn_part_amt"),
        ("dalian-relief.2026", "diagnosis", "required", "psn_part_amt"),
        ("national-critical-illness.2026", "diagnosis", "", ""),
        ("shanghai-member-basic.2017", "diagnosis", "required", ""),
    ],
)
def test_a_plan_asks_for_what_it_calculates_with_alone(plan: str, event: str, stays: str, figures: str) -> None:
    needs = needs_of(parse(read_plan((CATALOGUE / f"{plan}.yaml").read_bytes(), source=plan).data), event)
    assert needs.stays == stays
    assert figures in needs.figures if figures else needs.figures == ()


# --- several stays ---------------------------------------------------------------------------------------------------


def _ready(world: World, draft: Claim, by: Actor, *days: tuple[date, date]) -> list[Admission]:
    """Everything that sending in asks for, with stays of these days, 1,000 yuan each."""
    fen = {"medfee_sumamt": 300_000, "fund_pay_sumamt": 200_000, "psn_part_amt": 100_000, "psn_cash_pay": 100_000}
    stays = [intake.set_stay(draft, admitted_on=first, discharged_on=last, fen=fen, by=by, on=ASKED) for first, last in days]
    for i, paper in enumerate(paper for paper in papers_wanted(draft, on=ASKED) if paper.required):
        intake.add_document(draft, kind=paper.code, upload=_upload(100 + i), by=by)
    intake.choose_card(draft, world.card(draft.member), by=by)
    return stays


def test_a_stay_outside_the_cover_needs_a_claim_of_its_own(world: World, draft: Claim, by: Actor) -> None:
    before = (date(2025, 12, 20), date(2025, 12, 28))
    _inside, outside = _ready(world, draft, by, (ILL, OUT), before)
    with pytest.raises(intake.ClaimRefused, match="2025年12月20日的这一次不在这份保障的保障期内.*另外申领"):
        intake.submit(draft, by=by, on=ASKED)
    intake.remove_stay(draft, outside, by=by)
    assert intake.submit(draft, by=by, on=ASKED).state == "submitted"


def test_the_only_stay_outside_the_cover_is_refused_as_ever(world: World, draft: Claim, by: Actor) -> None:
    _ready(world, draft, by, (date(2025, 12, 20), date(2025, 12, 28)))
    with pytest.raises(intake.ClaimRefused, match="请选择当时有效的保障"):
        intake.submit(draft, by=by, on=ASKED)


@pytest.mark.usefixtures("by_admission")
def test_a_stay_that_counts_for_nothing_is_no_admission_of_the_period(world: World, cover: Enrolment, draft: Claim, by: Actor) -> None:
    _kept, other = _ready(world, draft, by, (ILL, OUT), (date(2026, 4, 1), date(2026, 4, 2)))
    sent = intake.submit(draft, by=by, on=ASKED)
    Admission.objects.filter(pk=other.pk).update(admitted_on=date(2025, 12, 20))  # the papers tell another day
    adjudication.review(sent, by=world.cast.actor(world.cast.reviewer), on=ASKED)
    adjudication.approve(sent, by=world.cast.actor(world.cast.approver), on=ASKED)
    later = intake.open_claim(enrolment=cover, claimant=cover.member, event="admission", by=by, on=ASKED)
    assert (sent.admissions.count(), prior_use(later).admissions) == (2, 1)
    assert not list(differences(number=sent.number))
