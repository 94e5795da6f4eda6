"""Nothing hidden, nothing stale: filters, a server that is gone, and alerts of STAT studies."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.accessibility import faults
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import PageMonitor, intercept, log_in, send_log_in, wait_until
from tests.browser.site import LATER, Site, add_people
from tests.browser.test_list import OVERHEAR, is_live, look_at, row, top

BAR = ".filter-bar"


def seconds_pass_until(page: Page, holds: Callable[[], bool]) -> None:
    """Let the clock of a page go on, which it has installed, until something holds."""

    def holds_a_second_later() -> bool:
        page.clock.run_for(1_000)
        return holds()

    wait_until(page, holds_a_second_later)


def test_the_bar_takes_filters_away_one_by_one(site: Site, page: Page) -> None:
    page.goto("/?flagged=true&show=all")
    page.locator("#search input").fill("voorbeeld")
    page.keyboard.press("Enter")
    expect(page.locator(BAR)).to_contain_text("shown: text ‘voorbeeld’")
    page.get_by_role("link", name="Remove the filter text ‘voorbeeld’").click()
    expect(page.locator("#search input")).to_have_value("")
    expect(page.locator(BAR)).to_contain_text("3 of 10 shown: flagged")
    page.get_by_role("link", name="Remove the filter flagged").click()
    expect(page).to_have_url(f"{site.address}/?show=all")
    expect(page.locator(BAR)).to_have_count(0)
    expect(page.locator(".page-range")).to_have_text("1–10 of 10")


def test_the_link_of_the_header_and_clear_all_forget_the_text(site: Site, page: Page) -> None:
    for way in ("Worklist", "Clear all"):
        page.goto("/?flagged=true")
        page.locator("#search input").fill("nobody")
        page.keyboard.press("Enter")
        expect(page.locator(BAR)).to_contain_text("0 of 10 unread shown: text ‘nobody’")
        page.get_by_role("link", name=way, exact=True).click()
        expect(page).to_have_url(f"{site.address}/")
        expect(page.locator("tr[data-uid]")).to_have_count(10)
    page.locator("#search input").fill("nobody")
    page.keyboard.press("Enter")
    expect(page.locator(BAR)).to_be_visible()
    page.goto("/refused")
    page.get_by_role("link", name="Worklist").click()
    expect(page.locator("tr[data-uid]")).to_have_count(10)


def test_a_stat_study_that_comes_in_behind_a_filter_is_told(site: Site, page: Page) -> None:
    page.goto("/")
    page.locator("#search input").fill("voorbeeld")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-uid]")).to_have_count(1)
    before = page.get_by_role("alert").filter(has_text="hidden by your filter")
    expect(before).to_contain_text("1 STAT study is hidden")
    site.arrive(LATER[0], name="stat/new.dcm")
    expect(before).to_contain_text("2 STAT studies are hidden by your filter.")
    assert faults(page) == []
    page.get_by_role("link", name="Show them").click()
    expect(page).to_have_url(f"{site.address}/?stat=true")
    expect(page.locator("tr[data-uid]")).to_have_count(2)
    expect(before).to_have_count(0)


def test_the_counts_are_links_that_filter(site: Site, page: Page) -> None:
    page.goto("/?sort=patient")
    page.locator(".counts").get_by_role("link", name="flagged").click()
    expect(page).to_have_url(f"{site.address}/?flagged=true")
    page.locator(".counts").get_by_role("link", name="STAT").click()
    expect(page).to_have_url(f"{site.address}/?stat=true")
    expect(page.locator("tr[data-uid]")).to_have_count(1)
    page.locator(".counts").get_by_role("link", name="unread").click()
    expect(page).to_have_url(f"{site.address}/")


def test_a_server_that_is_gone_is_said_over_the_list_and_so_is_its_end(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("net::ERR_FAILED", "net::ERR_CONNECTION")
    page.clock.install()
    intercept(page)
    is_live(page)
    pointed = row(page, site.study("DEMO-0017"))
    pointed.hover()
    before = top(pointed)
    away = re.compile(r"/(rows|events/stream|api)")
    page.route(away, lambda route: route.abort())
    # The stream that is open ends, as it does when a server dies.
    page.evaluate("dispatchEvent(new Event('offline'))")
    banner = page.locator("#connection")
    seconds_pass_until(page, banner.is_visible)
    expect(banner).to_have_text(
        re.compile(r"No connection since \d\d:\d\d\. This list may be out of date\. Trying again …")
    )
    assert page.evaluate("getComputedStyle(document.querySelector('.counts')).filter") != "none"
    assert top(pointed) == pytest.approx(before, abs=1)
    assert faults(page) == []
    page.unroute(away)
    seconds_pass_until(page, lambda: "Connected again" in (banner.text_content() or ""))
    assert page.evaluate("getComputedStyle(document.querySelector('.counts')).filter") == "none"
    seconds_pass_until(page, banner.is_hidden)
    assert top(pointed) == pytest.approx(before, abs=1)


def test_a_verdict_that_no_server_took_is_offered_again(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("net::ERR_FAILED", "503")
    uid = site.study("DEMO-0010")
    intercept(page)
    look_at(page, uid)
    page.goto("/")
    answers = ["abort", "503"]

    def fail(route: Route) -> None:
        if answers and answers.pop(0) == "abort":
            route.abort()
        elif answers == []:
            route.fulfill(status=503, json={"detail": "The database does not answer."})

    page.route("**/verdicts", fail)
    row(page, uid).locator(".open").focus()
    page.keyboard.press("p")
    bar, again = page.locator("#undo-bar"), page.get_by_role("button", name="Try again")
    expect(bar).to_contain_text("“pneumonia” was not saved. The server does not answer.")
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    again.click()
    expect(bar).to_contain_text("The database does not answer.")
    page.unroute("**/verdicts")
    again.click()
    expect(bar).to_contain_text("pneumonia; agrees with the AI.")
    expect(again).to_be_hidden()
    expect(row(page, uid)).to_have_count(0)


def test_a_stat_study_alerts_once(site: Site, permitted_page: Page) -> None:
    page = permitted_page
    page.add_init_script(OVERHEAR)
    page.goto("/")
    page.locator("summary", has_text="Alerts").click()
    page.get_by_label("A notification").check()
    is_live(page)
    uid = site.arrive(LATER[0], name="stat/new.dcm")
    heard = "ReadFirst worklist: A STAT study has come in"
    expect(page).to_have_title(heard)
    # Flagged after the pause between two alerts: it has alerted already.
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 60000; }")
    with page.expect_response(re.compile("/rows")):
        site.score(0.97)
    expect(row(page, uid)).to_have_class(re.compile("is-flagged"))
    wait_until(page, lambda: page.title() == heard)
    site.arrive(LATER[1], probability=0.97)
    expect(page).to_have_title(f"{heard}: A flagged study has come in")


def test_a_verdict_of_the_list_that_a_session_lost_is_offered_after_the_log_in(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("401")
    add_people(site)
    uid = site.study("DEMO-0010")
    log_in(page, "reader", f"/studies/{uid}")
    expect(page.locator("main")).to_have_attribute("data-film", "displayed")
    page.goto("/?flagged=true")
    row(page, uid).locator(".open").focus()
    page.context.clear_cookies()
    page.keyboard.press("p")
    page.wait_for_url("**/login?next=*")
    send_log_in(page, "reader")
    expect(page).to_have_url(f"{site.address}/?flagged=true")
    expect(page.locator("#undo-bar")).to_contain_text("“pneumonia” was not saved")
    page.get_by_role("button", name="Save it now").click()
    expect(page.locator("#undo-bar")).to_contain_text("pneumonia; agrees with the AI.")


@pytest.mark.parametrize("width", [390, 1440])
def test_not_scored_leads_to_the_study_and_dismisses(
    site: Site, new_page: NewPage, monitor: PageMonitor, width: int
) -> None:
    # A letter cannot be displayed.
    monitor.expect("422")
    letter = site.settings.home_path / "a-letter-with-a-very-long-name-of-the-referring-clinic.txt"
    letter.write_text("Dear colleague")
    uid = site.arrive(letter)
    page = new_page(viewport={"width": width, "height": 900})
    page.goto("/")
    expect(row(page, uid)).to_have_count(0)
    page.get_by_role("link", name="1 file could not be read").click()
    expect(page).to_have_url(f"{site.address}/refused")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    refused = page.locator("tr", has_text="a-letter")
    refused.get_by_text("Dismiss …").click()
    refused.get_by_label("Note").fill("A letter.")
    refused.get_by_role("button", name="Dismiss").click()
    expect(refused).to_contain_text("read or dismissed")
    refused.get_by_role("link", name="No name").click()
    expect(page).to_have_url(f"{site.address}/studies/{uid}")
    expect(page.locator("#verdict")).to_contain_text("A letter.")
    expect(page.locator("#verdict button.choice")).to_have_count(1)
    page.goto("/")
    expect(page.get_by_text("could not be read")).to_have_count(0)
