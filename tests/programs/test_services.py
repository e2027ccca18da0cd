"""Writing terms down through the services: who may, what stands once published, and that the database holds it too."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import IntegrityError, connections, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from programs import services
from programs.models import Program, Terms
from programs.rules.planfile import PlanFile, as_file, read_plan
from programs.selectors import visible_programs, visible_terms
from tests.factories.offices import Cast, make_cast
from tests.factories.world import CATALOGUE, load
from tests.races.test_guards_taken_away import without
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.moves import Conflict, NotAllowed

YULIN = "shaanxi-yulin-medical.2026"


def plan(name: str = YULIN, **changes: object) -> PlanFile:
    """A file of the catalogue, some of its fields changed."""
    file = read_plan((CATALOGUE / f"{name}.yaml").read_bytes(), source=f"{name}.yaml")
    return PlanFile({**file.data, **changes}, file.lines, file.source)


def following(**changes: object) -> PlanFile:
    """The Yulin plan of the year after, without its examples of 2026."""
    return plan(**{"version": "2027", "period": {"start": "2027-01-01", "end": "2027-12-31"}, **changes})


@pytest.fixture
def people(db_all: None, cast: Cast) -> Cast:
    return cast


# -- who may ---------------------------------------------------------------------------------------------------------


def test_an_offices_manager_writes_for_the_office_and_a_provinces_for_all_below(people: Cast) -> None:
    manager, outsider = (people.actor(user) for user in (people.manager, people.outsider))
    assert services.load_plan(following(), by=manager).terms.drafted_by == people.manager
    with pytest.raises(NotAllowed, match="只能为自己的机构"):
        services.load_plan(following(code="other"), by=outsider)
    with pytest.raises(NotAllowed):
        services.load_plan(plan("national-women.2026"), by=manager)
    assert services.load_plan(plan("national-women.2026"), by=people.actor(people.hq_user)).outcome == "new"
    assert list(Program.objects.values_list("code", flat=True)) == ["national-women", "shaanxi-yulin-medical"]


def test_acts_are_taken_by_those_whose_terms_they_are(people: Cast) -> None:
    hq, manager, outsider = (people.actor(user) for user in (people.hq_user, people.manager, people.outsider))
    local = services.load_plan(following(), by=manager).terms
    national = services.load_plan(plan("national-women.2026"), by=hq).terms
    for act in (services.check, services.reopen, services.publish, services.close):
        for terms, by in ((local, outsider), (national, manager), (local, people.actor(people.auditor))):
            with pytest.raises((NotAllowed, Conflict)) as refused, transaction.atomic():
                act(terms, by=by)
            assert isinstance(refused.value, NotAllowed)
    services.check(local, by=manager)
    with pytest.raises(NotAllowed, match="另一个人"), transaction.atomic():
        services.publish(local, by=manager)
    assert services.publish(local, by=hq).published_by_id == people.hq_user.pk


def test_the_acts_on_national_terms_are_headquarters_to_read(people: Cast) -> None:
    terms = services.load_plan(plan("national-women.2026"), by=people.actor(people.hq_user)).terms
    assert set(AuditEntry.objects.filter(entity="programs.terms", entity_id=terms.pk).values_list("office", flat=True)) == {
        people.headquarters.pk
    }


def test_drafts_are_theirs_who_may_write_them(people: Cast) -> None:
    manager = people.actor(people.manager)
    draft = services.load_plan(following(), by=manager).terms
    sees = {name: visible_terms(people.actor(getattr(people, name))).exists() for name in ("manager", "hq_user", "reviewer", "outsider")}
    assert sees == {"manager": True, "hq_user": True, "reviewer": False, "outsider": False}
    assert visible_programs(manager).get() == draft.program
    assert not visible_programs(people.actor(people.outsider)).exists()
    assert services.stored_plan("shaanxi-yulin-medical", "2027", by=people.actor(people.outsider)) is None
    assert services.stored_plan("shaanxi-yulin-medical", "2027")
    services.publish(services.check(draft, by=manager), by=people.actor(people.hq_user))
    assert visible_terms(people.actor(people.outsider)).get() == draft


# -- one after the other ---------------------------------------------------------------------------------------------


def test_whoever_writes_last_drafted_it_and_what_was_looked_at_counts(people: Cast) -> None:
    manager, hq = people.actor(people.manager), people.actor(people.hq_user)
    terms = services.check(services.load_plan(following(), by=hq).terms, by=hq)
    seen = terms.version
    again = services.load_plan(following(claim_within={"days": 90}), by=manager)
    assert (again.outcome, again.terms.state, again.terms.drafted_by_id) == ("changed", "draft", people.manager.pk)
    services.check(again.terms, by=hq)
    with pytest.raises(Conflict), transaction.atomic():
        services.publish(terms, by=hq, expect_version=seen)
    terms.refresh_from_db()
    assert services.publish(terms, by=hq, expect_version=terms.version).state == "published"


def test_a_refused_plan_names_every_fault(people: Cast) -> None:
    text = as_file(following(contribution={"per_share": "-1"}, period={"start": "x", "end": "2027-12-31"}).data)
    with pytest.raises(services.PlanRefused) as refused:
        services.draft(text.encode(), source="计划.yaml", by=SYSTEM)
    assert [fault.path for fault in refused.value.faults] == [("period", "start"), ("contribution", "per_share")]
    assert all(fault.line for fault in refused.value.faults)


# -- what is published stands ----------------------------------------------------------------------------------------

TAMPERING: dict[str, Callable[[Terms], object]] = {
    "schedule": lambda terms: Terms.objects.filter(pk=terms.pk).update(schedule={**terms.schedule, "summary": {"zh": "x", "en": "x"}}),
    "content_hash": lambda terms: Terms.objects.filter(pk=terms.pk).update(content_hash="0" * 64),
    "period": lambda terms: Terms.objects.filter(pk=terms.pk).update(period=DateRange(date(2026, 1, 1), date(2030, 1, 1))),
    "version_name": lambda terms: Terms.objects.filter(pk=terms.pk).update(version_name="x"),
    "source": lambda terms: Terms.objects.filter(pk=terms.pk).update(source="x"),
    "program": lambda terms: Terms.objects.filter(pk=terms.pk).update(program=Program.objects.create(code="x", name="x", name_en="x")),
    "state": lambda terms: Terms.objects.filter(pk=terms.pk).update(state="draft"),
    "delete": lambda terms: Terms.objects.filter(pk=terms.pk).delete(),
}


@pytest.mark.parametrize("closed", [False, True])
def test_a_published_version_never_changes(people: Cast, closed: bool) -> None:
    terms = load(YULIN)
    if closed:
        services.close(terms, by=SYSTEM)
    for name, tamper in TAMPERING.items():
        with pytest.raises(IntegrityError, match="never changed or removed"), transaction.atomic():
            tamper(terms)
        terms.refresh_from_db()
        assert terms.version_name == "2026", name


def test_a_draft_may_be_changed_and_removed(people: Cast) -> None:
    """The control: the trigger stands on what is published alone."""
    for name, tamper in TAMPERING.items():
        if name != "state":
            terms = services.load_plan(plan(), by=SYSTEM).terms
            tamper(terms)
            Terms.objects.all().delete()


def test_a_published_version_changes_without_its_trigger(committed: None) -> None:
    """The negative control: the owner of the tables takes the trigger away for one moment."""
    with everywhere(reason="arrange"):
        make_cast()
        terms = load(YULIN)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname IN ('frozen_rows', 'frozen_rows_stay') ORDER BY tgname")
        as_they_were = [row[0] for row in cursor.fetchall()]
    take = "DROP TRIGGER frozen_rows ON programs_terms; DROP TRIGGER frozen_rows_stay ON programs_terms"
    with without(take, *as_they_were), everywhere(reason="past the services"):
        TAMPERING["source"](terms)
        TAMPERING["schedule"](terms)
        terms.refresh_from_db()
        assert (terms.source, terms.schedule["summary"]["zh"]) == ("x", "x")
        TAMPERING["delete"](terms)
        assert not Terms.objects.exists()
