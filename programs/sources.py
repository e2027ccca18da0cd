"""Where complete terms come from for those who only want to calculate: loaded terms, the packaged catalogue, or a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext as _

from programs.models import Terms
from programs.rules.casefile import joined_with
from programs.rules.combine import complete
from programs.rules.parse import parse
from programs.rules.planfile import PlanFile, read_folder, read_plan
from programs.rules.schedule import Schedule, content_hash
from programs.services import PlanRefused, stored_plan

CATALOGUE = Path(__file__).resolve().parent / "catalogue"


@dataclass(frozen=True, slots=True)
class Source:
    """Complete terms, the hash of their content, and where they were found: "terms", "catalogue" or "file"."""

    schedule: Schedule
    content_hash: str
    origin: str


def plan_of_file(path: Path) -> Source:
    """A plan file that need not be loaded; plans it refers to lie beside it, in the catalogue, or are loaded.

    ScheduleError with every fault of the file; PlanRefused when it cannot be opened.
    """
    try:
        file = read_plan(path.read_bytes(), source=path.name)
    except OSError as error:
        raise PlanRefused(_("打不开计划文件 {path}。").format(path=path)) from error
    beside = [one for one in _readable(path.resolve().parent) if one.source != path.name]
    return _source(file, [*beside, *_readable(CATALOGUE)], "file")


def catalogue_plan(name: str, *, on: date | None, joined_on: date | None = None, since: int | None = None) -> Source:
    """A plan by its code (or code@version): loaded terms if there are any, else the packaged catalogue. Of several versions that of
    the cover (`of_the_cover`), the latest when no day is named. PlanRefused when none is found."""
    code, _at, version = name.partition("@")
    packaged = _readable(CATALOGUE)
    found = [(PlanFile(dict(one.schedule), {}, code), "terms") for one in _loaded(code)]
    if not found:
        found = [(file, "catalogue") for file in packaged if file.code == code]
    if not found:
        raise PlanRefused(_("没有代码为 {code} 的计划，也没有这个文件。").format(code=code))
    named = [(file, origin) for file, origin in found if version in ("", file.version)]
    sources = [_source(file, packaged, origin) for file, origin in named]
    holding = sources if version else of_the_cover(sources, on=on, joined_on=joined_on, since=since)
    if not holding:
        periods = "、".join(file.version for file, _origin in found)
        raise PlanRefused(_("计划 {code} 没有在这一天有效的条款；现有各期：{periods}。").format(code=code, periods=periods))
    return max(holding, key=lambda one: one.schedule.period.start)


def of_the_cover(sources: list[Source], *, on: date | None, joined_on: date | None, since: int | None = None) -> list[Source]:
    """The versions under which a cover can be. Whoever joined on a day has terms that took people in by then: those whose cover holds
    `on`, when any does (what happened outside the cover makes no other terms theirs), else those whose ordinary time to join it was,
    before late entry to the year that runs. `since`: how many days before that cover the last one had ended. Without the day of
    joining, those whose period holds `on`; all when no day is named."""
    if joined_on is not None:
        covers = [(one, joined_with(one.schedule, joined_on, since)) for one in sources if one.schedule.enrolling.opens <= joined_on]
        if taking := [(one, one.schedule.cover_from(first[0])) for one, first in covers if first]:
            holding = [one for one, cover in taking if on and cover and cover.contains(on)]
            in_time = [one for one, _cover in taking if joined_on <= one.schedule.enrolling.closes]
            return holding or in_time or [one for one, _cover in taking]
    return [one for one in sources if on is None or one.schedule.period.contains(on)]


def _source(file: PlanFile, others: Sequence[PlanFile], origin: str) -> Source:
    known: dict[tuple[str, str], Mapping[str, Any]] = {}
    for one in others:
        known.setdefault((one.code, one.version), one.data)

    def lookup(code: str, version: str) -> Mapping[str, Any] | None:
        return known.get((code, version)) or _stored(code, version)

    data = complete(file, lookup)
    return Source(parse(data, source=file.source, lines=file.lines, own=file.data), content_hash(data), origin)


def _readable(folder: Path) -> list[PlanFile]:
    return read_folder(folder)[0]


def _loaded(code: str) -> list[Terms]:
    """Published terms of a program; none when there is no database to ask."""
    try:
        return list(Terms.objects.filter(program__code=code, state__in=["published", "closed"]))
    except DatabaseError:
        return []


def _stored(code: str, version: str) -> Mapping[str, Any] | None:
    try:
        return stored_plan(code, version)
    except DatabaseError:
        return None
