"""Kept files and sealed columns: silent when all of it opens, and each way of losing it is named."""

from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

from claims.models import ClaimDocument
from tests.factories.world import ASKED, World
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere
from unionaid.reports import sealed
from unionaid.web.keys import ring

# Digests and what never was plain text of a person; a roster's line carries the ciphertexts that its members will have.
NOT_SEALED = {
    "AuditSeal.pieces", "AuditSeal.previous", "AuditSeal.digest", "RosterRow.id_number", "RosterRow.phone",
}  # fmt: skip


@pytest.fixture
def paper(world: World) -> Iterator[Path]:
    """Where the sealed bytes of one paper of a claim lie; put back afterwards."""
    with frozen(ASKED), everywhere(reason="arrange"):
        claim = world.claim(world.cover(world.member(101)), 100_000)
        file = ClaimDocument.objects.filter(claim=claim).latest("pk").file
    path = Path(file.storage.inner.path(file.name))
    was = path.read_bytes()
    yield path
    path.write_bytes(was)


def _told() -> str:
    out = StringIO()
    try:
        call_command("verify_sealed", newest=5, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}"
    return out.getvalue()


def test_all_is_there_then_a_file_is_gone_changed_or_anothers(paper: Path) -> None:
    was = paper.read_bytes()
    assert _told() == "文件都在，内容与登记一致，密钥能打开。\n"
    paper.write_bytes(was[:-1] + bytes([was[-1] ^ 1]))
    assert f"{paper.name} 打不开" in _told()
    other = next(one for one in paper.parent.iterdir() if one != paper)
    paper.write_bytes(other.read_bytes())
    assert f"{paper.name} 打不开" in _told()
    paper.unlink()
    assert f"{paper.name} 不在了" in _told()
    assert "有 1 处" in _told()


def test_a_key_that_is_missing_is_named_with_its_column(paper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = replace(ring(), keys={"other": b"x" * 32}, current="other")
    monkeypatch.setattr(sealed, "ring", lambda: without)
    assert "members.MemberSecret.id_number: the key" in _told()


def test_every_sealed_column_is_looked_at() -> None:
    known = {f"{model.__name__}.{name}" for model, name, _ in sealed.SEALED} | NOT_SEALED
    columns = {
        f"{model.__name__}.{column.name}"
        for model in apps.get_models()
        for column in model._meta.concrete_fields
        if isinstance(column, models.BinaryField) and "hash" not in column.name
    }
    assert columns - known == set() == known - columns
