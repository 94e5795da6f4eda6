"""`n`: the next unread study, on from where one is, and again from the top at the end."""

from playwright.sync_api import Page, expect
from sqlalchemy import and_, update

from db.tables import Study
from readfirst.domain import Urgency
from tests.browser.page_monitor import PageMonitor, intercept
from tests.browser.site import LATER, Site

#: Unread studies of the seeded site, in reading order.
ORDER = "[...document.querySelectorAll('tbody tr[data-uid]')].map(row => row.dataset.uid)"


def opened(page: Page) -> str:
    return page.url.rsplit("/", 1)[1]


def go_on(page: Page) -> str:
    """Press `n`, and return the study that opens."""
    before = page.url
    page.keyboard.press("n")
    page.wait_for_url(lambda url: url != before)
    page.wait_for_load_state()
    expect(page.locator("main.study")).to_be_visible()
    return opened(page)


def test_two_studies_are_passed_over_and_the_end_leads_to_the_top(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    # The film that is cut cannot be displayed.
    monitor.expect("422")
    with site.worker.database.write() as session:
        # Enough to walk through: STAT, flagged, and not scored.
        is_other = and_(Study.urgency != Urgency.STAT, ~Study.flagged, Study.score_id.is_not(None))
        session.execute(update(Study).where(is_other).values(read_at=Study.received_at))
    page.goto("/")
    order: list[str] = page.evaluate(ORDER)
    assert len(order) == 5
    page.goto(f"/studies/{order[1]}")
    notice = page.locator("#update-notice")
    # The first is STAT, and was not opened yet.
    assert go_on(page) == order[0]
    expect(notice).to_contain_text("This STAT study has not been opened here yet")
    for expected in order[2:]:
        assert go_on(page) == expected
        expect(notice).to_be_hidden()
    late = site.arrive(LATER[0], probability=0.97)
    assert go_on(page) == late
    expect(notice).to_contain_text("From the top again, with those not opened here yet.")
    page.reload()
    expect(notice).to_be_hidden()
    assert go_on(page) == order[0]
    expect(notice).to_contain_text("All unread studies have been opened here.")
    assert go_on(page) == order[1], "a new round"


def test_a_server_that_is_gone_loses_nobody(site: Site, page: Page, monitor: PageMonitor) -> None:
    uid = site.study("DEMO-0010")
    intercept(page)
    page.goto(f"/studies/{uid}")
    monitor.expect("net::ERR_FAILED")
    page.route("**/worklist/next", lambda route: route.abort())
    page.keyboard.press("n")
    expect(page.locator("#update-notice")).to_contain_text("The server does not answer")
    assert opened(page) == uid
    page.unroute("**/worklist/next")
    assert go_on(page) != uid
