"""Two readers at one worklist: each sees what the other has open, and gets another study."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import APIResponse, Page, Route, expect
from sqlalchemy import select, update

from db.tables import OpenStudy, Study
from db.worklist.readers import LIFETIME
from tests.browser.accessibility import faults, faults_in_each_look
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import PageMonitor, event_stream, intercept, log_in, wait_until
from tests.browser.site import Site, add_people
from tests.browser.test_verdict import FLAGGED


def row(page: Page, uid: str) -> str:
    return f"[id='study-{uid}'] .of-reading"


def logged_in(site: Site, new_page: NewPage, name: str, path: str = "/") -> Page:
    page = new_page()
    with event_stream(page):
        log_in(page, name, path)
    return page


def test_who_reads_stands_on_row_and_page_and_passes_on_when_it_is_left(
    site: Site, new_page: NewPage
) -> None:
    add_people(site)
    uid = site.study(FLAGGED)
    watcher = logged_in(site, new_page, "admin")
    first = logged_in(site, new_page, "reader", f"/studies/{uid}")
    expect(watcher.locator(row(watcher, uid))).to_have_text("reader is reading")
    second = logged_in(site, new_page, "lead", f"/studies/{uid}")
    expect(second.locator("#readers")).to_have_text("reader is reading")
    expect(first.locator("#readers")).to_have_text("lead has it open too")
    expect(watcher.locator(row(watcher, uid))).to_have_text(
        "reader is reading; lead has it open too"
    )
    assert faults(second) == []
    assert faults(watcher) == []
    first.goto("/")
    expect(second.locator("#readers")).to_be_empty()
    expect(watcher.locator(row(watcher, uid))).to_have_text("lead is reading")
    # Back by the browser's own memory or anew: behind the one who stayed.
    first.go_back()
    expect(first.locator("#readers")).to_have_text("lead is reading")
    second.close()
    expect(watcher.locator(row(watcher, uid))).to_have_text("reader is reading")


def test_a_browser_that_died_reads_no_longer(
    site: Site, new_page: NewPage, monitor: PageMonitor
) -> None:
    monitor.expect("ERR_FAILED")
    add_people(site)
    uid = site.study(FLAGGED)
    watcher = logged_in(site, new_page, "admin", f"/studies/{uid}")
    dead = new_page()
    intercept(dead)
    log_in(dead, "reader", f"/studies/{uid}")
    expect(watcher.locator("#readers")).to_have_text("reader has it open too")
    dead.route("**/readers", lambda route: route.abort())
    # From now on no sign of life of it arrives.
    with dead.expect_event("requestfailed"):
        dead.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    with site.worker.database.write() as session:
        for each in session.scalars(select(OpenStudy).where(OpenStudy.account == "reader")):
            each.seen_at -= LIFETIME + timedelta(seconds=1)
    expect(watcher.locator("#readers")).to_be_empty()


def test_next_unread_gives_two_readers_two_studies_until_only_one_is_left(
    site: Site, new_page: NewPage
) -> None:
    add_people(site)
    first = logged_in(site, new_page, "reader")
    second = logged_in(site, new_page, "lead")
    first.goto("/next")
    expect(first.locator("main")).to_have_attribute("data-film", "displayed")
    second.goto("/next")
    expect(second.locator("main")).to_have_attribute("data-film", "displayed")
    assert first.url != second.url
    uid = second.url.rsplit("/", 1)[-1]
    with site.worker.database.write() as session:
        # All others are read.
        session.execute(
            update(Study).where(Study.study_instance_uid != uid).values(read_at=Study.received_at)
        )
    first.keyboard.press("n")
    expect(first.get_by_role("heading", level=1)).to_have_text(
        "All unread studies are being read by others"
    )
    expect(first.locator("main")).to_contain_text("lead is reading")
    assert faults(first) == []
    first.get_by_role("link", name="Open the first anyway?").click()
    first.wait_for_url(f"**/{uid}")
    expect(first.locator("#readers")).to_have_text("lead is reading")


def test_without_accounts_another_window_is_told(site: Site, new_page: NewPage) -> None:
    path = f"/studies/{site.study(FLAGGED)}"
    first, second = new_page(), new_page()
    for page in (first, second):
        with event_stream(page):
            page.goto(path)
    expect(first.locator("#readers")).to_have_text("Open in another window")
    expect(second.locator("#readers")).to_have_text("Open in another window")
    second.close()
    expect(first.locator("#readers")).to_be_empty()


def test_a_late_answer_takes_no_reader_away(site: Site, new_page: NewPage) -> None:
    path = f"/studies/{site.study(FLAGGED)}"
    first, second = new_page(), new_page()
    answered: list[tuple[Route, APIResponse]] = []

    def hold_the_first(route: Route) -> None:
        response = route.fetch()
        if answered:
            route.fulfill(response=response)
        else:
            answered.append((route, response))

    # Time stands still, so no sign of life mends what events have made of the page.
    first.clock.install()
    first.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    first.route("**/readers", hold_the_first)
    with event_stream(first):
        first.goto(path)
    wait_until(first, lambda: answered)
    with event_stream(second):
        second.goto(path)
    expect(second.locator("#readers")).to_have_text("Open in another window")
    # Long enough for the event to be told and for an answer, if a second one was asked for.
    first.wait_for_timeout(2_000)
    route, response = answered[0]
    route.fulfill(response=response)
    # Well before the page, which gives no sign of life, counts as left.
    expect(first.locator("#readers")).to_have_text(
        "Open in another window", timeout=LIFETIME.total_seconds() * 500
    )


def test_it_fits_on_narrow_and_wide_screens(site: Site, new_page: NewPage) -> None:
    add_people(site)
    uid = site.study(FLAGGED)
    other = new_page()
    log_in(other, "lead", f"/studies/{uid}")
    page = new_page()
    log_in(page, "reader", None)
    for path, line in ((f"/studies/{uid}", "#readers"), ("/", row(page, uid))):
        page.goto(path)
        expect(page.locator(line)).to_have_text("lead is reading")
        assert faults_in_each_look(page, 390, 1440) == []
