"""A notice is written with its act, goes out once, is tried again when it surely did not, and nobody waits for a gateway."""

import json
import logging
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils.translation import gettext_lazy

from members.models import Member
from tests.factories.clients import client_of
from tests.factories.world import JOINED, World
from unionaid.accounts.services import email_of, set_email
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere
from unionaid.workflow import channels, notices
from unionaid.workflow.channels import Contact, Message, NoAnswer, NotTaken, Refused
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import AuditEntry, Job, Notice
from unionaid.workflow.moves import NotAllowed
from unionaid.workflow.notices import BACK_OFF, JOB, PART_JOB, send_again, tell, unread
from unionaid.workflow.sms import HttpGateway

TITLE, TEXT = gettext_lazy("您不再是单位经办人"), gettext_lazy("办事处已同意由您经办“{unit}”的互助事务，今天起生效。")


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(JOINED):
        yield


class Recorder:
    """A gateway of a deployment: says what it is told to say, and remembers what it was given."""

    tells_twins_apart = False
    given: list[Message] = []
    says: list[Exception | None] = []

    def send(self, message: Message) -> None:
        self.given.append(message)
        if self.says and (answer := self.says.pop(0)) is not None:
            raise answer


class Doubling(Recorder):
    """A provider that drops a message whose reference it has had before."""

    tells_twins_apart = True


RECORDED = f"{__name__}.Recorder"


@pytest.fixture
def gateway(settings: Any) -> type[Recorder]:
    settings.NOTICE_CHANNELS, settings.SMS_GATEWAY = ["sms"], RECORDED
    Recorder.given.clear()
    Recorder.says.clear()
    return Recorder


def told(world: World, member: Member, **more: Any) -> Notice:
    return tell([member.pk], office_id=world.cast.a.pk, title=TITLE, text=TEXT, values={"unit": "榆林一厂"}, **more)[0]


def fresh(notice: Notice) -> Notice:
    with everywhere(reason="look"):
        return Notice.objects.get(pk=notice.pk)


def waited() -> None:
    """As if the pause were over."""
    with everywhere(reason="arrange"):
        Job.objects.filter(kind=JOB, job_state="queued").update(not_before=datetime(2020, 1, 1, tzinfo=UTC))


@pytest.fixture
def worker(world: World) -> Member:
    with everywhere(reason="arrange"):
        return world.member(101)


def test_a_notice_goes_with_its_act_or_not_at_all(world: World, worker: Member, gateway: type[Recorder]) -> None:
    with everywhere(reason="arrange"), pytest.raises(RuntimeError), transaction.atomic():
        told(world, worker)
        raise RuntimeError
    with everywhere(reason="look"):
        assert not Notice.objects.exists()
        assert not Job.objects.filter(kind=JOB).exists()
    made = told(world, worker)
    assert run_due("notices") == 1
    (message,) = gateway.given
    assert (message.to.phone, message.text) == ("13800138000", "办事处已同意由您经办“榆林一厂”的互助事务，今天起生效。")
    assert (fresh(made).delivery, fresh(made).channel, fresh(made).attempts) == ("sent", "sms", 1)


def test_a_job_that_runs_twice_sends_once(world: World, worker: Member, gateway: type[Recorder]) -> None:
    told(world, worker)
    run_due("notices")
    with everywhere(reason="arrange"):
        Job.objects.filter(kind=JOB).update(job_state="queued", cursor={})
    run_due("notices")
    assert len(gateway.given) == 1


def test_without_the_mark_it_would_go_out_twice(
    world: World, worker: Member, gateway: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a sender that does not look at the mark."""
    told(world, worker)

    def careless(run: Any) -> None:
        notice = Notice.objects.get(pk=run.subject_ids[0])
        channels.channel_for(contact := notices._contact(notice)).send(notices._message(notice, contact))  # type: ignore[union-attr]

    monkeypatch.setattr(notices, "_take", careless)
    run_due("notices")
    with everywhere(reason="arrange"):
        Job.objects.filter(kind=JOB).update(job_state="queued", cursor={})
    run_due("notices")
    assert len(gateway.given) == 2


def killed_while_sending(world: World, worker: Member) -> Notice:
    """A worker took the notice, then was gone: the job is claimed anew with the cursor it left."""
    made = told(world, worker)
    with everywhere(reason="arrange"):
        Notice.objects.filter(pk=made.pk).update(delivery="sending", attempts=1, channel="sms")
        Job.objects.filter(kind=JOB).update(job_state="queued", attempts=1, cursor={"claim": 1})
    run_due("notices")
    return fresh(made)


def test_a_worker_killed_while_sending_leaves_it_to_staff(world: World, worker: Member, gateway: type[Recorder]) -> None:
    left = killed_while_sending(world, worker)
    assert (left.delivery, left.trouble) == ("unsure", "stopped")
    assert gateway.given == []


def test_where_twins_are_told_apart_it_is_tried_again(world: World, worker: Member, gateway: type[Recorder], settings: Any) -> None:
    settings.SMS_GATEWAY = f"{__name__}.Doubling"
    left = killed_while_sending(world, worker)
    assert left.delivery == "waiting"
    waited()
    run_due("notices")
    assert fresh(left).delivery == "sent"


def test_what_was_not_taken_is_tried_again_after_a_while_and_not_for_ever(world: World, worker: Member, gateway: type[Recorder]) -> None:
    gateway.says[:] = [NotTaken("no_connection")] * 10
    made = told(world, worker)
    run_due("notices")
    assert run_due("notices") == 0, "it waits"
    with everywhere(reason="look"):
        work = Job.objects.get(kind=JOB)
        assert work.job_state == "queued"
        assert work.not_before - work.beat_at > timedelta(seconds=30)
    for _round in range(10):
        waited()
        run_due("notices")
    assert len(gateway.given) == len(BACK_OFF) + 1
    assert (fresh(made).delivery, fresh(made).trouble) == ("undelivered", "no_connection")
    with everywhere(reason="look"):
        assert Job.objects.get(kind=JOB).job_state == "done"


@pytest.mark.parametrize(
    ("says", "delivery", "trouble"),
    [
        (Refused("refused"), "undelivered", "refused"),
        (NoAnswer(), "unsure", "no_answer"),
        (ValueError("a deployment's own mistake"), "unsure", "no_answer"),
    ],
)
def test_what_may_have_gone_out_is_not_sent_again(
    says: Exception, delivery: str, trouble: str, world: World, worker: Member, gateway: type[Recorder]
) -> None:
    gateway.says[:] = [says]
    made = told(world, worker)
    run_due("notices")
    waited()
    run_due("notices")
    assert (fresh(made).delivery, fresh(made).trouble, len(gateway.given)) == (delivery, trouble, 1)


def test_staff_sees_it_and_sends_it_again(world: World, worker: Member, gateway: type[Recorder]) -> None:
    gateway.says[:] = [NoAnswer()]
    made = told(world, worker)
    run_due("notices")
    client = Client()
    client.force_login(world.cast.reviewer, backend="unionaid.accounts.backends.NumberBackend")
    assert "没有送达的通知" in client.get("/admin/").content.decode()
    assert "不确定是否送达" in client.get("/admin/workflow/notice/").content.decode()
    assert client.post(f"/admin/workflow/notice/{made.pk}/again/").status_code == 302
    run_due("notices")
    assert (fresh(made).delivery, len(gateway.given)) == ("sent", 2)
    with everywhere(reason="look"):
        assert AuditEntry.objects.filter(action="send_again", entity_id=made.pk).count() == 1
        assert not send_again(fresh(made), by=world.cast.actor(world.cast.reviewer)), "it has arrived"
        with pytest.raises(NotAllowed):
            send_again(fresh(made), by=world.cast.actor(world.cast.outsider))


# -- to many at once ---------------------------------------------------------------------------------------------------

MANY = 7


@pytest.fixture
def few_at_a_time(world: World, worker: Member, gateway: type[Recorder], monkeypatch: pytest.MonkeyPatch) -> list[Notice]:
    """Notices to seven people, in parts of five, sent two at a time."""
    monkeypatch.setattr(notices, "PART", 5)
    monkeypatch.setattr(notices, "AT_A_TIME", 2)
    with everywhere(reason="arrange"):
        people = [world.member(201 + 2 * i).pk for i in range(MANY)]
    return tell(people, office_id=world.cast.a.pk, title=TITLE, text=TEXT, values={"unit": "榆林一厂"})


def run_part_again(**changes: Any) -> None:
    with everywhere(reason="arrange"):
        Job.objects.filter(kind=PART_JOB).update(job_state="queued", **changes)
    run_due("notices")


def deliveries(made: list[Notice]) -> list[str]:
    return [fresh(one).delivery for one in made]


def test_many_are_told_by_few_jobs_each_once_however_often_these_run(few_at_a_time: list[Notice], gateway: type[Recorder]) -> None:
    with everywhere(reason="look"):
        assert [len(one.subject_ids) for one in Job.objects.filter(kind=PART_JOB).order_by("pk")] == [5, 2]
        assert not Job.objects.filter(kind=JOB).exists()
    run_due("notices")
    run_part_again(cursor={})
    assert deliveries(few_at_a_time) == ["sent"] * MANY
    assert {one.reference for one in gateway.given} == {str(one.public_id) for one in few_at_a_time}
    assert len(gateway.given) == MANY


def test_without_the_mark_the_same_job_run_twice_would_tell_them_twice(
    few_at_a_time: list[Notice], gateway: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the outcome is not written down, so that the notices are found waiting again."""
    forget = {"delivery": "waiting"}
    monkeypatch.setattr(notices, "_end", lambda found, *_how: Notice.objects.filter(pk__in=[one.pk for one in found]).update(**forget))
    run_due("notices")
    run_part_again(cursor={})
    assert len(gateway.given) == 2 * MANY


def test_a_worker_killed_among_many_leaves_in_doubt_only_those_it_had_taken(few_at_a_time: list[Notice], gateway: type[Recorder]) -> None:
    first = [one.pk for one in few_at_a_time[:5]]
    with everywhere(reason="arrange"):
        Notice.objects.filter(pk__in=first[:2]).update(delivery="sending", attempts=1, channel="sms")
        left = {"claim": 1, "taken": first[:2], "left": first[2:]}
        Job.objects.filter(kind=PART_JOB, subject_ids=first).update(attempts=1, cursor=left)
    run_due("notices")
    assert deliveries(few_at_a_time) == ["unsure"] * 2 + ["sent"] * 5
    assert len(gateway.given) == 5


def test_one_of_many_that_was_not_taken_goes_on_by_itself(few_at_a_time: list[Notice], gateway: type[Recorder]) -> None:
    gateway.says[:] = [None, NotTaken("no_connection"), Refused("refused")]
    run_due("notices")
    assert deliveries(few_at_a_time) == ["sent", "waiting", "undelivered", "sent", "sent", "sent", "sent"]
    waited()
    run_due("notices")
    assert deliveries(few_at_a_time)[1] == "sent"
    assert len(gateway.given) == MANY + 1


def test_of_many_who_cannot_be_reached_one_look_writes_that_down(few_at_a_time: list[Notice], settings: Any) -> None:
    settings.NOTICE_CHANNELS = []
    run_due("notices")
    assert deliveries(few_at_a_time) == ["no_address"] * MANY


def test_each_receiver_reads_their_own_language(world: World, worker: Member, gateway: type[Recorder]) -> None:
    with everywhere(reason="arrange"):
        other = world.member(103)
    client = Client()
    client.force_login(other.user, backend="unionaid.accounts.backends.NumberBackend")
    client.post("/language", {"language": "en", "next": "/"})
    made = tell([worker.pk, other.pk], office_id=world.cast.a.pk, title=TITLE, text=TEXT, values={"unit": "X"})
    words = {one.member_key: one.title for one in made}
    assert words[worker.pk] == "您不再是单位经办人"
    assert words[other.pk].isascii()


def test_days_are_written_the_receivers_way(world: World, worker: Member) -> None:
    made = tell([worker.pk], office_id=world.cast.a.pk, title=TITLE, text=gettext_lazy("{unit}"), values={"unit": date(2026, 3, 1)})
    assert made[0].text == "2026年3月1日"


def test_as_many_statements_for_a_hundred_people_as_for_one(world: World, worker: Member) -> None:
    with everywhere(reason="arrange"):
        many = [world.member(201 + 2 * i).pk for i in range(30)]
    counts = []
    for ids in ([worker.pk], many):
        with CaptureQueriesContext(connection) as made:
            tell(ids, office_id=world.cast.a.pk, title=TITLE, text=TEXT, values={"unit": "X"})
        counts.append(len(made.captured_queries))
    assert counts[0] == counts[1]


@override_settings(NOTICE_CHANNELS=["email", "sms"], SMS_GATEWAY=RECORDED)
def test_email_goes_to_those_who_gave_an_address_and_sms_to_the_others(world: World, worker: Member, gateway: type[Recorder]) -> None:
    with everywhere(reason="arrange"):
        other = world.member(103)
    set_email(worker.user, "wang@example.cn")
    assert email_of(worker.user) == "wang@example.cn"
    assert b"wang" not in bytes(worker.user.email), "sealed"
    tell([worker.pk, other.pk], office_id=world.cast.a.pk, title=TITLE, text=TEXT, values={"unit": "X"}, link="/my/")
    with override_settings(NOTICE_CHANNELS=["email", "sms"]):
        run_due("notices")
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["wang@example.cn"], "您不再是单位经办人")
    assert "http://localhost:8000/my/" in letter.body
    assert [one.to.phone for one in gateway.given] == ["13800138000"]


def test_whoever_cannot_be_reached_still_reads_it_here(world: World, worker: Member, settings: Any) -> None:
    settings.NOTICE_CHANNELS = ["email"]
    made = told(world, worker)
    run_due("notices")
    assert fresh(made).delivery == "no_address"
    client = Client()
    client.force_login(worker.user, backend="unionaid.accounts.backends.NumberBackend")
    assert "1 条未读" in client.get("/my/").content.decode()
    assert "榆林一厂" in client.get("/my/notices").content.decode()
    with everywhere(reason="look"):
        assert unread(worker.pk) == 0


def test_the_log_names_nobody(world: World, worker: Member, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="unionaid.workflow"):
        told(world, worker)
        run_due("notices")
    assert "您不再是单位经办人" in caplog.text
    for secret in ("13800138000", worker.name, "榆林一厂"):
        assert secret not in caplog.text
    assert "13800138000" not in repr(Contact(phone="13800138000"))


def test_the_recorded_file_masks_the_number(world: World, worker: Member, settings: Any, tmp_path: Any) -> None:
    settings.NOTICE_CHANNELS, settings.SMS_GATEWAY = ["sms"], "unionaid.workflow.sms.RecordedFile"
    settings.SMS_RECORD_FILE = tmp_path / "sms.jsonl"
    made = told(world, worker)
    run_due("notices")
    (line,) = [json.loads(line) for line in settings.SMS_RECORD_FILE.read_text("utf-8").splitlines()]
    assert (line["reference"], line["phone"]) == (str(made.public_id), "138****8000")
    assert fresh(made).delivery == "sent"


@contextmanager
def server(answer: bytes | None, *, slowly: bool = False) -> Iterator[str]:
    """A real socket on this machine: answers so, byte by byte when `slowly`, or never (None). Gives its address."""
    door = socket.create_server(("127.0.0.1", 0))
    lines: list[socket.socket] = []

    def serve() -> None:
        try:
            line, _where = door.accept()
        except OSError:
            return
        lines.append(line)
        line.settimeout(20)
        try:
            if answer is None:
                while line.recv(4096):  # listens, and says nothing
                    pass
                return
            line.recv(65536)
            for i in range(len(answer)) if slowly else ():
                line.sendall(answer[i : i + 1])
                wait.wait(0.2)
            if not slowly:
                line.sendall(answer)
                line.close()
        except OSError:
            return

    wait = Event()
    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}/send?x=1"
    finally:
        wait.set()
        door.close()
        for line in lines:
            line.close()
        thread.join(5)


MESSAGE = Message("ref-1", "题", "文", "", Contact(phone="13800138000"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def asked(answer: bytes | None, settings: Any, *, slowly: bool = False) -> None:
    settings.SMS_CONNECT_SECONDS, settings.SMS_READ_SECONDS = 1, 1
    with server(answer, slowly=slowly) as address:
        settings.SMS_GATEWAY_URL = address
        HttpGateway().send(MESSAGE)


def test_a_gateway_that_answers_has_it(settings: Any) -> None:
    asked(OK, settings)


def test_a_gateway_that_never_answers_is_left_after_its_time(settings: Any) -> None:
    with pytest.raises(NoAnswer):
        asked(None, settings)


def test_a_gateway_that_answers_letter_by_letter_is_left_as_well(settings: Any) -> None:
    with pytest.raises(NoAnswer):
        asked(OK + b" " * 600, settings, slowly=True)


@pytest.mark.parametrize(
    ("status", "outcome"), [(b"503 Busy", NotTaken), (b"429 Slow", NotTaken), (b"400 Bad", Refused), (b"500 Oops", NoAnswer)]
)
def test_what_a_gateway_says_is_understood(status: bytes, outcome: type[Exception], settings: Any) -> None:
    with pytest.raises(outcome):
        asked(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n", settings)


def test_a_gateway_that_is_not_there_has_not_taken_it(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        settings.SMS_GATEWAY_URL = f"http://127.0.0.1:{door.getsockname()[1]}/"
    with pytest.raises(NotTaken):
        HttpGateway().send(MESSAGE)


def test_whoever_turns_the_pages_sees_every_notice(world: World, worker: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "SHOWN_NOTICES", 2)
    made = [told(world, worker) for _each in range(3)]
    client = client_of(worker.user)
    first = client.get("/my/notices").content.decode()
    further = re.search(r"\?before=\d+", first)
    assert further is not None
    assert [fresh(one).read_at is None for one in made] == [True, False, False], "what was not shown is not read"
    client.get(f"/my/notices{further[0]}")
    assert all(fresh(one).read_at for one in made)
    assert client.get("/my/notices?before=x").status_code == 200


def test_no_page_waits_for_a_gateway(world: World, worker: Member, settings: Any) -> None:
    """The gateway never answers; the act and the pages are done before anybody asks it."""
    settings.NOTICE_CHANNELS, settings.SMS_GATEWAY = ["sms"], "unionaid.workflow.sms.HttpGateway"
    settings.SMS_CONNECT_SECONDS = settings.SMS_READ_SECONDS = 1
    with server(None) as address:
        settings.SMS_GATEWAY_URL = address
        made = told(world, worker)
        client = Client()
        client.force_login(worker.user, backend="unionaid.accounts.backends.NumberBackend")
        assert client.get("/my/notices").status_code == 200
        assert fresh(made).delivery == "waiting", "nobody has asked the gateway yet"
        run_due("notices")
        assert fresh(made).delivery == "unsure"
