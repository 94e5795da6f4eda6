"""The first pages of tests share one window: none of them sees what another left there."""

import json
from typing import Any

import pytest

from tests.browser.conftest import NewPage
from tests.browser.site import Site
from tests.browser.tabs import Tabs, Windows

LEAVE = """async () => {
    localStorage.setItem("a", "1");
    document.cookie = "b=2; path=/; max-age=1000";
    await caches.open("c");
    indexedDB.open("d");
    return 0;
}"""
LEFT = """async () => JSON.stringify([
    localStorage.length, document.cookie, await caches.keys(),
    (await indexedDB.databases()).map((database) => database.name),
    typeof added, matchMedia("(prefers-color-scheme: dark)").matches, innerWidth,
    Math.abs(Date.now() - performance.timeOrigin - performance.now()) < 3_600_000,
])"""
NOTHING = [0, "", [], [], "undefined", False, 1400, True]


def left(tabs: Tabs) -> Any:
    page = tabs.open()
    page.goto("/healthz")
    answer = json.loads(page.evaluate(LEFT))
    tabs.close()
    return answer


def test_nothing_of_a_tab_is_in_the_next(site: Site, tabs: Tabs) -> None:
    page = tabs.open(color_scheme="dark", viewport={"width": 400, "height": 800})
    page.add_init_script("globalThis.added = true")
    page.route("**/healthz", lambda route: route.continue_())
    page.goto("/healthz")
    page.evaluate(LEAVE)
    assert json.loads(page.evaluate(LEFT)) != NOTHING
    with page.context.expect_page():
        page.evaluate("open('/healthz')")
    assert len(page.context.pages) == 3
    tabs.close()
    assert left(tabs) == NOTHING


@pytest.mark.parametrize("is_installed", [True, False])
def test_a_clock_that_was_stopped_goes_in_the_next_tab(
    site: Site, tabs: Tabs, is_installed: bool
) -> None:
    for _ in range(2):
        page = tabs.open()
        if is_installed:
            page.clock.install(time=0)
        page.clock.set_fixed_time(0)
        page.goto("/healthz")
        assert page.evaluate("Date.now()") == 0
        tabs.close()
        assert left(tabs) == NOTHING


def test_two_pages_of_a_test_share_no_cookies(site: Site, new_page: NewPage) -> None:
    first, second = new_page(), new_page()
    for page in (first, second):
        page.goto("/healthz")
    first.evaluate(LEAVE)
    assert json.loads(second.evaluate(LEFT)) == NOTHING


def test_a_window_is_of_one_page_at_a_time_and_of_its_options(windows: Windows) -> None:
    taken = [windows.take(), windows.take(), windows.take(is_mobile=True)]
    assert len(set(map(id, taken))) == 3
    windows.close()
    assert [windows.take(), windows.take(), windows.take(is_mobile=True)] == taken
    assert windows.take(permissions=["notifications"]) is None
    windows.close()
