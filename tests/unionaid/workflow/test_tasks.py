"""A queue that holds more than one turn runs is asked again at once; one that is empty is left alone."""

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from tests.factories.offices import Cast
from unionaid.accounts.models import User
from unionaid.lib.calendar import today
from unionaid.offices.models import StaffPost
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow import jobs, tasks
from unionaid.workflow.models import Job, Notice
from unionaid.workflow.notices import tell

WORDS = gettext_lazy("您已是单位经办人")


@pytest.mark.parametrize(("more", "asked"), [(0, ["notices"]), (-1, [])])
def test_a_full_turn_asks_the_queue_again(cast: Cast, monkeypatch: pytest.MonkeyPatch, more: int, asked: list[str]) -> None:
    """The control is one job fewer: nobody is asked, and nothing is left waiting for the sweep."""
    nudged: list[str] = []
    with everywhere(reason="arrange"):
        for person in range(jobs.AT_ONCE + more):
            tell([person + 1], office_id=cast.a.pk, title=WORDS, text=WORDS)
    monkeypatch.setattr(jobs, "nudge", nudged.append)  # the broker
    assert tasks.run_due("notices") == jobs.AT_ONCE + more
    assert nudged == asked
    with everywhere(reason="look"):
        assert not Notice.objects.filter(delivery="waiting").exists()
        assert not Job.objects.exclude(job_state="done").exists()
    assert tasks.run_due("notices") == 0
    assert nudged == asked


def test_work_that_meets_a_deadlock_is_tried_again_whole_and_after_a_few_times_left_to_people(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meets(run: jobs.Run) -> None:
        User.objects.filter(pk=cast.payer.pk).update(display_name=f"半途 {run.subject_ids[0]}")
        if run.subject_ids == [1] or run.claim < 3:
            raise OperationalError("deadlock detected")

    monkeypatch.setitem(jobs.KINDS, "tests.meets", jobs.Kind("tests.meets", meets, "tests", ""))
    with everywhere(reason="arrange"):
        jobs.enqueue("tests.meets", [(1, "never", None), (2, "third time lucky", None)], by=SYSTEM)
    for turn in range(1, jobs.MAX_ATTEMPTS + 1):
        assert jobs.run_due("tests") == (2 if turn <= 3 else 1)
        assert jobs.run_due("tests") == 0, "not again at once"
        cast.payer.refresh_from_db()
        assert cast.payer.display_name == ("甄珍" if turn < 3 else "半途 2"), "nothing half is kept"
        with everywhere(reason="some seconds go by"):
            Job.objects.filter(job_state="queued").update(not_before=Now())
    assert jobs.run_due("tests") == 0
    with everywhere(reason="look"):
        assert dict(Job.objects.values_list("key", "job_state")) == {"never": "failed", "third time lucky": "done"}


@pytest.mark.parametrize(("holds", "ended"), [(False, "failed"), (True, "done")])
def test_who_lost_the_right_meanwhile_has_nothing_done(cast: Cast, monkeypatch: pytest.MonkeyPatch, holds: bool, ended: str) -> None:
    """The right is asked again of the requester when the work is done; the control holds it still."""
    done: list[int] = []
    monkeypatch.setitem(jobs.KINDS, "tests.pay", jobs.Kind("tests.pay", lambda run: done.append(run.job_id), "tests", ""))
    with everywhere(reason="arrange"):
        jobs.enqueue("tests.pay", [(1, "pay", None)], by=cast.actor(cast.payer), permission="payouts.book", office_id=cast.a.pk)
        if not holds:
            StaffPost.objects.filter(user=cast.payer).update(until=today())
    assert jobs.run_due("tests") == 1
    with everywhere(reason="look"):
        work = Job.objects.get()
    assert (work.job_state, len(done)) == (ended, int(holds))
    assert ("已没有相应的权限" in work.error) != holds
