"""Density, colours and waiting times of the list, with values of a real department."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import faults_in_each_look
from tests.browser.conftest import NewPage
from tests.browser.crowd import crowd
from tests.browser.site import Site

DESK = {"width": 1440, "height": 900}
WIDTHS = """() => [...document.querySelectorAll("table.studies thead th")]
  .map((cell) => cell.getBoundingClientRect().width)"""
WHOLE_ROWS = """() => [...document.querySelectorAll("tr[data-uid]")].filter((row) => {
  const { top, bottom } = row.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}).length"""


def make_compact(page: Page) -> None:
    page.goto("/")
    page.locator("summary", has_text="View").click()
    page.get_by_label("Compact rows").check()
    page.keyboard.press("Escape")


def box(locator: Locator) -> Any:
    return locator.bounding_box()


def test_twenty_rows_stand_on_a_screen_of_900_lines(site: Site, new_page: NewPage) -> None:
    crowd(site)
    page = new_page(viewport=DESK)
    make_compact(page)
    page.reload()
    expect(page.locator("html")).to_have_class("compact")
    assert page.evaluate(WHOLE_ROWS) >= 20
    heights = {box(each)["height"] for each in page.locator("tr[data-uid]").all()[:25]}
    assert all(32 <= height <= 36 for height in heights), heights
    assert box(page.locator(".film img, .film .no-film").first)["height"] == 24
    assert page.evaluate("document.documentElement.scrollWidth") <= DESK["width"]
    page.locator("summary", has_text="View").click()
    page.get_by_label("Compact rows").uncheck()
    page.reload()
    assert page.evaluate(WHOLE_ROWS) < 16


def test_a_compact_row_says_only_what_adds_and_all_of_it_under_the_keys(
    site: Site, new_page: NewPage
) -> None:
    crowd(site, 12)
    page = new_page(viewport=DESK)
    make_compact(page)
    flagged = page.locator("tr.is-flagged[data-standing=flagged]:not(.is-marked)").first
    marked = page.locator("tr.is-marked:not(.is-flagged)").first
    plain = flagged.locator(".sentence")
    # For screen readers it stands there at any time.
    expect(plain).to_have_text(re.compile(r"AI > 99 % \(threshold \d\d %\)\."))
    assert box(plain)["width"] <= 1
    assert box(marked.locator(".sentence"))["width"] > 100
    before = [box(row)["y"] for row in page.locator("tr[data-uid]").all()]
    flagged.locator(".open").focus()
    assert box(plain)["width"] > 100
    marked.hover()
    assert [box(row)["y"] for row in page.locator("tr[data-uid]").all()] == before
    assert faults_in_each_look(page) == []


@pytest.mark.parametrize("density", ["compact", ""])
def test_no_filter_moves_a_column(site: Site, new_page: NewPage, density: str) -> None:
    crowd(site, 12)
    page = new_page(viewport=DESK)
    if density:
        make_compact(page)
    widths = []
    for path in ("/", "/?refused=true", "/?flagged=true", "/?sort=probability", "/?show=all"):
        page.goto(path)
        widths.append(page.evaluate(WIDTHS))
    assert all(each == widths[0] for each in widths), widths


def test_a_waiting_time_turns_with_the_longest_wait(site: Site, new_page: NewPage) -> None:
    crowd(site, 18)
    page = new_page(viewport=DESK)
    page.goto("/")
    levels = page.locator("td.waiting time").evaluate_all(
        "all => all.map(time => [time.dateTime, time.dataset.level])"
    )
    by_age = [level for _, level in sorted(levels)]
    # Half an hour after another: 9 h to 8 h, to 6 h, and less, with the seeded ones last.
    assert by_age[:7] == ["over"] * 3 + ["soon"] * 4
    assert set(by_age[7:]) == {""}
    late = page.locator("td.waiting", has=page.locator("[data-level=over]")).first
    expect(late).to_contain_text("over the maximum wait")
    page.clock.install()
    page.goto("/")
    page.clock.fast_forward("45:00")
    assert page.locator("[data-level=over]").count() > 3
    assert page.evaluate(
        "async (all) => { const { waitLevel } = await import('/static/worklist/clock.js');"
        "return all.map((seconds) => waitLevel(seconds, 28800)); }",
        [0, 21_599, 21_600, 28_800],
    ) == ["", "", "soon", "over"]


def test_amber_is_for_warnings_alone(site: Site, page: Page) -> None:
    crowd(site, 6)
    page.goto("/?sort=probability")
    amber = page.evaluate(
        """() => {
          const probe = document.createElement("i");
          probe.className = "sentence warning";
          document.querySelector(".sentences").append(probe);
          const { color } = getComputedStyle(probe);
          probe.remove();
          return color;
        }"""
    )
    for selector in (".label.of-marked", ".counts .order", "#group-scored th"):
        assert page.locator(selector).first.evaluate("e => getComputedStyle(e).color") != amber
    expect(page.locator(".label.of-marked").first).to_have_css("border-top-style", "solid")
