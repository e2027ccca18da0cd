"""Reading what was done and what is being done."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Model, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext

from unionaid.lib.calendar import midnight, now
from unionaid.offices.roles import Actor, may
from unionaid.workflow.jobs import KINDS, MAX_ATTEMPTS, RESULT_PAGES, STALE_AFTER
from unionaid.workflow.models import AuditEntry, Job
from unionaid.workflow.progress import told
from unionaid.workflow.words import act_words


def acts_on(entity: str, pk: int) -> Q:
    """The acts on this thing: on it alone, and on sets that it was part of."""
    return Q(entity_id=pk, entity=entity) | Q(entity_ids__contains=[pk], entity=entity)


def history_of(thing: Model) -> QuerySet[AuditEntry]:
    """Every act on this thing, oldest first. Of an act on a set the names of the others are not read."""
    return AuditEntry.objects.filter(acts_on(thing._meta.label_lower, thing.pk)).defer("entity_ids").order_by("id")


def told_history(thing: Model, *, most: int = 100) -> list[tuple[AuditEntry, str | Promise]]:
    """The first acts on this thing, oldest first, each with what it is called. One statement."""
    return [(act, act_words(act.entity, act.action)) for act in history_of(thing)[:most]]


def job_by_key(key: str) -> Job | None:
    """The job written under this key, when it is in scope."""
    return Job.objects.filter(key=key).first()


def jobs_by_key(keys: Iterable[str]) -> dict[str, Job]:
    """The jobs written under these keys, as far as they are in scope. One statement."""
    return {job.key: job for job in Job.objects.filter(key__in=list(keys))}


def stuck_jobs() -> QuerySet[Job]:
    """Work that failed, or runs without a sign of life, or has waited ten minutes longer than it should."""
    old = now() - 10 * STALE_AFTER
    waits = Q(job_state="queued", not_before__lt=old)
    hangs = Q(job_state="running", not_before__lt=old) & (Q(beat_at=None) | Q(beat_at__lt=old))
    return Job.objects.filter(Q(job_state="failed") | waits | hangs)


@dataclass(frozen=True, slots=True)
class Findable:
    """How the audit search knows a kind of thing by the number people use for it, and where it is shown at the desk."""

    model: type[Model]
    number: str
    label: str
    page: str
    find: Callable[[str], Iterable[int]] | None = None
    hidden: Mapping[str, Any] = field(default_factory=dict)

    def ids(self, text: str) -> list[int]:
        if self.find is not None:
            return list(self.find(text))
        if not self.number:
            return []
        return list(self.model._default_manager.filter(**{self.number: text}).values_list("pk", flat=True)[:5])

    def shown(self, ids: Iterable[int]) -> QuerySet[Any]:
        """(kind, id, words) of these rows."""
        rows = self.model._default_manager.filter(pk__in=list(ids)).order_by()
        if self.hidden:
            rows = rows.exclude(**self.hidden)
        kind = Value(self.model._meta.label_lower, TextField())
        return rows.annotate(kind_of=kind, words_of=Cast(self.label, TextField())).values_list("kind_of", "pk", "words_of")


FINDABLE: dict[str, Findable] = {}


def findable(
    model: type[Model],
    *,
    number: str,
    label: str = "",
    page: str = "",
    find: Callable[[str], Iterable[int]] | None = None,
    hidden: Mapping[str, Any] | None = None,
) -> None:
    """Let the audit search find this kind of thing; `number` and `find` look at indexed columns only. Rows that are `hidden`
    have no page at the desk."""
    FINDABLE[model._meta.label_lower] = Findable(model, number, label or number, page, find, hidden or {})


def things_numbered(text: str) -> list[tuple[str, int]]:
    """(kind, id) of whatever bears this number, in scope. One statement per kind."""
    return [(entity, pk) for entity, kind in FINDABLE.items() for pk in kind.ids(text)]


def acts(
    *,
    things: list[tuple[str, int]] | None = None,
    actor_id: int | None = None,
    action: str = "",
    since: date | None = None,
    until: date | None = None,
    before: int | None = None,
) -> QuerySet[AuditEntry]:
    """Acts in scope that fit, newest first; `before` is the id to go on from."""
    rows = AuditEntry.objects.select_related("actor").annotate(size=Coalesce(F("entity_ids__len"), 0)).defer("entity_ids").order_by("-id")
    if things is not None:
        fits = Q(pk__in=[])
        for entity, pk in things:
            fits |= acts_on(entity, pk)
        rows = rows.filter(fits)
    if actor_id is not None:
        rows = rows.filter(actor_id=actor_id)
    if action:
        rows = rows.filter(action=action)
    if since is not None:
        rows = rows.filter(at__gte=midnight(since))
    if until is not None:
        rows = rows.filter(at__lt=midnight(until + timedelta(days=1)))
    if before is not None:
        rows = rows.filter(id__lt=before)
    return rows


def things_shown(entries: Iterable[AuditEntry]) -> dict[tuple[str, int], tuple[str, str]]:
    """(words, address) of what these acts were done on. One statement, whatever kinds occur."""
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        if entry.entity in FINDABLE:
            wanted.setdefault(entry.entity, set()).add(entry.entity_id)
    parts = [FINDABLE[entity].shown(ids) for entity, ids in wanted.items()]
    if not parts:
        return {}
    rows = parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0]
    return {(entity, pk): (words, _address(FINDABLE[entity], pk)) for entity, pk, words in rows}


def _address(kind: Findable, pk: int) -> str:
    return reverse(kind.page, args=[pk]) if kind.page else ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, in the terms of its page."""

    job: Job
    label: Any
    percent: int | None
    done: str
    total: str
    per_minute: str
    minutes_left: int | None
    trouble: str
    will_retry: bool
    result: str
    stage: str = ""

    @property
    def is_open(self) -> bool:
        return self.job.job_state in ("queued", "running")


def progress_of(work: Job, *, side: str, by: Actor) -> Progress:
    """What the page of a job shows; `side` of the counter chooses where the result is, if this person may go there."""
    kind = KINDS.get(work.kind)
    stage = work.stage
    if work.job_state == "running" and (news := told(work.public_id)):
        stage, work.done_count, work.total_count = news[0], max(news[1], work.done_count), max(news[2], work.total_count)
    seconds = (work.beat_at - work.started_at).total_seconds() if work.beat_at and work.started_at else 0
    rate = int(work.done_count * 60 / seconds) if seconds >= 1 and work.done_count and work.job_state == "running" else None
    left = work.total_count - work.done_count
    action, address = RESULT_PAGES.get((work.kind, side), ("", None))
    return Progress(
        job=work,
        label=kind.label if kind else "",
        percent=min(100, 100 * work.done_count // work.total_count) if work.total_count else None,
        done=f"{work.done_count:,}",
        total=f"{work.total_count:,}",
        per_minute=f"{rate:,}" if rate else "",
        minutes_left=-(-left // rate) if rate and left > 0 else None,
        trouble=_trouble(work),
        will_retry=work.job_state == "queued" and 0 < work.attempts < MAX_ATTEMPTS,
        result=address(work.subject_ids[0]) if address and work.subject_ids and may(by, action) else "",
        stage=gettext(stage) if stage else "",
    )


def _trouble(work: Job) -> str:
    """What went wrong, when it is written for people; the name of an error of the program is not."""
    return "" if work.error.isascii() else work.error
