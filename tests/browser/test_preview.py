"""The preview beside the list: of the selected study, noted as shown, and no film for a verdict."""

import re

from playwright.sync_api import Page, expect
from sqlalchemy import select

from db.tables import AuditEntry
from tests.browser.accessibility import faults_in_each_look
from tests.browser.conftest import NewPage
from tests.browser.crowd import with_long_values
from tests.browser.site import Site
from tests.support.waiting import wait_until

WIDE = {"width": 2560, "height": 1440}


def viewings(site: Site, uid: str) -> list[str]:
    with site.worker.database.read() as session:
        query = select(AuditEntry.action).where(AuditEntry.study_instance_uid == uid)
        return list(session.scalars(query))


def test_the_selected_study_stands_beside_the_list(site: Site, new_page: NewPage) -> None:
    uid = site.study("DEMO-0010")
    with_long_values(site, uid)
    page = new_page(viewport=WIDE)
    page.goto("/")
    expect(page.locator("#preview")).to_be_visible()
    page.locator(f"[id='study-{uid}'] .open").focus()
    preview = page.locator(f"[data-preview='{uid}']")
    expect(preview).to_contain_text(re.compile(r"AI 97 % \(threshold \d\d %\)\."))
    expect(preview).to_contain_text("Indication:")
    expect(preview.locator("img")).to_have_js_property("complete", True)
    assert preview.locator("img").evaluate("image => image.naturalWidth") > 0
    wait_until(lambda: "study_viewed" in viewings(site, uid))
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDE["width"]
    assert faults_in_each_look(page) == []


def test_no_verdict_is_given_by_a_preview(site: Site, new_page: NewPage) -> None:
    uid = site.study("DEMO-0010")
    page = new_page(viewport=WIDE)
    page.goto("/")
    page.locator(f"[id='study-{uid}'] .open").focus()
    expect(page.locator(f"[data-preview='{uid}'] img")).to_be_visible()
    page.keyboard.press("p")
    expect(page).to_have_url(f"{site.address}/studies/{uid}")


def test_who_passes_a_study_by_was_not_shown_it(site: Site, new_page: NewPage) -> None:
    page = new_page(viewport=WIDE)
    page.goto("/")
    rows = page.locator("tr[data-uid]")
    expect(rows).to_have_count(10)
    for _ in range(4):
        page.keyboard.press("j")
    passed = rows.nth(1).get_attribute("data-uid") or ""
    last = rows.nth(3).get_attribute("data-uid") or ""
    expect(page.locator(f"[data-preview='{last}']")).to_be_visible()
    assert "study_viewed" not in viewings(site, passed)


def test_on_a_narrower_screen_there_is_none(site: Site, page: Page) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto("/")
    page.keyboard.press("j")
    expect(page.locator("#preview")).to_be_hidden()
    page.set_viewport_size({"width": 1900, "height": 900})
    expect(page.locator("[data-preview]")).to_be_visible()
    page.locator("summary", has_text="View").click()
    page.get_by_label("Preview of the selected study").uncheck()
    expect(page.locator("#preview")).to_be_hidden()
    page.reload()
    expect(page.locator("#preview")).to_be_hidden()
    assert sum(url.endswith("/preview") for url in requests) == 1
