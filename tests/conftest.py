"""One database made by the owner role and used by the application role; the cast; real commits for those who ask."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from copy import deepcopy
from importlib import import_module

import pytest
from django.apps import apps
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import setup_databases, teardown_databases
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from tests.factories.offices import Cast, make_cast
from tests.factories.processes import until
from tests.factories.world import JOINED, World, make_world
from unionaid.lib.calendar import frozen
from unionaid.offices.models import Office
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers

# The same examples in every run, however slow the machine. `--hypothesis-profile default` looks for new ones.
settings.register_profile("house", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# What takes tens of seconds comes first: the other process takes over what is short from the end, and none waits for the other.
LONGEST = ("tests/access/", "tests/browser/", "tests/crashes/", "tests/house/test_restore_drill.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order given, but for the longest; before all others those that kill processes, while this one has opened nothing yet."""
    items.sort(key=lambda item: (not item.nodeid.startswith("tests/crashes/"), not item.nodeid.startswith(LONGEST)))


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    django_db_modify_db_settings: None,  # a name of its own for each process of the tests
) -> Iterator[None]:
    """The owner makes and migrates the test database; the application role looks into the same one.

    pytest-django's own fixture sets up only the aliases that tests name, so the mirror's owner would be left out.
    """
    keep = request.config.getvalue("reuse_db") and not request.config.getvalue("create_db")
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, keepdb=keep, aliases=set(connections), serialized_aliases=set())
    assert connection.settings_dict["NAME"].startswith("test_"), "tests never touch another database"
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        if not keep:
            with suppress(OperationalError):  # the session of a killed worker may still be ending; the next run makes the database anew
                teardown_databases(made, verbosity=0)


@pytest.fixture
def db_all(db: None) -> Iterator[None]:
    """The database with every row open: for arranging, never for proving that something is hidden."""
    with everywhere(reason="arrange a test"):
        yield


@pytest.fixture
def cast(db: None) -> Cast:
    """Two offices and the people of every test: 阿梅, 老周, 小秦, 老韩, 出纳, and 外人 of the other office."""
    with everywhere(reason="arrange a test"):
        return make_cast()


@pytest.fixture
def as_office() -> Callable[[Office], AbstractContextManager[Scope]]:
    """`with as_office(a): …` sees what the staff of office a sees."""
    return lambda office: office_scope(Scope(offices=covers(office)))


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Real commits, for races, crashes, workers and browsers; every table is emptied afterwards as the owner."""
    with django_db_blocker.unblock():
        if Arranged.standing:
            Arranged.standing.take_away()
        try:
            yield
        finally:
            empty_all_tables()


def empty_all_tables() -> None:
    """Empty every table of ours, or leave all as it was; the owner must take the append-only triggers away for that moment."""
    tables = [f'"{m._meta.db_table}"' for m in apps.get_models() if m._meta.managed and not m._meta.proxy]
    kept = {'"django_content_type"', '"django_migrations"', '"auth_permission"'}
    guarded = [f'"{m._meta.db_table}"' for m in apps.get_models() if getattr(m, "append_only", False)]
    connections.close_all()
    until(_nobody_works, "the sessions of the test before have ended", every=0.01)
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {', '.join(t for t in tables if t not in kept)} CASCADE")
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute(import_module("claims.migrations.0003_wordings").NATIONAL)  # what every new database begins with
    connections["owner"].close()
    connection.close()


def _nobody_works() -> bool:
    """No session of the product is left in this database, of a page's thread or a killed worker: it might write into the next test."""
    role = connections["default"].settings_dict["USER"]
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = %s", [role])
        return not cursor.fetchone()[0]


class Arranged:
    """A world made in an open transaction, for one test after another; what each test adds is taken back to here."""

    standing: "Arranged | None" = None

    def __init__(self) -> None:
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        with frozen(JOINED):
            self.world = make_world()
        Arranged.standing = self

    def take_away(self) -> None:
        """Nothing of it was ever committed."""
        Arranged.standing = None
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)


@pytest.fixture(scope="module")
def arranged(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Arranged once for the tests of a module that want a world."""
    with django_db_blocker.unblock():
        Arranged()
    yield
    with django_db_blocker.unblock():
        if Arranged.standing:
            Arranged.standing.take_away()


@pytest.fixture
def world(arranged: None, db: None) -> World:
    """A unit, a plan, the cast; made anew after a test that commits for real."""
    if Arranged.standing:
        return deepcopy(Arranged.standing.world)
    with frozen(JOINED):
        return make_world()
