"""A reader's verdict on the page of a study: by mouse, by keys, without scripts, and by two."""

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Locator, Page, expect

from readfirst.samples import FOLDER
from tests.browser.accessibility import faults
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import PageMonitor, event_stream, log_in
from tests.browser.site import Site, add_people

#: Flagged, and not; both of the seeded site.
FLAGGED, ROUTINE = "DEMO-0010", "DEMO-0011"


def stands(page: Page) -> Locator:
    return page.locator("#verdict .current-verdict")


def answer(page: Page, say: str) -> Locator:
    """The button of an answer."""
    return page.locator(f'#verdict button[value="{say}"]')


def displayed(page: Page) -> None:
    """Wait until every pixel of the film is displayed: then verdicts are taken."""
    expect(page.locator("main")).to_have_attribute("data-film", "displayed")


def expect_patient(page: Page, name: str) -> None:
    """The page of their study, once it hears keys."""
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.wait_for_load_state()


@pytest.fixture
def another_image(tmp_path: Path) -> Callable[[str], Path]:
    """Makes one more image of the study of a sample."""

    def made(name: str) -> Path:
        dataset = pydicom.dcmread(FOLDER / name)
        dataset.SOPInstanceUID = "1.2.3.4"
        path = tmp_path / "another.dcm"
        dataset.save_as(path)
        return path

    return made


def test_a_verdict_by_mouse_is_kept_with_its_history_and_taken_back(site: Site, page: Page) -> None:
    add_people(site)
    log_in(page, "reader", f"/studies/{site.study(FLAGGED)}")
    expect(page.locator("#labels")).to_contain_text("Pneumonia likely")
    displayed(page)
    page.get_by_label("Comment").fill("Right lower lobe.")
    answer(page, "pneumonia").click()
    expect(stands(page)).to_contain_text("agrees with the AI")
    expect(stands(page)).to_contain_text("reader,")
    expect(stands(page)).to_contain_text("Right lower lobe.")
    expect(page.locator("#labels")).to_contain_text("Read")
    expect(page.locator("#timeline")).to_contain_text("Read by reader: pneumonia")
    expect(page.locator("#update-notice")).to_be_hidden()
    answer(page, "no_pneumonia").click()
    expect(stands(page)).to_contain_text("AI false positive")
    page.get_by_text("History: 2 entries").click()
    expect(page.locator(".history li").nth(1)).to_contain_text("Right lower lobe.")
    page.get_by_role("button", name="Mark as unread again").click()
    expect(stands(page)).to_have_count(0)
    page.reload()
    expect(page.locator(".history summary")).to_have_text("History: 3 entries")


def settled(page: Page) -> None:
    """Wait until htmx has taken over what it swapped in; the browser would send the form itself."""
    expect(page.locator(".htmx-added")).to_have_count(0)


def test_a_verdict_by_keys_and_on_to_the_next(site: Site, page: Page) -> None:
    flagged, stat = site.study(FLAGGED), site.study("DEMO-0013")
    page.goto(f"/studies/{flagged}")
    displayed(page)
    page.get_by_label("Comment").click()
    page.keyboard.type("a dare: exp")
    expect(stands(page)).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(stands(page)).to_contain_text("No pneumonia AI false positive")
    expect(stands(page)).to_contain_text("a dare: exp")
    settled(page)
    page.keyboard.press("z")
    expect(stands(page)).to_have_count(0)
    settled(page)
    # Twice at once is once.
    page.evaluate("() => [1, 2].forEach(() => document.querySelector('[data-key~=p]').click())")
    expect(stands(page)).to_contain_text("agrees with the AI")
    expect(page.get_by_role("link", name="Next unread study")).to_be_focused()
    page.keyboard.press("n")
    page.wait_for_url(f"**/studies/{stat}")
    displayed(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_next_and_previous_follow_the_list_that_was_left(site: Site, page: Page) -> None:
    page.goto("/?show=all&sort=patient")
    names = page.locator("a.open").all_inner_texts()
    page.locator("a.open").nth(1).click()
    expect_patient(page, names[1])
    page.keyboard.press("j")
    expect_patient(page, names[2])
    page.keyboard.press("k")
    expect_patient(page, names[1])
    page.keyboard.press("k")
    expect_patient(page, names[0])
    expect(page.locator("a[rel=prev]")).to_be_hidden()
    page.keyboard.press("l")
    page.wait_for_url("**/?show=all&sort=patient")


def test_of_two_readers_the_second_is_told_and_keeps_the_comment(
    site: Site, new_page: NewPage, monitor: PageMonitor
) -> None:
    add_people(site)
    path = f"/studies/{site.study(FLAGGED)}"
    first, second = new_page(), new_page()
    log_in(first, "reader", path)
    with event_stream(second):
        log_in(second, "lead", path)
    monitor.expect("409")
    displayed(first)
    displayed(second)
    second.get_by_label("Comment").fill("Thymus.")
    first.keyboard.press("p")
    expect(stands(first)).to_be_visible()
    expect(second.locator("#update-notice")).to_contain_text("reader recorded “pneumonia” at ")
    second.keyboard.press("Escape")
    second.keyboard.press("x")
    expect(second.get_by_role("alert")).to_contain_text(
        "reader recorded “pneumonia” while you were reading"
    )
    expect(second.get_by_label("Comment")).to_have_value("Thymus.")
    second.keyboard.press("x")
    expect(stands(second)).to_contain_text("lead,")
    expect(stands(second)).to_contain_text("Thymus.")


def test_an_image_that_comes_in_meanwhile_is_told_and_looked_at_first(
    site: Site, page: Page, monitor: PageMonitor, another_image: Callable[[str], Path]
) -> None:
    with event_stream(page):
        page.goto(f"/studies/{site.study(FLAGGED)}")
    expect(page.locator(".images li")).to_have_count(1)
    site.arrive(another_image("study-02.dcm"))
    expect(page.locator("#update-notice")).to_contain_text(
        "Another image of this study has come in."
    )
    monitor.expect("409")
    displayed(page)
    page.keyboard.press("p")
    expect(page.get_by_role("alert")).to_contain_text("Look at it first.")
    page.get_by_label("Comment").fill("Both lungs.")
    page.get_by_role("link", name="Show it").click()
    expect(page.locator(".images li")).to_have_count(2)
    page.wait_for_load_state()
    expect(page.get_by_label("Comment")).to_have_value("Both lungs.")
    displayed(page)
    page.keyboard.press("p")
    expect(stands(page)).to_contain_text("Both lungs.")
    page.reload()
    expect(page.get_by_label("Comment")).to_have_value("")


def test_a_verdict_that_the_browser_sends_itself_leaves_no_draft(site: Site, page: Page) -> None:
    """So it is where somebody is quicker than htmx."""
    empty = {"content_type": "text/javascript", "body": ""}
    page.route("**/htmx.min.js", lambda route: route.fulfill(**empty))
    page.goto(f"/studies/{site.study(FLAGGED)}")
    displayed(page)
    page.get_by_label("Comment").fill(" Both lungs.\nBelow. ")
    answer(page, "pneumonia").click()
    expect(stands(page)).to_contain_text("Both lungs.")
    page.wait_for_load_state()
    expect(page.get_by_label("Comment")).to_have_value("")


def test_it_works_without_scripts(site: Site, new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"/studies/{site.study(ROUTINE)}")
    page.get_by_label("Comment").fill("Nothing.")
    answer(page, "no_pneumonia").click()
    expect(stands(page)).to_contain_text("Nothing.")
    page.get_by_text("DICOM attributes").click()
    page.get_by_role("link", name="on a page of their own").click()
    expect(page.get_by_role("cell", name="(0010,0020)")).to_be_visible()
    page.get_by_role("link", name="Back to the study").click()
    page.get_by_role("link", name="Next unread study").click()
    expect(page.locator("#labels")).to_contain_text("STAT")


def test_attributes_are_fetched_when_they_are_opened(site: Site, page: Page) -> None:
    page.goto(f"/studies/{site.study(FLAGGED)}")
    expect(page.get_by_role("cell", name="(0010,0020)")).to_have_count(0)
    page.get_by_text("DICOM attributes").click()
    expect(page.get_by_role("cell", name="(0010,0020)")).to_be_visible()
    expect(page.get_by_role("cell", name="DEMO-0010", exact=True)).to_be_visible()


@pytest.mark.parametrize(("width", "colours"), [(1400, "light"), (400, "dark")])
def test_the_page_has_no_grave_fault_and_fits_the_window(
    site: Site, new_page: NewPage, colours: str, width: int
) -> None:
    page = new_page(color_scheme=colours, viewport={"width": width, "height": 900})
    page.goto(f"/studies/{site.study(FLAGGED)}")
    displayed(page)
    answer(page, "no_pneumonia").click()
    expect(stands(page)).to_be_visible()
    page.get_by_text("DICOM attributes").click()
    expect(page.get_by_role("cell", name="(0010,0020)")).to_be_visible()
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
