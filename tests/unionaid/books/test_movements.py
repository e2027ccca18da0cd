"""Money comes into a fund by one person's entry with a paper and another's word, and is undone in the same way."""

import errno
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import IO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from PIL import Image

from claims.payouts.funds import FundShort
from tests.factories.clients import client_of
from tests.factories.funds import OPENING_FEN, fill, slip
from tests.factories.world import ASKED, World
from unionaid import middleware
from unionaid.books.models import FundMovement
from unionaid.books.services import movements
from unionaid.ledger.models import Transaction
from unionaid.ledger.selectors import holding, turnover
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.moves import NotAllowed


@pytest.fixture
def arranged_world(world: World):
    with everywhere(reason="arrange"), frozen(ASKED):
        yield world


def _propose(world: World, kind: str, fen: int, *, by: str = "payer", **said) -> FundMovement:
    told = {"fund": "mutual_aid", "happened_on": ASKED, "basis": "文件", "papers": [slip("a")], **said}
    return movements.propose(world.cast.a, kind=kind, amount_fen=fen, by=world.cast.actor(getattr(world.cast, by)), on=ASKED, **told)


def _free(world: World, fund: str = "mutual_aid") -> int:
    return holding(world.cast.a.pk, fund).free_fen


def test_nothing_is_posted_before_another_person_has_confirmed_it(arranged_world: World) -> None:
    world = arranged_world
    manager = world.cast.actor(world.cast.manager)
    made = _propose(world, "allocation", 5_000_000, by="manager")
    assert _free(world) == OPENING_FEN
    with pytest.raises(NotAllowed):
        movements.confirm(made, by=manager, on=ASKED)
    with pytest.raises(NotAllowed):
        movements.confirm(made, by=world.cast.actor(world.cast.payer), on=ASKED)
    with pytest.raises(IntegrityError, match="movement_by_two"), transaction.atomic():
        FundMovement.objects.filter(pk=made.pk).update(state="posted", confirmed_by=world.cast.manager)
    movements.confirm(made, by=world.cast.actor(world.cast.hq_user), on=ASKED)
    assert _free(world) == OPENING_FEN + 5_000_000
    acts = AuditEntry.objects.filter(entity="books.fundmovement", entity_id=made.pk).order_by("id").values_list("action", flat=True)
    assert list(acts) == ["propose_movement", "post"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"papers": []}, "paper"),
        ({"basis": " "}, "basis"),
        ({"happened_on": date(2026, 7, 2)}, "happened_on"),
        ({"to_fund": "relief"}, "to_fund"),
    ],
)
def test_what_is_missing_is_named(arranged_world: World, said: dict, field: str) -> None:
    with pytest.raises(movements.MovementRefused) as refused:
        _propose(arranged_world, "allocation", 1, **said)
    assert refused.value.field == field


def test_a_transfer_takes_from_one_fund_what_it_gives_the_other_and_no_more_than_there_is(arranged_world: World) -> None:
    world = arranged_world
    manager = world.cast.actor(world.cast.manager)
    too_much = _propose(world, "transfer", OPENING_FEN + 1, to_fund="relief")
    with pytest.raises(FundShort, match=r"还差 0\.01 元"), transaction.atomic():
        movements.confirm(too_much, by=manager, on=ASKED)
    made = movements.confirm(_propose(world, "transfer", 300_000, to_fund="relief"), by=manager, on=ASKED)
    assert (_free(world), _free(world, "relief")) == (OPENING_FEN - 300_000, 300_000)
    by_fund = {}
    for row in turnover([world.cast.a.pk], first=ASKED, last=ASKED):
        by_fund[row.fund] = by_fund.get(row.fund, 0) + row.closing_fen
    assert by_fund == {"mutual_aid": 0, "relief": 0}, "each fund's books balance by themselves"
    undo = movements.propose_reversal(made, basis="记错资金", papers=[slip("b")], by=world.cast.actor(world.cast.payer), on=ASKED)
    with pytest.raises(movements.MovementRefused, match="已有人提出"):
        movements.propose_reversal(made, basis="再来", papers=[slip("c")], by=manager, on=ASKED)
    movements.confirm(undo, by=manager, on=ASKED)
    assert (_free(world), _free(world, "relief")) == (OPENING_FEN, 0)
    assert Transaction.objects.filter(reverses__isnull=False).count() == 2
    with pytest.raises(movements.MovementRefused, match="只有已记账的"):
        movements.propose_reversal(undo, basis="x", papers=[slip("d")], by=manager, on=ASKED)


def test_opening_money_that_was_spent_cannot_be_undone(arranged_world: World) -> None:
    world = arranged_world
    manager = world.cast.actor(world.cast.manager)
    first = fill(world.cast, on=ASKED, fund="solace", amount_fen=100)
    movements.confirm(_propose(world, "charge", 60, fund="solace"), by=manager, on=ASKED)
    undo = movements.propose_reversal(first, basis="误登记", papers=[slip("b")], by=world.cast.actor(world.cast.payer), on=ASKED)
    with pytest.raises(FundShort), transaction.atomic():
        movements.confirm(undo, by=manager, on=ASKED)
    assert movements.drop(undo, by=world.cast.actor(world.cast.payer), note="已用").state == "dropped"
    assert _free(world, "solace") == 40


class FullDisk(FileSystemStorage):
    """Takes the beginning of a file; then there is no room."""

    def _save(self, name: str, content: IO[bytes]) -> str:
        super()._save(name, ContentFile(content.read()[:9]))
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("answered", "status"), [(True, 507), (False, 500)])
def test_where_the_store_is_full_nothing_is_kept_and_the_person_is_told(
    arranged_world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answered: bool, status: int
) -> None:
    """And the control: without the page it is a failure of the system."""
    monkeypatch.setattr(storages["default"], "inner", FullDisk(location=tmp_path))
    if not answered:
        monkeypatch.setattr(middleware, "no_room", lambda _error: False)
    picture = BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "JPEG")
    client = client_of(arranged_world.cast.payer)
    client.raise_request_exception = False
    before = FundMovement.objects.count()
    answer = client.post(
        reverse("admin:fund_movement_new"),
        {
            "office": arranged_world.cast.a.pk, "kind": "allocation", "fund": "relief", "amount_fen": "5", "happened_on": "2026-07-01",
            "basis": "文件", "key": "k", "paper": SimpleUploadedFile("a.jpg", picture.getvalue(), "image/jpeg"),
        },
    )  # fmt: skip
    assert answer.status_code == status
    assert ("文件没有存下来" in answer.content.decode()) == answered
    assert FundMovement.objects.count() == before, "no row without its file"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [], "no file without its row"
