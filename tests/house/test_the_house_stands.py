"""What the import contracts cannot see."""

import subprocess
import sys
from pathlib import Path

from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection

from unionaid.offices.row_security import scoped_models
from unionaid.workflow.jobs import KINDS

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ["accounts", "offices", "ledger", "workflow", "programs", "members", "claims", "payouts", "books", "reports"]


def test_rules_load_without_any_framework() -> None:
    code = "import sys, programs.rules.assess; print(sorted({'django','celery'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_package_of_the_house_is_empty() -> None:
    assert (ROOT / "unionaid" / "__init__.py").read_text() == ""


def test_relations_point_down() -> None:
    floor = {label: i for i, label in enumerate(FLOORS)}
    up = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in floor
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model._meta.app_label in floor
        and floor[field.related_model._meta.app_label] > floor[model._meta.app_label]
    ]  # fmt: skip
    assert up == []


def test_every_model_with_an_office_is_scoped() -> None:
    scoped = set(scoped_models())
    loose = [
        model._meta.label
        for model in apps.get_models()
        if any(f.name == "office" for f in model._meta.fields) and model not in scoped
    ]
    # What an office sets and writes for its review holds for those below too; posts are read before any scope is open; programs are public.
    assert sorted(loose) == ["claims.Letter", "claims.RejectionReason", "claims.ReviewRule", "offices.StaffPost", "programs.Program"]


def test_every_kind_of_job_has_a_queue() -> None:
    assert {kind.queue for kind in KINDS.values()} <= {"default", "payouts", "reports", "notices"}


def test_what_indexes_know_of_a_claim_stands_first_in_its_row(db: None) -> None:
    """An update compares the old and the new value of each, and whatever is empty or of varying length before it has to be walked over."""
    indexed = (
        "SELECT refobjsubid FROM pg_depend d JOIN pg_index i ON i.indexrelid = d.objid AND i.indrelid = d.refobjid"
        " WHERE refobjid = 'claims_claim'::regclass AND refobjsubid > 0"
        " UNION SELECT unnest(indkey) FROM pg_index WHERE indrelid = 'claims_claim'::regclass"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(refobjsubid) FROM ({indexed}) known")
        last = cursor.fetchone()[0]
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'claims_claim'::regclass AND attnum BETWEEN 1 AND %s"
            f" AND (attlen < 0 OR NOT attnotnull) AND attnum NOT IN ({indexed})", [last],
        )  # fmt: skip
        assert cursor.fetchall() == [], f"{last} columns are walked over"


def test_no_migration_is_missing(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_system_checks_are_silent() -> None:
    assert [str(found) for found in run_checks()] == []
