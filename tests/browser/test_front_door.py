"""The first pages on a phone: they fit, are large enough to read, and work without scripts."""

from datetime import date

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import body_size, fits, press
from tests.factories.offices import PASSWORD
from unionaid.lib.identity import make_id_number

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("address", ["/", "/login", "/sign-up", "/nothing-here"])
def test_public_pages_fit_a_phone(phone: Page, address: str) -> None:
    phone.goto(address)
    assert fits(phone)
    assert body_size(phone) >= 18


def test_a_worker_signs_up_with_scripts_off(plain_phone: Page) -> None:
    page = plain_phone
    page.goto("/")
    press(page.get_by_role("link", name="注册").first)
    page.fill("[name=name]", "艾小梅")
    page.fill("[name=id_number]", "610802199003081280")
    page.fill("[name=phone]", "13991200001")
    page.fill("[name=password]", PASSWORD)
    press(page.locator("main button"))
    assert "身份证号" in page.locator(".summary").inner_text()
    assert page.input_value("[name=name]") == "艾小梅"
    page.fill("[name=id_number]", make_id_number("610802", date(1990, 3, 8), 128))
    page.fill("[name=password]", PASSWORD)
    press(page.locator("main button"))
    page.wait_for_url("**/my/**")


def test_the_page_can_be_read_in_english_and_back(phone: Page) -> None:
    phone.goto("/sign-up")
    press(phone.get_by_role("button", name="English"))
    assert phone.locator("html").get_attribute("lang") == "en"
    press(phone.get_by_role("button", name="中文"))
    assert phone.locator("html").get_attribute("lang") == "zh-hans"
