"""Claimants are told of each change of their claims: once, the latest, and for many at the price of one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from claims.models import Claim
from claims.services import adjudication, appeals, intake, news
from claims.transitions import CLAIM, TOLD, TOLD_BY_THE_ACT
from tests.factories.desk import Desk
from tests.factories.world import ASKED
from unionaid.lib.calendar import day_of, frozen, plus_days
from unionaid.workflow.jobs import ask_what_is_due, run_due
from unionaid.workflow.models import Job, Notice
from unionaid.workflow.moves import move


def _told(claim: Claim) -> list[str]:
    """The titles of what this claim's page is linked from, in their order."""
    return list(Notice.objects.filter(link__endswith=str(claim.public_id)).order_by("id").values_list("title", flat=True))


def _sweep() -> None:
    ask_what_is_due()
    run_due("notices")


def test_each_change_is_told_once_and_what_was_overtaken_not_at_all(desk: Desk) -> None:
    claim = desk.world.claim(desk.cover(), 600_000)
    for _twice in range(2):
        _sweep()
        news.tell_of([claim.pk])  # a job that runs again
    assert _told(claim) == ["申领已到办事处"]
    desk.decide(claim)
    _sweep()
    assert _told(claim) == ["申领已到办事处", "申领已批准"], "between its two reviews nobody asked"
    told = Notice.objects.get(title="申领已批准")
    assert "4,400.00 元" in told.text
    assert told.member_key == claim.claimant_id


def test_the_same_is_told_again_when_it_comes_again(desk: Desk) -> None:
    claim = desk.world.claim(desk.cover(), 600_000)
    for _again in range(2):
        adjudication.return_for_supplement(claim, by=desk.reviewer, on=ASKED, note="缺少肺癌的病理报告")
        _sweep()
        with frozen(plus_days(ASKED, 1)):
            move([claim], "supplement", by=desk.world.worker(claim.member))
    assert _told(claim) == ["您的申领还差材料，请补充"] * 2
    assert not Notice.objects.filter(text__contains="病理").exists(), "what is wrong with whom is for the page alone"


def test_that_a_supplement_has_arrived_is_told_though_its_step_is_older_than_the_last_word(desk: Desk) -> None:
    claim = desk.world.claim(desk.cover(), 600_000)
    with frozen(plus_days(ASKED, 2)):
        adjudication.return_for_supplement(claim, by=desk.reviewer, on=plus_days(ASKED, 2), note="还差出院记录")
        _sweep()
        intake.supplement(claim, by=desk.world.worker(claim.member), on=plus_days(ASKED, 2))
        assert day_of(claim.since) < plus_days(ASKED, 2), "what the step had used stays used"
        _sweep()
    assert _told(claim) == ["您的申领还差材料，请补充", "申领已到办事处"]


def test_nobody_is_left_untold_however_long_the_house_stood_still_and_many_cost_as_much_as_one(desk: Desk) -> None:
    cover = desk.cover()
    late = desk.world.claim(cover, 100_000)
    with frozen(plus_days(ASKED, 90)):
        news.find_untold(plus_days(ASKED, 90))
        assert {job.kind for job in Job.objects.filter(job_state="queued")} & {"claims.tell_news"} == set(), "the control: lately nothing"
        _sweep()
    assert _told(late) == ["申领已到办事处"]
    claims, counts = [desk.world.claim(cover, 200_000 + i) for i in range(4)], []
    for some in ([claims[0].pk], [one.pk for one in claims[1:]]):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            news.tell_of(some)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert all(len(_told(one)) == 1 for one in claims)


def test_the_answer_to_an_appeal_is_told(desk: Desk) -> None:
    claim = desk.reject(desk.world.claim(desk.cover(), 600_000))
    appeal = appeals.file(claim, grounds="材料齐全", by=desk.world.worker(claim.member), on=ASKED)
    appeals.dismiss(appeal, by=desk.manager, on=ASKED, clause="第九条", answer="仍缺出院记录")
    assert "维持原决定" in Notice.objects.get(member_key=claim.claimant_id).title


def test_of_every_state_it_is_known_who_tells_of_it() -> None:
    """By the timetable, by the act itself, or the claimant did it."""
    assert {state.code for state in CLAIM.states} == {*TOLD, *TOLD_BY_THE_ACT, "draft", "withdrawn"}
    assert {*TOLD} == {*news.NEWS}


@pytest.mark.parametrize("state", TOLD)
def test_every_state_that_is_told_has_its_words(state: str) -> None:
    title, text = news.NEWS[state]
    assert str(title)
    assert str(text).format(number="SL1", program="计划", amount="1.00", day="2026年7月1日").startswith("申领 SL1（计划）")
