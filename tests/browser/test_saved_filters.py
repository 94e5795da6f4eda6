"""Saved filters: tabs of the list, with the account or in the browser, and never a search text."""

from playwright.sync_api import Page, expect
from sqlalchemy import select

from db.tables import Account
from tests.browser.accessibility import faults
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import log_in
from tests.browser.site import Site, add_people


def save(page: Page, name: str) -> None:
    """Save the list that is shown."""
    page.get_by_role("button", name="Save this filter").click()
    field = page.get_by_role("dialog", name="Saved filters").get_by_role("textbox").last
    expect(field).to_be_focused()
    field.fill(name)
    field.press("Tab")
    expect(page.locator("#saved-filters a", has_text=name)).to_be_visible()
    page.keyboard.press("Escape")


def tabs(page: Page) -> list[str]:
    return page.locator("#saved-filters a").all_text_contents()


def test_a_browser_keeps_filters_and_their_order(site: Site, page: Page) -> None:
    page.goto("/")
    expect(page.locator("#saved-filters")).to_be_hidden()
    for path, name in (("/?flagged=true", "Hot"), ("/?arrived=today&sort=patient", "Today")):
        page.goto(path)
        save(page, name)
    assert faults(page) == []
    page.goto("/")
    assert tabs(page) == ["Hot", "Today"]
    page.get_by_role("link", name="Hot").click()
    expect(page).to_have_url(f"{site.address}/?flagged=true")
    expect(page.get_by_role("link", name="Hot")).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("button", name="Save this filter")).to_be_hidden()
    page.get_by_role("button", name="Edit").click()
    assert faults(page) == []
    page.get_by_role("button", name="Move Today up").click()
    expect(page.locator("#saved-filters a").first).to_have_text("Today")
    page.get_by_role("button", name="Delete Hot").click()
    expect(page.locator("#saved-filters a")).to_have_count(1)
    page.reload()
    assert tabs(page) == ["Today"]


def test_an_account_keeps_them_for_every_browser_and_no_text(site: Site, new_page: NewPage) -> None:
    add_people(site)
    page = new_page()
    page.goto("/")
    log_in(page, "reader", "/?flagged=true")
    page.locator("#search input").fill("voorbeeld")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-uid]")).to_have_count(1)
    save(page, "Hot")
    other = new_page()
    other.goto("/")
    log_in(other, "reader")
    expect(other.locator("#saved-filters a")).to_have_text(["Hot"])
    with site.worker.database.read() as session:
        accounts = session.execute(select(Account.name, Account.saved_filters)).all()
    kept = {name: filters for name, filters in accounts if filters}
    assert kept == {"reader": [{"name": "Hot", "address": "/?flagged=true"}]}
