"""Who may knock where: `access_matrix.csv` names every route, method and role with the answer, and nothing is left out.

Every route of the address book, the admin's included, is tried as every role against objects of one worker, one unit and one
office. 302→login is written `login`; other redirects `302`. A route that is not in the file fails, and so does a line without a
route. The default, for whatever is not written down, is a failing test. Every form that is met on the way is then sent whatever can
be sent: no answer is the product's own fault, and what is refused is not half kept.
"""

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pypdf import PdfReader

from claims.models import Appeal, Claim, ClaimDocument, Objection, Rehearsal, ReviewRule
from claims.payouts.models import BankReturn, Erasure, PayoutBatch, Recovery
from claims.services import intake
from members import certificate
from members.models import (
    AgentChange,
    AgentPaper,
    BankStatement,
    CertificatePack,
    ContributionDue,
    Correction,
    CorrectionPaper,
    Departure,
    DuePaper,
    Enrolment,
    Evidence,
    Member,
    Refund,
    RemittanceCorrection,
    Roster,
    UnitChange,
    UnitLineage,
    UnitPaper,
    Voiding,
)
from members.services import agents, contributions, joining, people, problem_sheets, rosters, units
from members.services.roster_rows import EXAMPLE
from tests.access.conftest import ROLES, filed_for, someone
from tests.access.crawler import Form, PageReader, route_of
from tests.access.drawn import faults, is_first_with, left_behind
from tests.factories.world import ASKED, ILL, JOINED, World, load, make_unit
from unionaid.accounts.models import User
from unionaid.books.models import FundMovement, FundPaper, PeriodClosing, Reconciliation
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.models import StaffPost
from unionaid.offices.scope import everywhere
from unionaid.reports.models import MoneyAudit, YearlyStatement
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import AuditEntry, BulkWork, Job, Notice

ACCOUNT = "6228480402564890018"  # of everybody here
MATRIX = Path(__file__).with_name("access_matrix.csv")
EXAMPLES = 4  # answers drawn for each form
Forms = dict[str, tuple[Client, str, Form]]


@dataclass
class Met:
    """What is met on the way: forms, each with whoever saw it first; files that were handed out, each once, with where."""

    forms: Forms
    taken: dict[str, tuple[str, bytes]]


ASKS = re.compile(rb'<form[^>]*>|name="[^"]*"')
SEEN = set[tuple[object, ...]]()
EVERYONE = (*(role for role in ROLES if role != "newcomer"), "stranger_worker", "stranger_agent", "outsider")
PART = re.compile(r"<(?:\w+:)?(\w+)>")


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Every route of the product, as it is written in the address books."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLPattern):
            yield before + str(entry.pattern)
        else:
            yield from routes(entry, before + str(entry.pattern))


@pytest.fixture
def examples(full: World) -> dict[str, dict[str, Any]]:
    """What stands for the parts of a route: by the beginning of the route, the longest that fits."""
    with everywhere(reason="arrange"), frozen(ASKED):
        owner = Member.objects.get(user__username="w101")
        claim = Claim.objects.filter(member=owner, state="returned_payment").first() or Claim.objects.filter(member=owner).first()
        other = load("national-inpatient.2026")
        relief = load("dalian-relief.2026", office=None)
        draft = joining.begin(owner, other, by=full.worker(owner))
        paper = joining.add_paper(draft, kind="contract", upload=CleanUpload("image/jpeg", b"j", "a.jpg", "a" * 64), by=full.worker(owner))
        Evidence.objects.create(
            enrolment=claim.enrolment, kind="contract", file=paper.file.name, file_name="x", content_type="image/jpeg", sha256="b" * 64
        )
        units._keep(full.unit, [CleanUpload("image/jpeg", b"j", "u.jpg", "c" * 64)])
        roster = rosters.upload(unit=full.unit, terms=full.yulin, data=b"x", file_name="x.csv", by=full.agent_actor, on=ASKED)
    with frozen(ASKED):
        run_due("default")
    with everywhere(reason="arrange"), frozen(ASKED):
        of_unit = contributions.raise_due(
            office_id=full.cast.a.pk, unit=full.unit, member=None, roster=roster, amounts={"unit": 100}
        )[0]
        unit_slip = contributions.add_slip(of_unit, CleanUpload("image/jpeg", b"j", "s.jpg", "d" * 64), by=full.agent_actor)
        own = contributions.raise_due(
            office_id=full.cast.a.pk, unit=None, member=owner, enrolment=claim.enrolment, amounts={"person": 100}
        )[0]
        contributions.add_slip(own, CleanUpload("image/jpeg", b"j", "s.jpg", "e" * 64), by=full.worker(owner))
    with everywhere(reason="look"):
        audit = MoneyAudit.objects.create(office=full.cast.headquarters, on=ASKED, looked_at=1, seconds=0)
        recovery = Recovery.objects.select_related("claim").first()
        batch, statement, told = PayoutBatch.objects.first(), YearlyStatement.objects.first(), BankReturn.objects.get()
        rehearsal = Rehearsal.objects.first()
        rule = ReviewRule.objects.get(office=full.cast.a)
        appeal, objection = Appeal.objects.first(), Objection.objects.select_related("claim").first()
        at_unit = Claim.objects.filter(state="unit_review").first()
        filed = Claim.objects.filter(filed_as="unit_agent").first()
        filed_paper, filed_stay = filed.documents.first(), filed.admissions.first()
        taken = filed_for(full, claim.enrolment, at_desk=True)
        taken_paper, taken_stay = taken.documents.first(), taken.admissions.first()
        document, job = ClaimDocument.objects.filter(claim=claim).first(), Job.objects.filter(requested_by=full.cast.payer).first()
        entry, post = AuditEntry.objects.first(), StaffPost.objects.filter(user=full.cast.reviewer).first()
        stay = claim.admissions.first()
        typed = RemittanceCorrection.objects.get()
        asked, day, booked = PeriodClosing.objects.first(), Reconciliation.objects.first(), Entry.objects.first()
        movement, fund_paper = FundMovement.objects.first(), FundPaper.objects.first()
        refund, statements = Refund.objects.first(), list(BankStatement.objects.order_by("-id"))
        slip = DuePaper.objects.get(due=own)
        due, evidence = ContributionDue.objects.first(), Evidence.objects.first()
        unit_paper, change, step = UnitPaper.objects.first(), UnitChange.objects.first(), UnitLineage.objects.first()
        paid, waiting, pack = Roster.objects.get(state="effective"), Roster.objects.get(state="checked"), CertificatePack.objects.get()
        work = BulkWork.objects.create(office=full.cast.a, kind="return_rosters", requested_by=full.cast.reviewer)
        agent_change, agent_paper = AgentChange.objects.get(state="submitted"), AgentPaper.objects.first()
        correction, photo = Correction.objects.get(member=owner), CorrectionPaper.objects.first()
        departure, void, erasure = Departure.objects.get(state="asked"), Voiding.objects.get(), Erasure.objects.get()
        notice = Notice.objects.filter(member_key=owner.pk).first()
        taking = agents.ask(full.unit.credit_code, user=owner.user, by=full.worker(owner), on=ASKED)
    cover = claim.enrolment
    return {
        "": {"object_id": 1, "content_type_id": 1, "url": "x", "path": "x", "app_label": "claims"},
        "verify/": {"public_id": cover.public_id},
        "my/eligibility": {"name": "work"},
        "my/plans/": {"terms_id": full.yulin.pk},
        "my/relief/": {"terms_id": relief.pk},
        "my/join/": {"public_id": draft.public_id, "relation": "spouse"},
        "my/join-papers/": {"public_id": paper.public_id},
        "my/enrolments/": {"public_id": cover.public_id},
        "my/claims/": {"public_id": claim.public_id, "pk": stay.pk, "paper": document.public_id},
        "unit/filing/": {"public_id": filed.public_id, "pk": filed_stay.pk, "paper": filed_paper.public_id},
        "unit/papers/": {"public_id": filed_paper.public_id},
        "admin/intake/": {"public_id": taken.public_id, "pk": taken_stay.pk, "paper": taken_paper.public_id},
        "admin/intake-papers/": {"public_id": taken_paper.public_id},
        "unit/claims/": {"public_id": at_unit.public_id},
        "notices/": {"public_id": objection.claim.public_id},
        "admin/claims/appeal/": {"pk": appeal.pk, "object_id": appeal.pk},
        "admin/claims/objection/": {"pk": objection.pk, "object_id": objection.pk},
        "my/papers/": {"public_id": document.public_id},
        "unit/units/": {"pk": full.unit.pk, "terms_id": full.yulin.pk},
        "unit/rosters/": {"pk": roster.pk},
        "unit/rosters/<int:pk>/certificate.pdf": {"pk": paid.pk},
        "unit/rosters/<int:pk>/problems.xlsx": {"pk": waiting.pk},
        "verify/batches/": {"public_id": paid.public_id},
        "unit/packs/": {"public_id": pack.public_id},
        "unit/unit-papers/": {"pk": unit_paper.pk},
        "units/take-over/": {"public_id": taking.public_id},
        "admin/workflow/job/bulk/": {"pk": work.pk},
        "admin/members/unitchange/": {"pk": change.pk, "object_id": change.pk},
        "admin/members/agentchange/": {"pk": agent_change.pk, "object_id": agent_change.pk},
        "admin/members/agentchange/papers/": {"pk": agent_paper.pk},
        "admin/members/unitlineage/": {"pk": step.pk, "object_id": step.pk},
        "admin/members/unitlineage/units/": {"pk": full.unit.pk},
        "my/corrections/": {"public_id": correction.public_id},
        "my/correction-papers/": {"public_id": photo.public_id},
        "unit/people/": {"pk": owner.pk},
        "unit/departures/": {"pk": departure.pk},
        "admin/members/correction/": {"pk": correction.pk, "object_id": correction.pk},
        "admin/members/correction/papers/": {"pk": photo.pk},
        "admin/members/departure/": {"pk": departure.pk, "object_id": departure.pk},
        "admin/members/departure/people/": {"pk": owner.pk},
        "admin/members/voiding/": {"pk": void.pk, "object_id": void.pk},
        "admin/members/voiding/enrolments/": {"pk": cover.pk},
        "admin/members/voiding/rosters/": {"pk": roster.pk},
        "admin/workflow/notice/": {"pk": notice.pk, "object_id": notice.pk},
        "jobs/": {"public_id": job.public_id},
        "admin/claims/claim/": {"pk": claim.pk, "object_id": claim.pk, "public_id": document.public_id},
        "admin/claims/reviewrule/": {"object_id": rule.pk},
        "admin/claims/rehearsal/": {"pk": rehearsal.pk, "object_id": rehearsal.pk},
        "admin/payouts/payoutbatch/": {"pk": batch.pk, "object_id": batch.pk, "kept": told.pk},
        "admin/payouts/erasure/": {"pk": erasure.pk, "object_id": erasure.pk},
        "admin/payouts/erasure/people/": {"pk": owner.pk},
        "admin/payouts/recovery/": {"pk": recovery.pk, "object_id": recovery.pk},
        "my/claims/<uuid:public_id>/recovery": {"public_id": recovery.claim.public_id},
        "admin/books/periodclosing/": {"pk": asked.pk, "object_id": asked.pk},
        "admin/books/reconciliation/": {"pk": day.pk, "object_id": day.pk},
        "admin/books/reconciliation/papers/": {"pk": day.balance_id},
        "admin/ledger/account/": {"pk": booked.account_id, "object_id": booked.account_id},
        "admin/ledger/transaction/": {"pk": booked.transaction_id, "object_id": booked.transaction_id},
        "admin/books/fundmovement/": {"pk": movement.pk, "object_id": movement.pk},
        "admin/books/fundmovement/papers/": {"pk": fund_paper.pk},
        "admin/reports/moneyaudit/": {"pk": audit.pk, "object_id": audit.pk},
        "admin/reports/yearlystatement/": {"pk": statement.pk, "object_id": statement.pk},
        "admin/workflow/job/": {"public_id": job.public_id, "object_id": job.pk},
        "admin/workflow/auditentry/": {"object_id": entry.pk},
        "admin/members/workunit/": {"pk": full.unit.pk, "object_id": full.unit.pk},
        "admin/members/workunit/papers/": {"pk": unit_paper.pk},
        "admin/members/roster/": {"pk": roster.pk, "object_id": roster.pk},
        "admin/members/member/": {"pk": owner.pk, "object_id": owner.pk},
        "admin/members/enrolment/": {"pk": cover.pk, "object_id": cover.pk},
        "admin/members/enrolment/papers/": {"pk": evidence.pk},
        "admin/members/contributiondue/": {"pk": due.pk, "object_id": due.pk},
        "admin/members/contributiondue/slips/": {"public_id": slip.public_id},
        "admin/members/bankstatement/": {"pk": statements[0].pk, "object_id": statements[0].pk},
        "admin/members/remittance/": {"pk": refund.remittance_id, "object_id": refund.remittance_id},
        "admin/members/remittancecorrection/": {"pk": typed.pk, "object_id": typed.pk},
        "admin/members/remittancecorrection/remittances/": {"pk": typed.remittance_id},
        "admin/members/refund/": {"pk": refund.pk, "object_id": refund.pk},
        "verify/receipts/": {"public_id": due.public_id},
        "my/slips/": {"public_id": slip.public_id},
        "unit/dues/": {"pk": of_unit.pk},
        "unit/slips/": {"public_id": unit_slip.public_id},
        "admin/programs/program/": {"pk": full.yulin.program_id, "object_id": full.yulin.program_id},
        "admin/programs/terms/": {"pk": full.yulin.pk, "object_id": full.yulin.pk},
        "admin/offices/office/": {"pk": full.cast.a.pk, "object_id": full.cast.a.pk},
        "admin/offices/staffpost/": {"pk": post.pk, "object_id": post.pk},
        "admin/accounts/user/": {"pk": full.cast.reviewer.pk, "object_id": full.cast.reviewer.pk},
    }


def address(route: str, examples: dict[str, dict[str, Any]]) -> str:
    """The route with the examples put in."""
    best = max((key for key in examples if route.startswith(key)), key=len)
    values = {**examples[""], **examples[best]}
    plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route).removesuffix("$").replace("^", "").replace("\\Z", "")
    return "/" + PART.sub(lambda part: str(values[part[1]]), plain)


def _clients(full: World) -> dict[str, Client]:
    found = {role: someone(full, role) for role in EVERYONE if role not in ("stranger_worker", "stranger_agent", "outsider")}
    with everywhere(reason="arrange"), frozen(JOINED):
        _unit, agent = make_unit(full.cast.b, "91610100MA70A1B3D")
        strangers = {"stranger_worker": full.member(801, "外人").user, "stranger_agent": agent, "outsider": full.cast.outsider}
    for name, user in strangers.items():
        found[name] = Client(raise_request_exception=False)
        found[name].force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return found


def _outcome(client: Client, method: str, where: str, met: Met) -> str:
    with transaction.atomic():
        answer = client.get(where) if method == "GET" else client.post(where, {})
        if "attachment" in answer.get("Content-Disposition", ""):
            met.taken.setdefault(hashlib.sha256(content := content_of(answer)).hexdigest(), (where, content))
        transaction.set_rollback(True)
    _read_forms(client, where, answer, met.forms)
    if answer.status_code in (301, 302):
        return "login" if urlsplit(answer["Location"]).path in ("/login", "/admin/login/") else "302"
    return str(answer.status_code)


def _read_forms(client: Client, where: str, answer: HttpResponse, forms: Forms) -> None:
    """The forms of a page, each once, with whoever saw it first."""
    if answer.status_code >= 300 or "text/html" not in answer.get("Content-Type", ""):
        return
    names = (route_of(where), *ASKS.findall(answer.content))
    if names in SEEN:  # to read a page word by word takes longer than to make it
        return
    SEEN.add(names)
    page = PageReader()
    page.feed(answer.content.decode())
    for form in page.forms:
        target = form.action or where
        if form.method == "post" and "logout" not in target:
            forms.setdefault(" ".join((route_of(target), *form.fields, *form.files)), (client, target, form))


def walked(
    full: World, examples: dict[str, dict[str, Any]], roles: tuple[str, ...], met: Met
) -> dict[tuple[str, str], dict[str, str]]:
    """What these roles are answered on every route and method; `met`: the forms that stand there, and the files that were handed out."""
    clients, found = {name: client for name, client in _clients(full).items() if name in roles}, {}
    with frozen(ASKED):
        for route in sorted(set(routes()), key=lambda route: (route == "logout", route)):  # logging out comes last
            for method in ("GET", "POST"):
                found[route, method] = {
                    name: _outcome(client, method, address(route, examples), met) for name, client in clients.items()
                }
    return found


@pytest.mark.parametrize("part", range(3))
def test_every_route_answers_every_role_as_written(full: World, examples: dict[str, dict[str, Any]], part: int) -> None:
    with MATRIX.open(encoding="utf-8", newline="") as file:
        promised = {(row.pop("route"), row.pop("method")): row for row in csv.DictReader(file)}
    met = Met({}, {})
    found = walked(full, examples, EVERYONE[part::3], met)
    assert sorted(found.keys() - promised.keys()) == [], "routes that are not written down"
    assert sorted(promised.keys() - found.keys()) == [], "lines without a route"
    wrong = [
        f"{method} {route} as {role}: {answer}, promised {promised[route, method][role]}"
        for (route, method), answers in found.items()
        for role, answer in answers.items()
        if answer != promised[route, method][role]
    ]
    assert wrong == []
    assert _with_whole_numbers(met) == [], "handed out to who has not shown again who they are"
    with frozen(ASKED):
        _half_way(full, part, met.forms)
        assert _broken(met.forms) == []


# --- every file that is handed out -------------------------------------------------------------------------------------


def content_of(answer: HttpResponse) -> bytes:
    """What was sent, in one piece."""
    return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]


def _with_whole_numbers(met: Met) -> list[str]:
    """Where a file says somebody's whole ID number, phone or account."""
    with everywhere(reason="look"):
        known = {one for pair in people.numbers_of(list(Member.objects.values_list("pk", flat=True))).values() for one in pair if one}
    known.add(ACCOUNT)
    return [where for where, content in met.taken.values() if any(number in said for said in texts_of(content) for number in known)]


def texts_of(content: bytes) -> Iterator[str]:
    """What a file says in words, and each file inside it."""
    if content.startswith(b"%PDF"):
        yield " ".join(page.extract_text().replace("\x00", "") for page in PdfReader(io.BytesIO(content)).pages)
    elif content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                yield from texts_of(packed.read(name))
    else:
        if EXAMPLE[0].encode() in content:  # the telephone of nobody, in an empty list
            content = content.replace(EXAMPLE[2].encode(), b"")
        yield content.decode("utf-8", "replace")
        yield content.decode("gb18030", "replace")


def test_a_file_with_a_whole_number_in_it_is_found(full: World) -> None:
    """The control: a unit's list with everybody's number, as it is handed out to who has shown again who they are."""
    with everywhere(reason="look"), frozen(ASKED):
        roster = Roster.objects.get(state="checked")
        sheet = problem_sheets.problem_list(roster)
        receipt = certificate.render(Enrolment.objects.filter(state="effective").first(), verify_url="https://example.org")
    met = Met({}, {"1": ("a list", sheet), "2": ("a certificate", receipt), "3": ("an account", f"户名,{ACCOUNT}".encode("gb18030"))})
    assert _with_whole_numbers(met) == ["a list", "an account"]


# --- every form, whatever is sent -------------------------------------------------------------------------------------


def _half_way(full: World, part: int, forms: Forms) -> None:
    """The forms of a claim that is being filled in, step by step: by its worker, and at the unit's counter."""
    with everywhere(reason="arrange"):
        owner = Member.objects.get(user__username="w101")
        by, cover = full.worker(owner), Enrolment.objects.filter(member=owner, terms=full.yulin).first()
        draft = intake.open_claim(enrolment=cover, claimant=owner, event="admission", by=by, on=ASKED)
        fen = {"medfee_sumamt": 3000, "fund_pay_sumamt": 2000, "psn_part_amt": 1000}
        stay = intake.set_stay(draft, admitted_on=ILL, discharged_on=ILL, fen=fen, by=by, on=ASKED)
        wanting = Claim.objects.select_related("member").filter(state="supplement_requested").first()
    own, steps = _client_of(owner), ("what", "medical", "stays", "stays/new", f"stays/{stay.pk}", "documents", "account", "check", "")
    pages = [(own, f"/my/claims/{draft.public_id}/{step}") for step in steps]
    pages += [(_client_of(wanting.member), f"/my/claims/{wanting.public_id}/{step}") for step in ("supplement", "documents")]
    for client, start in ((own, "/my/claims/start"), (someone(full, "agent"), "/unit/filing/start"))[part % 2 : part % 2 + 1]:
        client.post(start, {"answer": "admission"})
        pages += [(client, f"{start}{step}") for step in ("", "/person", "/day", "/cover")]
    for client, where in pages if part < 2 else []:
        _read_forms(client, where, client.get(where), forms)


def _client_of(member: Member) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(pk=member.user_id), backend="unionaid.accounts.backends.NumberBackend")
    return client


def _broken(forms: Forms) -> list[str]:
    """What the product answers with its own fault; a form that stands on several pages is tried once, by the first who meets it."""
    mine = [known for key, known in forms.items() if is_first_with(key)]
    return [fault for client, where, form in mine for fault in faults(client, where, form, examples=EXAMPLES)]


class Careless:
    """The control: a browser before a product that falls over half a character, and one that refuses and has written something."""

    def __init__(self, *, writes: bool = False) -> None:
        self.cookies, self.writes = SimpleCookie(), writes

    def post(self, _address: str, data: str, **_more: object) -> HttpResponse:
        if self.writes:
            User.objects.filter(pk=0).update(display_name="x")
            return HttpResponse(status=400)
        return HttpResponse(status=500 if "%ED%A0%80" in data else 200)


def test_a_form_that_breaks_or_keeps_half_is_found(full: World) -> None:
    form = Form("/x", "post", {"name": "", "shares": "1"})
    (broken,) = faults(Careless(), "/x", form, examples=200)  # type: ignore[arg-type]
    assert broken.startswith("500 /x")
    (half,) = faults(Careless(writes=True), "/x", form, examples=1)  # type: ignore[arg-type]
    assert half.startswith("400 and keeps: UPDATE")


def test_what_was_taken_back_is_not_left_behind() -> None:
    write = 'UPDATE "a" SET "b" = 1'
    assert left_behind(["SAVEPOINT x", write, "ROLLBACK TO SAVEPOINT x", "RELEASE SAVEPOINT x", "SELECT 1 FOR UPDATE OF a"]) == []
    assert left_behind(["SAVEPOINT x", write, "RELEASE SAVEPOINT x"]) == [write]


def test_strangers_never_get_at_an_object() -> None:
    """The file itself keeps the rule: whoever is of another office, unit or family is answered like for what does not exist."""
    objects = re.compile(r"<(?:int|uuid):(?:pk|public_id)>|<path:object_id>")
    forwarding = re.compile(r"<path:object_id>|^jobs/")  # to a page of their own, which stands in this file too
    shared = ("verify/", "notices/", "admin/programs/", "admin/offices/", "admin/accounts/")  # public, or everyone's
    with MATRIX.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if objects.search(row["route"]) and not row["route"].startswith(shared)]
    assert len(rows) > 60
    open_doors = [
        (row["method"], row["route"], role, row[role])
        for row in rows
        for role in ("stranger", "stranger_worker", "stranger_agent", "outsider")
        if row[role] not in ("404", "403", "login", "405")
        and not (row[role] == "302" and forwarding.search(row["route"]))
    ]
    assert open_doors == []
    assert not [row for row in rows if any(value.startswith("5") for value in row.values())]


