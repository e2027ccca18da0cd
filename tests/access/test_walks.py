"""Every role walks everything it can reach: no dead end, no code on a page, and no input that breaks a form."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from claims.payouts import services as payouts
from claims.services import adjudication
from members.models import Member
from tests.access.crawler import Form, Seen, faults_of_words, walk
from tests.factories.offices import give_post, make_user
from tests.factories.world import ASKED, JOINED, World
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere
from unionaid.reports import services as reports
from unionaid.workflow.jobs import run_due

ROLES = ["stranger", "newcomer", "worker", "agent", "reviewer", "approver", "payer", "manager", "hq_user", "auditor", "administrator"]
HOSTILE = ["", "\x00", "\u202e" + "x" * 3000, "'; DROP TABLE x; --", "９９９", "-1", "1e400", "NaN", "99999999999999999999", "2026-02-30", "🀄𠮷䶮", "<b>"]
STARTS = {"stranger": "/", "newcomer": "/my/", "worker": "/my/", "agent": "/unit/"}


@pytest.fixture
def full(world: World) -> World:
    """A year in small: claims in every state of the desk, two payout batches, a report."""
    cast = world.cast
    with everywhere(reason="arrange"), frozen(ASKED):
        covers = [world.cover(world.member(101 + 2 * i, name)) for i, name in enumerate(["王小明", "欧阳小梅", "䶮𠮷", "买买提·艾力"])]
        claims = [world.claim(covers[i % 4], 100_000 * (i + 1)) for i in range(8)]
        for claim in claims[1:]:
            adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED, note="材料齐全")
        for claim in claims[2:7]:
            adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED, note="同意")
        adjudication.reject(claims[7], by=cast.actor(cast.approver), on=ASKED, note="不在范围", reason_code="not_listed", clause="第七条")
        adjudication.return_for_supplement(claims[1], by=cast.actor(cast.approver), on=ASKED, note="请补出院记录")
        first = payouts.assemble(office=cast.a, claims=claims[2:4], by=cast.actor(cast.payer), on=ASKED)
        payouts.release(first, by=cast.actor(cast.manager))
    with frozen(ASKED):
        run_due("payouts")
    with everywhere(reason="arrange"), frozen(ASKED):
        first.refresh_from_db()
        good, bad = first.lines.order_by("sequence")
        rows = f"附言,金额,处理结果,失败原因\r\n{good.reference},{good.amount_fen / 100:.2f},成功,\r\n{bad.reference},{bad.amount_fen / 100:.2f},失败,户名不符\r\n"
        payouts.take_return(first, data=rows.encode("gb18030"), file_name="r.csv", by=cast.actor(cast.payer))
    with frozen(ASKED):
        run_due("payouts")
    with everywhere(reason="arrange"), frozen(ASKED):
        payouts.assemble(office=cast.a, claims=claims[4:6], by=cast.actor(cast.payer), on=ASKED)
        reports.request(cast.a, 2026, by=cast.actor(cast.manager))
    with frozen(ASKED):
        run_due("reports")
    return world


def _someone(world: World, role: str) -> Client:
    client = Client(raise_request_exception=False)
    user: User | None = getattr(world.cast, role, None)
    with everywhere(reason="arrange"), frozen(JOINED):
        if role == "worker":
            user = User.objects.get(username="w101")
        elif role == "newcomer":
            user = world.member(901, "新来者").user
            Member.objects.filter(user=user).update(unit=None, employment="", basic_insurance=None, union_member=None)
        elif role == "agent":
            user = world.agent
        elif role == "administrator":
            user = make_user("s-admin", "系统管理员")
            give_post(user, world.cast.headquarters, Role.SYSTEM_ADMIN)
    if user is not None:
        client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return client


@pytest.mark.parametrize("role", ROLES)
def test_nobody_meets_a_dead_end_or_a_code(full: World, role: str) -> None:
    client, faults, pages = _someone(full, role), [], 0
    with frozen(ASKED):
        for seen in walk(client, STARTS.get(role, "/admin/")):
            pages += 1
            if seen.answer.status_code not in (200, 301, 302):
                faults.append(f"{seen.answer.status_code} {seen.address} from {seen.came_from}")
            faults += [f"{seen.address}: {fault}" for fault in faults_of_words(seen.page, language="zh-hans")]
    assert faults == []
    assert pages >= 3


@pytest.mark.parametrize("role", ROLES)
def test_no_input_of_any_form_breaks_it(full: World, role: str) -> None:
    client, broken = _someone(full, role), []
    with frozen(ASKED):
        for seen in list(walk(client, STARTS.get(role, "/admin/"))):
            for form in seen.page.forms:
                if form.method == "post" and "logout" not in form.action:
                    broken += _abuse(client, seen, form)
    assert broken == []


def _abuse(client: Client, seen: Seen, form: Form) -> list[str]:
    """Every field takes every hostile value once, on its own; nothing of it is kept."""
    address, broken = form.action or seen.address, []
    trials = [{**form.fields, name: value} for name in form.fields if name != "csrfmiddlewaretoken" for value in HOSTILE]
    trials += [{**form.fields, name: SimpleUploadedFile("x.jpg", junk)} for name in form.files for junk in (b"", b"\xff\xd8\xff", b"PK\x03\x04" * 99)]
    trials += [{**form.fields, name: value} for name, value in form.buttons] + [{}]
    for trial in trials:
        with transaction.atomic():
            answer = client.post(address, trial)
            transaction.set_rollback(True)
        if answer.status_code >= 500:
            broken.append(f"{answer.status_code} {address} {str(trial)[:200]}")
    return broken
