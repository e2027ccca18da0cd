"""Flags across claims: each kind is raised by what it is about, by nothing else, and is dismissed with a reason that stays on record."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from html import unescape
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from claims.checks import KINDS, flags_of
from claims.models import Admission, Claim, ClaimDocument, ClaimFlag, ReviewRule
from claims.services import adjudication, intake, screening
from members.models import BankCard, Enrolment
from programs.selectors import schedule_of
from tests.factories.clients import client_of
from tests.factories.world import ASKED, World, load
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.moves import Conflict, NotAllowed


@pytest.fixture
def open_world(world: World) -> Iterator[World]:
    with everywhere(reason="arrange"), frozen(ASKED):
        yield world


@pytest.fixture
def claim(open_world: World) -> Claim:
    """A clean claim: its own card, its own papers, a hospital that is known."""
    return clean(open_world, 101, "6228480402564890018")


def clean(world: World, order: int, card: str, **facts: Any) -> Claim:
    member = world.member(order, f"王{order}")
    world.card(member, card)
    return world.claim(world.cover(member), 600_000, facts=facts or None)


def codes(claim: Claim) -> list[str]:
    """The codes of the open flags, computed anew."""
    screening.screen([claim])
    return [line.flag.code for line in flags_of(claim) if line.is_open]


def test_a_clean_claim_raises_no_flag(open_world: World, claim: Claim) -> None:
    other = clean(open_world, 103, "6217000010001234564")
    assert codes(claim) == codes(other) == []
    assert ClaimFlag.objects.count() == 0
    claim.refresh_from_db()
    assert claim.estimated_fen == 440_000


Harm = Callable[[World, Claim, Claim], Any]


def _stay(**changes: Any) -> Harm:
    return lambda world, claim, other: claim.admissions.update(**changes)


def _same(column: str) -> Harm:
    return lambda world, claim, other: Admission.objects.filter(claim__in=[claim, other]).update(**{column: "0012345678"})


def _same_file(world: World, claim: Claim, other: Claim) -> None:
    claim.documents.filter(pk=claim.documents.first().pk).update(sha256=other.documents.first().sha256)


def _overlap(world: World, claim: Claim, other: Claim) -> None:
    Claim.objects.filter(pk=other.pk).update(member=claim.member)


def _same_bill(world: World, claim: Claim, other: Claim) -> None:
    Claim.objects.filter(pk=other.pk).update(member=claim.member)
    Claim.objects.filter(pk__in=[claim.pk, other.pk]).update(event="outpatient")


def _overlap_rejected(world: World, claim: Claim, other: Claim) -> None:
    reviewer = world.cast.actor(world.cast.reviewer)
    adjudication.reject(other, by=reviewer, on=ASKED, reason_code="papers", clause="第六条", note="材料不全")
    _overlap(world, claim, other)


def _shared_account(world: World, claim: Claim, other: Claim) -> None:
    BankCard.objects.filter(pk=other.card_id).update(number_hash=claim.card.number_hash)


def _other_name(world: World, claim: Claim, other: Claim) -> None:
    BankCard.objects.filter(pk=claim.card_id).update(owner_name="李四")


def _in_waiting(world: World, claim: Claim, other: Claim) -> None:
    Enrolment.objects.filter(pk=claim.enrolment_id).update(waiting_until=date(2026, 5, 31))


def _soon(world: World, claim: Claim, other: Claim) -> None:
    ReviewRule.objects.create(office=world.cast.province, soon_days=200)


def _missing(world: World, claim: Claim, other: Claim) -> None:
    claim.documents.first().delete()


HARMS: dict[str, tuple[Harm, str]] = {
    "same_invoice": (_same("invoice_number"), "票据号码 0012345678 在申领 SL"),
    "same_settlement": (_same("setl_id"), "结算编号 0012345678 在申领 SL"),
    "same_file": (_same_file, "材料完全相同"),
    "same_bill": (_same_bill, "2026年5月20日的门诊费用 18,000.00 元，和申领 SL"),
    "overlapping_stay": (_overlap, "（2026年5月20日至2026年5月28日）重叠"),
    "overlaps_rejected": (_overlap_rejected, "请看那时为什么没有给付"),
    "shared_account": (_shared_account, "另外 1 位职工名下"),
    "account_name": (_other_name, "户名与申领人姓名不一致"),
    "outside_cover": (_stay(admitted_on=date(2025, 12, 30)), "入院日是2025年12月30日，不在保障期内"),
    "in_waiting": (_in_waiting, "等待期至2026年5月31日"),
    "total_does_not_add": (_stay(hosp_part_amt_fen=100), "相差 1.00 元"),
    "personal_does_not_add": (_stay(acct_pay_fen=250), "相差 2.50 元"),
    "missing_paper": (_missing, "缺少必需的材料"),
    "new_provider": (lambda world, claim, other: Claim.objects.filter(pk=claim.pk).update(hospital="某某医院"), "“某某医院”是第一次"),
    "soon_after_joining": (_soon, "首次参加后第 135 天"),
}


@contextmanager
def tried() -> Iterator[None]:
    """What is done inside is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# What is raised by more than a claim's own rows: tests/pages/test_filing.py, tests/claims/payouts/test_recoveries.py and below.
ELSEWHERE: dict[str, dict[str, Any]] = {
    "diagnosis_not_listed": {"diagnosis": "Z99.9"}, "filed_by_agent": {}, "filing_objected": {}, "claimed_by_heir": {"relation": "child"},
    "benefit_changed": {"paid_fen": 100, "before_fen": 300, "now_fen": 200},
}  # fmt: skip


def test_each_kind_is_raised_by_what_it_is_about_and_said_on_the_page(open_world: World, claim: Claim) -> None:
    other = clean(open_world, 103, "6217000010001234564")
    assert codes(claim) == []
    raised = [ClaimFlag(claim=claim, office_id=claim.office_id, code=code, figures=told) for code, told in ELSEWHERE.items()]
    for code, (harm, said) in HARMS.items():
        with tried():
            harm(open_world, claim, other)
            assert codes(claim) == [code]
            line = flags_of(claim)[0]
            assert said in line.words, code
            assert line.is_serious == (code not in ("new_provider", "soon_after_joining", "overlaps_rejected"))
            raised.append(ClaimFlag(claim=claim, office_id=claim.office_id, code=code, figures=line.flag.figures))
            with override("en"):
                assert flags_of(claim)[0].words != line.words
    assert {flag.code for flag in ClaimFlag.objects.bulk_create(raised)} == set(KINDS), "every kind has its test"
    page = unescape(client_of(open_world.cast.reviewer).get(reverse("admin:claim_review", args=[claim.pk])).content.decode())
    assert [line.flag.code for line in flags_of(claim) if line.words not in page] == []


DAYS: tuple[tuple[dict[str, Any], dict[str, Any] | None, str], ...] = (
    ({}, {"discharged_on": date(2027, 1, 9)}, "出院日是2027年1月9日"),
    ({"accident_on": date(2025, 12, 30)}, {}, "意外发生日是2025年12月30日"),
    ({"event": "diagnosis", "event_on": date(2025, 12, 30)}, None, "确诊日是2025年12月30日"),
    ({"event": "disease_death", "event_on": date(2026, 5, 1), "death_on": date(2027, 1, 1)}, None, "身故日是2027年1月1日"),
    ({"event": "accident_death", "accident_on": date(2026, 12, 30), "death_on": date(2027, 1, 1)}, None, ""),
)


def test_every_day_that_a_claim_rests_on_is_held_against_its_cover(open_world: World, claim: Claim) -> None:
    for told, stay, said in DAYS:
        with tried():
            Claim.objects.filter(pk=claim.pk).update(**told)
            claim.admissions.all().delete() if stay is None else stay and claim.admissions.update(**stay)
            codes(claim)
            found = [line.words for line in flags_of(claim) if line.flag.code == "outside_cover"]
            assert (len(found), said in "".join(found)) == (bool(said), True), told


NIGHTS = (
    ({}, (date(2026, 5, 28), date(2026, 6, 2)), False),  # the day of a transfer
    ({}, (date(2026, 5, 27), date(2026, 6, 2)), True),
    ({"event": "surgery"}, (date(2026, 5, 27), date(2026, 6, 2)), True),
    ({"event": "outpatient"}, (date(2026, 5, 27), date(2026, 5, 27)), False),
)


def test_a_person_is_in_one_hospital_a_night_whatever_is_claimed(open_world: World, claim: Claim) -> None:
    other, other_plan = clean(open_world, 103, "6217000010001234564"), load("national-inpatient.2026")
    rows = Claim.objects.filter(pk=other.pk)
    for of_other, days, found in NIGHTS:
        with tried():
            rows.update(member=claim.member, **of_other)
            other.admissions.update(admitted_on=days[0], discharged_on=days[1])
            assert ("overlapping_stay" in codes(claim)) == found
            rows.update(program=other_plan.program)
            assert ("overlapping_stay" in codes(claim)) == found, "other days told to another plan are no less a contradiction"
            rows.update(occasion=claim.occasion)
            assert "overlapping_stay" not in codes(claim), "one event under several plans shares its stays"


@pytest.mark.parametrize("said", ["已不予给付的申领", "已撤回的申领"])
def test_what_was_used_in_a_claim_that_came_to_nothing_is_said_so(open_world: World, claim: Claim, said: str) -> None:
    other = clean(open_world, 103, "6217000010001234564")
    for code in ("same_invoice", "same_settlement", "same_file"):
        HARMS[code][0](open_world, claim, other)
    if said == "已撤回的申领":
        intake.withdraw(other, by=open_world.worker(other.member))
    else:
        reviewer = open_world.cast.actor(open_world.cast.reviewer)
        adjudication.reject(other, by=reviewer, on=ASKED, reason_code="papers", clause="第六条", note="材料不全")
    assert codes(claim) == ["same_file", "same_invoice", "same_settlement"]
    assert all(f"{said} {other.number}" in line.words for line in flags_of(claim))
    Claim.objects.filter(pk=other.pk).update(office=open_world.cast.b)
    codes(claim)
    assert all(f"另一个办事处的{said}" in line.words for line in flags_of(claim))
    Claim.objects.filter(pk=other.pk).update(submitted_at=None)  # as one that was thrown away before it was sent in
    assert codes(claim) == []


def test_a_diagnosis_outside_the_plans_list_is_flagged(open_world: World, claim: Claim) -> None:
    women = load("national-women-two-years.2015")
    told = {"terms": women, "event": schedule_of(women).items[0].events[0], "diagnosis": "乳腺癌"}
    Claim.objects.filter(pk=claim.pk).update(**told, diagnosis_code="C50.9")
    assert "diagnosis_not_listed" not in codes(claim)
    Claim.objects.filter(pk=claim.pk).update(diagnosis_code="Z99.9")
    assert "diagnosis_not_listed" in codes(claim)


def test_a_known_hospital_and_a_renewal_are_not_flagged(open_world: World, claim: Claim) -> None:
    Claim.objects.filter(pk=claim.pk).update(hospital="榆林市第一医院")
    later = clean(open_world, 103, "6217000010001234564", hospital="榆林市第一医院")
    assert codes(later) == []
    for typed in ("榆林市 第一医院", "（榆林市）第一医院", "榆林市第一医院·", "榆林市\u3000第一医院"):
        Claim.objects.filter(pk=later.pk).update(hospital=typed)
        assert codes(later) == []
    Claim.objects.filter(pk=later.pk).update(hospital="榆林市第二医院")
    assert codes(later) == ["new_provider"]
    Claim.objects.filter(pk=later.pk).update(hospital="ﷺ" * 120)
    assert codes(later) == ["new_provider"]
    Claim.objects.filter(pk=later.pk).update(hospital="榆林市第一医院")
    ReviewRule.objects.create(office=open_world.cast.a, soon_days=200)
    Enrolment.objects.filter(pk=later.enrolment_id).update(first_time=False)
    assert codes(later) == []


def test_one_stay_claimed_from_two_plans_is_no_second_use(open_world: World, claim: Claim) -> None:
    second = open_world.claim(open_world.cover(claim.member, terms=load("national-inpatient.2026")), 600_000)
    Admission.objects.filter(claim__in=[claim, second]).update(invoice_number="0012345678")
    ClaimDocument.objects.filter(pk=second.documents.first().pk).update(sha256=claim.documents.first().sha256)
    assert codes(claim) == codes(second) == []


def test_another_office_is_mentioned_and_not_named(open_world: World, claim: Claim) -> None:
    other = clean(open_world, 103, "6217000010001234564")
    Claim.objects.filter(pk=other.pk).update(office=open_world.cast.b)
    _same("invoice_number")(open_world, claim, other)
    assert codes(claim) == ["same_invoice"]
    flag = claim.flags.get()
    assert "另一个办事处" in flags_of(claim)[0].words
    told = f"{flags_of(claim)[0].words} {flag.figures} {flag.subject}"
    assert other.number not in told
    assert other.member.name not in told
    assert [line.flag.code for line in flags_of(other)] == ["same_invoice"], "the other office is told too, as soon as this one is screened"
    with office_scope(Scope(offices=covers(open_world.cast.a))):
        assert [row.claim_id for row in ClaimFlag.objects.all()] == [claim.pk]


def test_neither_the_claimant_nor_the_unit_reads_a_flag(open_world: World, claim: Claim) -> None:
    _missing(open_world, claim, claim)
    assert codes(claim) == ["missing_paper"]
    with office_scope(Scope(member=claim.member_id, units=frozenset({open_world.unit.pk}), user=claim.member.user_id)):
        assert Claim.objects.filter(pk=claim.pk).exists()
        assert not ClaimFlag.objects.exists()


def test_sending_in_raises_the_flag_at_once_on_both_claims(open_world: World, claim: Claim) -> None:
    claim.admissions.update(invoice_number="0012345678")
    member = open_world.member(103, "王103")
    open_world.card(member, "6217000010001234564")
    second = open_world.claim(open_world.cover(member), 600_000)
    assert not second.flags.exists()
    adjudication.return_for_supplement(second, by=open_world.cast.actor(open_world.cast.reviewer), on=ASKED, note="请核对票据号码")
    second.admissions.update(invoice_number="0012345678")
    intake.supplement(second, by=open_world.worker(member), on=ASKED)
    assert [flag.code for flag in second.flags.all()] == [flag.code for flag in claim.flags.all()] == ["same_invoice"]


def test_what_no_longer_holds_lapses_and_what_was_dismissed_stays_dismissed(open_world: World, claim: Claim) -> None:
    other = clean(open_world, 103, "6217000010001234564")
    _same("invoice_number")(open_world, claim, other)
    assert codes(claim) == ["same_invoice"]
    reviewer = open_world.cast.actor(open_world.cast.reviewer)
    screening.dismiss(claim.flags.get(), by=reviewer, reason="同一张票据分两次报销，已核对原件")
    assert codes(claim) == []
    entry = AuditEntry.objects.get(entity="claims.claim", entity_id=claim.pk, action="dismiss_flag")
    assert (entry.actor_id, entry.details["flag"]) == (reviewer.user_id, "same_invoice")
    Admission.objects.filter(claim=other).update(invoice_number="")
    assert codes(claim) == []
    assert claim.flags.get().lapsed_at is not None
    assert flags_of(claim) == []


def test_what_was_dismissed_of_one_number_file_or_day_is_not_dismissed_of_another(open_world: World, claim: Claim) -> None:
    other = clean(open_world, 103, "6217000010001234564")
    reviewer = open_world.cast.actor(open_world.cast.reviewer)

    def dismissed() -> None:
        for line in (line for line in flags_of(claim) if line.is_open):
            screening.dismiss(line.flag, by=reviewer, reason="已核对原件")
        assert codes(claim) == []

    with tried():
        _same("invoice_number")(open_world, claim, other)
        assert codes(claim) == ["same_invoice"]
        dismissed()
        _same_file(open_world, claim, other)
        assert codes(claim) == ["same_file"]
        dismissed()
        Admission.objects.filter(claim__in=[claim, other]).update(invoice_number="99")
        claim.documents.filter(pk=claim.documents.last().pk).update(sha256=other.documents.last().sha256)
        assert codes(claim) == ["same_file", "same_invoice"]
        assert "票据号码 99 在" in " ".join(line.words for line in flags_of(claim))
    with tried():
        _overlap(open_world, claim, other)
        assert codes(claim) == ["overlapping_stay"]
        dismissed()
        other.admissions.update(discharged_on=date(2026, 5, 30))
        assert codes(claim) == ["overlapping_stay"]


def test_a_flag_is_dismissed_once_with_a_reason_and_by_somebody_else(open_world: World, claim: Claim) -> None:
    _missing(open_world, claim, claim)
    assert codes(claim) == ["missing_paper"]
    flag, reviewer = claim.flags.get(), open_world.cast.actor(open_world.cast.reviewer)
    with pytest.raises(screening.FlagRefused):
        screening.dismiss(flag, by=reviewer, reason="  ")
    cast = open_world.cast
    for nobody in (cast.actor(cast.payer), open_world.worker(claim.member), cast.actor(cast.outsider)):
        with pytest.raises(NotAllowed):
            screening.dismiss(flag, by=nobody, reason="已核对")
    screening.dismiss(flag, by=reviewer, reason="纸质原件已收")
    with pytest.raises(Conflict):
        screening.dismiss(flag, by=open_world.cast.actor(open_world.cast.approver), reason="我也核对过")
    flag.refresh_from_db()
    assert flag.dismissed_by_id == reviewer.user_id


def test_nobody_dismisses_a_flag_of_their_own_claim(open_world: World, claim: Claim) -> None:
    _missing(open_world, claim, claim)
    codes(claim)
    type(claim.member).objects.filter(pk=claim.member_id).update(user=open_world.cast.reviewer)
    with pytest.raises(NotAllowed):
        screening.dismiss(claim.flags.get(), by=open_world.cast.actor(open_world.cast.reviewer), reason="没问题")


def test_one_claim_or_twenty_take_the_same_statements(open_world: World, claim: Claim) -> None:
    def statements(claims: list[Claim]) -> int:
        with CaptureQueriesContext(connection) as seen:
            screening.screen(claims)
        return len(seen.captured_queries)

    one = statements([claim])
    cover = claim.enrolment
    many = [open_world.claim(cover, 10_000 + i) for i in range(6)]
    assert statements([claim, *many]) == one <= 11
    assert claim.flags.filter(code="overlapping_stay").count() == 6
