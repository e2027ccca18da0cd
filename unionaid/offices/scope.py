"""THE row scope: which rows this request or job may touch. No scope open → an error, never all rows.

Opened by three doors only: the middleware (by side of the counter), `workflow.jobs` (a job's office) and
`everywhere(reason=…)` (inside an open scope also `looking_everywhere`). Opening a scope opens a transaction,
because the database's own row security (`row_security.py`) reads the scope from settings that live exactly
as long as the transaction.

Traps: forward foreign keys use the base manager and are not scoped here (the database's second wall
still is); reverse relations are scoped; a form's uniqueness check cannot see other offices, so
services catch the named constraint.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ClassVar

from django.db import connection, models, transaction
from psycopg2.extensions import TRANSACTION_STATUS_INERROR

from unionaid.web.prepared import Place, run

logger = logging.getLogger(__name__)


class NoScope(RuntimeError):
    """A business row was asked for before anyone said on whose behalf."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Rows of these offices, or of these units, or of this member, or acted on by this user; or all, with a reason."""

    offices: frozenset[int] = frozenset()
    units: frozenset[int] = frozenset()
    member: int | None = None
    user: int | None = None
    reason: str = ""

    @property
    def is_everywhere(self) -> bool:
        return bool(self.reason)

    def as_settings(self) -> list[str]:
        """The four texts that the row-security policies read: offices, units, member, user."""
        offices = "*" if self.is_everywhere else ",".join(map(str, sorted(self.offices)))
        return [offices, ",".join(map(str, sorted(self.units))), str(self.member or ""), str(self.user or "")]

    def as_places(self) -> dict[str, object]:
        """What the places of a kept question (`made_for`) mean in this scope."""
        return {"offices": sorted(self.offices), "units": sorted(self.units), "member": self.member, "user": self.user}


_current: ContextVar[Scope | None] = ContextVar("office_scope", default=None)
# Stands for every scope that is not everywhere while a kept question is made, and opens nothing.
_TOLD_LATER = Scope()
_CLOSED = ["", "", "", ""]


def current_scope() -> Scope:
    """The open scope; raises NoScope when none is open."""
    scope = _current.get()
    if scope is None:
        raise NoScope("No office scope is open: use the middleware, run_job, or everywhere(reason=…).")
    return scope


def open_scope() -> Scope | None:
    """The open scope, if one is."""
    return _current.get()


def _tell_database(values: list[str]) -> None:
    with connection.cursor() as cursor:
        run(
            cursor,
            "SELECT set_config('unionaid.offices', %s, true), set_config('unionaid.units', %s, true),"
            " set_config('unionaid.member', %s, true), set_config('unionaid.user', %s, true)",
            values,
        )


@contextmanager
def office_scope(scope: Scope) -> Iterator[Scope]:
    """Open `scope` and a transaction for the block; the outer scope is back afterwards."""
    outer, nested = _current.get(), connection.in_atomic_block
    with transaction.atomic():
        _tell_database(scope.as_settings())
        token = _current.set(scope)
        try:
            yield scope
        finally:
            _current.reset(token)
    # A rolled-back savepoint takes its settings with it; a released one leaves them, so they are put back.
    if nested and not connection.needs_rollback:
        _tell_database(outer.as_settings() if outer else _CLOSED)


def go_on_as(scope: Scope) -> None:
    """Exchange the open scope for this one until its block ends. For the door that has to read who somebody is, in the transaction
    that is then theirs; NoScope when none is open. One statement, and nothing to put back."""
    current_scope()
    _tell_database(scope.as_settings())
    _current.set(scope)


@contextmanager
def made_for(is_everywhere: bool) -> Iterator[None]:
    """Querysets made in the block hold for every scope of this kind: for everywhere, or, with a place for each part of it (`as_places`),
    for all others. They are asked later: nothing is opened here, and the database is told nothing."""
    token = _current.set(Scope(reason="a question is made") if is_everywhere else _TOLD_LATER)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def everywhere(*, reason: str) -> Iterator[Scope]:
    """Open all rows, for a stated reason, which is logged. For commands, sign-up and public verification."""
    if not reason:
        raise ValueError("everywhere() needs a reason")
    logger.debug("scope opened everywhere: %s", reason)
    with office_scope(Scope(reason=reason)) as scope:
        yield scope


@contextmanager
def looking_everywhere(*, reason: str) -> Iterator[Scope]:
    """As `everywhere`, for a look: inside an open scope it shares that one's transaction and takes no savepoint, so nothing may be
    written here that a refusal is to take back. For what is asked in every step of a claim, and by everyone who joins. Where everything
    is open already the database is not told again."""
    outer, scope = _current.get(), Scope(reason=reason)
    if outer is None or not reason:
        with everywhere(reason=reason) as scope:
            yield scope
        return
    if outer.is_everywhere:
        yield outer
        return
    logger.debug("scope opened everywhere: %s", reason)
    _tell_database(scope.as_settings())
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)
        # A transaction that has failed goes back to a savepoint before this block, and its settings with it.
        if connection.connection.info.transaction_status != TRANSACTION_STATUS_INERROR:
            _tell_database(outer.as_settings())


@dataclass(frozen=True, slots=True)
class ScopeBy:
    """How a model's rows are held against the scope: the columns with ids of offices, units, members, users
    (`arrays`: the first two hold lists of ids). With `parent`, a row is visible exactly when the row that this
    foreign key names is."""

    offices: str = "office_id"
    units: str = ""
    members: tuple[str, ...] = ()
    users: str = ""
    arrays: bool = False
    parent: str = ""

    def condition(self, model: type[models.Model], scope: Scope, prefix: str = "") -> models.Q:
        """The rows of `model` inside `scope`; no row when nothing of the scope applies."""
        if self.parent:
            above = model._meta.get_field(self.parent).related_model
            return above.scope_by.condition(above, scope, f"{prefix}{self.parent}__")  # type: ignore[union-attr]
        if scope is _TOLD_LATER:
            return self._told_later(prefix)
        lookup = "overlap" if self.arrays else "in"
        shown = models.Q(pk__in=[])
        if self.offices and scope.offices:
            shown |= models.Q(**{f"{prefix}{self.offices}__{lookup}": sorted(scope.offices)})
        if self.units and scope.units:
            shown |= models.Q(**{f"{prefix}{self.units}__{lookup}": sorted(scope.units)})
        if scope.member is not None:
            for column in self.members:
                shown |= models.Q(**{f"{prefix}{column}": scope.member})
        if self.users and scope.user is not None:
            shown |= models.Q(**{f"{prefix}{self.users}": scope.user})
        return shown

    def _told_later(self, prefix: str) -> models.Q:
        """The same with places: an empty list and a None meet no row."""
        lookup = "overlap" if self.arrays else "among"
        shown = models.Q(pk__in=[])
        for column, place in ((self.offices, "offices"), (self.units, "units")):
            if column:
                shown |= models.Q(**{f"{prefix}{column}__{lookup}": Place(place)})
        for column, place in (*((column, "member") for column in self.members), (self.users, "user")):
            if column:
                shown |= models.Q(**{f"{prefix}{column}": Place(place)})
        return shown


class ScopedManager(models.Manager["models.Model"]):
    """The default manager of every business model: only rows inside the open scope."""

    def get_queryset(self) -> "models.QuerySet[models.Model]":
        scope, rows = current_scope(), super().get_queryset()
        if scope.is_everywhere:
            return rows
        by: ScopeBy = self.model.scope_by  # type: ignore[attr-defined]
        return rows.filter(by.condition(self.model, scope))


class Scoped(models.Model):
    """Base of every business row: declares `scope_by` and is read through the scoped manager alone."""

    scope_by: ClassVar[ScopeBy] = ScopeBy()
    objects = ScopedManager()

    class Meta:
        abstract = True


class OfficeOwned(Scoped):
    """A business row that belongs to one responsible office (权属)."""

    office = models.ForeignKey("offices.Office", models.PROTECT, related_name="+")

    class Meta:
        abstract = True
