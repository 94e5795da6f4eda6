"""The list in a real browser: keys, live arrival, filters in the address, a text in none."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.site import Site


def row(page: Page, uid: str) -> Locator:
    return page.locator(f"[id='study-{uid}']")


def test_keys_walk_the_list_and_give_verdicts(site: Site, page: Page) -> None:
    flagged, other = site.study("DEMO-0010"), site.study("DEMO-0016")
    page.goto("/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(row(page, flagged)).to_have_class("flagged is-flagged is-selected")
    page.keyboard.press("a")
    expect(page.locator("#given")).to_contain_text("pneumonia; agrees with the AI.")
    expect(row(page, flagged)).to_have_count(0)
    expect(row(page, other).locator(".open")).to_be_focused()
    page.keyboard.press("z")
    expect(row(page, flagged).locator(".open")).to_be_focused()
