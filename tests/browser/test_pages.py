"""Rules of every page: who is let in, and what is dropped on it."""

from playwright.sync_api import Page, expect

from tests.browser.accessibility import faults_in_each_look
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import PageMonitor, log_in, log_in_by_form
from tests.browser.site import LATER, PASSWORD, Site, add_people


def test_the_list_shows_what_was_taken_in_and_what_arrives(site: Site, page: Page) -> None:
    page.goto("/")
    expect(page.locator(f"[id='study-{site.study('DEMO-0010')}']")).to_contain_text("97")
    uid = site.arrive(LATER[0], probability=0.9)
    expect(page.locator(f"[id='study-{uid}']")).to_be_visible()


def test_somebody_logs_in_and_out(site: Site, page: Page, monitor: PageMonitor) -> None:
    add_people(site)
    page.goto("/refused")
    expect(page).to_have_url(f"{site.address}/login?next=%2Frefused")
    monitor.expect("401")
    for password in ("wrong", PASSWORD):
        page.get_by_label("Name").fill("Reader")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        if password == "wrong":
            expect(page.get_by_role("alert")).to_be_visible()
    expect(page).to_have_url(f"{site.address}/refused")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.goto("/refused")
    expect(page).to_have_url(f"{site.address}/login?next=%2Frefused")


def test_a_link_leads_on_after_the_log_in(site: Site, page: Page) -> None:
    add_people(site)
    log_in_by_form(page, "lead", "/refused?code=truncated")
    expect(page.get_by_role("cell", name="cut.dcm")).to_be_visible()


def test_whatever_a_page_complains_of_is_noticed(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    page.goto("/refused")
    assert monitor.unexpected() == []
    page.evaluate("document.body.style.color; document.body.setAttribute('style', 'color: red')")
    page.evaluate("fetch('https://example.invalid/').catch(() => console.warn('not let out'))")
    page.evaluate("setTimeout(() => nothing.here)")
    page.goto("/nowhere")
    complaints = " ".join(monitor.unexpected())
    assert "inline style violates the following Content Security Policy" in complaints
    assert "example.invalid" in complaints
    assert "not let out" in complaints
    assert "nothing is not defined" in complaints
    assert "404" in complaints
    monitor.expect("")


def test_an_error_is_a_page_for_people(site: Site, new_page: NewPage, monitor: PageMonitor) -> None:
    monitor.expect("404", "403", "422")
    add_people(site)
    page = new_page(viewport={"width": 400, "height": 800})
    log_in(page, "reader", None)
    for path, heading in (
        ("/help", "There is no such page"),
        ("/watching", "You have no access to this page"),
        ("/?sort=foo&from=2026-13-01", "The address or the form is not understood"),
    ):
        page.goto(path)
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        assert faults_in_each_look(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("link", name="To the worklist").click()
        expect(page).to_have_url(f"{site.address}/")
