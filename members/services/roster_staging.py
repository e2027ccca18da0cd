"""The lines of a roster on their way into the database: hashed, sealed, and copied into a table of this transaction's own.

Sealing a hundred thousand lines takes one processor longer than the database needs to take them in. So every other stretch of lines
is made by a process that is forked for it, and handed over through a pipe; it makes text and nothing else.
"""

import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection

from members.services.people import SECRETS, id_hash_many
from members.services.roster_rows import Row
from members.services.roster_tables import PATIENCE, PERSON
from unionaid.lib.identity import mask_id
from unionaid.web.keys import ring

STAGED = """
CREATE TEMP TABLE staged (
    row_number integer, same_as integer, name text, id_masked text, id_hash bytea, id_number bytea, phone bytea, phone_hash bytea,
    gender text, birth_date date, shares smallint, answers integer, readable boolean, member_key bigint
) ON COMMIT DROP"""
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

# How many lines a stretch has, and from how many lines on a second process is worth its start.
STRETCH, SHARED_FROM = 500, 5_000
PIPE = 1 << 20  # bytes that are handed on at once


class Line(NamedTuple):
    """A line as read, its number as the file has it, an earlier line with the same number, the key of its answers, and the number that
    its person will have if nobody knows them yet (0: the line cannot be read)."""

    row: Row
    raw: str
    same_as: int | None
    answers: int
    key: int


def stage(rows: Sequence[Row], raw_number: Callable[[Row], str], told: Callable[[int], None]) -> int:
    """Copy the lines as read; how many of them are of people known already. Each readable one gets the number that its person will
    have if nobody knows them yet, and its ID number is sealed for that record, so that it need not be opened and sealed again when the
    person is made. `told` hears now and then how many lines went by."""
    good = sum(_readable(row) for row in rows)
    with connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute("DROP TABLE IF EXISTS pg_temp.staged, pg_temp.answers, pg_temp.recognised")
        cursor.execute(STAGED)
        cursor.execute("SELECT nextval('members_member_id_seq') FROM generate_series(1, %s)", [good])
        answers: dict[Answers, int] = {}
        lines = _numbered(rows, raw_number, iter([key for (key,) in cursor.fetchall()]), answers)
        with _in_stretches(lines, told) as parts:
            cursor.copy_expert("COPY staged FROM STDIN", _Parts(parts), PIPE)
        said = [{"id": number, **dict(zip(ANSWERED, each, strict=True))} for each, number in answers.items()]
        cursor.execute(ANSWERS, [json.dumps(said, default=date.isoformat)])
        cursor.execute(RECOGNISED)
        return int(cursor.rowcount)


def _readable(row: Row) -> bool:
    return row.id_number is not None and not row.reasons


def _numbered(rows: Sequence[Row], raw_number: Callable[[Row], str], keys: Iterator[int], answers: dict[Answers, int]) -> list[Line]:
    """Every new set of answers is put into `answers` and gets the next number."""
    first: dict[str, int] = {}
    lines = []
    for row in rows:
        key, same = 0, row.number
        if row.id_number is not None and not row.reasons:
            key, same = next(keys), first.setdefault(row.id_number.number, row.number)
        said = answers.setdefault(_answers(row), len(answers))
        lines.append(Line(row, raw_number(row), None if same == row.number else same, said, key))
    return lines


def _answers(row: Row) -> Answers:
    return (
        row.employment or None, row.insurance, row.union, row.joined, row.insurance_type, row.risk, row.card, row.group,
        row.contract, row.retired,
    )  # fmt: skip


# --- made by two ----------------------------------------------------------------------------------------------------


@contextmanager
def _in_stretches(lines: Sequence[Line], told: Callable[[int], None]) -> Iterator[Iterator[bytes]]:
    """The lines as COPY reads them, stretch by stretch; of a long roster every other one from a process of its own. That process ends
    with this block whatever happens, and when we are killed: nobody reads its pipe any more."""
    starts = range(0, len(lines), STRETCH)
    if len(lines) < SHARED_FROM or len(os.sched_getaffinity(0)) < 2:
        yield _made(lines, starts, told)
        return
    child, pipe = _forked(lines, starts[1::2])
    try:
        yield _both(_made(lines, starts[::2], told), pipe)
    finally:
        pipe.close()
        _pid, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"the process that seals lines ended with {status}")


def _forked(lines: Sequence[Line], starts: Sequence[int]) -> tuple[int, io.BufferedReader]:
    """A process that writes these stretches into a pipe: its key and the pipe's end. It has our session of the database as well, must
    never use it, and ends without any of our clearing up."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child:
        os.close(theirs)
        return child, os.fdopen(ours, "rb", PIPE)
    status = 1
    try:
        os.close(ours)
        with os.fdopen(theirs, "wb", PIPE) as pipe:
            pipe.writelines(_made(lines, starts, lambda _done: None))
        status = 0
    finally:
        os._exit(status)


def _both(own: Iterator[bytes], pipe: io.BufferedReader) -> Iterator[bytes]:
    """A stretch of ours, then whole lines of the other's, until both are at their end."""
    for part in own:
        yield part
        yield b"".join(islice(pipe, STRETCH))
    while part := b"".join(islice(pipe, STRETCH)):
        yield part


# Nothing, and bytes, as COPY reads them.
NULL, BYTES = "\\N", "\\\\x"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _made(lines: Sequence[Line], starts: Sequence[int], told: Callable[[int], None]) -> Iterator[bytes]:
    """These stretches. What seals is made here and not before a process is forked: each draws nonces of its own."""
    text = _sealing()
    for start in starts:
        told(start)
        yield "".join(map(text, lines[start : start + STRETCH])).encode()


def _sealing() -> Callable[[Line], str]:
    """What makes a line as COPY reads it."""
    keyring, id_hash, phone_hash_of = ring(), id_hash_many(), ring().blind_many("phone")
    seal_number, seal_phone = keyring.seal_many((SECRETS, "id_number")), keyring.seal_many((SECRETS, "phone"))

    def text(line: Line) -> str:
        row, key, number = line.row, line.key, line.row.id_number
        hashed = sealed = phone = phone_hash = gender = birth = NULL
        if number is None:
            masked = mask_id(line.raw[:40]).translate(_ESCAPES)
        else:
            plain = number.number
            masked, gender, birth, hashed = mask_id(plain), number.gender, number.birth_date.isoformat(), BYTES + id_hash(plain).hex()
            if key:
                sealed = BYTES + seal_number(plain, key).hex()
                if row.phone:
                    phone, phone_hash = BYTES + seal_phone(row.phone, key).hex(), BYTES + phone_hash_of(row.phone).hex()
        return (
            f"{row.number}\t{line.same_as or NULL}\t{row.name.translate(_ESCAPES)}\t{masked}\t{hashed}\t{sealed}\t{phone}\t{phone_hash}"
            f"\t{gender}\t{birth}\t{row.shares}\t{line.answers}\t{'f' if row.reasons else 't'}\t{key or NULL}\n"
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
