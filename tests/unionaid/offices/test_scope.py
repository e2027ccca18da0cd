"""One office never sees another's rows: through the manager, and behind it through the database itself."""

import pytest
from django.db import DataError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from members.models import Member, WorkUnit
from tests.factories.world import World, make_unit
from unionaid.offices.kept import Kept
from unionaid.offices.roles import Role, may
from unionaid.offices.scope import NoScope, Scope, everywhere, go_on_as, looking_everywhere, office_scope
from unionaid.offices.selectors import covers
from unionaid.web.prepared import Place


def test_without_a_scope_business_rows_raise(db: None) -> None:
    with pytest.raises(NoScope):
        WorkUnit.objects.count()


def test_an_office_sees_its_own_units_only(world: World, as_office) -> None:
    with everywhere(reason="arrange"):
        other, _agent = make_unit(world.cast.b, "91610100MA6TX1234")
    with as_office(world.cast.a):
        assert list(WorkUnit.objects.all()) == [world.unit]
    with as_office(world.cast.b):
        assert list(WorkUnit.objects.all()) == [other]
    with office_scope(Scope(offices=covers(world.cast.headquarters))):
        assert WorkUnit.objects.count() == 2


def _raw_names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM members_workunit")
        return {row[0] for row in cursor.fetchall()}


def test_the_database_hides_rows_that_raw_sql_asks_for(world: World, as_office) -> None:
    assert _raw_names() == set()
    with as_office(world.cast.b):
        assert _raw_names() == set()
    with as_office(world.cast.a):
        assert _raw_names() == {world.unit.name}


def test_the_negative_control_sees_them(world: World) -> None:
    """Without the guard (every row open) the very same statement shows the row: the test above can fail."""
    with everywhere(reason="negative control"):
        assert _raw_names() == {world.unit.name}


UNITS: Kept[str] = Kept(lambda: WorkUnit.objects.filter(pk__among=Place("units_asked")).order_by("pk").values_list("name", flat=True))
PEOPLE: Kept[Member] = Kept(lambda: Member.objects.select_related("unit").only("name", "unit__name").filter(pk__among=Place("people")))


def test_a_kept_question_shows_what_its_queryset_shows_in_every_scope(world: World) -> None:
    with everywhere(reason="arrange"):
        member = world.member(2003)
        other, _agent = make_unit(world.cast.b, "91610100MA6TX1234")
    ids, a, b = sorted([world.unit.pk, other.pk]), covers(world.cast.a), covers(world.cast.b)
    scopes = [
        Scope(offices=a), Scope(offices=b), Scope(offices=a | b), Scope(units=frozenset({other.pk})),
        Scope(units=frozenset({world.unit.pk})), Scope(member=member.pk), Scope(user=world.agent.pk), Scope(reason="all"),
    ]  # fmt: skip
    for scope in scopes:
        with office_scope(scope):
            seen = list(WorkUnit.objects.filter(pk__in=ids).order_by("pk").values_list("name", flat=True))
            people = [(one.name, one.unit and one.unit.name) for one in Member.objects.select_related("unit").filter(pk=member.pk)]
            assert UNITS.ask(units_asked=ids) == seen
            assert [(one.name, one.unit and one.unit.name) for one in PEOPLE.ask(people=[member.pk])] == people
        with everywhere(reason="another scope is told, and meets the same rows although the database would show all"):
            assert UNITS.ask(units_asked=ids, scope=scope) == seen
            assert UNITS.ask(units_asked=ids) == [world.unit.name, other.name]  # the control: what nobody narrows
    with pytest.raises(NoScope):
        UNITS.ask(units_asked=ids)


def test_the_scope_is_gone_after_the_block(world: World, as_office) -> None:
    with as_office(world.cast.a):
        pass
    assert _raw_names() == set()


def test_a_look_past_the_scope_ends_with_its_block_whatever_happens_in_it(world: World, as_office) -> None:
    with as_office(world.cast.b):
        with looking_everywhere(reason="look"):
            assert _raw_names() == {world.unit.name}
        assert _raw_names() == set()
        with pytest.raises(KeyError), looking_everywhere(reason="look"):
            raise KeyError
        assert _raw_names() == set()
        with pytest.raises(DataError), transaction.atomic(), looking_everywhere(reason="look"), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert _raw_names() == set()
        with looking_everywhere(reason="look"):
            with CaptureQueriesContext(connection) as told, looking_everywhere(reason="a look within it"):
                assert WorkUnit.objects.count() == 1
            assert len(told) == 1, "the database is not told again what it knows"
            with pytest.raises(KeyError), looking_everywhere(reason="a look within it"):
                raise KeyError
            assert _raw_names() == {world.unit.name}
        assert _raw_names() == set()
        assert WorkUnit.objects.count() == 0
    with looking_everywhere(reason="look, with no scope open"):
        assert _raw_names() == {world.unit.name}
    assert _raw_names() == set()


def test_the_door_exchanges_its_scope_until_its_block_ends(world: World) -> None:
    with office_scope(Scope(user=world.cast.reviewer.pk)):
        assert WorkUnit.objects.count() == 0
        go_on_as(Scope(offices=covers(world.cast.a)))
        assert (WorkUnit.objects.count(), _raw_names()) == (1, {world.unit.name})
    assert _raw_names() == set()
    with pytest.raises(NoScope):
        go_on_as(Scope(offices=covers(world.cast.a)))


def test_the_database_refuses_a_row_for_another_office(world: World, as_office) -> None:
    with as_office(world.cast.a), pytest.raises(ProgrammingError), transaction.atomic():
        WorkUnit.objects.create(
            office=world.cast.b, name="x", credit_code="91610100MA6TX12340", nature="enterprise", headcount=1
        )


def test_a_worker_sees_only_themselves(world: World) -> None:
    with everywhere(reason="arrange"):
        me, _other = world.member(101), world.member(103, "李四")
    with office_scope(Scope(member=me.pk, user=me.user_id)):
        assert list(Member.objects.all()) == [me]


def test_the_application_role_owns_nothing_and_cannot_pass_the_wall(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'office_id'"
            " WHERE c.relkind = 'r' AND NOT (c.relrowsecurity AND c.relforcerowsecurity) ORDER BY 1"
        )
        # Who works where, what is offered, how it is refused, what an office set for its review: no person's matter, read below too.
        open_to_all = ["claims_letter", "claims_rejectionreason", "claims_reviewrule", "offices_staffpost", "programs_program"]
        assert [row[0] for row in cursor.fetchall()] == open_to_all


def test_unknown_actions_are_an_error_and_rights_end_at_the_office(world: World) -> None:
    actor = world.cast.actor(world.cast.reviewer)
    assert may(actor, "claims.review", world.cast.a.pk)
    assert not may(actor, "claims.review", world.cast.b.pk)
    assert not may(actor, "claims.approve")
    assert actor.roles == {Role.REVIEWER}
    with pytest.raises(KeyError):
        may(actor, "claims.everything")
