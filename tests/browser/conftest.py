"""A live server on real commits and a real Chromium, as a phone, as a desk, and with scripts switched off."""

import os
from collections.abc import Iterator
from datetime import date

import pytest
from django.db import connections
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.factories.clock import Clock

PHONE, DESK = {"width": 375, "height": 812}, {"width": 1280, "height": 900}
PATIENCE = 120_000  # milliseconds until a page counts as lost: no more than a machine that does other work needs
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; without one the tests are skipped, which bin/test says loudly and .ci/run does not allow."""
    path = os.environ.get("CHROMIUM", "")
    if not path:
        pytest.skip("no Chromium")
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright keeps a loop running in the tests' thread
    connections.close_all()  # beside a loop Django keeps other connections: those from before could be closed by nobody
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"], timeout=PATIENCE)
        yield made
        made.close()
        connections.close_all()


@pytest.fixture
def site(browser: Browser, committed: None) -> Iterator[str]:
    """The address of the product, served from the tests' database on 1 July 2026 unless a test moves the clock. Pages that a test
    has left open when it failed are closed first."""
    Clock.day = date(2026, 7, 1)
    server = LiveServer("127.0.0.1")
    try:
        yield server.url
    finally:
        for context in browser.contexts:
            context.close()
        server.stop()
        Clock.day = None


def opened(browser: Browser, site: str, size: dict[str, int], *, scripts: bool = True) -> Page:
    """A page of its own, with its own cookies; anything the page complains about on its console is kept in `page.faults`."""
    context = browser.new_context(
        viewport=size, base_url=site, java_script_enabled=scripts, locale="zh-CN", has_touch=size is PHONE, accept_downloads=True
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("response", lambda answer: page.faults.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
    return page


def _until_closed(page: Page) -> Iterator[Page]:
    """The page for one test, closed whatever becomes of it: an open one would go on asking."""
    try:
        yield page
        assert page.faults == []
    finally:
        page.context.close()


@pytest.fixture
def phone(browser: Browser, site: str) -> Iterator[Page]:
    """A phone with scripts."""
    yield from _until_closed(opened(browser, site, PHONE))


@pytest.fixture
def plain_phone(browser: Browser, site: str) -> Iterator[Page]:
    """A phone with scripts switched off."""
    yield from _until_closed(opened(browser, site, PHONE, scripts=False))


@pytest.fixture
def desk(browser: Browser, site: str) -> Iterator[Page]:
    """A desk."""
    yield from _until_closed(opened(browser, site, DESK))


def press(target: Locator) -> None:
    """Click what leads to another page, and stay until that page is there: a click alone returns while the old one still stands."""
    with target.page.expect_navigation():
        target.click()


def log_in(page: Page, name: str, password: str) -> None:
    """Through the log-in form."""
    page.goto("/login")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    press(page.locator("main button"))


def fits(page: Page) -> bool:
    """Nothing sticks out to the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def body_size(page: Page) -> float:
    """The size of body text in pixels."""
    return float(page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)"))
