"""One database made by the owner role and used by the application role; the cast; real commits for those who ask."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from django.apps import apps
from django.db import connection, connections

from tests.factories.offices import Cast, make_cast
from unionaid.offices.models import Office
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers


@pytest.fixture(scope="session", autouse=True)
def _house_keys_are_for_tests() -> None:
    """Nothing to do: importing tests.settings set them. Kept as the place where a reader looks."""


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
def committed(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Real commits, for races, crashes, workers and browsers; every table is emptied afterwards as the owner."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        yield
        for one in connections.all():
            one.close()
        empty_all_tables()


def empty_all_tables() -> None:
    """Empty every table of ours; the owner must take the append-only triggers away for that moment."""
    tables = [f'"{m._meta.db_table}"' for m in apps.get_models() if m._meta.managed and not m._meta.proxy]
    kept = {'"django_content_type"', '"django_migrations"', '"auth_permission"'}
    guarded = [f'"{m._meta.db_table}"' for m in apps.get_models() if getattr(m, "append_only", False)]
    with connections["owner"].cursor() as cursor:
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {', '.join(t for t in tables if t not in kept)} CASCADE")
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    connections["owner"].close()
    connection.close()


@pytest.fixture(scope="session")
def django_db_modify_db_settings_parallel_suffix(request: pytest.FixtureRequest) -> None:
    """Parallel workers get databases of their own; the mirror follows its owner."""
    suffix = getattr(request.config, "workerinput", {}).get("workerid")
    if suffix:
        for one in connections.all():
            one.creation  # noqa: B018 (touch it: settings are per connection)
            test = one.settings_dict.setdefault("TEST", {})
            if test.get("MIRROR") is None:
                test["NAME"] = f"test_{one.settings_dict['NAME']}_{suffix}"
