"""Somebody files for a worker: the unit's agent for one of the unit's people, the husband or wife for the other. The worker is told at
once, sees everything, agrees or objects; whoever filed has no part in the decision."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
from django.db import IntegrityError, transaction

from claims.models import Claim, ClaimFlag
from claims.services import adjudication, filing, unit_review
from claims.services.intake import ClaimRefused
from members.models import Consent, ContributionDue, Enrolment, Member, UnitAgent
from members.services import contributions, enrolment
from members.services.people import numbers_of
from tests.factories.desk import Desk, make_desk
from tests.factories.offices import give_post, make_user
from tests.factories.world import ASKED, ILL, JOINED, World, load, make_unit
from tests.pages.test_worker_claims import ACCOUNT, FIGURES, Walk, photo, user_of
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.roles import Actor, Role
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry, Notice
from unionaid.workflow.moves import NotAllowed, move
from unionaid.workflow.selectors import history_of

AT_UNIT = "/unit/filing"
ENROLMENT = {"opens": "2025-10-01", "closes": "2026-12-31", "individual": True, "ages": [{"from": 0, "to": 60}]}


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(ASKED):
        yield


@pytest.fixture
def cover(world: World) -> Enrolment:
    """A worker of the unit under a plan whose claims the unit looks at first."""
    with everywhere(reason="arrange"), frozen(JOINED):
        worker = world.member(101)
        made = world.cover(worker, load("shaanxi-yulin-medical.2026", code="unit-first", deciding={"unit_first": True}))
        made.member = worker
        return made


def _last() -> Claim:
    with everywhere(reason="look"):
        return Claim.objects.select_related("member__user", "claimant__user", "terms", "unit", "enrolment", "program", "card").latest("id")


def _told(member: Member) -> list[str]:
    with everywhere(reason="look"):
        return list(Notice.objects.filter(member_key=member.pk).order_by("id").values_list("title", flat=True))


def _fill(walk: Walk, base: str, claim: Claim, *, leave_out: str = "") -> None:
    """Every question, on this side of the counter."""
    one = f"{base}/{claim.public_id}"
    told = {"hospital": "榆林市第一医院", "diagnosis": "急性阑尾炎", "by_accident": "no"}
    assert walk.send(told, address=f"{one}/medical").status_code == 302
    stay = {"admitted_on": ILL.isoformat(), "discharged_on": "2026-05-28", **FIGURES}
    assert walk.send(stay, address=f"{one}/stays/new").status_code == 302
    kinds = set(re.findall(r'name="kind" value="(\w+)"', walk.get(f"{one}/documents"))) - {leave_out, "other"}
    for i, kind in enumerate(sorted(kinds)):
        said = {"kind": kind, "files": [photo(kind, f"#30405{i}")]}
        assert walk.client.post(f"{one}/documents", said).status_code == 302
    assert walk.send({**ACCOUNT, "consent": "on"}, address=f"{one}/account").status_code == 302


def _find(walk: Walk, name: str, number: str) -> int:
    return walk.send({"name": name, "number": number}, address=f"{AT_UNIT}/find").status_code


def _begin(walk: Walk, base: str) -> Claim:
    """From what happened to the open claim; the person was chosen or is the only one."""
    walk.send({"answer": "admission"}, address=f"{base}/start")
    walk.send({"answer": ILL.isoformat()}, address=f"{base}/start/day")
    covers = re.findall(r'name="cover" value="([0-9a-f-]+)"', walk.get(f"{base}/start/cover"))
    assert walk.send({"cover": covers, "consent": "on"}, address=f"{base}/start/cover").status_code == 302
    return _last()


def test_the_units_agent_files_for_a_worker_who_is_told_and_objects(world: World, cover: Enrolment) -> None:
    number = _number_of(cover.member)
    with everywhere(reason="arrange"), frozen(JOINED):
        _other_unit, stranger = make_unit(world.cast.b, "91610100MA70A1B3D")
    elsewhere, agent = Walk(stranger), Walk(world.agent)
    assert [_find(elsewhere, "王小明", number), _find(agent, "王小", number), _find(agent, "王小明", "0000")] == [400, 400, 400]
    assert agent.client.get(f"{AT_UNIT}/start")["Location"] == f"{AT_UNIT}/find"
    assert _find(agent, "王小明", number[-4:].lower()) == 302
    page = agent.get(f"{AT_UNIT}/person")
    assert number not in page
    assert f"{number[:3]}***********{number[-4:]}" in page
    agent.send({"answer": str(cover.member_id)}, address=f"{AT_UNIT}/person")
    claim = _begin(agent, AT_UNIT)
    assert (claim.filed_by_id, claim.filed_as, claim.claimant_id, claim.kin_id) == (world.agent.pk, "unit_agent", cover.member_id, None)
    assert _told(cover.member)[-1:] == ["有人正在代您申领互助金"]
    _seen_by_nobody_else(claim, elsewhere)

    other_device = Walk(world.agent)
    assert claim.number in other_device.get(AT_UNIT)
    _fill(other_device, AT_UNIT, claim, leave_out="authorisation")
    check = f"{AT_UNIT}/{claim.public_id}/check"
    refused = other_device.send({"declaration": "on"}, address=check)
    assert refused.status_code == 400
    assert "委托书或本人签名的说明" in refused.content.decode()
    paper = {"kind": "authorisation", "files": [photo("委托书", "#112233")]}
    other_device.client.post(f"{AT_UNIT}/{claim.public_id}/documents", paper)
    assert other_device.send({"declaration": "on"}, address=check)["Location"] == f"{AT_UNIT}/{claim.public_id}/submitted"
    claim = _last()
    assert (claim.state, claim.submitted_by_id) == ("submitted", world.agent.pk), "the unit's only agent looks at nothing of their own"
    assert "代您填写的申领已提交" in _told(cover.member)
    _worker_objects(world, cover, claim, other_device)


def _number_of(member: Member) -> str:
    with everywhere(reason="look"):
        return numbers_of([member.pk])[member.pk][0]


def _seen_by_nobody_else(claim: Claim, stranger: Walk) -> None:
    for page in ("", "resume", "medical", "documents", "check", "account"):
        assert stranger.client.get(f"{AT_UNIT}/{claim.public_id}/{page}").status_code == 404
    assert claim.number not in stranger.get(AT_UNIT)


def _worker_objects(world: World, cover: Enrolment, claim: Claim, agent: Walk) -> None:
    worker = Walk(user_of(cover))
    assert claim.number in worker.get("/my/")
    page = worker.get(f"/my/claims/{claim.public_id}/")
    assert "周经办（单位经办人）" in page
    assert "急性阑尾炎" in page
    assert agent.client.get(f"{AT_UNIT}/{claim.public_id}/").status_code == 200
    assert _flags(claim) == {"filed_by_agent"}
    assert worker.send({"note": "我没有委托"}, address=f"/my/claims/{claim.public_id}/objection").status_code == 302
    assert agent.client.get(f"{AT_UNIT}/{claim.public_id}/").status_code == 404
    assert claim.number not in agent.get(AT_UNIT)
    assert _flags(claim) == {"filed_by_agent", "filing_objected"}
    with everywhere(reason="look"):
        papers = claim.documents.values_list("public_id", flat=True)
        assert [agent.client.get(f"/unit/papers/{paper}").status_code for paper in papers[:1]] == [404]
        acts = AuditEntry.objects.filter(entity="claims.claim", entity_id=claim.pk).values_list("action", "actor_id")
        assert {("open", world.agent.pk), ("object_to_filing", cover.member.user_id)} <= set(acts)
    assert worker.send({}, address=f"/my/claims/{claim.public_id}/withdraw").status_code == 302
    assert _last().state == "withdrawn"


def _flags(claim: Claim) -> set[str]:
    """The serious ones that are open."""
    with everywhere(reason="look"):
        rows = ClaimFlag.objects.filter(claim=claim, lapsed_at=None, dismissed_at=None)
        return set(rows.values_list("code", flat=True)) - {"new_provider", "soon_after_joining"}


def test_whoever_filed_has_no_part_in_the_decision(world: World, cover: Enrolment) -> None:
    """With a second agent the unit looks at it first, by that one; the worker's word on the page takes the place of the paper."""
    second = make_user("u-2", "郑经办")
    with everywhere(reason="arrange"):
        UnitAgent.objects.create(office=world.cast.a, unit=world.unit, user=second, since=JOINED)
        desk = make_desk(world)
    agent, worker = Walk(world.agent), Walk(user_of(cover))
    _find(agent, "王小明", _number_of(cover.member))
    agent.send({"answer": str(cover.member_id)}, address=f"{AT_UNIT}/person")
    claim = _begin(agent, AT_UNIT)
    _fill(agent, AT_UNIT, claim, leave_out="authorisation")
    with everywhere(reason="look"):
        assert not Consent.objects.filter(member=cover.member, purpose__in=["medical", "bank"]).exists(), "nobody consents for another"
    assert worker.client.post(f"/my/claims/{claim.public_id}/agree").status_code == 302
    assert agent.send({"declaration": "on"}, address=f"{AT_UNIT}/{claim.public_id}/check").status_code == 302
    with everywhere(reason="look"):
        assert Consent.objects.filter(member=cover.member, purpose="medical").count() == 1
        claim = _last()
        assert (claim.state, _flags(claim)) == ("unit_review", set())
        with pytest.raises(NotAllowed, match="您代办的"):
            unit_review.pass_on(claim, by=world.agent_actor, on=ASKED)
        unit_review.pass_on(claim, by=Actor(second.pk, "郑经办", unit_ids=frozenset({world.unit.pk})), on=ASKED)
        _not_by_the_filer(desk, claim)
        with pytest.raises(ClaimRefused, match="不能再在这里提出"):
            filing.object_to(claim, by=world.worker(cover.member), note="")


def _not_by_the_filer(desk: Desk, claim: Claim) -> None:
    """The reviewer had filed it, as a relative might: another one has to review it. The control: had they not, they might."""
    rows = Claim.objects.filter(pk=claim.pk)
    rows.update(filed_by=desk.reviewer.user_id, submitted_by=None)
    claim.refresh_from_db()
    with pytest.raises(NotAllowed, match="您代办的"):
        adjudication.review(claim, by=desk.reviewer, on=ASKED)
    with pytest.raises(NotAllowed, match="前面的步骤是您办的"):
        move([claim], "review", by=desk.reviewer)
    rows.update(filed_by=desk.other_reviewer.user_id)
    claim.refresh_from_db()
    assert desk.decide(claim).state == "approved"


AT_DESK = "/admin/intake"


def _taken_in(walk: Walk, cover: Enrolment, who: str) -> int:
    """Found at the desk, and who claims; the status of the answer."""
    assert _found_at_desk(walk, _number_of(cover.member)) == 302
    return walk.send({"answer": str(cover.member_id), "who": who}, address=f"{AT_DESK}/person").status_code


def _found_at_desk(walk: Walk, number: str) -> int:
    return walk.send({"name": "王小明", "number": number}, address=f"{AT_DESK}/find").status_code


def test_the_desk_takes_a_claim_in_for_whoever_cannot_and_decides_nothing_of_it(world: World, cover: Enrolment) -> None:
    at_desk, elsewhere = Walk(world.cast.reviewer), Walk(world.cast.outsider)
    assert AT_DESK in at_desk.get("/admin/claims/claim/")
    assert _found_at_desk(elsewhere, _number_of(cover.member)) == 400, "another office finds nobody"
    assert Walk(world.cast.payer).client.get(AT_DESK).status_code == 403
    assert _taken_in(at_desk, cover, "worker") == 302
    claim = _begin(at_desk, AT_DESK)
    assert (claim.filed_as, claim.filed_by_id, claim.claimant_id, claim.heir) == ("desk", world.cast.reviewer.pk, cover.member_id, "")
    assert _told(cover.member)[-1:] == ["有人正在代您申领互助金"]
    for page in ("", "resume", "medical", "documents", "check", "account"):
        assert elsewhere.client.get(f"{AT_DESK}/{claim.public_id}/{page}").status_code == 404
        assert Walk(world.cast.manager).client.get(f"{AT_DESK}/{claim.public_id}/{page}").status_code == 404, "whoever began it goes on"
    _change_hands(world, claim)
    other_device = Walk(world.cast.reviewer)
    assert claim.number in other_device.get(AT_DESK)
    _fill(other_device, AT_DESK, claim)
    sent = other_device.send({"declaration": "on"}, address=f"{AT_DESK}/{claim.public_id}/check")
    assert sent["Location"] == f"{AT_DESK}/{claim.public_id}/submitted"
    assert other_device.client.get(sent["Location"]).status_code == 200
    with everywhere(reason="look"):
        claim, desk = _last(), make_desk(world)
        assert (claim.state, claim.card.owner_name) == ("unit_review", "王小明")
        unit_review.pass_on(claim, by=world.agent_actor, on=ASKED)
        with pytest.raises(NotAllowed, match="您代办的"):
            adjudication.review(claim, by=desk.reviewer, on=ASKED)
        Claim.objects.filter(pk=claim.pk).update(filed_by=desk.manager.user_id, filed_before_by=desk.reviewer.user_id, submitted_by=None)
        claim.refresh_from_db()
        with pytest.raises(NotAllowed, match="您代办的"):
            adjudication.review(claim, by=desk.reviewer, on=ASKED)
        with pytest.raises(NotAllowed, match="前面的步骤是您办的"):
            move([claim], "review", by=desk.reviewer)
        Claim.objects.filter(pk=claim.pk).update(filed_by=desk.reviewer.user_id, filed_before_by=desk.manager.user_id)
        claim.refresh_from_db()
        assert desk.decide_otherwise(claim).state == "approved"
    assert "/correct-account" in other_device.get(f"{AT_DESK}/{claim.public_id}/")
    assert other_device.client.get(f"{AT_DESK}/{claim.public_id}/correct-account").status_code == 200
    assert f"{AT_DESK}/{claim.public_id}/appeal" in other_device.get(f"{AT_DESK}/{claim.public_id}/")
    assert other_device.send({"grounds": "本人说少算了"}, address=f"{AT_DESK}/{claim.public_id}/appeal").status_code == 302
    assert _told(cover.member)[-1:] == ["有人替您提出了申诉"]


def _change_hands(world: World, claim: Claim) -> None:
    """A colleague goes on with it and gives it back; a third one is told whose it is, another office finds nothing."""
    third = make_user("s-third", "第三位")
    give_post(third, world.cast.a, Role.REVIEWER)
    first, colleague = Walk(world.cast.reviewer), Walk(world.cast.manager)
    take = f"{AT_DESK}/{claim.public_id}/take-over"
    assert Walk(world.cast.outsider).client.post(take).status_code == 404
    assert claim.number not in Walk(world.cast.outsider).get(AT_DESK)
    assert take in colleague.get(AT_DESK)
    assert take not in first.get(AT_DESK)
    assert colleague.client.post(take)["Location"] == f"{AT_DESK}/{claim.public_id}/resume"
    assert colleague.client.get(f"{AT_DESK}/{claim.public_id}/medical").status_code == 200
    assert first.client.get(f"{AT_DESK}/{claim.public_id}/medical").status_code == 404
    assert "只能由他们接着办" in Walk(third).client.post(take, follow=True).content.decode()
    assert first.client.post(take).status_code == 302
    with everywhere(reason="look"):
        claim.refresh_from_db()
        assert (claim.filed_by_id, claim.filed_before_by_id) == (world.cast.reviewer.pk, world.cast.manager.pk)
        assert [act.details["from"] for act in history_of(claim) if act.action == "take_over"] == ["秦小明", "李国强"]


HEIR = {"name": "王子", "id_number": make_id_number("610802", date(1992, 5, 6), 7), "phone": "13900139000"}


def test_after_a_death_the_heir_claims_at_the_desk_and_is_paid_in_their_own_name(world: World, cover: Enrolment) -> None:
    at_desk = Walk(world.cast.reviewer)
    assert _taken_in(at_desk, cover, "heir") == 302
    for wrong in ({"relation": ""}, {"relation": "friend"}, {"id_number": _number_of(cover.member), "relation": "child"}):
        assert at_desk.send({**HEIR, **wrong}, address=f"{AT_DESK}/heir").status_code == 400
    assert at_desk.send({**HEIR, "relation": "child"}, address=f"{AT_DESK}/heir").status_code == 302
    claim = _begin(at_desk, AT_DESK)
    with everywhere(reason="look"):
        heir = claim.claimant
        assert (heir.name, claim.member_id, claim.heir, claim.filed_as) == ("王子", cover.member_id, "child", "desk")
    assert "替王小明的继承人王子代办" in at_desk.get(f"{AT_DESK}/{claim.public_id}/documents")
    _fill(at_desk, AT_DESK, claim, leave_out="kinship")
    check = f"{AT_DESK}/{claim.public_id}/check"
    refused = at_desk.send({"declaration": "on"}, address=check)
    assert "与逝者关系的证明" in refused.content.decode()
    proof = {"kind": "kinship", "files": [photo("户口本", "#112233")]}
    at_desk.client.post(f"{AT_DESK}/{claim.public_id}/documents", proof)
    assert at_desk.send({"declaration": "on"}, address=check).status_code == 302
    with everywhere(reason="look"):
        claim, desk = _last(), make_desk(world)
        assert (claim.card.owner_name, claim.card.member_id) == ("王子", heir.pk)
        unit_review.pass_on(claim, by=world.agent_actor, on=ASKED)
        assert "claimed_by_heir" in _flags(claim)
        assert desk.decide_otherwise(claim).approved_fen > 0
        with pytest.raises(IntegrityError, match="claim_of_heir_at_the_desk"), transaction.atomic():
            Claim.objects.filter(pk=claim.pk).update(claimant=claim.member)
    reviewing = Walk(world.cast.approver).get(f"/admin/claims/claim/{claim.pk}/review/")
    assert "子女" in reviewing
    assert "由逝者的" in reviewing


def _choices(walk: Walk, base: str, *events: str) -> list[str]:
    """What one can claim under for these events, of the day of illness."""
    walk.send({"answer": list(events)}, address=f"{base}/start")
    names = [f"answer_{event}" for event in events] if len(events) > 1 else ["answer"]
    walk.send(dict.fromkeys(names, ILL.isoformat()), address=f"{base}/start/day")
    return re.findall(r'name="cover" value="([0-9a-z-]+)"', walk.get(f"{base}/start/cover"))


def test_one_form_finds_relief_as_well_whoever_fills_it_in(world: World, cover: Enrolment) -> None:
    with everywhere(reason="arrange"):
        aid, study = load("dalian-relief.2026", office=None), load("beijing-student-aid.2026", office=None)
    worker, agent, at_desk = Walk(user_of(cover)), Walk(world.agent), Walk(world.cast.reviewer)
    choices = _choices(worker, "/my/claims", "admission", "diagnosis")
    assert choices == [str(cover.public_id), f"relief-{aid.pk}"]
    assert worker.send({"cover": choices, "consent": "on"}, address="/my/claims/start/cover").status_code == 302
    with everywhere(reason="look"):
        both = list(Claim.objects.order_by("id").values_list("event", "fund", "occasion", "filed_as"))
    assert [one[:2] for one in both] == [("admission", "mutual_aid"), ("diagnosis", "relief")]
    assert both[0][2] == both[1][2], "one event"

    _find(agent, "王小明", _number_of(cover.member))
    agent.send({"answer": str(cover.member_id)}, address=f"{AT_UNIT}/person")
    assert _choices(agent, AT_UNIT, "diagnosis") == [f"relief-{aid.pk}"]
    agent.send({"cover": [f"relief-{aid.pk}"], "consent": "on"}, address=f"{AT_UNIT}/start/cover")
    claim = _last()
    assert (claim.fund, claim.filed_as, claim.unit_id, claim.claimant_id) == ("relief", "unit_agent", world.unit.pk, cover.member_id)
    assert agent.client.get(f"{AT_UNIT}/{claim.public_id}/medical").status_code == 200

    assert _taken_in(at_desk, cover, "worker") == 302
    assert _choices(at_desk, AT_DESK, "hardship") == [f"relief-{study.pk}"]
    at_desk.send({"cover": [f"relief-{study.pk}"], "consent": "on"}, address=f"{AT_DESK}/start/cover")
    claim = _last()
    assert (claim.event, claim.filed_as, claim.member_id) == ("hardship", "desk", cover.member_id)
    assert at_desk.client.get(f"{AT_DESK}/{claim.public_id}/what").status_code == 200


def _wife_of(world: World, worker: Member, terms_of: Enrolment) -> Member:
    """She joined through him, and has a log-in of her own."""
    with everywhere(reason="arrange"), frozen(JOINED):
        wife = world.member(202, "李小红")
        enrolment.enrol(
            member=wife, holder=worker, relation="spouse", shares=1, unit=world.unit, on=JOINED, by=world.worker(worker),
            terms=load("shaanxi-yulin-medical.2026", code="for-two", enrolment={**ENROLMENT, "relations": ["self", "spouse"]}),
        )  # fmt: skip
        for due in ContributionDue.objects.filter(member=worker, state="open"):
            contributions.confirm(
                due, payer_name=worker.name, bank_reference=f"T{due.pk}", received_on=JOINED, amount_fen=due.amount_fen,
                remark=due.reference, by=world.cast.actor(world.cast.payer), on=JOINED,
            )  # fmt: skip
    return wife


def test_husband_or_wife_files_for_the_other(world: World, cover: Enrolment) -> None:
    wife = _wife_of(world, cover.member, cover)
    walk = Walk(wife.user)
    walk.get("/my/claims/start")
    walk.send({"answer": "admission"})
    choices = re.findall(r'name="answer" value="([0-9-]+)"', walk.get("/my/claims/start/person"))
    assert set(choices) == {str(wife.pk), f"{cover.member_id}-{cover.member_id}"}
    walk.send({"answer": f"{cover.member_id}-{cover.member_id}"}, address="/my/claims/start/person")
    walk.send({"answer": ILL.isoformat()}, address="/my/claims/start/day")
    covers = re.findall(r'name="cover" value="([0-9a-f-]+)"', walk.get("/my/claims/start/cover"))
    assert covers == [str(cover.public_id)]
    assert walk.send({"cover": covers, "consent": "on"}, address="/my/claims/start/cover").status_code == 302
    claim = _last()
    assert (claim.filed_as, claim.kin_id, claim.relation, claim.claimant_id) == ("family", wife.pk, "spouse", cover.member_id)
    _fill(walk, "/my/claims", claim)
    assert walk.send({"declaration": "on"}, address=f"/my/claims/{claim.public_id}/check").status_code == 302
    assert (_last().state, _last().card.owner_name) == ("unit_review", "王小明")
    assert "我代家人办的申领" in walk.get("/my/")
    worker = Walk(user_of(cover))
    assert "李小红（配偶）" in worker.get(f"/my/claims/{claim.public_id}/")
    assert worker.send({"note": ""}, address=f"/my/claims/{claim.public_id}/objection").status_code == 302
    assert walk.client.get(f"/my/claims/{claim.public_id}/").status_code == 404
    assert claim.number not in walk.get("/my/")
    assert "您代办的申领，本人提出了异议" in _told(wife)
