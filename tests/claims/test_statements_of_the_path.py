"""The path from sending a claim in to its approval takes the same few statements for one item and for five."""

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from claims.models import Claim
from claims.services import adjudication, intake
from tests.factories.desk import CRITICAL, Desk
from tests.factories.world import ASKED, ILL
from unionaid.lib.calendar import plus_days
from unionaid.lib.uploads import CleanUpload

QUIET = ("SAVEPOINT", "RELEASE", "ROLLBACK TO", "BEGIN", "COMMIT")
MOST = 30


def _plan(desk: Desk, count: int):
    items = [
        {
            "code": f"item{i}", "name": {"zh": f"项目{i}", "en": f"Item {i}"}, "clause": "第七条", "events": ["admission"],
            "steps": [{"take": "personal_cost"}, {"ratio": "0.1"}, {"ceiling": {"amount": "900", "scope": "period", "key": f"k{i}"}}],
        }
        for i in range(count)
    ]  # fmt: skip
    example = {"name": "一例", "case": {"event": "admission", "personal_cost": "1000"}, "expect": f"{100 * count}.00"}
    return desk.plan_with(items=items, examples=[example], exclusions=None, exclusive=None, code=f"items-{count}")


def _draft(desk: Desk, count: int) -> Claim:
    """A draft with a stay for every item."""
    cover = desk.cover(_plan(desk, count), order=310 + count)
    by = desk.world.worker(cover.member)
    claim = intake.open_claim(enrolment=cover, claimant=cover.member, event="admission", by=by, on=ASKED)
    fen = {"medfee_sumamt": 300_000, "fund_pay_sumamt": 200_000, "psn_part_amt": 100_000, "psn_cash_pay": 100_000}
    for i in range(count):
        day = plus_days(ILL, i)
        intake.set_stay(claim, admitted_on=day, discharged_on=day, fen=fen, by=by, on=ASKED)
    for paper in adjudication.schedule_of(claim.terms).documents_for("admission"):
        upload = CleanUpload("image/jpeg", b"j", "a.jpg", f"{claim.pk:060d}{paper.code:>4.4}")
        intake.add_document(claim, kind=paper.code, upload=upload, by=by)
    return intake.choose_card(claim, desk.world.card(cover.member), by=by)


def _diagnosed(desk: Desk) -> Claim:
    """A draft under a plan that pays for a disease once."""
    cover = desk.cover(desk.plan(CRITICAL), order=317)
    by = desk.world.worker(cover.member)
    claim = intake.open_claim(enrolment=cover, claimant=cover.member, event="diagnosis", by=by, on=ASKED)
    told = {"diagnosis": "急性心肌梗死", "diagnosis_class": "critical_mild", "diagnosis_code": "I21.0", "hospital": "榆林市第一医院"}
    intake.tell(claim, {"event_on": ILL, **told}, by=by, on=ASKED)
    for paper in adjudication.schedule_of(claim.terms).documents_for("diagnosis"):
        upload = CleanUpload("image/jpeg", b"j", "a.jpg", f"{claim.pk:060d}{paper.code:>4.4}")
        intake.add_document(claim, kind=paper.code, upload=upload, by=by)
    return intake.choose_card(claim, desk.world.card(cover.member, "6217000010001234564"), by=by)


def _statements(desk: Desk, claim: Claim) -> list[str]:
    """Every step in a request of its own, which reads the claim first."""
    rows, worker = Claim.objects.only("enrolment"), desk.world.worker(claim.member)
    with CaptureQueriesContext(connection) as seen:
        intake.submit(rows.get(pk=claim.pk), by=worker, on=ASKED)
        adjudication.review(rows.get(pk=claim.pk), by=desk.reviewer, on=ASKED)
        adjudication.approve(rows.get(pk=claim.pk), by=desk.approver, on=ASKED)
    return spoken(seen)


def spoken(seen: CaptureQueriesContext) -> list[str]:
    """The statements, without what opens and closes transactions and scopes."""
    return [one["sql"] for one in seen.captured_queries if not one["sql"].startswith(QUIET) and "set_config" not in one["sql"]]


def _count(desk: Desk, items: int) -> tuple[int, Any]:
    claim = _draft(desk, items)
    found = _statements(desk, claim)
    claim.refresh_from_db()
    return len(found), (claim.approved_fen, "\n".join(text[:160] for text in found))


def test_one_item_and_five_take_the_same_statements(desk: Desk) -> None:
    one, (amount, said) = _count(desk, 1)
    five, (whole, also_said) = _count(desk, 5)
    assert (amount, whole) == (10_000, 5 * 50_000)
    assert one == five, f"{said}\n\n{also_said}"
    assert one <= MOST, said
    disease = _statements(desk, _diagnosed(desk))
    assert len(disease) <= MOST, "also where the plan asks what was paid before"
