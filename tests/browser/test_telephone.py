"""The page on a telephone, with the values of a real department."""

from typing import Any

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from db.tables import Study
from tests.browser.accessibility import faults_in_each_look
from tests.browser.conftest import NewPage
from tests.browser.crowd import LONG_ACCESSION, crowd, with_long_values
from tests.browser.page_monitor import PageMonitor, log_in
from tests.browser.site import LATER, Site, add_people

PHONE = {
    "viewport": {"width": 360, "height": 780},
    "has_touch": True,
    "is_mobile": True,
}
PATHS = ("/", "/?show=all&sort=probability", "/refused", "/studies/{study}", "/account")
LEAD_PATHS = ("/watching",)
#: What reaches beyond the window, and is not within something that scrolls by itself.
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && each.checkVisibility())
  .filter((each) => {
    for (let at = each; at; at = at.parentElement) {
      if (getComputedStyle(at).overflowX !== "visible") return false;
    }
    return true;
  }).map((each) => `${each.tagName}.${each.className}`)"""


def box(locator: Locator) -> Any:
    return locator.bounding_box()


def longest(site: Site) -> str:
    """The study that has a film and the longest values."""
    with site.worker.database.read() as session:
        named = select(Study.study_instance_uid).where(Study.accession_number == LONG_ACCESSION)
        return session.scalars(named).one()


def a_phone(site: Site, new_page: NewPage) -> Page:
    crowd(site, 10)
    with_long_values(site, site.study("DEMO-0010"))
    long_name = f"{'no-patient-and-no-spaces-' * 5}.dcm"
    cut = site.settings.home_path / long_name
    cut.write_bytes(LATER[0].read_bytes()[:20_000])
    site.arrive(cut)
    return new_page(**PHONE)


def test_no_page_scrolls_sideways(site: Site, new_page: NewPage) -> None:
    page = a_phone(site, new_page)
    uid = longest(site)
    add_people(site)
    log_in(page, "lead", None)
    for path in (*PATHS, *LEAD_PATHS):
        page.goto(path.format(study=uid))
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.evaluate(TOO_WIDE) == [], path
        assert faults_in_each_look(page) == [], path


def test_a_card_has_room_for_every_word(site: Site, new_page: NewPage) -> None:
    page = a_phone(site, new_page)
    page.goto("/")
    for card in page.locator("tr[data-uid]").all():
        width = box(card)["width"]
        for part in (".patient", ".why", ".waiting", ".study"):
            assert box(card.locator(part))["width"] > 0.7 * width, part
        # The colour of a flag is as high as its card.
        assert card.evaluate("e => getComputedStyle(e).borderLeftWidth") == "4px"
    page.locator("summary", has_text="View").click()
    panel = box(page.locator("details[open] .panel"))
    assert panel["x"] >= 0
    assert panel["x"] + panel["width"] <= 360


def test_the_film_begins_on_the_first_screen_and_no_key_is_named(
    site: Site, new_page: NewPage
) -> None:
    page = new_page(**PHONE)
    page.goto(f"/studies/{site.study('DEMO-0010')}")
    expect(page.locator("main")).to_have_attribute("data-film", "displayed")
    assert box(page.locator("header"))["height"] < 80
    assert box(page.locator(".film-viewer").first)["y"] < 390
    expect(page.get_by_role("link", name="Next unread")).to_be_visible()
    for key in page.locator("kbd").all():
        expect(key).to_be_hidden()
    page.goto("/")
    expect(page.locator("#show-help")).to_be_hidden()


def test_errors_fit_too(site: Site, new_page: NewPage, monitor: PageMonitor) -> None:
    monitor.expect("404")
    page = new_page(**PHONE)
    page.goto("/studies/" + "1.2." * 10 + "3")
    assert page.evaluate(TOO_WIDE) == []
