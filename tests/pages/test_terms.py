"""Plan versions at the desk, through the front door: written, checked, published by another person, compared and tried."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from programs.forms.case import CaseForm, stays_in
from programs.management.commands import assess
from programs.models import Program, Terms
from programs.rules.casefile import situation
from programs.rules.facts import SETTLEMENT_FIELDS
from programs.rules.planfile import as_file, read_plan
from programs.rules.schedule import content_hash
from programs.selectors import schedule_of
from tests.access.crawler import PageReader, faults_of_words
from tests.factories.clients import client_of
from tests.factories.offices import give_post, make_user
from tests.factories.world import ASKED, CATALOGUE, World, load
from tests.programs.rules.plans import published
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import RequestKey

HOSTILE = [
    "", "\x00", "x" * 5000, "-1", "1e9", "99999999999999999999", "１２３", "'; DROP TABLE x", "NaN", "2026-13-45", "9999-12-31",
    "2100-12-31", "1900-01-01", "𠮷" * 200, "0.001", "<b>",
]  # fmt: skip
NEW = "admin:terms_draft"
# What was published for the Yulin plan by what one bears oneself, while nothing of its ceiling is used.
YULIN = {case["self_pay"]: yuan for case, yuan in published("shaanxi-yulin-medical.2026") if "used" not in case}
OF_6000 = YULIN["6000.00"]
SHOWN = f"¥{Decimal(OF_6000):,.2f}"
# The plan with 85 % in the first band, up to 2000 yuan, and its examples as they then come out.
RAISED = (("0.80", "0.85"), *((yuan, f"{Decimal(yuan) + min(Decimal(paid), Decimal(2000)) / 20:.2f}") for paid, yuan in YULIN.items()))


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(ASKED):
        yield


@pytest.fixture
def second(world: World) -> User:
    """Another manager of the same office."""
    with everywhere(reason="arrange"):
        user = make_user("s-er", "李二")
        give_post(user, world.cast.a, Role.OFFICE_MANAGER)
    return user


@pytest.fixture
def manager(world: World) -> Client:
    return client_of(world.cast.manager)


def words(answer: HttpResponse) -> str:
    return answer.content.decode()


def next_year(*changes: tuple[str, str]) -> str:
    """The Yulin plan of 2027, with changes."""
    text = (CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_text("utf-8").replace("2026", "2027").replace("2025-10", "2026-10")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def send(client: Client, text: str | bytes, *, as_upload: bool = False, key: str = "") -> HttpResponse:
    form: dict[str, Any] = {"key": key or uuid.uuid4().hex}
    if as_upload:
        raw = text.encode() if isinstance(text, str) else text
        form["file"] = SimpleUploadedFile("计划.yaml", raw, "application/yaml")
    else:
        form["text"] = text
    return client.post(reverse(NEW), form)


def written(client: Client, text: str) -> Terms:
    answer = send(client, text)
    assert answer.status_code == 302, words(answer)
    return Terms.objects.get(pk=int(re.search(r"/(\d+)/record/", answer["Location"])[1]))


def act(client: Client, terms: Terms, what: str, **more: Any) -> HttpResponse:
    terms.refresh_from_db()
    form = {"key": uuid.uuid4().hex, "act": what, "seen": terms.version, "sure": "yes"} | more
    return client.post(page(terms), {name: value for name, value in form.items() if value is not None})


def page(terms: Terms, name: str = "terms") -> str:
    return reverse(f"admin:{name}", args=[terms.pk])


def state(terms: Terms) -> str:
    return Terms.objects.values_list("state", flat=True).get(pk=terms.pk)


# -- the whole life ------------------------------------------------------------------------------------------------


def test_one_person_writes_and_checks_another_publishes_and_closes(world: World, manager: Client, second: User) -> None:
    other = client_of(second)
    answer = send(manager, next_year(*RAISED), as_upload=True)
    assert answer.status_code == 302, words(answer)
    terms = Terms.objects.get(version_name="2027")
    assert (terms.state, terms.drafted_by, terms.program.office) == ("draft", world.cast.manager, world.cast.a)
    read = words(manager.get(answer["Location"]))
    assert "已收下，成为草稿" in read
    assert "0.00 元至 2,000.00 元的部分 85%" in read
    assert act(other, terms, "publish").status_code == 409
    assert act(manager, terms, "check").status_code == 302
    assert "这份条款是您起草的" in words(manager.get(page(terms)))
    refused = act(manager, terms, "publish")
    assert refused.status_code == 403
    assert "要由另一个人来办" in words(refused)
    assert "待发布的条款" in words(other.get("/admin/"))
    assert "勾选确认" in words(act(other, terms, "publish", sure=None))
    assert act(other, terms, "publish").status_code == 302
    terms.refresh_from_db()
    assert (terms.state, terms.published_by) == ("published", second)
    history = words(other.get(page(terms)))
    for act_words in ("写入条款草稿", "核对", "发布"):
        assert act_words in history
    assert act(manager, terms, "close").status_code == 302
    assert state(terms) == "closed"


def test_checked_terms_are_opened_again_or_replaced_by_a_new_draft(world: World, manager: Client, second: User) -> None:
    terms = written(manager, next_year())
    act(manager, terms, "check")
    assert act(manager, terms, "reopen").status_code == 302
    assert state(terms) == "draft"
    act(manager, terms, "check")
    again = written(client_of(second), next_year(("125 元", "125 元整")))
    assert again.pk == terms.pk
    assert (again.state, again.drafted_by) == ("draft", second)


def test_what_was_looked_at_is_what_is_published(world: World, manager: Client, second: User) -> None:
    terms = written(manager, next_year())
    act(manager, terms, "check")
    terms.refresh_from_db()
    seen = terms.version
    written(manager, next_year(("125 元", "125 元整")))
    act(manager, terms, "check")
    answer = act(client_of(second), terms, "publish", seen=seen)
    assert answer.status_code == 409
    assert state(terms) == "checked"


def test_the_same_file_again_changes_nothing_and_a_form_sent_twice_has_one_effect(world: World, manager: Client) -> None:
    key = uuid.uuid4().hex
    first, second = send(manager, next_year(), key=key), send(manager, next_year(), key=key)
    assert first["Location"] == second["Location"]
    assert send(manager, next_year(("125 元", "126 元")), key=key).status_code == 422
    answer = send(manager, next_year())
    assert "没有改动" in words(manager.get(answer["Location"]))
    assert Terms.objects.get(version_name="2027").version == 1


def test_a_published_version_is_not_written_over(world: World, manager: Client) -> None:
    text = (CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_text("utf-8")
    assert send(manager, text).status_code == 302  # the same: nothing happens
    answer = send(manager, text.replace('per_share: "125"', 'per_share: "126"'))
    assert answer.status_code == 400
    assert "发布后的条款不能改动" in words(answer)
    world.yulin.refresh_from_db()
    assert world.yulin.schedule["contribution"]["per_share"] == "125"


def test_two_versions_do_not_hold_on_the_same_day(world: World, manager: Client) -> None:
    before = Terms.objects.count()
    answer = send(manager, next_year(("start: 2027-01-01", "start: 2026-12-01")))
    assert answer.status_code == 400
    assert "重叠" in words(answer)
    assert world.yulin.version_name in words(answer)
    assert Terms.objects.count() == before


def test_terms_without_examples_are_not_checked(world: World, manager: Client) -> None:
    terms = written(manager, next_year().split("examples:")[0])
    assert "还没有算例" in words(manager.get(page(terms)))
    answer = act(manager, terms, "check")
    assert answer.status_code == 400
    assert "没有算例" in words(answer)


# -- faults --------------------------------------------------------------------------------------------------------


def test_every_fault_is_told_with_its_line_and_the_text_stays(world: World, manager: Client) -> None:
    text = next_year(('ratio: "0.80"', 'ratio: "1.80"'), ('per_share: "125"', 'per_share: "-125"'), ("clause: 第七条", "clouse: 第七条"))
    for as_upload in (False, True):
        answer = send(manager, text, as_upload=as_upload)
        shown = words(answer)
        assert answer.status_code == 400
        lines = text.splitlines()
        for part in ("1.80", "-125", "clouse"):
            assert f"第 {next(i for i, line in enumerate(lines, 1) if part in line)} 行" in shown
        for part in ("比例不能大于 1", "不能为负", "不认识的字段", "items[0].clouse", "clouse: 第七条", "处要改"):
            assert part in shown
        kept = re.search(r"<textarea[^>]*>(.*?)</textarea>", shown, re.S)[1]
        assert "ratio: &quot;1.80&quot;" in kept
    assert not Terms.objects.filter(version_name="2027").exists()
    assert not RequestKey.objects.filter(user=world.cast.manager).exists()


def test_an_example_that_does_not_come_out_is_named(world: World, manager: Client) -> None:
    answer = send(manager, next_year((f'"{OF_6000}"', '"4401.00"')))
    assert answer.status_code == 400
    assert f"算例“自付 6000 元”写的是 4401.00 元，按条款算出来是 {OF_6000} 元" in words(answer)


def test_a_file_in_another_encoding_is_refused_and_shown_as_it_was_meant(world: World, manager: Client) -> None:
    answer = send(manager, next_year().encode("gb18030"), as_upload=True)
    assert answer.status_code == 400
    assert "不是 UTF-8 编码" in words(answer)
    assert "榆林市在职职工医疗互助保障活动" in words(answer)


@pytest.mark.parametrize("as_upload", [True, False])
def test_no_input_of_the_draft_page_gives_a_5xx(world: World, manager: Client, as_upload: bool) -> None:
    for text in (*HOSTILE, "a: &a [*a]", "!!python/object:os.system x", "[" * 3000, "{}", "- x", "format: 1", "x: \ufffe", "? [x]: y"):
        assert send(manager, text, as_upload=as_upload).status_code == 400, text[:40]


@pytest.mark.parametrize(
    ("field", "odd", "says"),
    [
        ("shares: {max: 1}", "shares: {max: 1.0}", "现在是 1.0"),
        ("shares: {max: 1}", "shares: {max: 02}", "“02”这种写法的数会被读成别的数"),
        ("clause: 第七条", 'clause: "\\ud800"', "不能保存的字符"),
        ("clause: 第七条", 'clause: "\\0"', "不能保存的字符"),
        ('name: {zh: "', 'name: {zh: "' + "长" * 121, "太长"),
    ],
)
def test_an_odd_text_in_a_good_plan_is_a_fault_of_its_line(world: World, manager: Client, field: str, odd: str, says: str) -> None:
    answer = send(manager, next_year((field, odd)))
    assert answer.status_code == 400
    assert says in words(answer)


def test_a_file_that_is_too_large_is_refused(world: World, manager: Client) -> None:
    assert "256 KB" in words(send(manager, b"# " + b"x" * 300_000, as_upload=True))
    assert send(manager, "# " + "x" * 300_000).status_code == 400


@pytest.mark.parametrize("field", ["act", "seen", "sure", "key"])
def test_no_input_of_an_act_gives_a_5xx(world: World, manager: Client, field: str) -> None:
    terms = written(manager, next_year())
    for value in HOSTILE:
        with transaction.atomic():
            assert act(manager, terms, "check", **{field: value}).status_code in (302, 400, 409)
            transaction.set_rollback(True)


# -- whose terms ---------------------------------------------------------------------------------------------------


def test_an_office_writes_its_own_terms_and_headquarters_the_national_ones(world: World, manager: Client) -> None:
    national = (CATALOGUE / "national-women.2026.yaml").read_text("utf-8")
    elsewhere = next_year(('office: "610800"', 'office: "610100"'), ("shaanxi-yulin-medical", "xian-medical"))
    for text in (national, elsewhere):
        answer = send(manager, text)
        assert answer.status_code == 403
        assert "只能为自己的机构和它的下级机构写条款" in words(answer)
    assert not Program.objects.exclude(pk=world.yulin.program_id).exists()
    headquarters = client_of(world.cast.hq_user)
    assert send(headquarters, national).status_code == 302
    assert send(headquarters, elsewhere).status_code == 302
    assert send(client_of(world.cast.outsider), next_year()).status_code == 403
    for nobody in (world.cast.reviewer, world.cast.auditor):
        assert send(client_of(nobody), next_year()).status_code == 403


def test_a_draft_is_seen_only_where_it_may_be_written(world: World, manager: Client) -> None:
    draft = written(manager, next_year())
    national = written(client_of(world.cast.hq_user), (CATALOGUE / "national-women.2026.yaml").read_text("utf-8"))
    addresses = [page(draft, name) for name in ("terms", "terms_file", "terms_compare", "terms_trial")]
    for user, sees in (
        (world.cast.manager, True), (world.cast.hq_user, True), (world.cast.reviewer, False), (world.cast.auditor, False),
        (world.cast.outsider, False),
    ):  # fmt: skip
        client = client_of(user)
        for address in addresses:
            assert (client.get(address).status_code == 200) is sees, (user, address)
            assert sees or client.get(address).status_code == 404
        assert (page(draft) in words(client.get(reverse("admin:programs_terms_changelist")))) is sees
        assert (page(draft) in words(client.get(reverse("admin:program", args=[draft.program_id])))) is sees
        assert client.get(page(world.yulin)).status_code == 200
    assert act(client_of(world.cast.outsider), draft, "check").status_code == 404
    assert act(client_of(world.cast.reviewer), world.yulin, "close").status_code == 403
    assert act(client_of(world.cast.outsider), world.yulin, "close").status_code == 403
    assert manager.get(page(national)).status_code == 404
    assert manager.get(reverse("admin:program", args=[national.program_id])).status_code == 404
    assert national.program.title not in words(manager.get(reverse("admin:programs_program_changelist")))
    assert national.program.title not in words(manager.get(reverse("admin:terms_draft") + f"?base={world.yulin.pk}"))
    assert manager.get(reverse("admin:terms_draft") + f"?base={national.pk}").status_code == 404


def test_a_plan_is_not_based_on_another_offices_draft(world: World, manager: Client) -> None:
    written(manager, next_year())
    text = "format: 1\ncode: xian-medical\nversion: '2027'\nbased_on: {code: shaanxi-yulin-medical, version: '2027'}\noffice: '610100'\n"
    answer = send(client_of(world.cast.outsider), text)
    assert answer.status_code == 400
    assert "没有找到所引用的计划" in words(answer)
    assert send(client_of(world.cast.hq_user), text).status_code == 302


# -- the files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.stem for path in Path(CATALOGUE).glob("national-*.yaml")))
def test_downloaded_terms_are_the_same_terms(world: World, manager: Client, name: str) -> None:
    with everywhere(reason="arrange"):
        terms = load(name)
    answer = manager.get(page(terms, "terms_file"))
    assert answer["Content-Disposition"].startswith("attachment")
    data = read_plan(answer.content, source="x").data
    assert (data, content_hash(data)) == (terms.schedule, terms.content_hash)


def test_last_years_terms_are_the_beginning_of_the_next(world: World, manager: Client) -> None:
    shown = words(manager.get(f"{reverse(NEW)}?base={world.yulin.pk}"))
    assert "写下一期，请先改期次和保障期" in shown
    text = words(manager.get(page(world.yulin, "terms_file"))).replace("2026", "2027").replace("2025-10", "2026-10")
    terms = written(manager, text)
    assert terms.program_id == world.yulin.program_id
    assert terms.period.lower.year == 2027


def test_the_format_is_published(world: World) -> None:
    answer = client_of(world.cast.reviewer).get(reverse("admin:terms_format"))
    assert json.loads(answer.content)["$id"] == "urn:unionaid:plan:1"
    assert reverse("admin:terms_format") in words(client_of(world.cast.manager).get(reverse(NEW)))


# -- beside each other ---------------------------------------------------------------------------------------------


def test_a_comparison_shows_what_changed_and_what_it_does(world: World, manager: Client) -> None:
    raised = (('"50000"', '"60000"'), ('"45000.00"', '"55000.00"'), ("本期只剩 5000 元额度", "本期只剩 5000 元"))
    terms = written(manager, next_year(*RAISED, *raised))
    shown = words(manager.get(page(terms, "terms_compare")))
    text = re.sub(r"<[^>]+>|\s+", "", shown)
    assert "分段比例›第1段›比例80%85%多5个百分点" in text
    assert "封顶线（本保障期内）›金额50,000.00元60,000.00元多10,000.00元" in text
    assert "保障期›第一天2026年1月1日2027年1月1日" in text
    before, after = Decimal(OF_6000), Decimal(dict(RAISED)[OF_6000])
    assert f"自付6000元{before:,.2f}{after:,.2f}+{after - before:.2f}" in text
    assert "本期只剩5000元额度5,000.0015,000.00+10,000.00" in text
    assert "日期随保障期一起移动" in shown
    assert shown.count("没有变化") >= 1
    assert "门诊慢特病补助" in shown
    other = words(manager.get(page(world.yulin, "terms_compare")))
    assert "多 5 个百分点" not in other
    assert "少 5 个百分点" in other


def test_a_program_is_compared_with_the_one_it_stands_in_for(world: World, manager: Client) -> None:
    with everywhere(reason="arrange"):
        load("national-inpatient.2026")
    text = (
        "format: 1\ncode: yulin-inpatient\nversion: '2026'\nbased_on: {code: national-inpatient, version: '2026'}\noffice: '610800'\n"
        "contribution: {per_share: '100'}\nexamples:\n  - {name: 缴费, fee: {heads: 2}, expect: '200.00'}\n"
    )
    terms = written(manager, text)
    shown = words(manager.get(page(terms, "terms_compare")))
    assert "多 20.00 元" in shown
    assert "榆林办事处" in shown
    assert "日期随保障期" not in shown


def test_terms_are_not_compared_with_what_is_not_theirs(world: World, manager: Client) -> None:
    with everywhere(reason="arrange"):
        other = load("national-inpatient.2026")
    assert "还没有别的期次" in words(manager.get(page(world.yulin, "terms_compare")))
    written(manager, next_year())
    for value in (*HOSTILE, str(other.pk), str(world.yulin.pk)):
        assert manager.get(page(world.yulin, "terms_compare"), {"other": value}).status_code == 400


# -- tried ---------------------------------------------------------------------------------------------------------


def tried(client: Client, terms: Terms, **said: Any) -> HttpResponse:
    return client.post(page(terms, "terms_trial"), said)


def test_a_typed_case_comes_out_as_the_plan_says(world: World) -> None:
    reviewer = client_of(world.cast.reviewer)
    shown = words(tried(reviewer, world.yulin, event="admission", self_pay="6,000 元", event_on="2026年5月20日"))
    assert SHOWN in shown
    assert "事发 2026年5月20日，保障 2026年1月1日至2026年12月31日" in shown
    for part in ("职工看到的", "审核人看到的", "审计看到的", "（第七条）", world.yulin.content_hash, "2,000.00 元 × 80%"):
        assert part in shown
    full = dict.fromkeys(("psn_part_amt", "psn_cash_pay"), "7000") | {"medfee_sumamt": "18000", "fund_pay_sumamt": "11000"}
    full |= {"fulamt_ownpay_amt": "1000", "overlmt_selfpay": "0"}
    assert SHOWN in words(tried(reviewer, world.yulin, event="admission", **full))
    odd = words(tried(reviewer, world.yulin, event="admission", **full | {"psn_cash_pay": "6000"}))
    assert "加起来不等于个人负担总额" in odd
    left = words(tried(reviewer, world.yulin, event="admission", self_pay="30000", **{"used:1": "45000"}))
    assert "¥5,000.00" in left
    assert "不在保障期" in words(tried(reviewer, world.yulin, event="admission", self_pay="1", event_on="2027-02-01"))
    with everywhere(reason="arrange"):
        women, combo, children = (load(f"national-{name}.2026") for name in ("women", "allowance-combo", "accident"))
    assert "¥3,000.00" in words(tried(reviewer, women, event="surgery", diagnosis_class="class2_uterus_and_ovary_removed_together"))
    (both,) = [yuan for case, yuan in published("national-allowance-combo.2026") if case.get("event_on") == "2026-04-30"]
    assert f"¥{Decimal(both):,.2f}" in words(tried(reviewer, combo, event="diagnosis", event_on="2026-04-30", days="20"))
    waived = tried(reviewer, combo, event="diagnosis", event_on="2026-01-10", days_since_cover="0")
    assert "¥10,000.00" in words(waived)
    said = {"event": "accident_disability", "accident_on": "2026-03-01", "disability_grade": "10"}
    assert "¥6,000.00" in words(tried(reviewer, children, **said))
    assert "还缺少" in words(tried(reviewer, women, event="surgery"))


def test_nothing_is_stored_and_a_draft_can_be_tried(world: World, manager: Client) -> None:
    draft = written(manager, next_year())
    with everywhere(reason="look"), CaptureQueriesContext(connection) as asked:
        assert SHOWN in words(tried(manager, draft, event="admission", self_pay="6000"))
    assert not [one["sql"] for one in asked.captured_queries if re.match(r"(INSERT|UPDATE|DELETE)", one["sql"])]


def test_what_is_wrong_with_a_case_stands_at_its_field(world: World, manager: Client) -> None:
    answer = tried(manager, world.yulin, event="admission", admitted_on="2026-05-20", discharged_on="2026-05-01")
    assert answer.status_code == 400
    assert '<a href="#id_discharged_on">出院日期：出院日期早于入院日期</a>' in words(answer)
    more = words(tried(manager, world.yulin, event="admission", self_pay="20", personal_cost="10"))
    assert "个人自付（元）：自付不能大于个人负担" in more
    both = words(tried(manager, world.yulin, event="admission", self_pay="20", psn_part_amt="10"))
    assert "已按结算单填写了金额" in both
    assert tried(manager, world.yulin, event="war").status_code == 400
    assert tried(manager, world.yulin).status_code == 400


TWO = {
    "event": "admission", "stays": "2", "self_pay": "6000", "admitted_on": "2026-05-20", "2-self_pay": "1500",
    "2-admitted_on": "2026-06-20",
}  # fmt: skip


def fields_of(answer: HttpResponse) -> dict[str, str]:
    """What the case form holds after this answer, without what is empty."""
    reader = PageReader()
    reader.feed(words(answer))
    found = next(form for form in reader.forms if "event" in form.fields)
    return {name: value for name, value in found.fields.items() if value and name != "csrfmiddlewaretoken"}


def test_a_case_of_several_stays_comes_out_as_one(world: World, manager: Client) -> None:
    """7,500 in all: 2,000 × 80 % + 5,500 × 70 %."""
    shown = words(tried(manager, world.yulin, **TWO))
    assert "¥5,450.00" in shown
    assert "第 2 次住院：个人自付（元）" in shown
    case = json.loads(tried(manager, world.yulin, **TWO, answer="file").content)
    assert case == {
        "event": "admission",
        "stays": [{"admitted_on": "2026-05-20", "self_pay": "6000.00"}, {"admitted_on": "2026-06-20", "self_pay": "1500.00"}],
    }
    assert situation(schedule_of(world.yulin), case)
    whole = {"2-medfee_sumamt": "4500", "2-fund_pay_sumamt": "3000", "2-psn_part_amt": "1500", "2-psn_cash_pay": "1500"}
    assert "还缺少：全自费金额" in words(tried(manager, world.yulin, **{**TWO, "2-self_pay": "", **whole}))
    whole |= {"2-fulamt_ownpay_amt": "0", "2-overlmt_selfpay": "0"}
    assert "¥5,450.00" in words(tried(manager, world.yulin, **{**TWO, "2-self_pay": "", **whole}))


def test_rows_of_stays_are_added_and_taken_away_and_nothing_typed_is_lost(world: World, manager: Client) -> None:
    typed = {"event": "admission", "self_pay": "六千", "admitted_on": "2026-05-20", "used:1": "100"}
    added = tried(manager, world.yulin, **typed, row="add")
    assert added.status_code == 200
    held = fields_of(added)
    assert (held["stays"], held["self_pay"], held["admitted_on"], held["used:1"]) == ("2", "六千", "2026-05-20", "100")
    assert "请先改正" not in words(added)
    assert "计算结果" not in words(added)
    three = {**TWO, "stays": "3", "3-self_pay": "900"}
    first_gone = fields_of(tried(manager, world.yulin, **three, row="remove:1"))
    assert (first_gone["stays"], first_gone["self_pay"], first_gone["2-self_pay"]) == ("2", "1500", "900")
    assert first_gone["admitted_on"] == "2026-06-20"
    middle_gone = fields_of(tried(manager, world.yulin, **three, row="remove:2"))
    assert (middle_gone["stays"], middle_gone["self_pay"], middle_gone["2-self_pay"]) == ("2", "6000", "900")
    assert fields_of(tried(manager, world.yulin, **typed, row="remove:1"))["stays"] == "1"
    assert fields_of(tried(manager, world.yulin, **typed, stays="12", row="add"))["stays"] == "12"
    for row in HOSTILE:
        assert tried(manager, world.yulin, **typed, row=f"remove:{row}").status_code == 200
        assert tried(manager, world.yulin, **typed, stays=row).status_code == 400


def test_what_is_wrong_with_one_of_several_stays_names_it(world: World, manager: Client) -> None:
    answer = tried(manager, world.yulin, **{**TWO, "2-discharged_on": "2026-06-01"})
    assert answer.status_code == 400
    assert '<a href="#id_2-discharged_on">第 2 次住院：出院日期：出院日期早于入院日期</a>' in words(answer)
    both = words(tried(manager, world.yulin, **TWO, **{"2-psn_part_amt": "10"}))
    assert '<a href="#id_2-self_pay">第 2 次住院：个人自付（元）：已按结算单填写了金额' in both
    less = words(tried(manager, world.yulin, **TWO, personal_cost="10"))
    assert '<a href="#id_self_pay">第 1 次住院：个人自付（元）：自付不能大于个人负担' in less


def test_who_may_join_is_tried_beside_the_amount(world: World, manager: Client) -> None:
    """Nothing of it is shown where nothing was told; what is not told is open; what was typed goes into the case file and comes back."""
    with everywhere(reason="arrange"):
        terms = load("tianjin-critical-inpatient.2026", office=None)
    said = {"event": "diagnosis", "event_on": "2026-06-01", "shares": "2"}
    assert "<h3>参加条件</h3>" not in words(tried(manager, terms, **said))
    person = {"employment": "enterprise", "union_member": "true", "basic_insurance": "true", "gender": "female", "birth_date": "1969-03-01"}
    said |= {f"person:{name}": value for name, value in person.items()} | {"joined_on": "2026-01-05", "person:relation": "self"}
    open_ = words(tried(manager, terms, **said, **{"unit:none": "true"}))
    assert "¥10,000.00" in open_
    assert "还不能判断能不能参加" in open_
    assert "这个年龄只有中高级职务（职称）人员可以参加" in open_
    said |= {"person:group": "senior"}
    assert "可以参加：条件都符合" in words(tried(manager, terms, **said, **{"unit:none": "true"}))
    against = words(tried(manager, terms, **said, **{"unit:shares": "3"}))
    assert "不能参加：有条件不符合" in against
    assert "¥10,000.00" in against
    case = json.loads(tried(manager, terms, **said, **{"unit:shares": "3"}, answer="file").content)
    assert case["person"]["union_member"] is True
    assert case["unit"] == {"shares": [3]}
    form = CaseForm(None, schedule=schedule_of(terms))
    assert {name: value for name, value in form.fill(case).items() if ":" in name} == {
        name: value for name, value in said.items() if ":" in name
    } | {"unit:shares": 3}


def test_every_example_of_a_plan_can_be_begun_with(world: World, manager: Client) -> None:
    with everywhere(reason="arrange"):
        found = [load(path.stem) for path in sorted(Path(CATALOGUE).glob("national-*.yaml"))]
    for terms in (*found, world.yulin):
        for i, example in enumerate(schedule_of(terms).examples, start=1):
            if "case" in example:
                reader = PageReader()
                reader.feed(words(manager.get(page(terms, "terms_trial"), {"example": i})))
                form = next(form for form in reader.forms if "event" in form.fields)
                said = {name: value for name, value in form.fields.items() if value}
                amount = f"{float(example['expect']):,.2f}"
                assert f"¥{amount}" in words(manager.post(page(terms, "terms_trial"), said)), (terms, example["name"], said)


def test_a_case_is_taken_home_as_a_case_file(world: World, manager: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = {"event": "admission", "self_pay": "30000", "used:1": "45000", "event_on": "2026-05-20", "answer": "file"}
    answer = tried(manager, world.yulin, **said)
    assert answer["Content-Disposition"].startswith("attachment")
    case = json.loads(answer.content)
    assert case == {"event": "admission", "event_on": "2026-05-20", "self_pay": "30000.00", "used": {"period:plan": "45000.00"}}
    assert situation(schedule_of(world.yulin), case)
    path = tmp_path / "case.json"
    path.write_bytes(answer.content)
    with everywhere(reason="command"):
        assess.Command().handle(plan="shaanxi-yulin-medical", case=path, on=None)
    assert json.loads(capsys.readouterr().out)["amount"] == "5000.00"


def _refused_by_the_form(terms: Terms, said: Mapping[str, str]) -> bool:
    """Whatever this form takes goes on to the rules of the plan."""
    typed = QueryDict(urlencode(said))
    return not CaseForm(typed, schedule=schedule_of(terms), stays=stays_in(typed)).is_valid()


def test_no_input_of_a_trial_gives_a_5xx(world: World, manager: Client) -> None:
    """Through the page for one plan. For the others the forms are asked, and the page again for all that reaches their rules."""
    with everywhere(reason="arrange"):
        found = [load(f"national-{name}.2026") for name in ("critical-illness", "accident", "allowance-combo")]
    settlement = set(SETTLEMENT_FIELDS[1:])  # one of fifteen that are alike
    for terms in (world.yulin, *found):
        reader = PageReader()
        reader.feed(words(manager.get(page(terms, "terms_trial"))))
        form = next(form for form in reader.forms if "event" in form.fields)
        alike = {name for name in form.fields if name.startswith(("person:", "unit:", "joined"))} - {"person:birth_date", "unit:enrolling"}
        for name in form.fields.keys() - settlement - alike:
            for value in HOSTILE:
                said = {"event": schedule_of(terms).events[0], name: value}
                if terms == world.yulin or not _refused_by_the_form(terms, said):
                    assert tried(manager, terms, **said).status_code in (200, 400), (name, value)
    for value in HOSTILE:
        assert manager.get(page(world.yulin, "terms_trial"), {"example": value}).status_code == 200
        assert manager.get(reverse(NEW), {"base": value}).status_code == 404


# -- how the pages read and what they cost -------------------------------------------------------------------------


def test_the_pages_speak_chinese_and_have_no_codes(world: World, manager: Client) -> None:
    draft = written(manager, next_year(('per_share: "125"', 'per_share: "130"')))
    addresses = [reverse(NEW), *(page(draft, name) for name in ("terms", "terms_compare", "terms_trial"))]
    pages = [manager.get(address) for address in (*addresses, reverse("admin:program", args=[draft.program_id]))]
    for answer in pages:
        reader = PageReader()
        reader.feed(words(answer))
        assert faults_of_words(reader, language="zh-hans") == []


def test_no_page_asks_for_more_with_more_versions(world: World, manager: Client) -> None:
    def counts() -> list[int]:
        found = []
        for address in (*(page(draft, name) for name in ("terms", "terms_compare", "terms_trial")), program):
            with CaptureQueriesContext(connection) as asked:
                assert manager.get(address).status_code == 200
            found.append(len(asked.captured_queries))
        return found

    draft = written(manager, next_year())
    program = reverse("admin:program", args=[draft.program_id])
    counts()
    few = counts()
    for year in ("2028", "2029", "2030"):
        written(manager, next_year().replace("2027", year))
    assert counts() == few
    assert max(few) <= 16


def test_a_file_written_back_keeps_every_text(world: World) -> None:
    """What a plan may hold besides plain words: quotes, colons, day-like and number-like texts, rare characters."""
    odd = ["是", "yes", "007", "1e3", "2026-02-30", "2026-05-01", "~", "", " a ", "a: b", "# x", "'", '"', "䶮𠮷", "多\n行", "-", "<<"]
    odd += ["x " * 300, "\u200b", "=", "1_000", "12:30", "[", "{a: b}", "@x", "`", "%"]
    data = {"format": 1, "examples": [{"name": text, "case": {"event": text, text or "x": text}} for text in odd]}
    assert read_plan(as_file(data).encode(), source="x").data == data
