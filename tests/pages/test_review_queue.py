"""The review queue over many claims: few statements, and no table is read from end to end. Read where the statistics are known."""

from collections.abc import Iterator

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from claims.models import Claim, ReviewRule
from tests.factories.offices import give_post, make_user
from tests.factories.plans import longest_scan
from tests.factories.world import ASKED, make_world
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Role
from unionaid.offices.scope import Scope, everywhere
from unionaid.offices.selectors import staff_actor

LIST, MANY = "/admin/claims/claim/", 24_000
MOST_STATEMENTS, MOST_ROWS = 12, 10_000
QUIET = ("SAVEPOINT", "RELEASE", "ROLLBACK")
VIEWS = (
    "o=", "state=submitted", "state=submitted&p=3", "state=reviewed", "state=paid", "event=admission", "event=accident_death", "age=late",
    "state=submitted&age=late", "age=in_time", "band=small", "state=submitted&band=large", "flags=yes", "state=submitted&flags=no",
    "q=SL26000001", "q=610802199003081018",
)  # fmt: skip
# Of fifty claims one waits for the first review and another for the second; one in twelve is of office A.
_MANY = """
INSERT INTO claims_claim (id, public_id, number, office_id, state, since, estimated_fen, approved_fen, {same})
SELECT 1000 + n, gen_random_uuid(), 'SL26' || lpad(n::text, 9, '0'), CASE WHEN n %% 12 = 0 THEN %(a)s ELSE %(b)s END, told.state,
  %(now)s::timestamptz - n %% 480 * interval '1 hour', 1000 + n * 7919 %% 2000000, CASE WHEN told.state = 'paid' THEN 1000 + n END, {same}
FROM claims_claim c CROSS JOIN generate_series(1, %(many)s) n CROSS JOIN LATERAL (
  SELECT CASE hashint4(n) & 63 WHEN 0 THEN 'submitted' WHEN 1 THEN 'reviewed' ELSE 'paid' END AS state) told;
INSERT INTO claims_claimflag (claim_id, office_id, code, subject, figures, reason)
SELECT id, office_id, 'account_name', md5(id::text), '{{}}', '' FROM claims_claim WHERE id %% 7 = 0;
ANALYZE
"""
_DRAWN = {"id", "public_id", "number", "office_id", "state", "since", "estimated_fen", "approved_fen"}


@pytest.fixture
def people(committed: None) -> Iterator[dict[str, User]]:
    """A reviewer of one office and one of all, and so many claims."""
    with frozen(ASKED):
        world = make_world()
        with everywhere(reason="arrange"):
            world.claim(world.cover(world.member(101)), 600_000)
            ReviewRule.objects.create(office=world.cast.a, step_days={"submitted": 3})
            everybody = make_user("s-all", "白洁")
            give_post(everybody, world.cast.province, Role.REVIEWER)
        same = ", ".join(f'"{field.column}"' for field in Claim._meta.concrete_fields if not field.generated and field.column not in _DRAWN)
        with connections["owner"].cursor() as cursor:
            cursor.execute("SET unionaid.offices = '*'")
            values = {"a": world.cast.a.pk, "b": world.cast.b.pk, "many": MANY, "now": f"{ASKED}T12:00:00+08:00"}
            cursor.execute(_MANY.format(same=same), values)
            cursor.execute("RESET unionaid.offices")
        yield {"one office": world.cast.reviewer, "all offices": everybody}


def asked_by(user: User, view: str) -> list[str]:
    """What the page asks of the database on a second look, session, person and scope with it."""
    client = Client()
    client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    client.get(f"{LIST}?{view}")
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(f"{LIST}?{view}")
    assert answer.status_code == 200, view
    return [query["sql"] for query in seen.captured_queries if not query["sql"].startswith((*QUIET, "BEGIN", "COMMIT"))]


def test_few_statements_and_no_table_read_from_end_to_end(people: dict[str, User]) -> None:
    _a_list_of_many_is_read_to_its_thousandth_and_says_so(people["all offices"])
    for who, user in people.items():
        scope = Scope(offices=staff_actor(user, on=ASKED).office_ids, user=user.pk)
        for view in VIEWS:
            asked = asked_by(user, view)
            assert len(asked) <= MOST_STATEMENTS, (who, view, asked)
            with transaction.atomic(using="owner"):
                table, rows = longest_scan(connections["owner"], asked, scope)
            assert rows <= MOST_ROWS, (who, view, table, rows)
    asked = asked_by(people["one office"], "state=submitted")
    with transaction.atomic(using="owner"):  # the control: without its indexes the same page reads the whole table
        with connections["owner"].cursor() as cursor:
            for name in ("queue", "queue_all", "waiting", "office", "office_approved", "office_hospital"):
                cursor.execute(f"DROP INDEX claim_{name}")
        assert longest_scan(connections["owner"], asked, scope)[1] > MOST_ROWS
        transaction.set_rollback(True, using="owner")


def _a_list_of_many_is_read_to_its_thousandth_and_says_so(user: User) -> None:
    client = Client()
    client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    last = client.get(f"{LIST}?state=paid&p=20")
    assert "只列出前 1000 条" in last.content.decode()
    shown = [claim.pk for claim in last.context["cl"].result_list]
    with everywhere(reason="look"):
        assert shown == list(Claim.objects.filter(state="paid").order_by("-id").values_list("pk", flat=True)[950:1000])
    assert client.get(f"{LIST}?state=paid&p=21").status_code == 400
