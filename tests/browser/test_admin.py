"""The administrator's pages in a real browser, each driven by mouse and keyboard."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from db.site.heartbeats import ProcessId, beat
from readfirst.site.parts import Part
from tests.browser.accessibility import faults
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import log_in
from tests.browser.site import Site, add_people

PATHS = ("/admin",)


@pytest.fixture
def admin(site: Site, page: Page) -> Page:
    """The page of an administrator who has just logged in."""
    add_people(site)
    log_in(page, "admin")
    return page


def test_only_admins_are_shown_the_way(site: Site, new_page: NewPage, admin: Page) -> None:
    lead = new_page()
    log_in(lead, "lead")
    expect(lead.get_by_role("navigation", name="Pages").get_by_text("Site")).to_have_count(0)
    admin.get_by_role("link", name="Site").click()
    expect(admin.get_by_role("heading", name="Status")).to_be_visible()


def test_the_status_page_follows_what_happens(site: Site, admin: Page) -> None:
    admin.clock.install()
    admin.goto("/admin")
    row = admin.locator("#part-ingester")
    expect(row).to_contain_text("Not running")
    with site.worker.database.write() as session:
        now = datetime.now(UTC)
        beat(session, Part.INGESTER, ProcessId("here", 7), now, now)
    admin.clock.fast_forward(16_000)
    expect(row).to_contain_text("Running")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_page_has_a_grave_fault_or_scrolls_sideways(
    site: Site, new_page: NewPage, colours: str
) -> None:
    add_people(site)
    page = new_page(color_scheme=colours)
    log_in(page, "admin")
    for path in PATHS:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(path)
        assert faults(page) == [], path
        for width in (360, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
        assert faults(page) == [], f"{path}, narrow"
