"""What a unit has joined, through the front door: the batch's certificate, everyone's certificates in one file, the list to post."""

import io
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from members.models import CertificatePack, ContributionDue, Enrolment, PackPart, Roster
from members.services import contributions, packs
from tests.factories.clients import client_of
from tests.factories.world import JOINED, World, make_unit
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.lib.spreadsheet import read_table
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import Run, run_due
from unionaid.workflow.models import Job

PEOPLE = 11  # each certificate is a font cut down and a page drawn: enough for three parts
NAMES = ("王小明", "欧阳小梅", "䶮𠮷", "买买提·艾力")


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(JOINED):
        yield


def _text(answer: HttpResponse) -> str:
    return answer.content.decode()


def _sent(answer: HttpResponseBase) -> bytes:
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def _lines(count: int, first: int = 0) -> list[tuple[str, str]]:
    born = [date(1980, 1 + i % 12, 5) for i in range(first, first + count)]
    return [(NAMES[i % len(NAMES)], make_id_number("610802", day, 101 + i)) for i, day in enumerate(born, start=first)]


def _roster(world: World, lines: list[tuple[str, str]], *, paid: bool) -> Roster:
    """A roster of these people, enrolled through the pages, and paid."""
    client = client_of(world.agent)
    text = "\n".join(",".join(line) for line in [("姓名", "身份证号"), *lines])
    file = SimpleUploadedFile("花名册.csv", text.encode())
    sent = client.post(reverse("members:roster_upload", args=[world.unit.pk, world.yulin.pk]), {"file": file})
    run_due("default")
    pk = int(sent["Location"].rsplit("/", 1)[1])
    client.post(reverse("members:roster_confirm", args=[pk]))
    run_due("default")
    with everywhere(reason="arrange"):
        if paid:
            for due in ContributionDue.objects.filter(roster=pk):
                contributions.confirm(
                    due, payer_name="单位", bank_reference=f"T{due.pk}", received_on=JOINED, amount_fen=due.amount_fen,
                    remark=due.reference, by=world.cast.actor(world.cast.payer), on=JOINED,
                )  # fmt: skip
        return Roster.objects.get(pk=pk)


@pytest.fixture
def covered(world: World) -> Roster:
    """Eleven people whose contribution has arrived."""
    return _roster(world, _lines(PEOPLE), paid=True)


def _page(world: World) -> str:
    return reverse("members:unit_cover", args=[world.unit.pk, world.yulin.pk])


def _made(world: World) -> CertificatePack:
    """A pack that was asked for on the page and made."""
    answer = client_of(world.agent).post(reverse("members:pack_request", args=[world.unit.pk, world.yulin.pk]))
    assert answer.status_code == 302
    run_due("reports")
    with everywhere(reason="look"):
        return CertificatePack.objects.get()


def _names_in(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        assert whole.testzip() is None
        return whole.namelist()


# -- the pack -----------------------------------------------------------------------------------------------------------


def test_everyones_certificate_is_in_the_pack_rare_characters_too(world: World, covered: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "PART", 4)
    pack = _made(world)
    client = client_of(world.agent)
    page = _text(client.get(_page(world)))
    assert f"{PEOPLE} 人的凭证已经生成" in page
    content = _sent(client.get(reverse("members:pack_download", args=[pack.public_id])))
    with everywhere(reason="look"):
        numbers = {f"PZ{pk:010d}" for pk in Enrolment.objects.values_list("pk", flat=True)}
        assert [part.people_count for part in pack.parts.all()] == [4, 4, 3]
    names = _names_in(content)
    assert {name.split("-")[0] for name in names} == numbers
    assert len(names) == PEOPLE
    rare = next(name for name in names if name.endswith("䶮𠮷.pdf"))
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        said = PdfReader(io.BytesIO(whole.read(rare))).pages[0].extract_text().replace("\x00", "")
    assert "䶮𠮷" in said
    assert "职工互助保障凭证" in said
    assert "扫码核验凭证真伪" in said


def test_a_font_without_the_names_would_show_codes_instead(world: World, covered: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the small type: cut down to other words, common characters are missing from the certificate."""
    monkeypatch.setattr(packs.certificate, "texts_of", lambda _one: ["职工互助"])
    content = _sent(client_of(world.agent).get(reverse("members:pack_download", args=[_made(world).public_id])))
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        first = PdfReader(io.BytesIO(whole.read(whole.namelist()[0]))).pages[0].extract_text()
    assert "王小明" not in first


def test_a_part_takes_the_same_statements_for_few_and_for_many(world: World, covered: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    for part in (2, 10):
        monkeypatch.setattr(packs, "PART", part)
        with everywhere(reason="arrange"):
            pack = packs.request(world.unit, world.yulin, address="https://example.org/", by=world.agent_actor)
            with CaptureQueriesContext(connection) as captured:
                assert packs.make(pack.pk, _run(pack)) is not None
            counts.append(len(captured))
            packs.cancel(pack, by=world.agent_actor)
    assert counts[0] == counts[1]


def _run(pack: CertificatePack) -> Run:
    return Run(job_id=0, subject_ids=[pack.pk], by=SYSTEM, on=JOINED, cursor={})


def test_made_twice_it_is_the_same_pack(world: World, covered: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that stops anywhere goes on behind the last whole part; a run after the end does nothing."""
    monkeypatch.setattr(packs, "PART", 5)
    with everywhere(reason="arrange"):
        pack = packs.request(world.unit, world.yulin, address="https://example.org", by=world.agent_actor)
        again = packs.request(world.unit, world.yulin, address="https://example.org", by=world.agent_actor)
        assert again.pk == pack.pk
        assert packs.make(pack.pk, _run(pack)) is not None  # and the worker is killed here
    run_due("reports")
    with everywhere(reason="arrange"):
        pack.refresh_from_db()
        assert (pack.state, pack.people_count) == ("ready", PEOPLE)
        assert packs.make(pack.pk, _run(pack)) is None
        assert [part.people_count for part in pack.parts.all()] == [5, 5, 1]


def test_a_part_that_another_run_made_is_not_made_again(world: World, covered: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "PART", 5)
    write = packs._write
    with everywhere(reason="arrange"):
        pack = packs.request(world.unit, world.yulin, address="https://example.org", by=world.agent_actor)

        def overtaken(*told: object) -> int:
            monkeypatch.setattr(packs, "_write", write)
            packs.make(pack.pk, _run(pack))  # the other run is faster
            return write(*told)  # type: ignore[arg-type]

        monkeypatch.setattr(packs, "_write", overtaken)
        assert packs.make(pack.pk, _run(pack)) is not None
        assert pack.parts.count() == 1


@pytest.mark.parametrize(("seconds", "parts"), [(-1.0, [1, 1, 1]), (60.0, [3])])
def test_a_part_is_closed_when_its_time_is_up(
    world: World, covered: Roster, monkeypatch: pytest.MonkeyPatch, seconds: float, parts: list[int]
) -> None:
    """However slow the machine, no transaction stands idle until the database ends it: the next part goes on. (The control: in time.)"""
    monkeypatch.setattr(packs, "SPELL", seconds)
    with everywhere(reason="arrange"):
        covers = packs.effective_covers(world.unit.pk, world.yulin.pk).order_by("pk")
        few = list(covers.values_list("pk", flat=True)[:3])
        monkeypatch.setattr(packs, "effective_covers", lambda *_told: covers.filter(pk__in=few))
    pack = _made(world)
    with everywhere(reason="look"):
        pack.refresh_from_db()
        assert (pack.state, pack.people_count) == ("ready", 3)
        assert [part.people_count for part in pack.parts.all()] == parts


def test_a_cancelled_pack_stops_and_leaves_nothing(world: World, covered: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "PART", 5)
    client = client_of(world.agent)
    client.post(reverse("members:pack_request", args=[world.unit.pk, world.yulin.pk]))
    with everywhere(reason="look"):
        pack = CertificatePack.objects.get()
        packs.make(pack.pk, _run(pack))
        file = pack.parts.get().file
    making = _text(client.get(_page(world)))
    assert "取消生成" in making
    assert "您可以离开这个页面" in making
    assert 'http-equiv="refresh"' in making
    assert client.post(reverse("members:pack_cancel", args=[pack.public_id])).status_code == 302
    run_due("reports")
    with everywhere(reason="look"):
        pack.refresh_from_db()
        assert (pack.state, PackPart.objects.count()) == ("cancelled", 0)
        assert Job.objects.get(key=packs.job_key(pack)).job_state == "done"
    assert file.name
    assert client.get(reverse("members:pack_download", args=[pack.public_id])).status_code == 302
    assert f"生成 {PEOPLE} 人的凭证" in _text(client.get(_page(world)))


def test_after_a_day_the_pack_is_gone(world: World, covered: Roster, django_capture_on_commit_callbacks: object) -> None:
    pack = _made(world)
    client, address = client_of(world.agent), reverse("members:pack_download", args=[pack.public_id])
    with everywhere(reason="look"):
        file = pack.parts.get().file
        assert file.storage.exists(file.name)
    run_due("default")  # the job that throws it away waits for its day
    assert client.get(address).status_code == 200
    with everywhere(reason="arrange"):
        CertificatePack.objects.update(expires_at=pack.expires_at - packs.KEPT - timedelta(seconds=1))
    assert client.get(address).status_code == 302
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        packs.drop(pack.pk)
    with everywhere(reason="look"):
        pack.refresh_from_db()
        assert (pack.state, PackPart.objects.count()) == ("expired", 0)
    assert not file.storage.exists(file.name)
    assert "已过期" in _text(client.get(_page(world)))


def test_nobody_else_gets_at_a_pack_or_a_certificate(world: World, covered: Roster) -> None:
    pack = _made(world)
    with everywhere(reason="arrange"):
        other = make_unit(world.cast.a, "91610800MA70XX31C")[1]
        far = make_unit(world.cast.b, "91610100MA70XX32C")[1]
    for user in (other, far):
        client = client_of(user)
        for name, args in (
            ("pack_download", [pack.public_id]), ("batch_certificate", [covered.pk]), ("unit_covers", [world.unit.pk]),
            ("unit_cover", [world.unit.pk, world.yulin.pk]), ("unit_posting", [world.unit.pk, world.yulin.pk]),
            ("unit_posting_sheet", [world.unit.pk, world.yulin.pk]), ("roster", [covered.pk]),
            ("roster_last_list", [world.unit.pk, world.yulin.pk]),
        ):  # fmt: skip
            assert client.get(reverse(f"members:{name}", args=args)).status_code == 404, name
        assert client.post(reverse("members:pack_cancel", args=[pack.public_id])).status_code == 404
        assert client.post(reverse("members:pack_request", args=[world.unit.pk, world.yulin.pk])).status_code == 404
    for user in (world.cast.reviewer, world.cast.outsider):
        assert client_of(user).get(reverse("members:pack_download", args=[pack.public_id])).status_code == 403


def test_without_cover_in_force_there_is_nothing_to_make(world: World) -> None:
    roster = _roster(world, _lines(3), paid=False)
    client = client_of(world.agent)
    assert "互助费到账、保障生效后" in _text(client.get(_page(world)))
    answer = client.post(reverse("members:pack_request", args=[world.unit.pk, world.yulin.pk]), follow=True)
    assert "还没有已生效的保障" in _text(answer)
    assert client.get(reverse("members:batch_certificate", args=[roster.pk])).status_code == 404
    with everywhere(reason="look"):
        assert not CertificatePack.objects.exists()


# -- the batch's certificate --------------------------------------------------------------------------------------------


def test_the_batchs_certificate_says_how_many_and_how_much_and_can_be_verified(world: World, covered: Roster) -> None:
    answer = client_of(world.agent).get(reverse("members:batch_certificate", args=[covered.pk]))
    said = PdfReader(io.BytesIO(answer.content)).pages[0].extract_text().replace("\x00", "")
    for words in (world.unit.name, f"{PEOPLE} 人", "1,375.00 元", "榆林市在职职工医疗互助", "2026", "榆林办事处"):
        assert words in said
    page = _text(Client().get(reverse("members:verify_batch", args=[covered.public_id])))
    assert "凭证有效" in page
    assert f"{PEOPLE} 人" in page
    assert not any(name in page for name in NAMES)


def test_a_batch_that_is_not_paid_verifies_as_unknown(world: World) -> None:
    roster = _roster(world, _lines(3), paid=False)
    assert Client().get(reverse("members:verify_batch", args=[roster.public_id])).status_code == 404


# -- the list to post ---------------------------------------------------------------------------------------------------


def test_the_posted_list_masks_names_and_shows_no_numbers(world: World, covered: Roster) -> None:
    client = client_of(world.agent)
    page = _text(client.get(reverse("members:unit_posting", args=[world.unit.pk, world.yulin.pk])))
    sheet = read_table(client.get(reverse("members:unit_posting_sheet", args=[world.unit.pk, world.yulin.pk])).content, "x.xlsx")
    assert "王**" in page
    assert "买*****" in page
    assert not any(name in page for name in NAMES)
    assert "610802" not in page
    assert "610***" not in page
    assert (len(sheet.rows), sheet.header) == (PEOPLE, ["序号", "姓名", "份数", "状态"])
    assert not any(cell in NAMES or cell.startswith("610") for row in sheet.rows for cell in row)


def test_the_posted_list_goes_on_where_the_page_ended(world: World, covered: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("members.selectors.unit_cover.POSTED", 8)
    client, address = client_of(world.agent), reverse("members:unit_posting", args=[world.unit.pk, world.yulin.pk])
    first = _text(client.get(address))
    way = first.split('href="?after=')[1].split('"')[0].replace("&amp;", "&")
    second = _text(client.get(f"{address}?after={way}"))
    assert ">8<" in first
    assert ">9<" not in first
    assert ">9<" in second
    assert f">{PEOPLE}<" in second
