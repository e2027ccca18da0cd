"""The lines of a long roster are made by two processes: the same lines, each once, each sealed by a nonce of its own."""

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from members.services import roster_staging as staging
from members.services.people import SECRETS
from members.services.roster_rows import Row
from unionaid.lib.identity import make_id_number, parse_id_number
from unionaid.web.keys import ring

ON, BORN = date(2026, 1, 5), date(1980, 3, 8)
COUNT = 43


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "STRETCH", 4)
    monkeypatch.setattr(staging, "SHARED_FROM", 10)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _who: {0, 1})


def _lines() -> list[staging.Line]:
    """People with a phone each; the last has the number of the first, and one line cannot be read."""
    numbers = [make_id_number("610802", BORN, 101 + i) for i in range(COUNT - 1)]
    rows = [Row(i + 2, [], f"职\t工{i}", parse_id_number(n, on=ON), f"138{i:08}") for i, n in enumerate([*numbers, numbers[0]])]
    rows[5].id_number, rows[5].reasons = None, ["?"]
    return staging._numbered(rows, lambda _row: "不是号码", iter(range(1001, 1001 + COUNT)), {})


def _texts(lines: Sequence[staging.Line]) -> list[list[str]]:
    told: list[int] = []
    with staging._in_stretches(lines, told.append) as parts:
        text = staging._Parts(parts).read().decode()
    assert told == sorted(told)
    return sorted((line.split("\t") for line in text.splitlines()), key=lambda one: int(one[0]))


def _bytes(cell: str) -> bytes:
    assert cell.startswith(staging.BYTES)
    return bytes.fromhex(cell.removeprefix(staging.BYTES))


def _children() -> set[str]:
    return {key for found in Path("/proc/self/task").glob("*/children") for key in found.read_text().split()}


def test_two_make_the_lines_that_one_makes_and_no_nonce_is_drawn_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _lines()
    by_two = _texts(lines)
    monkeypatch.setattr(staging, "SHARED_FROM", COUNT + 1)
    by_one = _texts(lines)
    sealed = {5: "id_number", 6: "phone"}
    same = [[[cell for at, cell in enumerate(line) if at not in sealed] for line in made] for made in (by_two, by_one)]
    assert same[0] == same[1]
    assert [int(line[0]) for line in by_two] == list(range(2, 2 + COUNT))
    assert [line[1] for line in by_two] == [staging.NULL] * (COUNT - 1) + ["2"]
    read = [line for line in by_two if line[5] != staging.NULL]
    assert len(read) == COUNT - 1
    for at, column in sealed.items():
        opened = [ring().open_text(_bytes(line[at]), bound_to=(SECRETS, column, int(line[-1]))) for line in read]
        said = [line.row.id_number.number if at == 5 else line.row.phone for line in lines if line.row.id_number]
        assert opened == said
    begins = len(ring()._head)
    nonces = {_bytes(line[at])[begins : begins + 12] for line in read for at in sealed}
    assert len(nonces) == 2 * len(read)


def test_nonces_drawn_before_the_two_part_would_be_used_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    drawn = staging._sealing()
    lines = _lines()
    drawn(lines[0])
    monkeypatch.setattr(staging, "_sealing", lambda: drawn)
    begins = len(ring()._head)
    nonces = [_bytes(line[5])[begins : begins + 12] for line in _texts(lines) if line[5] != staging.NULL]
    assert len(set(nonces)) < len(nonces)


def test_when_the_second_process_fails_so_does_the_work_and_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    lines, ours, before = _lines(), os.getpid(), _children()
    made = staging._sealing

    def only_here() -> object:
        if os.getpid() != ours:
            raise MemoryError
        return made()

    monkeypatch.setattr(staging, "_sealing", only_here)
    with pytest.raises(RuntimeError, match="the process that seals lines ended"):
        _texts(lines)
    monkeypatch.undo()
    with pytest.raises(ZeroDivisionError), staging._in_stretches(lines * 200, lambda _done: None):
        raise ZeroDivisionError  # the other one waits for a reader by now
    assert _children() == before
