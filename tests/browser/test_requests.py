"""Requests that a test holds, fails or answers by itself; all others go on as they would."""

from http import HTTPStatus

from playwright.sync_api import Page, expect

from tests.browser.page_monitor import PageMonitor, wait_until
from tests.browser.requests import Held, hold, intercept
from tests.browser.site import Site

#: The scripts of a page, and the bytes that came over the network for each.
SCRIPTS = """() => performance.getEntriesByType("resource")
  .filter((each) => each.name.endsWith(".js")).map((each) => each.transferSize)"""
ASK = "address => fetch(address).then(answer => answer.text())"


def test_a_request_waits_and_no_script_is_loaded_again(site: Site, page: Page) -> None:
    page.goto("/refused")
    waiting = hold(page, r"*/healthz\?*")
    page.goto("/refused")
    sizes = page.evaluate(SCRIPTS)
    assert sizes
    assert set(sizes) == {0}
    page.evaluate("void fetch('/healthz?first').then(() => { document.title = 'answered'; })")
    wait_until(page, lambda: waiting)
    assert page.evaluate(ASK, "/healthz")
    assert page.title() != "answered"
    waiting[0].let_go()
    expect(page).to_have_title("answered")


def test_those_that_wait_go_on_at_the_end(site: Site, page: Page) -> None:
    waiting: list[Held] = []
    page.goto("/refused")
    let_go_on = intercept(page, "*/healthz", by=waiting.append)
    page.evaluate("void fetch('/healthz').then(() => { document.title = 'answered'; })")
    wait_until(page, lambda: waiting)
    let_go_on()
    expect(page).to_have_title("answered")
    assert page.evaluate(ASK, "/healthz")


def test_a_request_is_answered_or_fails(site: Site, page: Page, monitor: PageMonitor) -> None:
    monitor.expect("net::ERR_FAILED")
    page.goto("/refused")
    intercept(page, "*/healthz", by=lambda each: each.answer(HTTPStatus.OK, "text/plain", "words"))
    assert page.evaluate(ASK, "/healthz") == "words"
    intercept(page, "*/readyz", by=Held.fail)
    assert page.evaluate("fetch('/readyz').catch((error) => error.name)") == "TypeError"
