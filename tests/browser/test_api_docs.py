"""The page of the API's document."""

from playwright.sync_api import Page, expect

from tests.browser.accessibility import faults_in_each_look
from tests.browser.page_monitor import log_in
from tests.browser.site import Site, add_people


def test_it_is_readable_and_a_reader_looks_an_operation_up_and_tries_it(
    site: Site, page: Page
) -> None:
    add_people(site)
    log_in(page, "reader")
    page.get_by_role("link", name="API", exact=True).click()
    expect(page.get_by_role("heading", name="ReadFirst 0.1.0")).to_be_visible()
    expect(page.get_by_text("Upload files")).to_be_visible()
    assert faults_in_each_look(page, 390, 1440) == []
    page.locator("#operations-worklist-getWorklist").get_by_text("/api/v1/worklist").click()
    operation = page.locator("#operations-worklist-getWorklist")
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text("study_instance_uid")


def test_nobody_sees_it_before_the_log_in(site: Site, page: Page) -> None:
    add_people(site)
    page.goto("/api/v1/docs")
    expect(page).to_have_url(f"{site.address}/login?next=%2Fapi%2Fv1%2Fdocs")
