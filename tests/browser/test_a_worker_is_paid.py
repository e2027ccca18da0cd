"""The main job in a real browser with a real worker process: join, fall ill, apply, be reviewed by two, be paid, be in the report."""

import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from claims.models import Claim
from members.models import Enrolment
from tests.browser.conftest import DESK, PATIENCE, PHONE, fits, log_in, opened, press
from tests.factories.clock import Clock
from tests.factories.offices import PASSWORD
from tests.factories.processes import until, worker
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.accounts.models import User
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.scope import everywhere

pytestmark = [pytest.mark.browser, pytest.mark.worker]
NUMBER = make_id_number("610802", date(1990, 3, 8), 128)
BANK_FILE = re.compile(r"^FK\d+\.csv$")
FIGURES = {
    "medfee_sumamt": "18000", "fund_pay_sumamt": "11000", "psn_part_amt": "7000", "fulamt_ownpay_amt": "1000",
}  # fmt: skip


@pytest.fixture
def world(site: str) -> World:
    with frozen(JOINED):
        return make_world()


@pytest.fixture
def photo(tmp_path: Path) -> Callable[[str], str]:
    shades = iter(range(0, 256, 8))

    def make(name: str) -> str:
        path = tmp_path / f"{name}.png"
        shade = next(shades)  # no two papers are the same file
        Image.new("RGB", (640, 480), (shade, 255 - shade, 128)).save(path)
        return str(path)

    return make


def _go_on(page: Page) -> None:
    """The one button that sends the page's form; the page must fit the screen."""
    assert fits(page), page.url
    press(page.locator("main form button.button").last)
    assert page.locator(".summary").count() == 0, page.locator("main").inner_text()


def _staff(browser: Browser, site: str, user: User) -> Page:
    page = opened(browser, site, DESK)
    log_in(page, user.username, PASSWORD)
    page.wait_for_url("**/admin/")
    return page


def _join(page: Page, world: World, photo: Callable[[str], str]) -> None:
    page.goto("/sign-up")
    for name, value in (("name", "艾小梅"), ("id_number", NUMBER), ("phone", "13991200001"), ("password", PASSWORD)):
        page.fill(f"[name={name}]", value)
    _go_on(page)
    press(page.get_by_role("link", name="看看我能参加哪些"))
    for answer in ("企业在职职工", "参加了职工医保（单位交的）", "是"):
        page.get_by_label(answer, exact=True).check()
        _go_on(page)
    page.fill("[name=unit]", world.unit.name)
    _go_on(page)
    press(page.get_by_role("link", name="榆林市在职职工医疗互助保障活动", exact=True))
    press(page.get_by_role("button", name="参加", exact=True))
    page.get_by_label("劳动合同或在职证明").check()
    page.set_input_files("[name=file]", photo("合同"))
    _go_on(page)
    press(page.get_by_role("link", name="继续"))
    page.check("[name=true]")
    _go_on(page)
    expect(page.locator(".done")).to_contain_text("参加申请已提交")


def _apply(page: Page, photo: Callable[[str], str]) -> str:
    page.goto("/my/")
    press(page.get_by_role("link", name="申领互助金"))
    page.get_by_label("住院（出院并结算之后）").check()
    _go_on(page)
    page.fill("[name=answer]", "2026-05-20")
    _go_on(page)
    page.locator("[name=cover]").first.check()
    page.check("[name=consent]")
    _go_on(page)
    page.fill("[name=hospital]", "榆林市第一医院")
    page.get_by_label("不是，因为生病").check()
    page.fill("[name=diagnosis]", "急性阑尾炎")
    _go_on(page)
    page.fill("[name=admitted_on]", "2026-05-20")
    page.fill("[name=discharged_on]", "2026-05-28")
    for name, value in FIGURES.items():
        page.fill(f"[name={name}]", value)
    _go_on(page)
    press(page.get_by_role("link", name="填完了，继续"))
    count = page.locator("input[type=file]").count()
    for i in range(count):
        page.locator("input[type=file]").nth(i).set_input_files(photo(f"材料{i}"))
        press(page.get_by_role("button", name="上传").nth(i))
    press(page.get_by_role("link", name="继续"))
    for name, value in (("bank_name", "中国农业银行榆林分行"), ("number", "6228480402564890018"), ("number_again", "6228480402564890018")):
        page.fill(f"[name={name}]", value)
    page.check("[name=consent]")
    _go_on(page)
    expect(page.locator("main")).to_contain_text("约 ¥4,400.00 元")
    page.check("[name=declaration]")
    _go_on(page)
    expect(page.locator(".done")).to_contain_text("申领已提交")
    return page.locator(".done .number").inner_text()


def _decide(page: Page, number: str, button: str) -> None:
    page.goto("/admin/claims/claim/")
    press(page.get_by_role("link", name=number))
    expect(page.locator("body")).to_contain_text("4,400.00")
    press(page.get_by_role("button", name=button))
    expect(page.locator("body")).to_contain_text("已办理")


def _looks_again(look: Callable[[], object], there: Callable[[], bool]) -> None:
    """As a person does, until a worker has done what the page waits for."""

    def seen() -> bool:
        look()
        return there()

    until(seen, "a worker has done it", seconds=PATIENCE / 1000)


def test_from_sign_up_to_money_and_report(browser: Browser, site: str, world: World, photo: Callable[[str], str], tmp_path: Path) -> None:
    Clock.day = JOINED
    phone = opened(browser, site, PHONE, scripts=False)
    _join(phone, world, photo)
    reference = phone.locator(".copy").last.inner_text()
    payer = _staff(browser, site, world.cast.payer)
    payer.goto("/admin/members/contributiondue/")
    press(payer.get_by_role("link", name=reference))
    for name, value in (("payer_name", "艾小梅"), ("bank_reference", "L1"), ("received_on", "2026-01-05"), ("amount_fen", "125")):
        payer.fill(f"[name={name}]", value)
    press(payer.get_by_role("button", name="确认到账"))
    expect(payer.locator("body")).to_contain_text("已确认到账")
    phone.goto("/my/")
    press(phone.get_by_role("link", name="互助保障凭证", exact=True))
    assert fits(phone)
    press(phone.get_by_role("link", name="打开核验页"))
    expect(phone.locator("main")).to_contain_text("艾**")
    expect(phone.locator("main")).not_to_contain_text("艾小梅")

    Clock.day = ASKED
    number = _apply(phone, photo)
    reviewer, approver = (_staff(browser, site, user) for user in (world.cast.reviewer, world.cast.approver))
    _decide(reviewer, number, "初审通过")
    _decide(approver, number, "批准")

    with worker():
        payer.goto("/admin/payouts/payoutbatch/assemble/")
        press(payer.get_by_role("button", name=re.compile("编成批次")))
        expect(payer.locator("body")).to_contain_text("请由另一个人复核")
        assert payer.get_by_role("button", name="复核无误").count() == 0
        checker, manager = (_staff(browser, site, user) for user in (world.cast.checker, world.cast.manager))
        checker.goto(payer.url)
        for label, value in (("您核对的笔数", "1"), ("您核对的合计（元）", "4,400.00")):
            checker.get_by_label(label).fill(value)
        checker.get_by_label("资金、银行文件格式和付款账户都对").check()
        press(checker.get_by_role("button", name="复核无误"))
        manager.goto(payer.url)
        manager.get_by_label("您的登录密码").fill(PASSWORD)
        press(manager.get_by_role("button", name="放款", exact=True))
        _looks_again(payer.reload, lambda: payer.get_by_role("link", name=BANK_FILE).count() > 0)
        batch = payer.url
        press(payer.get_by_role("link", name=BANK_FILE))
        payer.get_by_label("您的登录密码").fill(PASSWORD)
        with payer.expect_download() as download:
            payer.get_by_role("button", name="下载", exact=True).click()
        payer.goto(batch)
        text = Path(download.value.path()).read_bytes().decode("gb18030")
        assert "6228480402564890018" in text
        line = re.search(r"FK\d+", text.splitlines()[-1])
        assert line
        answer = tmp_path / "回盘.csv"
        answer.write_bytes(f"附言,金额,处理结果,失败原因\r\n{line[0]},4400.00,成功,\r\n".encode("gb18030"))
        payer.set_input_files("input[type=file]", str(answer))
        press(payer.get_by_role("button", name="导入回盘"))
        expect(payer.locator("main")).to_contain_text("还没有记账")
        press(payer.get_by_role("button", name="核对无误，记账"))
        _looks_again(lambda: phone.goto("/my/"), lambda: "已到账" in phone.locator("main").inner_text())
        expect(phone.locator("main")).to_contain_text("¥4,400.00")

        manager.goto("/admin/reports/yearlystatement/new/")
        press(manager.get_by_role("button", name="开始编制"))
        manager.get_by_role("link", name="看结果").click()  # the progress page moved on by itself
        expect(manager.locator("body")).to_contain_text("4,400.00")
        with manager.expect_download() as download:
            manager.get_by_role("link", name="下载表格（xlsx）").click()
        book = openpyxl.load_workbook(io.BytesIO(Path(download.value.path()).read_bytes()))
        cells = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
        assert 4400 in cells
        assert 125 in cells

    with everywhere(reason="look"):
        assert Claim.objects.get(number=number).state == "paid"
        assert Enrolment.objects.get().state == "effective"
        assert sum(Entry.objects.values_list("amount_fen", flat=True)) == 0
    for page in (phone, payer, manager, reviewer, approver):
        assert page.faults == []  # type: ignore[attr-defined]
