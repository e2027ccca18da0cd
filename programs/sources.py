"""Where complete terms come from for those who only want to calculate: loaded terms, the packaged catalogue, or a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext as _

from programs.models import Terms
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


def catalogue_plan(name: str, *, on: date | None) -> Source:
    """A plan by its code (or code@version): loaded terms if there are any, else the packaged catalogue. Of several versions
    the one whose period holds the day `on`; the latest when no day is named. PlanRefused when none is found."""
    code, _at, version = name.partition("@")
    found = [(PlanFile(dict(one.schedule), {}, code), "terms") for one in _loaded(code)]
    if not found:
        found = [(file, "catalogue") for file in _readable(CATALOGUE) if file.code == code]
    if not found:
        raise PlanRefused(_("没有代码为 {code} 的计划，也没有这个文件。").format(code=code))
    named = [(file, origin) for file, origin in found if version in ("", file.version)]
    sources = [_source(file, _readable(CATALOGUE), origin) for file, origin in named]
    holding = [one for one in sources if version or on is None or one.schedule.period.contains(on)]
    if not holding:
        periods = "、".join(file.version for file, _origin in found)
        raise PlanRefused(_("计划 {code} 没有在这一天有效的条款；现有各期：{periods}。").format(code=code, periods=periods))
    return max(holding, key=lambda one: one.schedule.period.start)


def _source(file: PlanFile, others: Sequence[PlanFile], origin: str) -> Source:
    known: dict[tuple[str, str], Mapping[str, Any]] = {}
    for one in others:
        known.setdefault((one.code, one.version), one.data)

    def lookup(code: str, version: str) -> Mapping[str, Any] | None:
        return known.get((code, version)) or _stored(code, version)

    data = complete(file, lookup)
    return Source(parse(data, source=file.source, lines=file.lines), content_hash(data), origin)


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
