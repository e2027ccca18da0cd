"""A draft run over a past year: what it would have cost, to the fen; and that not one real row is touched by it."""

import hashlib
import io
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override
from python_calamine import CalamineWorkbook

from claims.models import Admission, Claim, Rehearsal, Review
from claims.selectors import past_claims, rehearsed
from claims.selectors.past_claims import Looked, people_with_cases
from claims.selectors.rehearsed import REASON_WORDS, compared, found_in, tables_of
from claims.services import adjudication
from claims.services import rehearsal as rehearsals
from claims.services.rehearsal import RehearsalRefused, reading_only
from members.models import Enrolment, Member
from programs.models import Terms
from programs.rules.planfile import read_plan
from programs.rules.rehearsal import Tally
from programs.selectors import schedule_of
from programs.services import load_plan
from tests.factories.clients import client_of
from tests.factories.world import ASKED, CATALOGUE, JOINED, World, load, make_world
from unionaid.lib.calendar import SHANGHAI, frozen
from unionaid.offices.roles import SYSTEM
from unionaid.offices.row_security import put_up
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import Job
from unionaid.workflow.moves import NotAllowed

YULIN = "shaanxi-yulin-medical.2026"
BANDS = [{"over": "0", "up_to": "2000", "ratio": "0.90"}, {"over": "2000", "ratio": "0.50"}]
NOON = datetime(2026, 7, 1, 12, tzinfo=SHANGHAI)
CRITICAL = "national-critical-illness.2026"


@pytest.fixture(autouse=True)
def in_chinese() -> Iterator[None]:
    """As the worker does it, whatever a page has activated before."""
    with override(settings.LANGUAGE_CODE):
        yield


def draft(change: Callable[[dict[str, Any]], None], name: str = YULIN) -> Terms:
    """A plan of the catalogue, a year later and changed, as a draft."""
    data = yaml.safe_load((CATALOGUE / f"{name}.yaml").read_text("utf-8"))
    data |= {"version": "2027", "period": {"start": date(2027, 1, 1), "end": date(2027, 12, 31)}, "examples": []}
    change(data)
    return load_plan(read_plan(yaml.safe_dump(data, allow_unicode=True).encode(), source="draft"), by=SYSTEM).terms


def dearer_and_capped(data: dict[str, Any]) -> None:
    """90 % up to 2,000, 50 % above, 6,000 in the period, for 150 yuan."""
    data["contribution"]["per_share"] = "150"
    data["items"][0]["steps"] = [
        {"take": "self_pay"},
        {"marginal": {"per": "case", "bands": BANDS}},
        {"ceiling": {"amount": "6000", "scope": "period", "key": "plan"}},
    ]
    data["items"][1]["steps"][-1]["ceiling"]["amount"] = "6000"


def approve(world: World, claim: Claim) -> Claim:
    adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
    return adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)


def reject(world: World, claim: Claim, reason: str) -> Claim:
    by = world.cast.actor(world.cast.reviewer)
    Review.objects.create(claim=claim, decision="reject", by_id=by.user_id, at=NOON, reason_code=reason)  # the database has its own clock
    return adjudication.reject(claim, by=by, on=ASKED, reason_code=reason, clause="第七条", note="不在范围")


def ask(world: World, terms: Terms, year: int = 2026, **more: Any) -> Rehearsal:
    """By the office's manager; drafts of national plans are headquarters' to see."""
    by = world.cast.manager if terms.program.office_id else world.cast.hq_user
    with everywhere(reason="arrange"), frozen(ASKED):
        return rehearsals.request(terms, world.cast.a, year, by=world.cast.actor(by), **more)


def work() -> None:
    with frozen(ASKED):
        run_due("reports")


def result(asked: Rehearsal) -> Rehearsal:
    with everywhere(reason="look"):
        found = Rehearsal.objects.select_related("office", "terms__program").get(pk=asked.pk)
    assert found.frozen_at is not None
    return found


def run(world: World, terms: Terms, **more: Any) -> tuple[Rehearsal, Tally]:
    """Asked for and run to its end by the job."""
    asked = ask(world, terms, **more)
    work()
    found = result(asked)
    return found, found_in(found)[0]


@pytest.fixture
def past(world: World) -> World:
    """Four people; 王 has two claims, 李 one, 张 one that the rules refused and one that lacked papers, 赵 none."""
    return decided(world)


def decided(world: World) -> World:
    with everywhere(reason="arrange"), frozen(ASKED):
        covers = [world.cover(world.member(101 + 2 * i, name)) for i, name in enumerate(("王小明", "李梅", "张三丰", "赵云"))]
        approve(world, world.claim(covers[0], 600_000))
        approve(world, world.claim(covers[0], 1_000_000))
        approve(world, world.claim(covers[1], 100_000))
        reject(world, world.claim(covers[2], 150_000), "not_listed")
        reject(world, world.claim(covers[2], 990_000), "papers")
        world.claim(covers[3], 700_000)  # not decided
    return world


@pytest.fixture
def capped(past: World) -> Terms:
    with everywhere(reason="arrange"):
        return draft(dearer_and_capped)


# -- the figures ---------------------------------------------------------------------------------------------------


def test_sums_by_hand(past: World, capped: Terms) -> None:
    """Before 4,400 + 7,200 + 800 + 0. After: 1,800 + 2,000 = 3,800; then 5,800 of which 2,200 are left; 900; 1,350."""
    _found, tally = run(past, capped)
    assert (tally.claims, tally.people, tally.before_claims, tally.after_claims) == (4, 3, 3, 4)
    assert (tally.before_fen, tally.after_fen) == (1_240_000, 825_000)
    item = tally.items["inpatient"]
    assert (item.claims, item.people, item.fen, item.refused) == (4, 3, 825_000, {})


def test_only_whose_last_cover_ended_shortly_before_counts_as_renewing(past: World) -> None:
    """王 was covered until 2020, 李 until the end of 2025, 张 never."""
    ages = [{"from": 16, "to": 30, "renewal": False}, {"from": 16, "to": 120, "renewal": True}]
    with everywhere(reason="arrange"):
        for name, end in (("王小明", date(2020, 1, 1)), ("李梅", date(2026, 1, 1))):
            cover = Enrolment.objects.get(member__name=name)
            cover.pk, cover.public_id, cover.cover = None, uuid.uuid4(), DateRange(date(end.year - 1, 1, 1), end)
            cover.save(force_insert=True)
        schedule = schedule_of(draft(lambda data: data["enrolment"].update(ages=ages)))
        since, until = NOON.replace(month=1, day=1, hour=0), NOON.replace(year=2027, month=1, day=1, hour=0)
        looked = Looked(frozenset({past.cast.a.pk}), (past.yulin.program_id,), since, until)
        found = [case for own in people_with_cases(looked, schedule, after=0, up_to=2**62) for case in own]
        names = dict(Member.objects.values_list("pk", "name"))
    assert {names[case.who]: case.person.renewal for case in found} == {"王小明": False, "李梅": True, "张三丰": False}


def test_cost_by_band_and_step(past: World, capped: Terms) -> None:
    found, tally = run(past, capped)
    said = {key[1:]: (one.times, str(one.inside.normalize()), str(one.given.normalize())) for key, one in tally.steps.items()}
    assert said == {
        (0, "take", ""): (4, "0", "1.85E+4"),
        (1, "band", "0"): (4, "6.5E+3", "5.85E+3"),
        (1, "band", "2000"): (2, "1.2E+4", "6E+3"),
        (1, "marginal", ""): (4, "1.85E+4", "1.185E+4"),
        (2, "ceiling", ""): (4, "1.185E+4", "8.25E+3"),
    }
    steps = next(table for table in tables_of(found) if table.title == "各步骤和分段的金额")
    assert [row[1:] for row in steps.rows] == [
        ["以个人自付（不含自费）为基数", 4, None, 1_850_000],
        ["　0.00 元至 2,000.00 元的部分 × 90%", 4, 650_000, 585_000],
        ["　2,000.00 元以上的部分 × 50%", 2, 1_200_000, 600_000],
        ["各段相加", 4, 1_850_000, 1_185_000],
        ["本保障期内封顶 6,000.00 元（本计划各项合计）", 4, 1_185_000, 825_000],
        ["给付（取整到分）", 4, None, 825_000],
    ]


def test_winners_and_losers_by_name_masked(past: World, capped: Terms) -> None:
    found, tally = run(past, capped)
    assert (tally.gain_claims, tally.gain_fen, tally.newly_paid) == (2, 145_000, 1)
    assert (tally.loss_claims, tally.loss_fen, tally.no_longer_paid) == (2, 560_000, 0)
    assert [(one[0], *one[4:]) for one in tally.losses] == [(500_000, 720_000, 220_000), (60_000, 440_000, 380_000)]
    gains = next(table for table in tables_of(found) if table.title.startswith("给付增加最多"))
    assert [row[1:] for row in gains.rows] == [["张**", 0, 135_000, 135_000], ["李*", 80_000, 90_000, 10_000]]
    assert "王小明" not in str(found.result)


def test_loss_ratio_before_and_after(past: World, capped: Terms) -> None:
    """12,400 ÷ (4 × 125) and 8,250 ÷ (4 × 150)."""
    found, tally = run(past, capped)
    sides = compared(tally, found_in(found)[1])
    assert sides.contributions_fen == (50_000, 60_000)
    assert [str(one) for one in sides.ratios] == ["24.8000", "13.7500"]


def test_the_terms_of_the_time_give_what_was_decided(past: World) -> None:
    """The rehearsal and the real decision are the same computation."""
    with everywhere(reason="arrange"), frozen(ASKED):
        cover = past.cover(past.member(201), terms=load(CRITICAL))
        told = {"event_on": date(2026, 5, 20), "diagnosis": "急性心肌梗死", "hospital": "榆林市第一医院", "diagnosis_code": "I21.0"}
        for kind in ("critical_mild", "critical_severe"):
            approve(past, past.claim(cover, 0, event="diagnosis", facts={**told, "diagnosis_class": kind}))
        critical = cover.terms
    for terms, paid in ((past.yulin, 1_240_000), (critical, 1_000_000)):
        _found, tally = run(past, terms)
        assert (tally.before_fen, tally.loss_claims, tally.unknown_claims) == (paid, 0, 0)
        assert tally.gain_claims == tally.newly_paid  # only what the reviewer had refused


def test_a_disease_paid_before_the_year_is_not_paid_again(past: World) -> None:
    with everywhere(reason="arrange"), frozen(ASKED):
        cover = past.cover(past.member(201), terms=load(CRITICAL))
        told = {"event_on": date(2026, 5, 20), "diagnosis": "心梗", "hospital": "榆林市第一医院", "diagnosis_class": "critical_mild"}
        made = [approve(past, past.claim(cover, 0, event="diagnosis", facts={**told, "diagnosis_code": f"I2{i}.0"})) for i in (1, 5)]
        Claim.objects.filter(pk=made[0].pk).update(approved_at=datetime(2025, 12, 31, 23, 59, tzinfo=SHANGHAI))

        def once(data: dict[str, Any]) -> None:
            data["items"][0]["steps"] = [{"fixed": "5000"}]

        terms = draft(once, CRITICAL)
    _found, tally = run(past, terms)
    assert (tally.claims, tally.before_fen, tally.after_fen) == (1, 300_000, 500_000)
    with everywhere(reason="arrange"):  # the same disease now
        Claim.objects.filter(pk=made[1].pk).update(diagnosis_code="I21.9")
    _found, tally = run(past, terms)
    assert (tally.claims, tally.after_fen, tally.no_longer_paid) == (1, 0, 1)
    assert tally.items["critical"].refused == {"disease_paid": 1}
    with everywhere(reason="arrange"):  # the earlier one told by its class alone
        Claim.objects.filter(pk=made[0].pk).update(diagnosis_code="")
    _found, tally = run(past, terms)
    assert (tally.claims, tally.after_fen, tally.no_longer_paid) == (1, 0, 1)


def test_a_fact_nobody_told_makes_a_claim_uncomputable(past: World) -> None:
    def by_grade(data: dict[str, Any]) -> None:
        data["items"][0]["gates"] = [{"hospital_grade": 2}]

    with everywhere(reason="arrange"):
        terms = draft(by_grade)
        Admission.objects.filter(claim__member__name="李梅").update(hospital_grade=3)
    found, tally = run(past, terms)
    assert (tally.claims, tally.unknown_claims, tally.unknown_facts) == (1, 3, {"hospital_grade": 3})
    assert (tally.before_fen, tally.unknown_fen) == (80_000, 1_160_000)
    assert compared(tally, found_in(found)[1]).benefits_fen == (1_240_000, 1_240_000)
    table = next(table for table in tables_of(found) if table.title == "无法测算的申领")
    assert {row[1] for row in table.rows} == {"医院等级"}


def test_a_figure_that_the_terms_of_the_time_never_asked_for_is_unknown_and_not_zero(past: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all claims the plan asked for the totals and what is outside the catalogue; the in-scope cost stands in 李's alone."""
    def by_scope(data: dict[str, Any]) -> None:
        data["items"][0]["steps"] = [{"take": "in_scope_total"}, {"ratio": "0.50"}]

    with everywhere(reason="arrange"):
        terms = draft(by_scope)
        Admission.objects.filter(claim__member__name="李梅").update(inscp_scp_amt_fen=100_000)
    _found, tally = run(past, terms)
    assert (tally.claims, tally.after_fen, tally.unknown_claims, tally.unknown_facts) == (1, 50_000, 3, {"inscp_scp_amt": 3})
    monkeypatch.setattr(past_claims, "_unasked", lambda earlier, event: frozenset())  # the control
    _found, tally = run(past, terms)
    assert (tally.claims, tally.after_fen, tally.no_longer_paid) == (4, 50_000, 2)


def test_people_whom_the_draft_does_not_take_pay_nothing_and_get_nothing(past: World) -> None:
    with everywhere(reason="arrange"):
        terms = draft(lambda data: data["enrolment"].update(relations=["spouse"]))
    found, tally = run(past, terms)
    assert (tally.claims, tally.after_fen, tally.items["inpatient"].refused) == (4, 0, {"not_admitted": 4})
    assert found_in(found)[1].not_admitted == 4
    assert found_in(found)[1].after_fen == 0


def test_every_rule_on_joining_is_asked_and_what_is_not_known_stands_apart(past: World) -> None:
    """王 is too old for the draft, of 李 nobody knows which insurance she has, 张 comes through."""
    with everywhere(reason="arrange"):
        terms = draft(lambda data: data["enrolment"].update(insurance_types=["employee"], ages=[{"from": 16, "to": 50}]))
        Member.objects.exclude(name="李梅").update(insurance_type="employee")
        Member.objects.filter(name="王小明").update(birth_date=date(1975, 1, 6))  # 51 on the first day of cover
    found, tally = run(past, terms)
    assert (tally.shut_out, tally.shut_out_fen, tally.refused_by) == (2, 1_160_000, {"age": 2})
    assert (tally.unknown_claims, tally.unknown_fen, tally.join_unknown) == (1, 80_000, {"insurance_type": 1})
    due = found_in(found)[1]
    assert (due.enrolments, due.not_admitted, due.unknown) == (4, 1, 1)
    assert (due.refused_by, due.join_unknown) == ({"age": 1}, {"insurance_type": 1})
    assert due.after_fen == 3 * 12_500
    table = next(table for table in tables_of(found) if table.title == "参加条件的核对")
    assert [row for row in table.rows if any(row[1:])] == [["医保种类", 0, 1, 0, 1], ["年龄", 2, 0, 1, 0]]
    assert "医保种类、工会会员、年龄。" in "".join(rehearsed.notes_of(found))


def test_whoever_has_retired_since_stays_in(past: World) -> None:
    with everywhere(reason="arrange"):
        Member.objects.update(employment="retired")
        same, stricter = draft(dearer_and_capped), None
    _found, tally = run(past, same)
    assert (tally.shut_out, tally.after_fen) == (0, 825_000)
    with everywhere(reason="arrange"):
        stricter = draft(lambda data: data["enrolment"].update(employment=["institution"]))
    _found, tally = run(past, stricter)
    assert (tally.shut_out, tally.after_fen) == (4, 0)


def test_ages_are_counted_alike_by_the_database_and_by_the_rules(past: World) -> None:
    """Born on 29 February: on the 28th one is not a year older yet."""
    def teens(data: dict[str, Any]) -> None:
        data["enrolment"]["ages"] = [{"from": 18, "to": 60}]

    with everywhere(reason="arrange"):
        terms = draft(teens)
        for name, born, start in (
            ("王小明", date(2008, 2, 29), date(2026, 2, 28)), ("李梅", date(2008, 2, 29), date(2026, 3, 1)),
            ("张三丰", date(2008, 3, 1), date(2026, 2, 28)), ("赵云", date(2008, 2, 28), date(2026, 2, 28)),
        ):  # fmt: skip
            Member.objects.filter(name=name).update(birth_date=born)
            Enrolment.objects.filter(member__name=name).update(cover=DateRange(start, date(2027, 1, 1)))
    found, tally = run(past, terms)
    assert (found_in(found)[1].refused_by, tally.refused_by) == ({"age": 2}, {"age": 3})


def test_more_shares_than_the_draft_allows_count_as_many_as_it_allows(past: World) -> None:
    with everywhere(reason="arrange"):
        Enrolment.objects.filter(member__name="李梅").update(shares=3)
        terms = draft(lambda data: data["enrolment"].update(shares={"max": 2}))
    found, tally = run(past, terms)
    due = found_in(found)[1]
    assert (tally.shut_out, due.capped, due.after_fen) == (0, 1, 3 * 12_500 + 25_000)
    assert "1 人次原来的份数超过" in "".join(rehearsed.notes_of(found))


def test_a_new_plan_is_rehearsed_over_the_claims_of_the_plans_it_follows(past: World) -> None:
    def new(data: dict[str, Any]) -> None:
        dearer_and_capped(data)
        data["code"] = "shaanxi-yulin-new"

    with everywhere(reason="arrange"):
        terms = draft(new)
    _found, alone = run(past, terms)
    assert alone.claims == 0
    _found, tally = run(past, terms, programs=[past.yulin.program_id])
    assert tally.after_fen == 825_000


def test_fixed_days_to_apply_do_not_count_and_the_page_says_so(past: World) -> None:
    """The terms are of an earlier year: by their own last day every claim of this one would come too late."""

    def of_2019(data: dict[str, Any]) -> None:
        data["period"] = {"start": date(2019, 1, 1), "end": date(2019, 12, 31)}
        data["enrolment"] |= {"opens": date(2018, 10, 1), "closes": date(2018, 12, 31)}
        data["claim_within"] = {"until": {"default": date(2020, 1, 1)}}

    with everywhere(reason="arrange"):
        terms = draft(of_2019)
    found, tally = run(past, terms)
    assert tally.after_fen > 0
    assert "不计申领期限" in "".join(rehearsed.notes_of(found))


def test_another_year_and_another_office_are_left_out(past: World, capped: Terms) -> None:
    _found, tally = run(past, capped, year=2025)
    assert (tally.claims, tally.people) == (0, 0)
    with everywhere(reason="arrange"):
        Claim.objects.filter(member__name="李梅").update(office=past.cast.b)
    _found, tally = run(past, capped)
    assert tally.claims == 3


def test_every_reason_has_words() -> None:
    source = (CATALOGUE.parent / "rules" / "explain.py").read_text("utf-8")
    known = set(re.findall(r'"(\w+)": lambda: ', source))
    assert known >= {"not_covered", "waiting", "fact_missing"}
    assert REASON_WORDS.keys() == known - {"fact_missing"} | {"not_admitted"}  # what is missing is counted apart


# -- the job -------------------------------------------------------------------------------------------------------


def many(world: World, count: int) -> None:
    """Copies of 李's decided claim, one person each with a cover of their own."""
    with everywhere(reason="arrange"), frozen(ASKED):
        first = Claim.objects.get(member__name="李梅")
        stay = first.admissions.get()
        base = Claim.objects.count()
        members = [world.member(301 + base + i) for i in range(count)]
        covers = []
        for member in members:
            cover = Enrolment.objects.get(pk=first.enrolment_id)
            cover.pk, cover.public_id, cover.member, cover.holder = None, uuid.uuid4(), member, member
            covers.append(cover)
        Enrolment.objects.bulk_create(covers)
        made = []
        for i, cover in enumerate(covers):
            claim = Claim.objects.get(pk=first.pk)
            claim.pk, claim.public_id, claim.number = None, uuid.uuid4(), f"SLC{base + i:08d}"
            claim.member = claim.claimant = cover.member
            claim.enrolment = cover
            made.append(claim)
        Claim.objects.bulk_create(made)
        stays = []
        for claim in made:
            copy = Admission.objects.get(pk=stay.pk)
            copy.pk, copy.claim = None, claim
            stays.append(copy)
        Admission.objects.bulk_create(stays)


def statements(world: World, terms: Terms) -> tuple[int, int]:
    asked = ask(world, terms)
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured), found_in(result(asked))[0].claims


def test_as_many_statements_for_two_hundred_claims_as_for_ten(past: World, capped: Terms) -> None:
    many(past, 6)
    few, ten = statements(past, capped)
    many(past, 190)
    more, all_of_them = statements(past, capped)
    assert (ten, all_of_them) == (10, 200)
    assert more == few


def test_a_run_that_stops_between_and_inside_parts_ends_the_same(past: World, capped: Terms, monkeypatch: pytest.MonkeyPatch) -> None:
    many(past, 5)
    whole, tally = run(past, capped)
    monkeypatch.setattr(rehearsals, "PART", 2)
    asked, add, seen, deaths = ask(past, capped), Tally.add, list[int](), list[int]()

    def die_now_and_then(self: Tally, *args: Any) -> None:
        seen.append(1)
        if len(seen) % 3 == 0:
            deaths.append(1)
            raise ConnectionError("the worker is gone")
        add(self, *args)

    monkeypatch.setattr(Tally, "add", die_now_and_then)
    for _ in range(20):  # later, as the timetable would
        work()
        with everywhere(reason="look"):
            Job.objects.filter(job_state="queued").update(not_before=datetime(2000, 1, 1, tzinfo=SHANGHAI), attempts=0)
    assert len(deaths) >= 2
    found = result(asked)
    assert found.result == whole.result
    assert found_in(found)[0].claims == tally.claims == 9
    assert found.progress == {}


def test_progress_is_told_in_claims(past: World, capped: Terms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsals, "PART", 1)
    asked, told = ask(past, capped), []
    real = rehearsals._run_part

    def watched(rehearsal: Rehearsal) -> None:
        job = Job.objects.get(key=rehearsals.job_key(asked))
        told.append((job.done_count, job.total_count, job.stage != ""))
        real(rehearsal)

    monkeypatch.setattr(rehearsals, "_run_part", watched)
    work()
    assert told == [(0, 4, True), (2, 4, True), (3, 4, True)]  # a person's claims stay together


# -- nothing real is touched ---------------------------------------------------------------------------------------

OWN = {"claims_rehearsal", "workflow_job", "workflow_auditentry"}


def prints() -> dict[str, tuple[int, str]]:
    """Count and hash of every table but the rehearsal's own, its job and the record."""
    found = {}
    with everywhere(reason="look"), connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            if table not in OWN and model._meta.managed and table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
                rows = [row[0] for row in cursor.fetchall()]
                found[table] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    return found


def test_no_row_of_any_other_table_is_touched(past: World, capped: Terms) -> None:
    before = prints()
    assert before["claims_claim"][0] == 6
    run(past, capped)
    assert prints() == before
    with everywhere(reason="the control"):
        Claim.objects.filter(member__name="李梅").update(hospital="别的医院")
    assert prints() != before


def test_the_database_refuses_writes_while_claims_are_read(past: World) -> None:
    with everywhere(reason="look"):
        claim = Claim.objects.get(member__name="李梅")
        with pytest.raises(DatabaseError, match="read-only"), reading_only():
            Claim.objects.filter(pk=claim.pk).update(hospital="别的医院")
        Claim.objects.filter(pk=claim.pk).update(hospital="别的医院")  # and only then


@contextmanager
def only_its_own_tables() -> Iterator[None]:
    """The application may write the rehearsal, its job and the record, and nothing else."""
    role = settings.DATABASES["default"]["USER"]
    tables = [f'"{m._meta.db_table}"' for m in apps.get_models() if m._meta.managed and m._meta.db_table not in OWN]
    with connections["owner"].cursor() as cursor:
        cursor.execute(f'REVOKE INSERT, UPDATE, DELETE ON {", ".join(tables)} FROM "{role}"')
    try:
        yield
    finally:
        put_up(connections["owner"], role)


def test_it_runs_where_the_application_may_write_nothing_else(committed: None) -> None:
    with frozen(JOINED):
        past = decided(make_world())
    with everywhere(reason="arrange"):
        terms = draft(dearer_and_capped)
    asked = ask(past, terms)
    with only_its_own_tables():
        work()
        assert found_in(result(asked))[0].after_fen == 825_000
        with pytest.raises(DatabaseError, match="permission denied"), everywhere(reason="the control"):
            Claim.objects.filter(member__name="李梅").update(hospital="别的医院")


# -- the desk ------------------------------------------------------------------------------------------------------


def post(client: Client, world: World, terms: Terms, **changed: Any) -> Any:
    form = {"terms": terms.pk, "office": world.cast.a.pk, "year": 2026, "key": uuid.uuid4().hex, **changed}
    with frozen(ASKED):
        return client.post(reverse("admin:rehearsal_request"), form)


def test_a_manager_starts_watches_and_reads_a_rehearsal(past: World, capped: Terms) -> None:
    with everywhere(reason="arrange"):
        Terms.objects.filter(pk=capped.pk).update(drafted_by=past.cast.manager)
    manager, key = client_of(past.cast.manager), uuid.uuid4().hex
    page = manager.get(reverse("admin:rehearsal_request")).content.decode()
    assert page.index("2027") < page.index("2026）")  # drafts first
    first = post(manager, past, capped, key=key)
    assert first.status_code == 302
    assert post(manager, past, capped, key=key)["Location"] == first["Location"]
    assert post(manager, past, capped, key=key, year=2025).status_code == 422
    with everywhere(reason="look"):
        made = Rehearsal.objects.get()
    address = reverse("admin:rehearsal", args=[made.pk])
    assert "正在测算" in manager.get(address).content.decode()
    assert "排队中" in manager.get(first["Location"]).content.decode()
    work()
    assert address in manager.get(first["Location"]).content.decode()
    page = manager.get(address).content.decode()
    for figure in ("¥8,250.00 元", "原来 12,400.00 元，相差 -4,150.00 元", "1,375.0%", "原来 2,480.0%", "× 90%", "张**", "SL"):
        assert figure in page, figure
    with everywhere(reason="look"):
        claim = Claim.objects.filter(member__name="张三丰", reason_code="not_listed").get()
    assert reverse("admin:claim_review", args=[claim.pk]) in page
    answer = manager.get(reverse("admin:rehearsal_workbook", args=[made.pk]))
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert book.sheet_names[:3] == ["原来与测算", "增加与减少", "各保障项目的给付"]
    rows = book.get_sheet_by_name("原来与测算").to_python()
    assert [row[2] for row in rows[-3:]] == [12_400, 8_250, -4_150]


def test_the_page_of_the_terms_leads_to_its_rehearsals(past: World, capped: Terms) -> None:
    manager, address = client_of(past.cast.manager), reverse("admin:terms", args=[capped.pk])
    begin = f"{reverse('admin:rehearsal_request')}?terms={capped.pk}"
    page = manager.get(address).content.decode()
    assert "还没有测算过" in page
    assert begin in page
    assert f'<option value="{capped.pk}" selected>' in manager.get(begin).content.decode()
    asked = ask(past, capped)
    other = ask(past, past.yulin)
    work()
    page = manager.get(address).content.decode()
    assert reverse("admin:rehearsal", args=[asked.pk]) in page
    assert reverse("admin:rehearsal", args=[other.pk]) not in page
    everything = f"{reverse('admin:claims_rehearsal_changelist')}?terms__id__exact={capped.pk}"
    assert everything in page
    listed = manager.get(everything).content.decode()
    assert f"/rehearsal/{asked.pk}/" in listed
    assert f"/rehearsal/{other.pk}/" not in listed
    published = reverse("admin:terms", args=[past.yulin.pk])
    assert "开始测算" in manager.get(published).content.decode()
    for user in (past.cast.reviewer, past.cast.auditor):
        assert "开始测算" not in client_of(user).get(published).content.decode()
    foreign = client_of(past.cast.outsider).get(published).content.decode()
    assert reverse("admin:rehearsal", args=[other.pk]) not in foreign


def test_a_changed_draft_is_told_and_the_result_stays(past: World, capped: Terms) -> None:
    asked = ask(past, capped)
    with everywhere(reason="arrange"):
        draft(lambda data: data["contribution"].update(per_share="1"))  # the same version, another content
    work()
    found = result(asked)
    assert found_in(found)[0].after_fen == 825_000
    page = client_of(past.cast.manager).get(reverse("admin:rehearsal", args=[found.pk])).content.decode()
    assert "这份条款又改过" in page


def test_who_may_rehearse_and_who_may_read_it(past: World, capped: Terms) -> None:
    cast = past.cast
    asked = ask(past, capped)
    work()
    for name in ("admin:rehearsal", "admin:rehearsal_workbook"):
        address = reverse(name, args=[asked.pk])
        assert client_of(cast.manager).get(address).status_code == 200
        assert client_of(cast.hq_user).get(address).status_code == 200
        assert client_of(cast.outsider).get(address).status_code == 404
        for user in (cast.reviewer, cast.approver, cast.payer, cast.auditor):
            assert client_of(user).get(address).status_code == 403
    assert post(client_of(cast.reviewer), past, capped).status_code == 403
    assert post(client_of(cast.outsider), past, capped).status_code == 400  # neither the office nor the draft is offered
    with everywhere(reason="look"):
        with pytest.raises(NotAllowed):
            rehearsals.request(past.yulin, cast.a, 2026, by=cast.actor(cast.outsider))
        with pytest.raises(NotAllowed):
            rehearsals.request(capped, cast.b, 2026, by=cast.actor(cast.outsider))
        with pytest.raises(RehearsalRefused):
            rehearsals.request(capped, cast.a, 2026, programs=[0], by=cast.actor(cast.manager))


def test_a_year_without_claims_says_so(past: World, capped: Terms) -> None:
    asked = ask(past, capped, year=2025)
    work()
    page = client_of(past.cast.manager).get(reverse("admin:rehearsal", args=[asked.pk])).content.decode()
    assert "没有作出决定的申领" in page
