"""Every hostile file through the front door: refused in words or kept as a harmless copy, never an error, nothing half kept, and
shown to nobody whose claim it is not."""

import re
import uuid
from collections.abc import Iterator

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from claims.models import Claim, ClaimDocument
from claims.services import intake
from members.models import Enrolment
from tests.factories.world import ASKED, JOINED, World
from tests.pages.test_worker_claims import client_of
from tests.unionaid.lib.test_hostile_files import FILES, photo
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere

CJK, TOKEN = re.compile(r"[\u4e00-\u9fff]"), re.compile(r'csrfmiddlewaretoken" value="[^"]+"')
NAMES = ("../../x.jpg", "a\x00b.jpg", "a\r\nX-A: 1.jpg", "\u202egpj.exe", "长" * 300 + ".jpg", "-rf.jpg", "con.jpg", "<b>.jpg", "....", " ")
TYPES = ("text/html", "image/svg+xml", "application/x-msdownload", "application/pdf; charset=x", "none")


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(ASKED):
        yield


@pytest.fixture
def draft(world: World) -> Claim:
    with everywhere(reason="arrange"), frozen(JOINED):
        made = world.cover(world.member(101))
    with everywhere(reason="arrange"):
        cover = Enrolment.objects.select_related("member", "terms", "program").get(pk=made.pk)
        return intake.open_claim(enrolment=cover, claimant=cover.member, event="admission", by=world.worker(cover.member), on=ASKED)


def _send(client: Client, draft: Claim, data: bytes, name: str, kind: str = "image/jpeg") -> HttpResponse:
    file = SimpleUploadedFile("x", data, kind)
    file._name = name  # as it is sent, whatever a kind client would make of it
    return client.post(reverse("claims:documents", args=[draft.public_id]), {"kind": "settlement", "files": [file]})


def _kept(draft: Claim) -> list[ClaimDocument]:
    with everywhere(reason="look"):
        return list(draft.documents.all())


def test_whatever_is_sent_is_refused_or_kept_whole(draft: Claim, world: World) -> None:
    with everywhere(reason="look"):
        client = client_of(draft.member.user)
    clean = 0
    for name, (made, said) in FILES.items():
        answer = _send(client, draft, made(), name)
        clean += not said
        assert answer.status_code == (400 if said else 302), name
        assert not said or (said in answer.content.decode() and CJK.search(said + "一")), name
        assert len(_kept(draft)) == clean, f"{name}: nothing half kept"
    for order, name in enumerate(NAMES):
        assert _send(client, draft, photo(size=(20 + order, 9)), name).status_code in (302, 400), name
    for order, kind in enumerate(TYPES):
        assert _send(client, draft, photo(size=(50 + order, 9)), "a.jpg", kind).status_code in (302, 400), kind
    papers = _kept(draft)
    assert all(default_storage.exists(paper.file.name) for paper in papers)
    assert not any(set(paper.file_name) & set("/\\\r\n\x00\u202e<>") or len(paper.file_name) > 84 for paper in papers)
    assert {paper.content_type for paper in papers} == {"image/jpeg", "application/pdf"}
    for paper in papers:
        _served_in_a_sandbox(client.get(reverse("claims:document", args=[paper.public_id])))
    _shown_to_nobody_else(papers[0], world)


def _served_in_a_sandbox(answer: HttpResponse) -> None:
    assert answer.status_code == 200
    assert (answer["X-Content-Type-Options"], answer["Content-Type"]) in {("nosniff", "image/jpeg"), ("nosniff", "application/pdf")}
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "no-store" in answer["Cache-Control"]
    assert "\r" not in answer["Content-Disposition"]


def _shown_to_nobody_else(paper: ClaimDocument, world: World) -> None:
    """Another worker and another office get the very answer that a paper which does not exist gets."""
    with everywhere(reason="arrange"):
        other = world.member(102, "外人").user
    for user, route in ((other, "claims:document"), (other, "claims:document_small"), (world.cast.outsider, "admin:claim_document")):
        client = client_of(user)
        theirs, missing = (_said(client.get(reverse(route, args=[key])), key) for key in (paper.public_id, uuid.uuid4()))
        assert theirs == missing, route
    assert Client().get(reverse("claims:document", args=[paper.public_id])).status_code == 302


def _said(answer: HttpResponse, key: uuid.UUID) -> str:
    """What a 404 says, but for the address that was asked for and the page's own key."""
    assert answer.status_code == 404
    return TOKEN.sub("", answer.content.decode()).replace(str(key), "")
