"""A worker's covers in full: since when and until when, who paid what, what is left of each limit; for the family as well."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import yaml
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from claims.facts import LIFETIME
from claims.models import CeilingUsage
from claims.selectors import standing
from claims.services import adjudication
from members.models import ContributionDue, Enrolment, Member
from members.services import contributions, enrolment, people, rosters
from programs.models import Terms
from programs.rules.planfile import read_plan
from programs.services import check, load_plan, publish
from tests.factories.clients import client_of, html
from tests.factories.offices import make_user
from tests.factories.world import ASKED, CATALOGUE, JOINED, World
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number, parse_id_number
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere

FIVE = {"person": "45", "unit": "30", "union": "20", "province": "20", "city_union": "10"}


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(ASKED):
        yield


def plan(code: str, change: dict[str, Any], *, ceilings: list[dict[str, Any]] | None = None) -> Terms:
    """The Yulin plan under another code, changed and published."""
    data = yaml.safe_load((CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_text("utf-8"))
    told = data["enrolment"] | change.get("enrolment", {})
    data |= {"code": code, "name": {"zh": f"计划{code}", "en": code}, **change}
    data["enrolment"] = {name: value for name, value in told.items() if value is not None}
    if ceilings:
        data["items"][1]["steps"][3:] = ceilings
        data["examples"] = data["examples"][:1]
    with everywhere(reason="arrange"):
        terms = load_plan(read_plan(yaml.safe_dump(data, allow_unicode=True).encode(), source=code), by=SYSTEM).terms
        return publish(check(terms, by=SYSTEM), by=SYSTEM)


def page(member: Member) -> str:
    answer = client_of(member.user).get(reverse("claims:covers"))
    assert answer.status_code == 200
    return html(answer)


def rostered(world: World, terms: Terms, member: Member, number: str) -> list[ContributionDue]:
    """The member joins through the unit's roster; what its payers owe."""
    text = f"姓名,身份证号\n{member.name},{number}\n"
    with everywhere(reason="arrange"), frozen(JOINED):
        roster = rosters.upload(unit=world.unit, terms=terms, data=text.encode(), file_name="r.csv", by=world.agent_actor, on=JOINED)
        rosters.check(roster.pk, by=SYSTEM, on=JOINED)
        roster.refresh_from_db()
        rosters.confirm(roster, by=world.agent_actor)
        rosters.commit(roster.pk, by=SYSTEM, on=JOINED)
        return list(ContributionDue.objects.filter(roster=roster).order_by("-amount_fen"))


def settle(world: World, due: ContributionDue) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        contributions.confirm(
            due, payer_name="付款人", bank_reference=f"T{due.pk}", received_on=JOINED, amount_fen=due.amount_fen, remark=due.reference,
            by=world.cast.actor(world.cast.payer), on=JOINED,
        )  # fmt: skip


def test_who_of_five_payers_has_paid_what(world: World) -> None:
    terms = plan("five", {"contribution": {"per_share": "125", "payers": FIVE}})
    with everywhere(reason="arrange"):
        member = world.member(101)
    dues = rostered(world, terms, member, make_id_number("610802", date(1990, 3, 8), 101))
    assert [due.amount_fen for due in dues] == [4500, 3000, 2000, 2000, 1000]
    settle(world, dues[0])
    told = page(member)
    for payer, amount in (("个人", "45.00"), ("单位", "30.00"), ("工会", "20.00"), ("省", "20.00"), ("市总工会", "10.00")):
        assert f"<strong>{payer}</strong> ¥{amount} 元" in told
    assert told.count("还没有到账") == 4
    assert told.count("2026年1月5日到账") == 1
    assert "额度用了多少" not in told  # nothing can be claimed yet
    for due in dues[1:]:
        settle(world, due)
    told = page(member)
    assert "还没有到账" not in told
    assert "已生效" in told
    assert "<h2>现在的</h2>" in told
    assert f"<dt>参加单位</dt><dd>{world.unit.name}</dd>" in told
    with frozen(JOINED):  # the day before it begins
        told = page(member)
    assert "<h2>还没有开始的</h2>" in told
    assert "<h2>现在的</h2>" not in told


def test_parts_that_do_not_add_up_to_what_was_charged_are_not_told(world: World) -> None:
    """Whoever's work changed since may be in another class of contribution now."""
    terms = plan("five", {"contribution": {"per_share": "125", "payers": FIVE}})
    with everywhere(reason="arrange"):
        member = world.member(101)
    dues = rostered(world, terms, member, make_id_number("610802", date(1990, 3, 8), 101))
    with everywhere(reason="arrange"):
        Enrolment.objects.update(contribution_fen=10_000)
    told = page(member)
    assert "<strong>互助费</strong> ¥100.00 元" in told
    assert "¥45.00" not in told
    for due in dues:
        settle(world, due)
    assert "已到账" in page(member)


def test_what_is_left_of_each_limit(world: World) -> None:
    with everywhere(reason="arrange"):
        member = world.member(101)
        cover = world.cover(member)
        claim = world.claim(cover, 600_000)
        adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
    told = page(member)
    assert "本保障期内最多给付（住院医疗补助、门诊慢特病补助）" in told
    assert "共 50,000.00 元，已用 0.00 元，还剩 50,000.00 元" in told
    with everywhere(reason="arrange"):
        adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
    told = page(member)
    assert "共 50,000.00 元，已用 4,400.00 元，还剩 45,600.00 元" in told
    assert "共 2,000.00 元，已用 0.00 元，还剩 2,000.00 元" in told
    assert "2026年1月6日 至 2026年12月31日" in told
    assert "没有等待期" in told
    assert "<strong>个人</strong> ¥125.00 元" in told


def family(world: World, terms: Terms, holder: Member) -> tuple[Member, Member]:
    """A spouse and a child who joined through the worker, both in force."""
    by = world.worker(holder)
    with everywhere(reason="arrange"), frozen(JOINED):
        spouse = people.add_spouse(holder, name="李爱人", id_number=parse_id_number(make_id_number("610802", date(1991, 3, 8), 12)), by=by)
        child = people.add_child(
            holder, name="王小宝", id_number=parse_id_number(make_id_number("610802", date(2018, 5, 1), 31)), by=by, on=JOINED
        )
        for one, relation in ((spouse, "spouse"), (child, "minor_child")):
            enrolment.enrol(member=one, holder=holder, relation=relation, terms=terms, shares=1, unit=world.unit, on=JOINED, by=by)
        for due in ContributionDue.objects.filter(member=holder, state="open"):
            settle(world, due)
    return spouse, child


def used(cover: Enrolment, key: str, fen: int, *, start: date) -> None:
    with everywhere(reason="arrange"):
        CeilingUsage.objects.create(
            office_id=cover.office_id, member_id=cover.member_id, program_id=cover.program_id, key=key, period_start=start,
            used_fen=fen, ceiling_fen=None,
        )  # fmt: skip


DISEASE = [
    {"ceiling": {"amount": "3000", "scope": "disease", "key": "one"}},
    {"ceiling": {"amount": "90000", "scope": "lifetime", "key": "ever"}},
]


def test_the_family_s_covers_are_told_and_a_spouse_s_diagnosis_is_not(world: World) -> None:
    change = {"enrolment": {"relations": ["self", "spouse", "minor_child"], "ages": [{"from": 0, "to": 60}]}}
    terms = plan("family", change, ceilings=DISEASE)
    with everywhere(reason="arrange"):
        holder = world.member(101)
    spouse, child = family(world, terms, holder)
    with everywhere(reason="arrange"):
        covers = {cover.member_id: cover for cover in Enrolment.objects.all()}
    for one, code in ((spouse, "F32"), (child, "J18")):
        used(covers[one.pk], f"disease:one:{code}", 120_000, start=covers[one.pk].cover.lower)
    used(covers[child.pk], "lifetime:ever", 500_000, start=LIFETIME)
    told = page(holder)
    assert "李爱人（配偶）" in told
    assert "王小宝（未成年子女）" in told
    assert told.count("共 3,000.00 元，已用 1,200.00 元，还剩 1,800.00 元") == 2
    assert "疾病 J18" in told
    assert "F32" not in told
    assert "共 90,000.00 元，已用 5,000.00 元，还剩 85,000.00 元" in told
    with everywhere(reason="arrange"):
        Member.objects.filter(pk=spouse.pk).update(user=make_user("w-spouse", "李爱人"))
        spouse.refresh_from_db()
    own = page(spouse)
    assert "由 王小明 为您参加" in own
    assert "王小宝" not in own


def test_waiting_is_told_for_every_item_while_it_lasts_and_afterwards(world: World) -> None:
    own = [{"waiting": {"days": 90, "waived_on_renewal_within_days": 30}}, {"waiting": {"days": 60}}]
    items = yaml.safe_load((CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_text("utf-8"))["items"]
    terms = plan("waits", {"items": [item | more for item, more in zip(items, own, strict=True)]})
    with everywhere(reason="arrange"):
        member = world.member(101)
        cover = world.cover(member, terms)
    first = "到 2026年4月5日，这之前发生的疾病不给付"
    second = "到 2026年3月6日，这之前发生的疾病不给付"
    with frozen(date(2026, 3, 1)):
        told = page(member)
        home = client_of(member.user).get("/my/").content.decode()
        assert f"住院医疗补助：{first}；门诊慢特病补助：{second}" in told
        assert f"住院医疗补助：{first}；门诊慢特病补助：{second}" in home
        english = client_of(member.user).get(reverse("claims:covers"), headers={"accept-language": "en"}).content.decode()
        assert "until 5 April 2026; nothing is paid for illness before that" in english
    assert "住院医疗补助：已于 2026年4月5日 结束" in page(member)
    with everywhere(reason="arrange"):
        Enrolment.objects.filter(pk=cover.pk).update(days_since_cover=30)
    with frozen(date(2026, 3, 1)):
        assert f"住院医疗补助：连续参加，没有等待期；门诊慢特病补助：{second}" in page(member)
    paper = client_of(member.user).get(reverse("members:certificate", args=[cover.public_id])).content.decode()
    assert f"住院医疗补助：连续参加，没有等待期；门诊慢特病补助：{second}" in paper


def test_covers_that_ended_or_never_came_about_stand_apart(world: World) -> None:
    with everywhere(reason="arrange"):
        member = world.member(101)
        first = world.cover(member)
        Enrolment.objects.filter(pk=first.pk).update(cover=DateRange(date(2025, 1, 1), date(2026, 1, 1)))
    told = page(member)
    assert "您现在没有在保障期内的互助计划" in told
    assert "已经到期或没有生效的保障（1 份）" in told
    with everywhere(reason="arrange"), frozen(JOINED):
        enrolment.withdraw(
            enrolment.enrol(
                member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED,
                by=world.worker(member),
            ),
            by=world.worker(member),
        )  # fmt: skip
        world.cover(member)
    told = page(member)
    assert told.index("已生效") < told.index("没有生效的保障（2 份）")
    assert "已撤回" in told
    assert "不再收取" in told


def test_whoever_never_joined_is_told_what_will_stand_here(world: World) -> None:
    with everywhere(reason="arrange"):
        member, other = world.member(101), world.member(103, "别人")
        world.cover(other)
    told = page(member)
    assert "您还没有参加过互助计划" in told
    assert reverse("members:eligibility") in told
    assert "别人" not in told
    assert reverse("claims:covers") in client_of(other.user).get("/my/").content.decode()


def test_the_page_is_for_workers(world: World) -> None:
    assert Client().get(reverse("claims:covers")).status_code == 302
    assert client_of(world.cast.reviewer).get(reverse("claims:covers")).status_code == 403


def statements(member: Member) -> int:
    client = client_of(member.user)
    client.get(reverse("claims:covers"))
    with CaptureQueriesContext(connection) as captured:
        assert client.get(reverse("claims:covers")).status_code == 200
    return len(captured)


def test_as_many_statements_for_six_covers_as_for_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with everywhere(reason="arrange"):
        one, many = world.member(101), world.member(103)
        world.cover(one)
        for terms in (world.yulin, *(plan(f"p{i}", {}) for i in range(5))):
            world.cover(many, terms)
    assert statements(many) == statements(one)
    parts = standing._parts

    def row_by_row(cover: Enrolment, *more: Any) -> Any:
        cover.refresh_from_db(fields=["state"])
        return parts(cover, *more)

    monkeypatch.setattr(standing, "_parts", row_by_row)
    assert statements(many) == statements(one) + 5
