"""Writing down plans: taking plan files as drafts, proving them by their own examples, publishing them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from programs.models import Program, Terms
from programs.rules.combine import complete, no_office_words, no_plan_words, overlap_stored_words, overlap_words
from programs.rules.examples import check_examples
from programs.rules.faults import Fault, ScheduleError
from programs.rules.parse import parse
from programs.rules.planfile import PlanFile, read_plan
from programs.rules.schedule import Schedule, content_hash
from programs.selectors import visible_terms
from unionaid.lib.calendar import Period
from unionaid.offices.models import Office
from unionaid.offices.roles import SYSTEM, Actor, may
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record


class PlanRefused(MoveRefused):
    """A plan file is not taken, or terms are not published; the message says which and why, `faults` each on its own."""

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Loaded:
    """What taking one plan file did: new, changed (a draft), or nothing."""

    terms: Terms
    outcome: str


def load_plans(files: Sequence[PlanFile], *, by: Actor) -> list[Loaded]:
    """Take plan files as draft terms, all of them or none. The same content again changes nothing; published terms
    never change. A file may be based on, or include, another one of these files or terms that are loaded already and
    that this person may read.

    PlanRefused with every fault found: what does not parse, examples that fail, versions of one plan that overlap in
    time (with each other or with published terms), and files that differ from published terms. NotAllowed for a plan of
    an office that is not this person's (a plan without an office is written by headquarters).
    """
    found = []
    faults: list[Fault] = []
    for file in files:
        try:
            found.append((file, *_proved(file, _lookup(files, by))))
        except ScheduleError as error:
            faults += error.faults
    proved = [(file, schedule) for file, _data, schedule in found]
    faults += _overlaps(proved) + _overlaps_stored(proved) + _unknown_plans(proved)
    if faults:
        raise refusal(ScheduleError(faults))
    with transaction.atomic():
        taken = {(file.code, file.version): _take(file, data, schedule, by=by) for file, data, schedule in _bases_first(found)}
        return [taken[file.code, file.version] for file, _data, _schedule in found]


def load_plan(file: PlanFile, *, by: Actor) -> Loaded:
    """Take one plan file as draft terms (`load_plans`)."""
    return load_plans([file], by=by)[0]


def draft(raw: bytes, *, source: str, by: Actor) -> Loaded:
    """Take the bytes of a plan file from the desk as draft terms. PlanRefused with every fault found."""
    try:
        file = read_plan(raw, source=source)
    except ScheduleError as error:
        raise refusal(error) from error
    return load_plan(file, by=by)


def check(terms: Terms, *, by: Actor, expect_version: int | None = None) -> Terms:
    """Mark drafted terms as checked: they have examples, and every one comes out. PlanRefused otherwise."""
    schedule = prove(terms)
    if not schedule.examples:
        raise PlanRefused(_("这份条款没有算例。请在计划文件里写上几个算好的例子（examples），再来核对。"))
    return move([terms], "check", by=by, expect_version=expect_version)[0]


def reopen(terms: Terms, *, by: Actor, expect_version: int | None = None) -> Terms:
    """Make checked terms a draft again, to be changed."""
    return move([terms], "reopen", by=by, expect_version=expect_version)[0]


def publish(terms: Terms, *, by: Actor, expect_version: int | None = None) -> Terms:
    """Publish checked terms: their examples must come out, and no other terms may hold on the same days.

    PlanRefused otherwise; NotAllowed when the person who drafted them tries; Conflict when they are no longer those that
    were looked at (`expect_version`).
    """
    prove(terms)
    try:
        with transaction.atomic():
            return move([terms], "publish", by=by, expect_version=expect_version)[0]
    except IntegrityError as error:
        if "terms_periods_apart" not in str(error):
            raise
        raise PlanRefused(_("这个计划已有另一期已发布的条款，保障期与这一期重叠。同一天只能有一期条款有效。")) from error


def close(terms: Terms, *, by: Actor, expect_version: int | None = None) -> Terms:
    """Close published terms to new members; cover that runs, and claims under it, go on as they are."""
    return move([terms], "close", by=by, expect_version=expect_version)[0]


def prove(terms: Terms) -> Schedule:
    """The schedule of stored terms, their examples recomputed. PlanRefused when one does not come out."""
    try:
        return _with_examples(PlanFile(terms.schedule, {}, str(terms)), terms.schedule)
    except ScheduleError as error:
        raise refusal(error) from error


def refusal(error: ScheduleError) -> PlanRefused:
    """The faults in the reader's language."""
    return PlanRefused(error.in_language(get_language() or "zh"), error.faults)


def stored_plan(code: str, version: str, *, by: Actor = SYSTEM) -> Mapping[str, Any] | None:
    """The complete data of loaded terms that `by` may read; None when there are none."""
    return visible_terms(by).filter(program__code=code, version_name=version).values_list("schedule", flat=True).first()


def _bases_first(plans: Sequence[tuple[PlanFile, dict[str, Any], Schedule]]) -> list[tuple[PlanFile, dict[str, Any], Schedule]]:
    """A plan based on another comes after it, however the files are named: its program says which one it stands in for."""
    bases = {file.code: file.data["based_on"]["code"] for file, _data, _schedule in plans if "based_on" in file.data}

    def depth(code: str, seen: frozenset[str] = frozenset()) -> int:
        base = bases.get(code)
        return 0 if base is None or base in seen else 1 + depth(base, seen | {code})

    return sorted(plans, key=lambda plan: depth(plan[0].code))


def _lookup(files: Iterable[PlanFile], by: Actor) -> Any:
    here = {(file.code, file.version): file.data for file in files}
    return lambda code, version: here.get((code, version)) or stored_plan(code, version, by=by)


def _proved(file: PlanFile, lookup: Any) -> tuple[dict[str, Any], Schedule]:
    data = complete(file, lookup)
    return data, _with_examples(file, data)


def _with_examples(file: PlanFile, data: Mapping[str, Any]) -> Schedule:
    schedule = parse(data, source=file.source, lines=file.lines, own=file.data)
    try:
        failures = check_examples(schedule)
    except ScheduleError as error:
        raise error.placed(file.source, file.lines) from None
    if failures:
        faults = [Fault(one.words, ("examples", one.index, "expect")) for one in failures]
        raise ScheduleError(faults).placed(file.source, file.lines)
    return schedule


def _overlaps(plans: Sequence[tuple[PlanFile, Schedule]]) -> list[Fault]:
    """Two versions of one plan whose periods share a day: which of them would hold?"""
    faults = []
    for (one, a), (other, b) in combinations(plans, 2):
        if a.code == b.code and (a.version == b.version or a.period.overlaps(b.period)):
            words = overlap_words(a, b, other_file=one.source)
            faults.append(Fault(words, ("period",), other.lines.get(("period",), 0), other.source))
    return faults


def _overlaps_stored(plans: Sequence[tuple[PlanFile, Schedule]]) -> list[Fault]:
    """Versions that share a day with another one that was published before: they could never be published. One statement."""
    frozen = Terms.objects.filter(program__code__in={schedule.code for _file, schedule in plans}, state__in=Terms.frozen_in)
    stored = list(frozen.order_by("period").values_list("program__code", "version_name", "period", "state"))
    faults = []
    for file, schedule in plans:
        for code, version, period, state in stored:
            days = Period(period.lower, period.upper)
            if code == schedule.code and version != schedule.version and days.overlaps(schedule.period):
                words = overlap_stored_words(schedule, version=version, days=days, closed=state == "closed")
                faults.append(Fault(words, ("period",), file.lines.get(("period",), 0), file.source))
    return faults


def _unknown_plans(plans: Sequence[tuple[PlanFile, Schedule]]) -> list[Fault]:
    """Plans whose shares are to be counted too, and which nobody knows: a code mistyped would count none of them."""
    named = {code for _file, schedule in plans for code in schedule.enrolling.together_with}
    if not named:
        return []
    known = {schedule.code for _file, schedule in plans} | set(Program.objects.filter(code__in=named).values_list("code", flat=True))
    path = ("enrolment", "shares", "together_with")
    return [
        Fault(no_plan_words(code), path, file.lines.get(path, 0), file.source)
        for file, schedule in plans
        for code in schedule.enrolling.together_with
        if code not in known
    ]


def _take(file: PlanFile, data: dict[str, Any], schedule: Schedule, *, by: Actor) -> Loaded:
    digest = content_hash(data)
    program = _program(file, schedule, by=by)
    found = Terms.objects.select_for_update(of=("self",), no_key=True).filter(program=program, version_name=schedule.version).first()
    if found and found.content_hash == digest:
        return Loaded(found, "same")
    if found and found.state not in ("draft", "checked"):
        raise PlanRefused(
            _("{file}：{terms} 已发布，发布后的条款不能改动。要改内容，请另起一期（version）。").format(file=file.source, terms=found)
        )
    if found and found.state == "checked":
        move([found], "reopen", by=by)
    terms = found or Terms(program=program, version_name=schedule.version, version=0)
    terms.version += 1  # whoever looked at the draft before looks again
    terms.drafted_by_id = by.user_id
    terms.period = DateRange(schedule.period.start, schedule.period.end)
    terms.schedule, terms.content_hash = data, digest
    terms.source = f"{schedule.source_title} {schedule.source_note}".strip()[:300]
    terms.save()
    record([terms], "draft", by=by, details={"content_hash": digest})
    return Loaded(terms, "changed" if found else "new")


def _program(file: PlanFile, schedule: Schedule, *, by: Actor) -> Program:
    """The program these terms belong to, locked; a published program's name and office are not changed by a draft."""
    office = None
    if schedule.office:
        office = Office.objects.filter(code=schedule.office).first()
        if office is None:
            raise refusal(ScheduleError([Fault(no_office_words(schedule.office), ("office",))]).placed(file.source, file.lines))
    if not may(by, "programs.draft", Program(office=office).owner_id):
        mine = _("您只能为自己的机构和它的下级机构写条款。请核对计划文件里的 office；没有写 office 的是全国计划，由总部写。")
        raise NotAllowed(mine)
    replaces = None
    base = file.data.get("based_on")
    if base and base["code"] != schedule.code:
        # Of the same office they stand side by side (say, two classes of one plan); elsewhere this one stands in for it.
        replaces = Program.objects.filter(code=base["code"]).exclude(office=office).first()
    told = {
        "name": schedule.name.zh,
        "name_en": schedule.name.en,
        "category": schedule.category,
        "organiser": schedule.organiser_kind,
        "organiser_name": schedule.organiser_name,
        "office": office,
        "replaces": replaces,
    }
    made = Program.objects.get_or_create(code=schedule.code, defaults=told)[1]
    program = Program.objects.select_for_update(of=("self",), no_key=True).get(code=schedule.code)  # one version at a time
    if not made and program.office_id != (office.pk if office else None):
        raise PlanRefused(_("{file}：计划 {code} 属于另一个机构，请换一个计划代码。").format(file=file.source, code=schedule.code))
    if not made and not program.terms.exclude(state__in=["draft", "checked"]).exists():
        Program.objects.filter(pk=program.pk).update(**told)
        program.refresh_from_db()
    return program
