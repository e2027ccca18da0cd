"""Work that stands still is seen, cried out once, and not seen where it goes on."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse

from claims.payouts.models import PayoutBatch
from tests.factories.clients import client_of
from tests.factories.world import ASKED, World
from unionaid.lib.calendar import frozen, now, plus_days
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.reports import stuck
from unionaid.workflow.jobs import ask_what_is_due, enqueue, run_due
from unionaid.workflow.models import Job


def _batch(world: World, number: str, **values: object) -> None:
    people = {"assembled_by": world.cast.payer, "checked_by": world.cast.checker, "released_by": world.cast.manager}
    PayoutBatch.objects.create(office=world.cast.a, number=number, fund="mutual_aid", business_on=ASKED, **people, **values)


def test_what_stands_still_is_seen_and_cried_out_once(world: World, settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.ALARM_TO = ["alarm@example.org"]
    with everywhere(reason="arrange"), frozen(ASKED):
        assert stuck.look(ASKED) == []
        moment, old = now(), now() - timedelta(hours=1)
        for number, state, made in (("FK1", "releasing", old), ("FK2", "releasing", moment), ("FK3", "released", moment)):
            _batch(world, number, state=state, assembled_at=moment, released_at=made)
        _batch(world, "FK4", state="checked", assembled_at=moment)
        for key in ("waits", "runs", "hangs"):
            enqueue("reports.seal_record", [(1, key, None)], by=SYSTEM)
        Job.objects.filter(key="waits").update(not_before=old)
        Job.objects.filter(key="runs").update(job_state="running", not_before=old, beat_at=moment)
        Job.objects.filter(key="hangs").update(job_state="running", not_before=old, beat_at=old)
        keys = dict(Job.objects.filter(key__in=("waits", "hangs")).values_list("key", "pk"))
        expected = {f"job {keys['waits']}", f"job {keys['hangs']}", "batch FK1"}
        assert {one.key for one in stuck.look(ASKED)} == expected
        assert {one.key for one in stuck.look(plus_days(ASKED, 14))} - expected == {"batch FK3", "batch FK4"}
    with frozen(ASKED):
        manager = client_of(world.cast.manager)
        assert "停住的后台任务" in manager.get("/admin/").content.decode()
        shown = manager.get(reverse("admin:workflow_job_changelist"), {"stuck": "1"})
        assert shown.status_code == 200
        with everywhere(reason="leave but one"):
            Job.objects.filter(key__in=keys).delete()
        for _twice in range(2):
            ask_what_is_due()
            run_due("default")
    assert len(mail.outbox) == 1
    assert "FK1" in mail.outbox[0].body
    assert "FK1" in caplog.text
    with frozen(ASKED), pytest.raises(CommandError):
        call_command("stuck_work", stdout=(out := StringIO()), stderr=StringIO())
    assert "FK1" in out.getvalue()
