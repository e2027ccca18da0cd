"""One event, one form: what happened is told once, every cover it touches is claimed together, and each claim then goes its own way."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from claims.forms import HappenedForm
from claims.models import Admission, Claim, ClaimDocument, ClaimFlag
from claims.selectors.estimate import estimates
from claims.services import adjudication, screening
from claims.views.apply import EVENTS
from members.models import Enrolment
from tests.factories.world import ASKED, ILL, JOINED, World, load
from tests.pages.test_worker_claims import ACCOUNT, FIGURES, Walk, photo, user_of
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere

PLANS = ("national-inpatient.2026", "national-critical-illness.2026")
FOUND_ILL = date(2026, 5, 22)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(ASKED):
        yield


@pytest.fixture
def covers(world: World) -> list[Enrolment]:
    """One worker in three plans: two that pay for a stay in hospital, one for a major disease."""
    with everywhere(reason="arrange"), frozen(JOINED):
        member = world.member(101)
        return [world.cover(member), *(world.cover(member, load(plan)) for plan in PLANS)]


@pytest.fixture
def walk(covers: list[Enrolment]) -> Walk:
    return Walk(user_of(covers[0]))


def _claims() -> list[Claim]:
    with everywhere(reason="look"):
        return list(Claim.objects.select_related("program", "member", "enrolment", "terms").order_by("id"))


def _begin(walk: Walk, covers: list[Enrolment]) -> list[Claim]:
    walk.get(reverse("claims:start"))
    walk.send({"answer": ["admission", "diagnosis"]})
    assert walk.send({"answer_admission": ILL.isoformat(), "answer_diagnosis": ""}).status_code == 400
    walk.send({"answer_admission": ILL.isoformat(), "answer_diagnosis": FOUND_ILL.isoformat()})
    page = walk.get(reverse("claims:start_cover"))
    assert len(re.findall(r'name="cover"[^>]*checked', page)) == 3  # found and chosen, whatever each is for
    assert walk.send({"cover": [str(cover.public_id) for cover in covers], "consent": "on"}).status_code == 302
    return _claims()


def _fill(walk: Walk, first: Claim) -> None:
    """Every question once."""
    told = {"hospital": "榆林市第一医院", "diagnosis": "急性心肌梗死", "by_accident": "no", "event_on": FOUND_ILL.isoformat()}
    assert walk.step(first, "medical", told).status_code == 400  # the disease plan asks for the class
    assert walk.step(first, "medical", {**told, "diagnosis_class": "critical_severe"}).status_code == 302
    assert walk.step(first, "stay_new", {"admitted_on": "2026-05-20", "discharged_on": "2026-05-28", **FIGURES}).status_code == 302
    page = walk.get(reverse("claims:documents", args=[first.public_id]))
    kinds = list(dict.fromkeys(re.findall(r'name="kind" value="(\w+)"', page)))
    assert len(kinds) == len(set(kinds))
    for i, kind in enumerate(kinds):
        said = {"kind": kind, "files": [photo(f"材料{i}", f"#30405{i}")]}
        assert walk.client.post(reverse("claims:documents", args=[first.public_id]), said).status_code == 302
    walk.step(first, "account", {**ACCOUNT, "consent": "on"})


def test_one_event_opens_every_claim_is_told_once_and_sent_once(world: World, walk: Walk, covers: list[Enrolment]) -> None:
    made = _begin(walk, covers)
    assert [(claim.program_id, claim.event) for claim in made] == [
        (cover.program_id, event)
        for cover, event in zip(covers, ("admission", "admission", "diagnosis"), strict=True)
    ]
    assert len({claim.occasion for claim in made}) == 1
    home = walk.get("/my/")
    assert home.count("没填完的申领") == 1  # one thing to do, on this device or another
    _fill(walk, made[0])
    address = reverse("claims:check", args=[made[1].public_id])
    page = walk.get(address)
    assert all(claim.program.title in page for claim in made)
    assert "约 ¥4,400.00 元" in page
    assert "约 ¥10,000.00 元" in page
    said = {"declaration": "on", "key": "k1"}
    first, second = walk.client.post(address, said), walk.client.post(address, said)
    assert first["Location"] == second["Location"] == reverse("claims:submitted", args=[made[1].public_id])
    assert all(claim.number in walk.get(first["Location"]) for claim in made)
    sent = _claims()
    assert [(claim.pk, claim.state, claim.diagnosis) for claim in sent] == [(claim.pk, "submitted", "急性心肌梗死") for claim in made]
    assert [(claim.diagnosis_class, claim.event_on) for claim in sent] == [("", ILL), ("", ILL), ("critical_severe", FOUND_ILL)]
    page = walk.get(reverse("claims:event", args=[made[2].public_id]))
    assert all(claim.number in page and claim.program.title in page for claim in made)


    _share_and_part(world, walk, sent)


def _share_and_part(world: World, walk: Walk, sent: list[Claim]) -> None:
    """Papers and figures were shared and raise no flag; what comes later happens to one claim alone."""
    with everywhere(reason="look"):
        assert Admission.objects.filter(claim__in=sent).values("medfee_sumamt_fen").distinct().count() == 1
        assert [claim.admissions.count() for claim in sent] == [1, 1, 0]  # the disease plan looks at no stay
        papers = ClaimDocument.objects.filter(claim__in=sent)
        assert papers.count() > papers.values("file").distinct().count()  # uploaded once, kept once
        assert not ClaimFlag.objects.filter(code__in=["same_file", "same_invoice", "overlapping_stay"]).exists()
        # Were they no one event, the same papers under one plan would be a second use of them.
        Claim.objects.filter(pk=sent[1].pk).update(program=sent[0].program_id, occasion="00000000-0000-4000-8000-000000000000")
        screening.screen(sent)
        assert {flag.code for flag in ClaimFlag.objects.all()} >= {"same_file", "overlapping_stay"}
        Claim.objects.filter(pk=sent[1].pk).update(program=sent[1].program_id, occasion=sent[0].occasion)
        adjudication.return_for_supplement(sent[0], by=world.cast.actor(world.cast.reviewer), on=ASKED, note="请补发票")
    assert walk.step(sent[0], "medical", {"hospital": "榆林市第二医院", "diagnosis": "肺炎", "by_accident": "no"}).status_code == 302
    assert [claim.diagnosis for claim in _claims()] == ["肺炎", "急性心肌梗死", "急性心肌梗死"]
    assert [claim.state for claim in _claims()] == ["supplement_requested", "submitted", "submitted"]


def test_a_plan_is_left_out_a_paper_taken_back_and_a_fault_keeps_all_back(walk: Walk, covers: list[Enrolment]) -> None:
    made = _begin(walk, covers)
    _fill(walk, made[0])
    with everywhere(reason="look"):
        first = _claims()[0]
        alone, beside = estimates([first, first], on=ASKED)  # what one takes under a shared limit is not promised twice
        assert alone is not None
        assert beside is not None
        assert {use.key: use.used_before for use in beside.usage} == {use.key: use.used_before + use.taken for use in alone.usage}
        shared = ClaimDocument.objects.filter(claim=made[0]).first()
    walk.client.post(reverse("claims:document_remove", args=[made[0].public_id, shared.public_id]))
    with everywhere(reason="look"):
        assert not ClaimDocument.objects.filter(sha256=shared.sha256).exists()
    assert walk.step(made[0], "check", {"declaration": "on"}).status_code == 400
    assert {claim.state for claim in _claims()} == {"draft"}
    page = walk.get(reverse("claims:withdraw", args=[made[2].public_id]))
    assert "另外 2 份保障的申领照样保留" in page
    walk.send({})
    assert [claim.state for claim in _claims()] == ["draft", "draft", "withdrawn"]
    assert made[2].program.title not in walk.get(reverse("claims:check", args=[made[0].public_id]))


@pytest.mark.parametrize(
    ("told", "is_taken"),
    [
        (["admission"], True),
        (["admission", "diagnosis", "surgery"], True),
        (["admission", "disease_death"], True),
        (["outpatient"], True),
        (["outpatient", "admission"], False),
        (["accident_death", "disease_death"], False),
        (["earthquake"], False),
        ([], False),
    ],
)
def test_what_cannot_be_told_together_is_said_so(told: list[str], is_taken: bool) -> None:
    form = HappenedForm(MultiValueDict({"answer": told}), choices=list(EVENTS.items()))
    assert form.is_valid() is is_taken
