"""Rehearsing terms over a past year (测算): asked for, run part by part, frozen. Nothing it does touches a real claim: whatever
is read, is read while the database takes no writes; what is written is the rehearsal's own row, its job and the record."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from claims.models import Rehearsal
from claims.selectors.past_claims import Looked, parts_of, people_with_cases
from claims.selectors.rehearsed import Table, notes_of, tables_of
from members.selectors.charged import charged
from members.selectors.people import people_by_id
from programs.models import Terms
from programs.rules.joining import JoiningRules
from programs.rules.rehearsal import Tally, rehearsed
from programs.selectors import programs_by_id, schedule_in, visible_terms
from unionaid.lib.calendar import SHANGHAI, Period, day_of, midnight, now
from unionaid.lib.identity import mask_name
from unionaid.lib.spreadsheet import Sheet, write_workbook
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import everywhere
from unionaid.offices.selectors import covers
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.moves import MoveRefused, NotAllowed, record

PART = 4000  # claims read at once: about a second of work, far less than a job may be silent


class RehearsalRefused(MoveRefused):
    """The rehearsal is not run; the message says why."""


def request(terms: Terms, office: Office, year: int, *, programs: Sequence[int] = (), by: Actor) -> Rehearsal:
    """Ask for these terms, as they stand now, to be run over what the office and those below it decided in the year in these
    programs (default: the terms' own). A job does it."""
    if not may(by, "programs.draft", office.pk):
        raise NotAllowed(_("您不能为这个机构测算。"))
    if not visible_terms(by).filter(pk=terms.pk).exists():
        raise NotAllowed(_("您不能测算这份条款。"))
    wanted = sorted(set(programs) or {terms.program_id})
    if len(programs_by_id(wanted)) != len(wanted):
        raise RehearsalRefused(_("请选择列出的计划。"))
    rehearsal = Rehearsal.objects.create(
        office=office,
        terms=terms,
        schedule=terms.schedule,
        content_hash=terms.content_hash,
        year=year,
        program_ids=wanted,
        requested_by_id=by.user_id,
    )
    record([rehearsal], "rehearse", by=by, details={"content_hash": terms.content_hash, "year": year})
    enqueue("claims.rehearse", [(rehearsal.pk, job_key(rehearsal), rehearsal)], by=by, permission="programs.draft")
    return rehearsal


def job_key(rehearsal: Rehearsal) -> str:
    """The key of the job that runs this rehearsal."""
    return f"claims.rehearse:{rehearsal.pk}"


def advance(rehearsal_id: int, run: Run) -> dict[str, Any] | None:
    """One part: first the contributions and the list of parts, then part by part, last of all the result. What was found is
    kept with the place in the rehearsal's own row, in the transaction of the part, so that a run may stop anywhere; a run
    after the end does nothing."""
    rehearsal = Rehearsal.objects.select_for_update(of=("self",)).select_related("office", "terms__program").get(pk=rehearsal_id)
    if rehearsal.frozen_at is not None:
        return None
    found = rehearsal.progress
    if not found:
        run.stage = _("汇总参加记录和互助费")
        _begin(rehearsal)
    elif found["next"] < len(found["parts"]):
        run.stage = _("用测算的条款重算申领")
        _run_part(rehearsal)
    else:
        _freeze(rehearsal, by=run.by)
        run.stage, run.done = "", run.total
        return None
    rehearsal.save(update_fields=["progress", "as_of"])
    parts = rehearsal.progress["parts"]
    run.total = sum(count for _last, count in parts)
    run.done = sum(count for _last, count in parts[: rehearsal.progress["next"]])
    return {"next": rehearsal.progress["next"]}


@contextmanager
def reading_only() -> Iterator[None]:
    """For the block, the database refuses every write of this transaction (its end restores what was before)."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
        yield


def _begin(rehearsal: Rehearsal) -> None:
    rehearsal.as_of = now()
    schedule, year = schedule_in(rehearsal.schedule, rehearsal.content_hash), _year_of(rehearsal)
    with reading_only():
        looked = _looked(rehearsal)
        due = charged(looked.office_ids, looked.program_ids, year, schedule)
        parts = parts_of(looked, size=PART)
    rehearsal.progress = {"charged": due.as_data(), "parts": parts, "next": 0, "tally": {}}


def _run_part(rehearsal: Rehearsal) -> None:
    rules = JoiningRules(rehearsed(schedule_in(rehearsal.schedule, rehearsal.content_hash)))
    found = rehearsal.progress
    place, parts = found["next"], found["parts"]
    tally = Tally.from_data(found["tally"])
    with reading_only(), everywhere(reason="what people had before, under other offices too"):
        _count(tally, rehearsal, rules, after=parts[place - 1][0] if place else 0, up_to=parts[place][0])
    rehearsal.progress = {**found, "next": place + 1, "tally": tally.as_data()}


def _count(tally: Tally, rehearsal: Rehearsal, rules: JoiningRules, *, after: int, up_to: int) -> None:
    for cases in people_with_cases(_looked(rehearsal), rules.schedule, after=after, up_to=up_to):
        tally.add(rules, cases)


def _looked(rehearsal: Rehearsal) -> Looked:
    year = _year_of(rehearsal)
    return Looked(covers(rehearsal.office), tuple(rehearsal.program_ids), midnight(year.start), midnight(year.end))


def _year_of(rehearsal: Rehearsal) -> Period:
    return Period(date(rehearsal.year, 1, 1), date(rehearsal.year + 1, 1, 1))


def _freeze(rehearsal: Rehearsal, *, by: Actor) -> None:
    found = rehearsal.progress
    tally = Tally.from_data(found["tally"])
    people = {one[3] for one in (*tally.gains, *tally.losses)}
    with reading_only():
        named, programs = people_by_id(people), programs_by_id(rehearsal.program_ids)
    rehearsal.result = {
        "tally": tally.as_data(),
        "charged": found["charged"],
        "people": {str(key): mask_name(one.name) for key, one in named.items()},
        "programs": [programs[key].name for key in rehearsal.program_ids],
    }
    rehearsal.progress, rehearsal.frozen_at = {}, now()
    content = workbook(rehearsal, tables_of(rehearsal))
    rehearsal.sha256 = hashlib.sha256(content).hexdigest()
    rehearsal.workbook.save("rehearsal.xlsx", ContentFile(content), save=False)
    rehearsal.save()
    record([rehearsal], "finish_rehearsal", by=by)


def workbook(rehearsal: Rehearsal, tables: Sequence[Table]) -> bytes:
    """The xlsx: a sheet for each table of the page, with how it was counted on the first."""
    moment = rehearsal.as_of
    assert moment is not None
    title = _("{terms} 测算：{office}及所属机构 {year} 年的申领").format(
        terms=rehearsal.terms, office=rehearsal.office.name, year=rehearsal.year
    )
    head = _("数据截止：{day} {time:%H:%M}（北京时间）　原计划：{programs}　条款内容摘要：{hash}").format(
        day=date_format(day_of(moment)), time=moment.astimezone(SHANGHAI), programs="、".join(rehearsal.result["programs"]),
        hash=rehearsal.content_hash,
    )  # fmt: skip
    out = io.BytesIO()
    write_workbook(
        out,
        [
            Sheet(
                table.title,
                title if i == 0 else table.title,
                table.columns,
                table.rows,
                [head, *notes_of(rehearsal)] if i == 0 else [table.hint] if table.hint else [],
                has_total=table.has_total,
            )
            for i, table in enumerate(tables)
        ],
    )
    return out.getvalue()
