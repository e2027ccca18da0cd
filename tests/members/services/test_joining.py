"""Joining by oneself through the service: few statements whoever joins and whoever pays; children only with their guardian."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from claims.services import intake
from claims.services.intake import ClaimRefused
from members.models import Consent, ContributionDue, Enrolment, Evidence, JoinDraft, Member, Refund, Remittance, Voiding
from members.selectors.joining import offers, wards_of
from members.services import contributions, enrolment, joining, kin, people, refunds, voiding
from members.services.enrolment import EnrolmentRefused
from members.services.joining import JoinRefused
from members.services.people import PersonRefused
from members.services.refunds import RefundRefused
from programs.models import Terms
from tests.factories.clients import client_of
from tests.factories.world import JOINED, World, load, make_unit
from tests.pages.test_my_covers import FIVE, plan
from unionaid.lib.calendar import add_years, frozen, plus_days
from unionaid.lib.identity import IdNumber, make_id_number, parse_id_number
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.workflow.moves import NotAllowed

QUIET = ("SAVEPOINT", "RELEASE", "ROLLBACK TO")
MOST = 20


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(JOINED):
        yield


def as_worker(member: Member) -> AbstractContextManager[Any]:
    return office_scope(Scope(member=member.pk, user=member.user_id))


def number(born: date, order: int = 31) -> IdNumber:
    return parse_id_number(make_id_number("610802", born, order))


def drafted(world: World, terms: Terms, holder: Member, *, child: Member | None = None) -> JoinDraft:
    """A draft that wants nothing but sending in; for oneself or for the child."""
    by = world.worker(holder)
    draft = joining.begin(holder, terms, by=by)
    if child:
        joining.choose_person(draft, relation="minor_child", member=child, by=by)
    kind = "relation" if child else "contract"
    joining.add_paper(draft, kind=kind, upload=CleanUpload("image/jpeg", b"j", "p.jpg", f"{draft.pk:064d}"), by=by)
    return draft


def test_what_units_join_nobody_begins_alone(world: World) -> None:
    """Nor sends in what was begun before the service asked."""
    with everywhere(reason="arrange"), frozen(JOINED):
        holder, terms = world.member(101), plan("units-only", {"enrolment": {"individual": False}})
        with pytest.raises(joining.JoinRefused, match="由单位统一参加"):
            joining.begin(holder, terms, by=world.worker(holder))
        assert not JoinDraft.objects.exists()
        old = JoinDraft.objects.create(holder=holder, terms=terms, relation="self", member=holder)
        with pytest.raises(joining.JoinRefused, match="由单位统一参加"):
            joining.submit(old, by=world.worker(holder), on=JOINED)
        assert not Enrolment.objects.exists()


def sent_in(world: World, draft: JoinDraft, holder: Member) -> int:
    """How many statements sending it in takes; everything that changes nothing stays out of the count."""
    with as_worker(holder), CaptureQueriesContext(connection) as captured:
        joining.submit(draft, by=world.worker(holder), on=JOINED)
    return sum(not query["sql"].startswith(QUIET) for query in captured.captured_queries)


def for_oneself(world: World) -> int:
    with everywhere(reason="arrange"):
        holder = world.member(101)
        draft = drafted(world, plan("five", {"contribution": {"per_share": "125", "payers": FIVE}}), holder)
    return sent_in(world, draft, holder)


def for_a_child(world: World) -> int:
    with everywhere(reason="arrange"):
        holder = world.member(101)
        terms = load("national-children-accident.2026")
        child = people.add_child(holder, name="小宝", id_number=number(date(2018, 5, 1)), by=world.worker(holder), on=JOINED)
        draft = drafted(world, terms, holder, child=child)
    return sent_in(world, draft, holder)


@pytest.mark.parametrize("join", [for_oneself, for_a_child])
def test_joining_takes_at_most_twenty_statements(world: World, join: Callable[[World], int]) -> None:
    assert join(world) <= MOST
    with everywhere(reason="look"):
        made = Enrolment.objects.get()
        dues, paper = list(ContributionDue.objects.all()), Evidence.objects.get()
        assert sum(due.amount_fen for due in dues) == made.contribution_fen
        assert {due.enrolment_id for due in dues} == {paper.enrolment_id} == {made.pk}
        assert not JoinDraft.objects.exists()


# -- children and their guardian ------------------------------------------------------------------------------------


@pytest.fixture
def guardian(world: World) -> Member:
    with everywhere(reason="arrange"):
        return world.member(101)


def enrolled(world: World, holder: Member, child: Member, terms: Terms, on: date = JOINED) -> Enrolment:
    with everywhere(reason="arrange"):
        child.refresh_from_db()
    with as_worker(holder):
        return enrolment.enrol(
            member=child, holder=holder, relation="minor_child", terms=terms, shares=1, unit=world.unit, on=on, by=world.worker(holder)
        )


def registered(world: World, holder: Member, born: date) -> Member:
    with everywhere(reason="arrange"):
        return people.add_child(holder, name="小宝", id_number=number(born), by=world.worker(holder), on=JOINED)


def confirmed(world: World, child: Member, guardian: Member) -> None:
    """The office has seen the household paper."""
    with everywhere(reason="arrange"):
        kin.confirm_guardian(child, guardian, office_id=world.cast.a.pk, by=world.cast.actor(world.cast.reviewer))


def seen_by(worker: Member) -> list[int]:
    """The people a worker's own pages show."""
    with as_worker(worker):
        return sorted(Member.objects.values_list("pk", flat=True))


def without_ages() -> Terms:
    """A plan for children that names no age."""
    return plan("children", {"enrolment": {"relations": ["self", "minor_child"], "ages": None}})


@pytest.mark.parametrize(("days", "joins"), [(0, False), (1, True)])
def test_a_child_is_under_eighteen_when_cover_starts_whatever_the_plan_says(world: World, guardian: Member, days: int, joins: bool) -> None:
    """Cover starts on the day after joining: whoever turns 18 that day is no minor child any more."""
    terms, first = without_ages(), plus_days(JOINED, 1)
    child = registered(world, guardian, plus_days(add_years(first, -18), days))
    if joins:
        assert enrolled(world, guardian, child, terms).relation == "minor_child"
        return
    with pytest.raises(EnrolmentRefused, match="已满 18 周岁"):
        enrolled(world, guardian, child, terms)


@pytest.mark.parametrize(
    ("order", "relations", "relation", "standing"),
    [
        (101, ["self", "spouse"], "spouse", "yes"),
        (102, ["self", "spouse"], "self", "yes"),
        (101, ["self"], "self", "no"),  # the control: a man, and nobody else may be joined
    ],
)
def test_a_plan_for_women_that_takes_wives_is_open_to_a_man_for_his_wife(
    world: World, order: int, relations: list[str], relation: str, standing: str
) -> None:
    terms = plan("wives", {"enrolment": {"gender": "female", "relations": relations, "ages": None}})
    with everywhere(reason="arrange"):
        worker = world.member(order)
        (found,) = [one for one in offers(worker, on=JOINED) if one.terms == terms]
    assert (found.relation, found.standing) == (relation, standing)


def test_whoever_is_eighteen_is_not_registered_as_a_child(world: World, guardian: Member) -> None:
    with pytest.raises(PersonRefused, match="已满 18 周岁"):
        registered(world, guardian, add_years(JOINED, -18))
    child = registered(world, guardian, plus_days(add_years(JOINED, -18), 1))
    confirmed(world, child, guardian)
    with as_worker(guardian):
        offered = [[one.pk for one in wards_of(guardian, on=plus_days(JOINED, later))] for later in (0, 1)]
    assert offered == [[child.pk], []], "whoever has turned 18 is not offered as a child any more"


def test_a_child_joins_through_its_guardian_alone(world: World, guardian: Member) -> None:
    terms, child = without_ages(), registered(world, guardian, date(2018, 5, 1))
    confirmed(world, child, guardian)
    with everywhere(reason="arrange"):
        other = world.member(103, "别人")
        assert Consent.objects.filter(member=child, purpose="minor").count() == 1
    with pytest.raises(EnrolmentRefused, match="登记的监护人"):
        enrolled(world, other, child, terms)
    assert registered(world, other, date(2018, 5, 1)).pk != child.pk, "what another tells of it stands apart"
    with everywhere(reason="look"):
        assert Consent.objects.filter(member=child, purpose="minor").count() == 1


def test_a_name_and_a_number_make_nobody_a_guardian_until_the_office_has_seen_the_paper(world: World, guardian: Member) -> None:
    with everywhere(reason="arrange"):
        child = people.register_member(people.NewPerson("小宝", number(date(2018, 5, 1)), office_id=world.cast.b.pk))
    assert registered(world, guardian, date(2018, 5, 1)).guardian_id is None
    assert seen_by(guardian) == [guardian.pk]
    cover = enrolled(world, guardian, child, without_ages())
    assert (cover.holder_id, seen_by(guardian)) == (guardian.pk, [guardian.pk]), "joining for the child shows nothing else of it"
    for who in (world.worker(guardian), world.cast.actor(world.cast.outsider), world.cast.actor(world.cast.auditor)):
        with everywhere(reason="arrange"), pytest.raises(NotAllowed):
            kin.confirm_guardian(child, guardian, office_id=cover.office_id, by=who)
    confirmed(world, child, guardian)
    assert seen_by(guardian) == sorted([guardian.pk, child.pk]), "the control: bound, the worker sees the child"
    with everywhere(reason="arrange"):
        other = world.member(103, "别人")
    with pytest.raises(PersonRefused, match="另一位"):
        confirmed(world, child, other)


def test_a_number_known_otherwise_is_answered_like_one_that_nobody_knows(world: World, guardian: Member) -> None:
    """Another name, another guardian, a spouse of another name: the worker goes on and learns nothing; the record stays as it was."""
    child = registered(world, guardian, date(2018, 5, 1))
    confirmed(world, child, guardian)
    with everywhere(reason="arrange"):
        spouse = a_stranger(world, date(1991, 3, 8))
        other = world.member(103, "别人")
        by, before = world.worker(other), (where(child), where(spouse))
        acts = {
            "another guardian": lambda: people.add_child(other, name="小宝", id_number=number(date(2018, 5, 1)), by=by, on=JOINED),
            "another name": lambda: people.add_child(other, name="大宝", id_number=number(date(2018, 5, 1)), by=by, on=JOINED),
            "spouse": lambda: people.add_spouse(other, name="李艾人", id_number=number(date(1991, 3, 8)), by=by),
            "nobody knows": lambda: people.add_spouse(other, name="孙某", id_number=number(date(1992, 3, 8)), by=by),
        }
        made = {name: act() for name, act in acts.items()}
        again = {name: act().pk for name, act in acts.items()}
    assert len({one.pk for one in made.values()} - {child.pk, spouse.pk}) == 4
    assert again == {name: one.pk for name, one in made.items()}, "the same words find the same record"
    assert [one.name for one in made.values()] == ["小宝", "大宝", "李艾人", "孙某"]
    assert (where(child), where(spouse)) == before
    assert seen_by(other) == [other.pk]
    with everywhere(reason="look"):
        told = people.numbers_of([one.pk for one in made.values()])
    assert [told[one.pk][0] for one in made.values()] == [number(date(2018, 5, 1)).number] * 2 + [
        number(date(y, 3, 8)).number for y in (1991, 1992)
    ]


def test_a_withdrawn_consent_is_asked_for_again(world: World, guardian: Member) -> None:
    terms, child = without_ages(), registered(world, guardian, date(2018, 5, 1))
    with everywhere(reason="arrange"):
        Consent.objects.filter(member=child).update(withdrawn_at="2026-01-01T00:00:00+08:00")
    with pytest.raises(EnrolmentRefused, match="监护人同意"):
        enrolled(world, guardian, child, terms)
    registered(world, guardian, date(2018, 5, 1))
    assert enrolled(world, guardian, child, terms).member_id == child.pk
    with everywhere(reason="look"):
        assert Consent.objects.filter(member=child, purpose="minor").count() == 2


def test_cover_through_the_other_parent_counts_as_renewal(world: World, guardian: Member) -> None:
    """Continuity belongs to the person and the program, whoever it was that joined for them."""
    change = {"waiting": {"days": 30, "waived_on_renewal_within_days": 60}, "enrolment": {"relations": ["minor_child"], "ages": None}}
    terms, child = plan("children", change), registered(world, guardian, date(2018, 5, 1))
    first = enrolled(world, guardian, child, terms)
    assert (first.first_time, first.waiting_waived) == (True, False)
    with everywhere(reason="arrange"):
        other, due = world.member(103, "另一方"), first.dues.get()
        contributions.confirm(
            due, payer_name="家长", bank_reference="B1", received_on=JOINED, amount_fen=due.amount_fen, remark="", by=SYSTEM, on=JOINED
        )
        Enrolment.objects.filter(pk=first.pk).update(cover=DateRange(date(2025, 1, 1), JOINED))
        Member.objects.filter(pk=child.pk).update(guardian=other)
    second = enrolled(world, other, child, terms)
    assert (second.first_time, second.waiting_waived) == (False, True)


def test_a_draft_without_person_or_paper_is_not_sent_in(world: World, guardian: Member) -> None:
    with everywhere(reason="arrange"):
        terms = load("national-children-accident.2026")
        draft = joining.begin(guardian, terms, by=world.worker(guardian))
    for words in ("为谁参加", "证明材料"):
        with as_worker(guardian), pytest.raises(JoinRefused, match=words):
            joining.submit(draft, by=world.worker(guardian), on=JOINED)
        child = registered(world, guardian, date(2018, 5, 1))
        with everywhere(reason="arrange"):
            joining.choose_person(draft, relation="minor_child", member=child, by=world.worker(guardian))


# -- whoever is known elsewhere stays there ---------------------------------------------------------------------------


def a_stranger(world: World, born: date) -> Member:
    """Known through a unit of the other office."""
    there, _agent = make_unit(world.cast.b, "91610100MA70A1B3D")
    new = people.NewPerson("李爱人", number(born), office_id=world.cast.b.pk, unit_id=there.pk)
    return people.register_member(new)


def where(member: Member) -> tuple[int | None, int | None, list[int], list[int]]:
    with everywhere(reason="look"):
        fresh = Member.objects.get(pk=member.pk)
    return fresh.office_id, fresh.unit_id, fresh.office_ids, fresh.unit_ids


def test_naming_a_known_spouse_or_child_moves_nobody_and_shows_them_to_nobody(world: World, guardian: Member) -> None:
    """To know a name and a number is not enough to have the worker's office see somebody."""
    by, grown, small = world.worker(guardian), date(1991, 3, 8), date(2018, 5, 1)
    with everywhere(reason="arrange"):
        spouse = a_stranger(world, grown)
        child = people.register_member(
            people.NewPerson("小宝", number(small), office_id=spouse.office_id, unit_id=spouse.unit_id)
        )
        before = where(spouse)
        assert before == where(child)
        assert people.add_spouse(guardian, name="李爱人", id_number=number(grown), by=by).pk == spouse.pk
        assert people.add_child(guardian, name="小宝", id_number=number(small), by=by, on=JOINED).pk == child.pk
    assert where(spouse) == where(child) == before


def test_once_a_child_has_joined_the_office_sees_it_and_its_own_office_stays(world: World, guardian: Member) -> None:
    with everywhere(reason="arrange"):
        there = world.cast.b.pk
        child = people.register_member(people.NewPerson("小宝", number(date(2018, 5, 1)), office_id=there))
    registered(world, guardian, date(2018, 5, 1))
    with everywhere(reason="arrange"):
        terms = load("national-children-accident.2026")
    enrolled(world, guardian, child, terms)
    assert where(child) == (there, None, sorted([there, world.cast.a.pk]), [world.unit.pk])


# -- whose number is known otherwise: the office settles it --------------------------------------------------------


@pytest.fixture
def told(world: World, guardian: Member) -> tuple[Enrolment, Member]:
    """A spouse joined under a name that is not the one on record, and their contribution has come; the person on record."""
    with everywhere(reason="arrange"):
        known, terms = a_stranger(world, date(1991, 3, 8)), plan("family", {"enrolment": {"relations": ["self", "spouse"]}})
        spouse = people.add_spouse(guardian, name="李艾人", id_number=number(date(1991, 3, 8)), by=world.worker(guardian))
    cover = joined_by_spouse(world, guardian, spouse, terms)
    return cover, known


def joined_by_spouse(world: World, holder: Member, spouse: Member, terms: Terms) -> Enrolment:
    by = world.worker(holder)
    with as_worker(holder):
        cover = enrolment.enrol(member=spouse, holder=holder, relation="spouse", terms=terms, shares=1, unit=world.unit, on=JOINED, by=by)
    with everywhere(reason="arrange"):
        for due in cover.dues.all():
            contributions.confirm(
                due, payer_name="甲", bank_reference=f"S{due.pk}", received_on=JOINED, amount_fen=due.amount_fen, remark="", by=SYSTEM,
                on=JOINED,
            )  # fmt: skip
        cover.refresh_from_db()
    return cover


def test_the_office_settles_with_the_paper_who_it_is(world: World, guardian: Member, told: tuple[Enrolment, Member]) -> None:
    """Nothing is claimed before; then the cover is the known person's, with what they had before, and the same words find them."""
    cover, known = told
    by, desk = world.worker(guardian), client_of(world.cast.reviewer)
    record, settle = (reverse(f"admin:{name}", args=[cover.pk]) for name in ("enrolment", "enrolment_identity"))
    assert cover.state == "effective"
    with as_worker(guardian), pytest.raises(ClaimRefused, match="核对这位家人的证件"):
        intake.open_claim(enrolment=cover, claimant=guardian, event="admission", by=by, on=JOINED)
    assert "待核实身份的家人" in desk.get("/admin/").content.decode()
    assert "李艾人" in desk.get(reverse("admin:members_enrolment_changelist") + "?identity=open").content.decode()
    page = desk.get(record).content.decode()
    assert "照证件填写姓名" in page
    assert "李爱人" not in page, "another office's record is not shown"
    assert desk.post(settle, {"name": ""}).status_code == 400
    wrong = desk.post(settle, {"name": "李艾人"})
    assert (wrong.status_code, "和这个身份证号登记的姓名不一致" in wrong.content.decode()) == (400, True)
    assert client_of(world.cast.outsider).post(settle, {"name": "李爱人"}).status_code == 404
    assert desk.post(settle, {"name": "李爱人"}).status_code == 302
    with everywhere(reason="look"):
        cover.refresh_from_db()
        assert cover.member_id == known.pk
        assert people.add_spouse(guardian, name="李艾人", id_number=number(date(1991, 3, 8)), by=by).pk == known.pk
    assert "照证件填写姓名" not in desk.get(record).content.decode()
    assert desk.post(settle, {"name": "李爱人"}).status_code == 409
    with as_worker(guardian):
        assert intake.open_claim(enrolment=cover, claimant=guardian, event="admission", by=by, on=JOINED).member_id == known.pk


def test_a_name_that_nobody_answers_for_is_taken_from_the_paper(world: World, guardian: Member, told: tuple[Enrolment, Member]) -> None:
    cover, known = told
    by = world.cast.actor(world.cast.reviewer)
    with everywhere(reason="arrange"):
        with pytest.raises(PersonRefused, match="不一致"):
            kin.settle(cover, name_on_paper="李艾人", by=by, on=JOINED)
        Member.objects.filter(pk=known.pk).update(unit=None)
        assert kin.settle(cover, name_on_paper="李艾人", by=by, on=JOINED).person.name == "李艾人"


def test_what_is_too_much_for_the_known_person_is_voided_on_the_page_that_settles_who_it_is(world: World, guardian: Member) -> None:
    """The paper is seen, one share too many: which is void is chosen there. Where it was paid for another person agrees first, and who
    it is stays open until then; what nobody paid for is void at once. Without a choice nothing is settled."""
    rules = {"relations": ["self", "spouse"], "shares": {"max": 2, "together_with": [world.yulin.program.code]}}
    with everywhere(reason="arrange"):
        known, terms = a_stranger(world, date(1991, 3, 8)), plan("family", {"enrolment": rules})
        spouse = people.add_spouse(guardian, name="李艾人", id_number=number(date(1991, 3, 8)), by=world.worker(guardian))
        cover = joined_by_spouse(world, guardian, spouse, terms)
        beside, there = (
            Enrolment.objects.create(
                office_id=office.pk, member=known, holder=known, program=world.yulin.program, terms=world.yulin, shares=shares,
                cover=DateRange(*days), contribution_fen=0, state="effective",
            )
            for office, shares, days in (
                (world.cast.a, 2, (date(2025, 6, 1), date(2026, 6, 1))), (world.cast.b, 1, (date(2026, 6, 1), date(2026, 6, 2)))
            )
        )  # fmt: skip
        there.cover = DateRange(date(2024, 1, 1), date(2025, 1, 1))
        there.save()
    desk, settle = client_of(world.cast.reviewer), reverse("admin:enrolment_identity", args=[cover.pk])
    for void in ("", there.pk, "x"):
        page = desk.post(settle, {"name": "李爱人", "void": void})
        assert (page.status_code, "多出 1 份" in page.content.decode()) == (400, True)
        assert "：整份作废（1 份）" in page.content.decode()
        assert "：2 份中作废 1 份" in page.content.decode()
    assert "多出" not in desk.post(settle, {"name": "李艾人"}).content.decode(), "what they have is shown to whoever saw the paper"
    assert desk.post(settle, {"name": "李爱人", "void": cover.pk}).status_code == 302
    assert "复核后请回到这里再核对一次身份" in desk.get(reverse("admin:enrolment", args=[cover.pk])).content.decode()
    with everywhere(reason="act"):
        cover.refresh_from_db()
        proposed = Voiding.objects.get(enrolment=cover)
        assert (proposed.state, proposed.shares, cover.state, cover.member_id) == ("proposed", None, "effective", spouse.pk)
        voiding.drop(proposed, by=world.cast.actor(world.cast.payer), note="保留这一份")
    assert client_of(world.cast.payer).post(settle, {"name": "李爱人", "void": beside.pk}).status_code == 302
    with everywhere(reason="look"):
        for one in (cover, beside):
            one.refresh_from_db()
        done = Voiding.objects.get(enrolment=beside)
        assert (done.state, done.shares, beside.shares, beside.state) == ("done", 1, 1, "effective")
        assert (cover.member_id, cover.shares, cover.state) == (known.pk, 1, "effective")


def test_whoever_is_covered_already_is_not_covered_twice_and_the_money_goes_back(
    world: World, guardian: Member, told: tuple[Enrolment, Member]
) -> None:
    """Settling who it is proposes to void the second cover; another person agrees; what was paid for it may be refunded, once."""
    cover, known = told
    desk, record = client_of(world.cast.reviewer), reverse("admin:enrolment", args=[cover.pk])
    with everywhere(reason="arrange"):
        own = joined_by_spouse(world, guardian, known, cover.terms)
        paid = Remittance.objects.get(bank_reference=f"S{cover.dues.get().pk}")
    assert desk.post(reverse("admin:enrolment_identity", args=[cover.pk]), {"name": "李爱人"}).status_code == 302
    page = desk.get(record).content.decode()
    assert "重复的一份已提出作废" in page
    assert "待核实身份的家人" in desk.get("/admin/").content.decode().split("已清空")[1]
    with everywhere(reason="look"):
        cover.refresh_from_db()
        proposed = Voiding.objects.get(enrolment=cover)
        assert (cover.state, cover.member_id == known.pk, proposed.state, proposed.with_money) == ("effective", False, "proposed", True)
        with pytest.raises(RefundRefused):  # the money is still owed
            _refund(world, paid, cover.contribution_fen)
    with as_worker(guardian), pytest.raises(ClaimRefused, match="核对这位家人的证件"):
        intake.open_claim(enrolment=cover, claimant=guardian, event="admission", by=world.worker(guardian), on=JOINED)
    with everywhere(reason="act"):
        with pytest.raises(NotAllowed):
            voiding.release(proposed, by=world.cast.actor(world.cast.reviewer), on=JOINED)
        voiding.release(proposed, by=world.cast.actor(world.cast.payer), on=JOINED)
        cover.refresh_from_db()
        own.refresh_from_db()
        assert (cover.state, own.state, own.member_id) == ("void", "effective", known.pk)
        assert _refund(world, paid, cover.contribution_fen).state == "proposed"
        with pytest.raises(RefundRefused):
            _refund(world, paid, 1)


def _refund(world: World, paid: Remittance, fen: int) -> Refund:
    return refunds.propose(
        paid, reason="void", amount_fen=fen, payee_name="甲", bank_name="农业银行", account_number="6228480402564890018",
        by=world.cast.actor(world.cast.payer), on=JOINED,
    )  # fmt: skip
