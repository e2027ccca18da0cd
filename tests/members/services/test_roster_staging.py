"""The lines of a long roster are made by two processes: the same lines, each once, each sealed by a nonce of its own."""

import os
from datetime import date
from pathlib import Path

import pytest

from members.models import WorkUnit
from members.services import roster_staging as staging
from members.services.people import SECRETS
from members.services.roster_rows import Lines, Reading
from tests.programs.rules.plans import catalogue_plan
from unionaid.lib.identity import make_id_number
from unionaid.web.keys import ring

ON, BORN = date(2026, 1, 5), date(1980, 3, 8)
COUNT, BAD = 43, 5


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "STRETCH", 4)
    monkeypatch.setattr(staging, "SHARED_FROM", 10)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _who: {0, 1})


def _lines(times: int = 1) -> staging._Work:
    """People with a phone each; the last has the number of the first, and one line cannot be read."""
    numbers = [make_id_number("610802", BORN, 101 + i) for i in range(COUNT - 1)]
    cells = [["职工" + chr(0x4E00 + i), number, f"138{i:08}"] for i, number in enumerate([*numbers, numbers[0]])]
    cells[BAD][1] = "不是\t号码"
    places = {"name": 0, "id_number": 1, "phone": 2}
    reading = Reading(range(2, 2 + COUNT * times), cells * times, places, ON)
    lines = Lines(reading, WorkUnit(), catalogue_plan("shaanxi-yulin-medical.2026"))
    return staging._Work(lines, range(1001, 1001 + len(lines)), lambda _done: None)


def _texts(work: staging._Work) -> tuple[list[list[str]], list[staging.Seen]]:
    told: list[int] = []
    with staging._in_stretches(work._replace(told=told.append)) as (parts, seen):
        text = staging._Parts(parts).read().decode()
    assert told == sorted(told)
    return sorted((line.split("\t") for line in text.splitlines()), key=lambda one: int(one[0])), seen


def _bytes(cell: str) -> bytes:
    assert cell.startswith(staging.BYTES)
    return bytes.fromhex(cell.removeprefix(staging.BYTES))


def _children() -> set[str]:
    return {key for found in Path("/proc/self/task").glob("*/children") for key in found.read_text().split()}


def test_two_make_the_lines_that_one_makes_and_no_nonce_is_drawn_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    work = _lines()
    by_two, seen_by_two = _texts(work)
    monkeypatch.setattr(staging, "SHARED_FROM", COUNT + 1)
    by_one, seen_by_one = _texts(work)
    assert [len(seen) for seen in (seen_by_two, seen_by_one)] == [2, 1]
    for seen in (seen_by_two, seen_by_one):
        assert [number for one in seen for number in one.unreadable] == [BAD + 2]
    sealed, answers = {4: "id_number", 5: "phone"}, 10
    same = [
        [[cell for at, cell in enumerate(line) if at not in sealed and at != answers] for line in made] for made in (by_two, by_one)
    ]  # fmt: skip
    assert same[0] == same[1]
    assert [int(line[0]) for line in by_two] == list(range(2, 2 + COUNT))
    for made, seen in ((by_two, seen_by_two), (by_one, seen_by_one)):
        assert {line[answers] for line in made} == {str(key) for one in seen for key in one.answers.values()}
    read = [line for line in by_two if line[4] != staging.NULL]
    assert len(read) == COUNT - 1
    good = [row for row in map(work.lines.read, range(COUNT)) if row.id_number]
    for at, column in sealed.items():
        opened = [ring().open_text(_bytes(line[at]), bound_to=(SECRETS, column, int(line[-1]))) for line in read]
        assert opened == [row.id_number.number if at == 4 and row.id_number else row.phone for row in good]
    begins = len(ring()._head)
    nonces = {_bytes(line[at])[begins : begins + 12] for line in read for at in sealed}
    assert len(nonces) == 2 * len(read)


def test_nonces_drawn_before_the_two_part_would_be_used_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    drawn, work = staging._sealing(), _lines()
    drawn(work.lines.read(0), 1, 0, "")
    monkeypatch.setattr(staging, "_sealing", lambda: drawn)
    begins = len(ring()._head)
    nonces = [_bytes(line[4])[begins : begins + 12] for line in _texts(work)[0] if line[4] != staging.NULL]
    assert len(set(nonces)) < len(nonces)


def test_when_the_second_process_fails_so_does_the_work_and_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    work, ours, before = _lines(), os.getpid(), _children()
    made = staging._sealing

    def only_here() -> object:
        if os.getpid() != ours:
            raise MemoryError
        return made()

    monkeypatch.setattr(staging, "_sealing", only_here)
    with pytest.raises(RuntimeError, match="the process that seals lines ended"):
        _texts(work)
    monkeypatch.undo()
    with pytest.raises(ZeroDivisionError), staging._in_stretches(_lines(200)):
        raise ZeroDivisionError  # the other one waits for a reader by now
    assert _children() == before
