"""A search by the beginning of a name stays on its index behind row security; LIKE does not (the control)."""

import pytest
from django.db import connection
from django.db.models import QuerySet

from members.models import Member
from tests.factories.world import World
from unionaid.offices.scope import everywhere


def _plan(rows: QuerySet[Member]) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return rows.explain()


@pytest.mark.parametrize(("lookup", "indexed"), [("name__begins", True), ("name__startswith", False)])
def test_a_prefix_is_answered_by_the_index(world: World, lookup: str, indexed: bool) -> None:
    with everywhere(reason="look"):
        plan = _plan(Member.objects.filter(**{lookup: "王小"}))
    condition = plan.split("Index Cond:")[1] if "Index Cond:" in plan else ""
    assert ("name" in condition.split("Filter:")[0]) is indexed, plan


def test_what_is_typed_is_no_pattern(world: World) -> None:
    with everywhere(reason="arrange"):
        world.member(101, "王小明")
        assert [m.name for m in Member.objects.filter(name__begins="王小")] == ["王小明"]
        assert not Member.objects.filter(name__begins="%").exists()
        assert not Member.objects.filter(name__begins="_小").exists()
