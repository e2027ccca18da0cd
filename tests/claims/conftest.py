"""The desk on the day claims are asked for."""

from collections.abc import Iterator

import pytest

from claims import facts
from tests.factories.desk import Desk, make_desk
from tests.factories.world import ASKED, World
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    with everywhere(reason="arrange"), frozen(ASKED):
        yield make_desk(world)


@pytest.fixture
def by_admission(monkeypatch: pytest.MonkeyPatch) -> None:
    """Earlier decisions are asked for as by a plan that pays by the ordinal of the admission; other plans do not ask."""
    monkeypatch.setattr(facts, "_asks_history", lambda claim: True)
