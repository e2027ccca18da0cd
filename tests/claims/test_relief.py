"""Relief is applied for without joining: the plan's conditions are judged on that day, other aid is taken off, two people decide, and
it is paid out of its own fund."""

import re
import uuid
from dataclasses import replace
from datetime import datetime

import pytest
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from claims.models import Admission, Claim
from claims.selectors import past_claims
from claims.selectors.filing import Filing, taken_in
from claims.selectors.recomputed import differences
from claims.services import adjudication, corrections, filing, halts, intake, netting, reckoning, relief
from claims.services.adjudication import DecisionRefused
from claims.services.intake import ClaimRefused
from members.models import Consent, Enrolment, Member
from members.services.enrolment import EnrolmentRefused
from programs.models import Terms
from programs.rules.faults import ScheduleError
from programs.rules.joining import JoiningRules
from programs.rules.parse import parse
from programs.rules.planfile import read_plan
from programs.rules.rehearsal import Tally
from programs.selectors import schedule_of
from tests.factories.clients import client_of
from tests.factories.desk import CRITICAL, Desk
from tests.factories.world import ASKED, CATALOGUE, ILL, load
from unionaid.lib.calendar import SHANGHAI
from unionaid.lib.money import fen_from_yuan
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.scope import everywhere
from unionaid.reports.figures import count_enrolled
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import Notice
from unionaid.workflow.selectors import history_of

DALIAN = "dalian-relief.2026"
ILLNESS = ("医院", "诊断", "疾病", "住院", "医疗", "病情", "病理", "身故", "伤残")


@pytest.fixture
def dalian(desk: Desk) -> Terms:
    return load(DALIAN, office=None)


def _begin(desk: Desk, member: Member, terms: Terms, **more) -> Claim:
    told = {"event": "diagnosis", "happened_on": ILL, "on": ASKED, **more}
    return relief.begin(member, terms, by=desk.world.worker(member), **told)


def _applied(desk: Desk, member: Member, terms: Terms, code: str = "C34.1") -> Claim:
    """Cost of 9,000, of which others gave 3,000."""
    claim, by = _begin(desk, member, terms), desk.world.worker(member)
    told = {"event_on": ILL, "diagnosis": "肺癌", "diagnosis_code": code, "hospital": "第一医院", "other_aid_fen": 300_000}
    intake.tell(claim, told, by=by, on=ASKED)
    fen = {"medfee_sumamt": 2_700_000, "fund_pay_sumamt": 1_800_000, "psn_part_amt": 900_000, "psn_cash_pay": 900_000}
    intake.set_stay(claim, admitted_on=ILL, discharged_on=ILL, fen=fen, by=by, on=ASKED)
    with pytest.raises(ClaimRefused, match="您还差：病理报告"):
        intake.submit(claim, by=by, on=ASKED)
    intake.add_document(claim, kind="pathology", upload=CleanUpload("image/jpeg", b"j", "p.jpg", f"{claim.pk:064d}"), by=by)
    intake.choose_card(claim, member.cards.first() or desk.world.card(member), by=by)
    return intake.submit(claim, by=by, on=ASKED)


def test_it_is_applied_for_without_joining_and_decided_by_two(desk: Desk, dalian: Terms) -> None:
    member = desk.world.member(331)
    claim = _applied(desk, member, dalian)
    assert (claim.fund, claim.state, claim.unit_id) == ("relief", "submitted", None)
    with pytest.raises(DecisionRefused, match="第二个人终审"):
        adjudication.settle(claim, by=desk.reviewer, on=ASKED)
    assert desk.decide(claim).approved_fen == 600_000, "2,000 and what is left of 9,000 less 3,000 of others and those 2,000"
    cover = claim.enrolment
    assert (cover.state, cover.contribution_fen, cover.dues.count()) == ("effective", 0, 0)
    assert count_enrolled(frozenset({desk.world.cast.a.pk}), 2026)["total"]["all"]["people"] == 0, "applying is no participation"


def test_a_second_application_rests_on_the_first_and_the_same_disease_is_helped_once(desk: Desk, dalian: Terms) -> None:
    member = desk.world.member(331)
    first = _applied(desk, member, dalian)
    desk.decide(first)
    again = _applied(desk, member, dalian)
    assert again.enrolment_id == first.enrolment_id
    adjudication.review(again, by=desk.reviewer, on=ASKED)
    with pytest.raises(DecisionRefused, match="0 元"):
        adjudication.approve(again, by=desk.approver, on=ASKED)
    other = desk.decide(_applied(desk, member, dalian, code="C50.1"))
    assert other.approved_fen == 600_000, "another disease; 4,000 + 4,000 of the 8,000 of the period are used up with it"


def test_who_does_not_meet_the_conditions_is_told_why_and_nothing_is_kept(desk: Desk, dalian: Terms) -> None:
    member = desk.world.member(331)
    for changes, refusal, words in (
        ({"event": "admission"}, ClaimRefused, "不包括这种情况"),
        ({"happened_on": ASKED.replace(month=8)}, ClaimRefused, "今天之后"),
        ({"happened_on": ILL.replace(year=2025)}, ClaimRefused, "不在里面"),
        ({"on": ASKED.replace(year=2027)}, ClaimRefused, "不能直接申请"),
    ):
        with pytest.raises(refusal, match=words):
            _begin(desk, member, dalian, **changes)
    with pytest.raises(ClaimRefused, match="不能直接申请"):
        _begin(desk, member, desk.world.yulin)
    closed = load(DALIAN, office=None, code="closed-relief", enrolment={**dalian.schedule["enrolment"], "closes": "2026-02-01"})
    with pytest.raises(EnrolmentRefused):
        _begin(desk, member, closed)
    assert not Claim.objects.exists()


def test_only_what_costs_nothing_and_pays_no_mutual_aid_is_applied_for(desk: Desk, dalian: Terms) -> None:
    assert schedule_of(dalian).is_grant
    assert not schedule_of(desk.world.yulin).is_grant
    assert not schedule_of(load(DALIAN, office=None, code="paid-relief", contribution={"per_share": "10"})).is_grant


def test_the_worker_finds_it_and_begins_on_the_page(desk: Desk, dalian: Terms) -> None:
    member = desk.world.member(331)
    client = Client()
    client.force_login(member.user, backend="unionaid.accounts.backends.NumberBackend")
    shown = client.get(reverse("claims:reliefs")).content.decode()
    assert "大连市职工大病救助" in shown
    page = reverse("claims:relief", args=[dalian.pk])
    assert "病理报告" in client.get(page).content.decode()
    refused = client.post(page, {"event": "diagnosis", "happened_on": "2027-01-01", "key": "k"})
    assert refused.status_code == 400
    assert "请先勾选同意" in refused.content.decode()
    said = {"event": "diagnosis", "happened_on": "2026-05-20", "consent": "on", "key": "k"}
    sent = [client.post(page, said) for _again in range(2)]
    claim = Claim.objects.get()
    assert {answer["Location"] for answer in sent} == {reverse("claims:resume", args=[claim.public_id])}
    home = client.get(reverse("claims:home")).content.decode()
    assert claim.number in home
    assert Enrolment.objects.count() == 1
    assert "您还没有参加互助计划" in home, "relief is no cover"
    assert client.get(reverse("claims:relief", args=[desk.world.yulin.pk])).status_code == 404


# --- help in hardship ------------------------------------------------------------------------------------------------


def _words(answer: HttpResponse) -> str:
    """The page's own part, without navigation, as it is read."""
    text = answer.content.decode()
    found = re.search(r"<main.*?</main>", text, re.DOTALL)
    assert found
    return re.sub(r"<dialog.*?</dialog>|<[^>]+>", " ", found[0], flags=re.DOTALL)


def test_help_in_hardship_from_the_phone_to_the_decision_without_a_word_of_illness(desk: Desk) -> None:
    """Two children: 12,450 and 4,000. Nobody is asked for hospital, diagnosis or bills, neither the worker nor the desk."""
    beijing, member = load("beijing-student-aid.2026", office=None), desk.world.member(331)
    phone, seen = client_of(member.user), list[str]()

    def post(name: str, said: dict[str, str], status: int = 302) -> str:
        answer = phone.post(name, said | {"key": f"k{len(seen)}"})
        assert answer.status_code == status, _words(answer)
        seen.append(_words(phone.get(answer["Location"], follow=True) if status == 302 else answer))
        return seen[-1]

    with everywhere(reason="arrange"):
        desk.world.card(member)
    seen.append(_words(phone.get(reverse("claims:relief", args=[beijing.pk]))))
    what = post(reverse("claims:relief", args=[beijing.pk]), {"event": "hardship", "happened_on": "2026-05-20", "consent": "on"})
    assert "读大专、本科的孩子人数" in what
    with everywhere(reason="look"):
        claim = Claim.objects.get()
        assert [one.purpose for one in Consent.objects.filter(member=member)] == ["hardship"]
    page, figure = reverse("claims:what", args=[claim.public_id]), f"figure-{claim.program_id}-"
    said = {"event_on": "2026-05-20", "happened": "大女儿考上大学，家里一个人上班。"}
    assert "请填写您申请的那一项" in post(page, said, 400)
    assert "最多填 5" in post(page, said | {f"{figure}college": "6"}, 400)
    assert "请填整数" in post(page, said | {f"{figure}college": "一"}, 400)
    post(page, said | {f"{figure}college": "1", f"{figure}senior_secondary": "1"})
    with everywhere(reason="papers"):
        claim.refresh_from_db()
        for i, paper in enumerate(beijing.schedule["documents"]):
            upload = CleanUpload("image/jpeg", b"j", f"{i}.jpg", f"{i:064d}")
            intake.add_document(claim, kind=paper["code"], upload=upload, by=desk.world.worker(member))
        intake.choose_card(claim, member.cards.get(), by=desk.world.worker(member))
    seen.append(_words(phone.get(reverse("claims:check", args=[claim.public_id]))))
    assert "约 ¥16,450.00 元" in seen[-1]
    post(reverse("claims:check", args=[claim.public_id]), {"declaration": "on"})
    seen.append(_words(phone.get(reverse("claims:status", args=[claim.public_id]))))
    assert "有困难" in _words(phone.get(reverse("claims:start"))), "one form for every event, help in hardship too"
    staff = client_of(desk.world.cast.reviewer)
    seen.append(_words(staff.get(reverse("admin:claim_review", args=[claim.pk]))))
    assert "读大专、本科的孩子人数" in seen[-1]
    facts = reverse("admin:claim_facts", args=[claim.pk])
    seen.append(_words(staff.get(facts)))
    assert [(word, i) for i, words in enumerate(seen) for word in ILLNESS if word in words] == [], "not one word of illness"
    assert staff.post(facts, {f"{figure}college": "1", f"{figure}senior_secondary": "9", "note": "在读证明"}).status_code == 400
    settled = {f"{figure}college": "1", f"{figure}senior_secondary": "1", f"{figure}early": "", "note": "在读证明两份"}
    assert staff.post(facts, settled).status_code == 302
    with everywhere(reason="decide"):
        claim.refresh_from_db()
        assert (claim.declared, claim.fund) == ({"college": "1", "senior_secondary": "1"}, "relief")
        assert desk.decide(claim).approved_fen == 1_645_000
        assert list(differences()) == [], "it comes out the same from what was kept"


def test_a_start_up_is_helped_once_in_a_lifetime_whatever_option_is_chosen(desk: Desk) -> None:
    chengdu, member = load("chengdu-startup.2026", office=None), desk.world.member(331)
    by = desk.world.worker(member)

    def applied(**declared: str) -> Claim:
        claim = _begin(desk, member, chengdu, event="hardship")
        intake.tell(claim, {"event_on": ILL, "happened": "开店", "declared": declared}, by=by, on=ASKED)
        for i, kind in enumerate(("licence", "identity")):
            intake.add_document(claim, kind=kind, upload=CleanUpload("image/jpeg", b"j", "p.jpg", f"{claim.pk * 10 + i:064d}"), by=by)
        intake.choose_card(claim, member.cards.first() or desk.world.card(member), by=by)
        return intake.submit(claim, by=by, on=ASKED)

    first, second = applied(guaranteed="30000.00"), applied(jobs="12")
    assert desk.decide(first).approved_fen == 90_000
    adjudication.review(second, by=desk.reviewer, on=ASKED)
    with pytest.raises(DecisionRefused, match="0 元"):
        adjudication.approve(second, by=desk.approver, on=ASKED)
    with pytest.raises(ClaimRefused, match="“带动就业人数”要填整数"):
        applied(jobs="1.5")
    with pytest.raises(KeyError):
        applied(rent="1")


# --- by rule ---------------------------------------------------------------------------------------------------------

RULE = [{"events": ["diagnosis"]}]


def _granted(desk: Desk, order: int = 331) -> Claim:
    """A benefit for a diagnosis, approved; the jobs that its approval wrote have run."""
    cover = desk.cover(desk.plan(CRITICAL), order)
    claim = desk.decide(desk.diagnosis(cover, "critical_mild", code="C34.1"))
    run_due("default")
    return claim


def test_a_plan_opens_its_relief_by_rule_once_and_it_is_net_of_the_benefit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    load(DALIAN, office=None, code="never-opened")
    load(DALIAN, office=None, opens_after=RULE)
    benefit = _granted(desk)
    opened = Claim.objects.get(follows=benefit)
    assert (opened.state, opened.fund, opened.occasion, opened.claimant_id) == ("draft", "relief", benefit.occasion, benefit.claimant_id)
    assert (opened.diagnosis_code, opened.card_id, opened.event_on) == ("C34.1", benefit.card_id, benefit.event_on)
    assert opened.documents.count() == benefit.documents.count() > 0
    run_due("notices")
    told = list(Notice.objects.filter(member_key=benefit.claimant_id).values_list("title", flat=True))
    assert told.count("您还可以得到一笔救助，请补上还缺的") == 1
    phone = client_of(benefit.member.user)
    with everywhere(reason="look as the worker"):
        assert "还差：其他渠道已给的补助、住院和费用" in _words(phone.get(reverse("claims:status", args=[opened.public_id])))
        assert "您还可以得到一笔救助金，打开看还差什么" in _words(phone.get(reverse("claims:home")))
    assert told.count("保障已生效") == 1, "of the benefit's; what relief rests on is no cover that begins"
    assert relief.follow(benefit.pk, on=ASKED) == [], "a job that runs again"
    assert Claim.objects.filter(follows__isnull=False).count() == 1
    with pytest.raises(IntegrityError, match="claim_follows_once"), transaction.atomic():
        Claim.objects.create(**{name: getattr(opened, name) for name in ONCE}, number="SL-twice")
    by = desk.world.worker(benefit.member)
    intake.tell(opened, {"other_aid_fen": 0}, by=by, on=ASKED)
    fen = {"medfee_sumamt": 2_700_000, "fund_pay_sumamt": 1_800_000, "psn_part_amt": 900_000, "psn_cash_pay": 900_000}
    intake.set_stay(opened, admitted_on=ILL, discharged_on=ILL, fen=fen, by=by, on=ASKED)
    if not opened.documents.filter(kind="pathology").exists():
        intake.add_document(opened, kind="pathology", upload=CleanUpload("image/jpeg", b"j", "p.jpg", f"{opened.pk:064d}"), by=by)
    intake.submit(opened, by=by, on=ASKED)
    with monkeypatch.context() as guard:  # the control: were the benefit not taken off, it would be paid twice
        guard.setattr(reckoning, "beside_of", lambda claims: {})
        twice = fen_from_yuan(reckoning.decisions([opened]).reckon(opened).found.total)
    desk.decide(opened)
    left = 900_000 - (benefit.approved_fen or 0) - 200_000
    assert opened.approved_fen == 200_000 + min(max(left, 0), 800_000), "of 9,000 the benefit and the fixed 2,000 are taken off"
    assert twice > opened.approved_fen
    assert list(differences()) == []
    assert _rehearsed(opened) == opened.approved_fen, "the terms of the time give what was decided"
    with monkeypatch.context() as guard:
        guard.setattr(past_claims, "beside_grants", lambda claims: {})
        assert _rehearsed(opened) == twice
    severe = {"diagnosis_class": "critical_severe"}
    more = corrections.reclassify(benefit, severe, by=desk.other_reviewer, on=ASKED, note="病理报告")
    adjudication.approve(more, by=desk.other_approver, on=ASKED)
    run_due("default")
    opened.refresh_from_db()
    assert opened.state == "halt_proposed", "the benefit is higher, the relief lower: what is not on its way to the bank is held"
    with pytest.raises(IntegrityError, match="claim_halted_by_somebody"), transaction.atomic():
        Claim.objects.filter(pk=benefit.pk).update(state="halted", halt_reason="x", halted_from="approved", halted_by=desk.manager.user_id)
    proven = replace(desk.manager, proven=True)
    anew = halts.confirm(opened, by=proven, on=ASKED)
    assert desk.decide_otherwise(anew).approved_fen == 200_000
    assert netting.renew(more.pk, on=ASKED) == [], "a job that runs again"


def _rehearsed(claim: Claim) -> int:
    """What a rehearsal of a claim's own terms gives for it."""
    rules, tally, year = JoiningRules(schedule_of(claim.terms)), Tally(), datetime(ASKED.year, 1, 1, tzinfo=SHANGHAI)
    looked = past_claims.Looked(frozenset({claim.office_id}), (claim.program_id,), year, year.replace(year=ASKED.year + 1))
    for cases in past_claims.people_with_cases(looked, rules.schedule, after=0, up_to=2**62):
        tally.add(rules, cases)
    assert (tally.claims, tally.unknown) == (1, [])
    return tally.after_fen


ONCE = (
    "office_id", "member_id", "claimant_id", "enrolment_id", "program_id", "terms_id", "event", "occasion", "fund", "follows_id",
)  # fmt: skip


def test_nothing_is_opened_where_the_rule_does_not_hold_or_it_was_applied_for_already(desk: Desk) -> None:
    terms = load(DALIAN, office=None, opens_after=[{"events": ["diagnosis"], "own_cost_left": "5000"}])
    benefit = _granted(desk)
    assert relief.own_cost_left(benefit) is None, "no cost was told"
    asked = Claim.objects.get(follows=benefit)
    assert asked.state == "draft", "whether the rule holds hangs on a bill that nobody was asked for: the claimant tells it"
    page = client_of(benefit.member.user).get(reverse("claims:status", args=[asked.public_id]))
    assert "还剩 5,000 元（含）以上的" in _words(page)
    intake.withdraw(asked, by=desk.world.worker(benefit.member))
    own = (benefit.approved_fen or 0) + 500_000
    figures = {"medfee_sumamt_fen": own, "fund_pay_sumamt_fen": 0, "psn_part_amt_fen": own}
    Admission.objects.create(claim=benefit, admitted_on=ILL, discharged_on=ILL, **figures)
    assert relief.own_cost_left(benefit) == 5000
    applied = _begin(desk, benefit.member, terms)
    Claim.objects.filter(pk=applied.pk).update(occasion=benefit.occasion)
    assert relief.follow(benefit.pk, on=ASKED) == []
    Claim.objects.filter(pk=applied.pk).update(occasion=uuid.uuid4())
    assert len(relief.follow(benefit.pk, on=ASKED)) == 1, "the control: another event's application does not stand in its way"


FIXED = {"code": "aid", "name": {"zh": "身故给付", "en": "Benefit at death"}, "clause": "第六条", "events": ["disease_death"]}
AT_DEATH = {"name": "身故", "case": {"event": "disease_death"}}


def test_after_a_death_the_condolence_follows_and_goes_to_the_same_heir(desk: Desk) -> None:
    condolence = {**FIXED, "fund": "solace", "steps": [{"fixed": "3000"}]}
    rule = {"opens_after": [{"events": ["disease_death"]}], "documents": []}
    load(DALIAN, office=None, items=[condolence], examples=[{**AT_DEATH, "expect": "3000"}], **rule)
    items, examples = [{**FIXED, "steps": [{"fixed": "50000"}]}], [{**AT_DEATH, "expect": "50000"}]
    terms = desk.plan_with(items=items, examples=examples, exclusions=None, exclusive=None, documents=[])
    cover, wife = desk.cover(terms), desk.world.member(402, "李小红")
    by = Filing(desk.reviewer, Claim.FiledAs.DESK, heir="spouse")
    days = {"disease_death": {"event_on": ILL, "death_on": ILL, "diagnosis": "肺癌"}}
    (benefit,) = filing.begin([(cover, "disease_death")], claimant=wife, days=days, filing=by, on=ASKED)
    for i, paper in enumerate(("authorisation", "death_certificate", "kinship", "other_heirs")):
        upload = CleanUpload("image/jpeg", b"j", f"{paper}.jpg", f"{benefit.pk:060d}{i:04d}")
        intake.add_document(benefit, kind=paper, upload=upload, by=desk.reviewer)
    intake.choose_card(benefit, desk.world.card(wife), by=desk.reviewer)
    filing.send_in([benefit], by=desk.reviewer, on=ASKED)
    assert desk.decide_otherwise(benefit).approved_fen == 5_000_000
    run_due("default")
    opened = Claim.objects.select_related("claimant", "member", "program").get(follows=benefit)
    assert (opened.fund, opened.claimant_id, opened.heir, opened.card_id) == ("solace", wife.pk, "spouse", benefit.card_id)
    assert [one.pk for one in taken_in(desk.reviewer)] == [opened.pk, benefit.pk], "whoever took it in goes on with both"
    sent = (opened.state, opened.submitted_by_id, opened.told_since)
    assert sent == ("submitted", None, opened.since), "all is known: the rule sends it in"
    assert [act.actor_label for act in history_of(opened) if act.action == "submit_by_rule"] == ["system"]
    assert Notice.objects.filter(member_key=wife.pk, title="您还可以得到一笔救助，已替您提交").count() == 1
    assert desk.decide_otherwise(opened).approved_fen == 300_000


def test_relief_waits_for_the_benefit_of_the_same_event(desk: Desk, dalian: Terms) -> None:
    cover = desk.cover(desk.plan(CRITICAL), 331)
    benefit = desk.diagnosis(cover, "critical_mild", code="C34.1")
    applied = _applied(desk, cover.member, dalian)
    Claim.objects.filter(pk=applied.pk).update(occasion=benefit.occasion)
    applied.refresh_from_db()
    adjudication.review(applied, by=desk.reviewer, on=ASKED)
    with pytest.raises(DecisionRefused, match=benefit.number):
        adjudication.approve(applied, by=desk.approver, on=ASKED)
    desk.decide(benefit)
    assert adjudication.approve(applied, by=desk.approver, on=ASKED).state == "approved"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"opens_after": [{"events": ["admission"]}]}, "没有一个保障项目对应"),
        ({"opens_after": RULE, "contribution": {"per_share": "5"}}, "只有不用参加"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_the_plan(changes: dict, said: str) -> None:
    data = read_plan((CATALOGUE / f"{DALIAN}.yaml").read_bytes(), source=DALIAN).data | changes
    with pytest.raises(ScheduleError, match=said):
        parse(data)
