"""A queue that holds more than one turn runs is asked again at once; one that is empty is left alone."""

import pytest
from django.utils.translation import gettext_lazy

from tests.factories.offices import Cast
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
