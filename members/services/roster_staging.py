"""The lines of a roster on their way into the database: read, hashed, sealed, and copied into a table of this transaction's own.

Reading and sealing a hundred thousand lines takes one processor longer than the database needs to take them in. So every other stretch
of lines is made by a process that is forked for it, and handed over through a pipe, with what it saw on the way.
"""

import io
import json
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection

from members.services.people import SECRETS, id_hash_many
from members.services.roster_rows import Lines, Row
from members.services.roster_tables import PATIENCE, PERSON, hashed
from unionaid.lib.identity import mask_id
from unionaid.web.keys import ring

STAGED = """
CREATE TEMP TABLE staged (
    row_number integer, name text, id_masked text, id_hash bytea, id_number bytea, phone bytea, phone_hash bytea,
    gender text, birth_date date, shares smallint, answers integer, readable boolean, member_key bigint, same_as integer
) ON COMMIT DROP"""
COPIED = """
COPY staged (row_number, name, id_masked, id_hash, id_number, phone, phone_hash, gender, birth_date, shares, answers, readable, member_key)
FROM STDIN"""
# What lines say of eligibility, each different set of answers once: many lines say the same.
ANSWERS = """
CREATE TEMP TABLE answers ON COMMIT DROP AS
SELECT a.*, jsonb_strip_nulls(jsonb_build_object(
           'employment', a.employment, 'insurance', a.basic_insurance, 'union', a.union_member, 'joined', a.joined_unit_on,
           'insurance_type', a.insurance_type, 'risk', a.risk, 'card', a.card_holder, 'group', a.staff_group,
           'contract', a.contract_months, 'retired', a.retired_on)) AS facts
FROM jsonb_to_recordset(%s::jsonb) AS a(
    id integer, employment text, basic_insurance boolean, union_member boolean, joined_unit_on date, insurance_type text, risk text,
    card_holder boolean, staff_group text, contract_months smallint, retired_on date)"""
ANSWERED = (
    "employment", "basic_insurance", "union_member", "joined_unit_on", "insurance_type", "risk", "card_holder", "staff_group",
    "contract_months", "retired_on",
)  # fmt: skip
# One set of answers, in the order of ANSWERED.
Answers = tuple[Any, ...]
# Who has the numbers of the lines: asked once for all that is asked of them.
RECOGNISED = f"""
CREATE TEMP TABLE recognised ON COMMIT DROP AS
SELECT s.row_number, m.id, m.name, m.employment, m.retired_on, m.unit_id FROM staged s CROSS JOIN LATERAL ({PERSON.format(line="s")}) m"""

# Which line that can be read has the same number, the earliest; a line that can be read is held against no other.
TWINS = """
UPDATE staged s SET same_as = twins.first
FROM (SELECT id_hash, COALESCE(min(row_number) FILTER (WHERE readable), min(row_number)) AS first
      FROM staged WHERE id_hash IS NOT NULL GROUP BY id_hash HAVING count(*) > 1) twins
WHERE twins.id_hash = s.id_hash AND s.row_number <> twins.first"""

# How many lines a stretch has, and from how many lines on a second process is worth its start.
STRETCH, SHARED_FROM = 500, 5_000
PIPE = 1 << 20  # bytes that are handed on at once


class Staged(NamedTuple):
    """How many lines are of people known already, the numbers of those that cannot be read, and how many say more shares than count."""

    known: int
    unreadable: list[int]
    surplus: int


@dataclass(slots=True)
class Seen:
    """What one process saw of its lines: those that cannot be read, how many say more shares than count, and each set of answers with
    its key. Of two processes one gives odd keys."""

    odd: bool
    unreadable: list[int] = field(default_factory=list)
    surplus: int = 0
    answers: dict[Answers, int] = field(default_factory=dict)

    def take(self, row: Row) -> int:
        """Note the line; the key of its answers."""
        if row.reasons:
            self.unreadable.append(row.number)
        self.surplus += row.surplus
        return self.answers.setdefault(_answers(row), 2 * len(self.answers) + self.odd)


def stage(lines: Lines, told: Callable[[int], None]) -> Staged:
    """Read the lines and copy them as read. Each gets the number that its person will have if nobody knows them yet, and its ID number
    is sealed for that record, so that it need not be opened and sealed again when the person is made. `told` hears now and then how
    many lines went by."""
    with connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute("DROP TABLE IF EXISTS pg_temp.staged, pg_temp.answers, pg_temp.recognised")
        cursor.execute(STAGED)
        cursor.execute("SELECT nextval('members_member_id_seq') FROM generate_series(1, %s)", [len(lines)])
        work = _Work(lines, [key for (key,) in cursor.fetchall()], told)
        with _in_stretches(work) as (parts, seen):
            cursor.copy_expert(COPIED, _Parts(parts), PIPE)
        said = [{"id": key, **dict(zip(ANSWERED, each, strict=True))} for one in seen for each, key in one.answers.items()]
        cursor.execute(ANSWERS, [json.dumps(said, default=date.isoformat)])
        with hashed():
            cursor.execute(TWINS)
        cursor.execute(RECOGNISED)
        return Staged(int(cursor.rowcount), sorted(n for one in seen for n in one.unreadable), sum(one.surplus for one in seen))


def _answers(row: Row) -> Answers:
    return (
        row.employment or None, row.insurance, row.union, row.joined, row.insurance_type, row.risk, row.card, row.group,
        row.contract, row.retired,
    )  # fmt: skip


# --- made by two ----------------------------------------------------------------------------------------------------


class _Work(NamedTuple):
    """All lines, the number that each one's person will have if nobody knows them yet, and who hears how many went by."""

    lines: Lines
    keys: Sequence[int]
    told: Callable[[int], None]


@contextmanager
def _in_stretches(work: _Work) -> Iterator[tuple[Iterator[bytes], list[Seen]]]:
    """The lines as COPY reads them, stretch by stretch, and what was seen of them once they are at their end; of a long roster every
    other one from a process of its own. That process ends with this block whatever happens, and when we are killed: nobody reads its
    pipe any more."""
    starts, seen = range(0, len(work.lines), STRETCH), [Seen(odd=False)]
    if len(work.lines) < SHARED_FROM or len(os.sched_getaffinity(0)) < 2:
        yield _made(work, starts, seen[0]), seen
        return
    child, pipe = _forked(work, starts[1::2])
    try:
        yield _both(work, starts, seen, pipe), seen
    finally:
        pipe.close()
        _pid, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"the process that seals lines ended with {status}")


def _forked(work: _Work, starts: Sequence[int]) -> tuple[int, io.BufferedReader]:
    """A process that writes these stretches into a pipe, and then what it saw: its key and the pipe's end. It has our session of the
    database as well, must never use it, and ends without any of our clearing up."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child:
        os.close(theirs)
        return child, os.fdopen(ours, "rb", PIPE)
    status, seen = 1, Seen(odd=True)
    try:
        os.close(ours)
        with os.fdopen(theirs, "wb", PIPE) as pipe:
            pipe.writelines(_made(work._replace(told=lambda _done: None), starts, seen))
            pickle.dump(seen, pipe)
        status = 0
    finally:
        os._exit(status)


def _both(work: _Work, starts: Sequence[int], seen: list[Seen], pipe: io.BufferedReader) -> Iterator[bytes]:
    """A stretch of ours, then whole lines of the other's, until both are at their end; then what the other saw."""
    own = _made(work, starts[::2], seen[0])
    for start in starts[::2]:
        yield next(own)
        yield b"".join(islice(pipe, max(0, min(STRETCH, len(work.lines) - start - STRETCH))))
    with suppress(EOFError, pickle.UnpicklingError):  # it failed, as its end will say
        seen.append(pickle.load(pipe))


# Nothing, and bytes, as COPY reads them.
NULL, BYTES = "\\N", "\\\\x"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _made(work: _Work, starts: Sequence[int], seen: Seen) -> Iterator[bytes]:
    """These stretches. What seals is made here and not before a process is forked: each draws nonces of its own."""
    text, read, take, said = _sealing(), work.lines.read, seen.take, work.lines.reading.said
    for start in starts:
        work.told(start)
        made = []
        for at in range(start, min(start + STRETCH, len(work.lines))):
            row = read(at)
            made.append(text(row, work.keys[at], take(row), said(row.said, "id_number")))
        yield "".join(made).encode()


def _sealing() -> Callable[[Row, int, int, str], str]:
    """What makes a line as COPY reads it, of the row, the number of its person, the key of its answers, and its number as the file has
    it."""
    keyring, id_hash, phone_hash_of = ring(), id_hash_many(), ring().blind_many("phone")
    seal_number, seal_phone = keyring.seal_many((SECRETS, "id_number")), keyring.seal_many((SECRETS, "phone"))

    def text(row: Row, key: int, answers: int, raw: str) -> str:
        number = row.id_number
        hashed = sealed = phone = phone_hash = gender = birth = NULL
        if number is None:
            masked = mask_id(raw[:40]).translate(_ESCAPES)
        else:
            plain = number.number
            masked, gender, birth, hashed = mask_id(plain), number.gender, number.birth_date.isoformat(), BYTES + id_hash(plain).hex()
            if not row.reasons:
                sealed = BYTES + seal_number(plain, key).hex()
                if row.phone:
                    phone, phone_hash = BYTES + seal_phone(row.phone, key).hex(), BYTES + phone_hash_of(row.phone).hex()
        return (
            f"{row.number}\t{row.name.translate(_ESCAPES)}\t{masked}\t{hashed}\t{sealed}\t{phone}\t{phone_hash}"
            f"\t{gender}\t{birth}\t{row.shares}\t{answers}\t{'f' if row.reasons else 't'}\t{NULL if row.reasons else key}\n"
        )

    return text


class _Parts(io.RawIOBase):
    """Parts made one by one, as the file that COPY reads: the whole text never stands in memory."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self.parts, self.left = iter(parts), b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:  # type: ignore[override]
        """So many bytes, or what is left of a part; of a negative size all."""
        if size < 0:
            whole, self.left = self.left + b"".join(self.parts), b""
            return whole
        while not self.left:
            part = next(self.parts, None)
            if part is None:
                return b""
            self.left = part
        whole, self.left = self.left[:size], self.left[size:]
        return whole
