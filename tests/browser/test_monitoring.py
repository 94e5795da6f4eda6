"""The lead's page in a real browser: plots are drawn, redrawn, and told as tables."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from benchmarks.synthetic_history import Weeks, fill_weeks
from models.manifest import SHIPPED, load_manifest, shipped_version
from tests.browser.accessibility import faults_in_each_look
from tests.browser.conftest import NewPage, Picture
from tests.browser.page_monitor import log_in, wait_until
from tests.browser.site import Site, add_people
from tests.support.serving import served
from worker.scoring.ensemble_registry import facts

TODAY = datetime.now(UTC).date()
#: Whether a plot has any pixel of a colour: what is not drawn is transparent.
INKED = """(place) => {
  const canvas = place.querySelector("canvas");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.filter((_, at) => at % 4 === 3).reduce((inked, alpha) => inked + (alpha > 0), 0);
}"""
COLOUR = """(place) => {
  const canvas = place.querySelector("canvas");
  const { width, height } = canvas;
  const seen = new Map();
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  for (let at = 0; at < pixels.length; at += 4) {
    if (pixels[at + 3] < 255) continue;
    const colour = pixels.slice(at, at + 3).join();
    seen.set(colour, (seen.get(colour) ?? 0) + 1);
  }
  return [...seen].sort((a, b) => b[1] - a[1])[0][0];
}"""

#: Cells of the table of a figure, its heads first.
TABLE = """(figure) => [...figure.querySelectorAll("details tr")].map(
  (row) => [...row.cells].map((cell) => cell.textContent))"""
#: What a plot says of the place under the pointer: names and values.
LEGEND = """(figure) => [...figure.querySelectorAll(".u-legend tr:not(.unseen)")].map(
  (row) => [row.cells[0].textContent, row.cells[1].textContent])"""


@pytest.fixture
def weeks(site: Site) -> None:
    """Weeks of a department, behind the films of the site."""
    ensemble = facts(load_manifest(SHIPPED / shipped_version()))
    first = TODAY - timedelta(days=45)
    fill_weeks(site.worker.database, Weeks(first=first, days=45, per_day=24, ensemble=ensemble))


TABS = ("flow", "readers", "drift")


def wait_for_plots(page: Page) -> None:
    plots = page.locator(".plot")
    expect(page.locator(".plot canvas")).to_have_count(plots.count())


@pytest.mark.usefixtures("weeks")
def test_every_plot_is_drawn_and_fits_wide_and_narrow(site: Site, page: Page) -> None:
    number = 0
    for tab in TABS:
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"/watching?tab={tab}")
        wait_for_plots(page)
        for plot in page.locator(".plot").all():
            assert plot.evaluate(INKED) > 500, plot.get_attribute("data-chart")
            number += 1
        fits_narrow(page)
    assert number > 10


PLOTS_FIT = """() => [...document.querySelectorAll(".plot")].every(
  (one) => Math.abs(one.querySelector(".uplot").clientWidth - one.clientWidth) < 2)"""


def fits_narrow(page: Page) -> None:
    """The plots take the room that there is, and nothing leaves the screen."""
    for width in (360, 900):
        page.set_viewport_size({"width": width, "height": 800})
        expect(page.locator(".plot .uplot").first).to_be_visible()
        wait_until(page, lambda: page.evaluate(PLOTS_FIT))
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.usefixtures("weeks")
def test_the_plots_follow_light_and_dark(site: Site, page: Page) -> None:
    page.goto("/watching")
    wait_for_plots(page)
    volumes = page.locator("[data-chart='volumes']")
    light = volumes.evaluate(COLOUR)
    page.emulate_media(color_scheme="dark")
    assert light == "11,90,143"
    wait_until(page, lambda: volumes.evaluate(COLOUR) == "130,196,242")


@pytest.mark.usefixtures("weeks")
def test_the_pointer_reads_what_the_table_says(site: Site, page: Page) -> None:
    for tab in TABS:
        page.goto(f"/watching?tab={tab}")
        wait_for_plots(page)
        _pointer_and_tables_agree(page)


def _pointer_and_tables_agree(page: Page) -> None:
    figures = page.locator(".chart:has(.plot)").all()
    assert figures
    for figure in figures:
        over = figure.locator(".u-over")
        over.scroll_into_view_if_needed()
        box = over.bounding_box()
        assert box is not None
        over.hover(position={"x": box["width"] * 0.6, "y": box["height"] / 2})
        heads, *rows = figure.evaluate(TABLE)
        pointed = dict(figure.evaluate(LEGEND))
        (row,) = [row for row in rows if row[0] == pointed[heads[0]]]
        assert pointed == dict(zip(heads, row, strict=True)), figure.get_attribute("id")


@pytest.mark.usefixtures("weeks")
def test_a_time_is_chosen_and_taken_along_as_csv(site: Site, page: Page) -> None:
    page.goto("/watching")
    first = TODAY - timedelta(days=20)
    page.get_by_label("From", exact=True).fill(str(first))
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(f"{site.address}/watching?tab=flow&from={first}&to={TODAY}")
    with page.expect_download() as download:
        page.locator("#figure-volumes .csv").click()
    lines = download.value.path().read_text().splitlines()
    assert (len(lines), lines[1].split(",")[0]) == (22, str(first))
    page.get_by_role("link", name="3 months").click()
    expect(page.locator(".period-note")).to_contain_text("by week")


def test_readers_are_not_shown_the_way_and_leads_are(site: Site, new_page: NewPage) -> None:
    add_people(site)
    reader, lead = new_page(), new_page()
    log_in(reader, "reader")
    expect(reader.get_by_role("link", name="Monitoring")).to_have_count(0)
    log_in(lead, "lead")
    lead.get_by_role("link", name="Monitoring").click()
    expect(lead.get_by_role("heading", name="Monitoring")).to_be_visible()


@pytest.mark.usefixtures("weeks")
def test_axe_finds_no_grave_fault(site: Site, page: Page, picture: Picture) -> None:
    # The films of the weeks show pneumonia as often as this site says.
    settings = site.settings.model_copy(update={"prevalence": 0.2})
    with served(settings) as (address, _):
        for tab in (*TABS, "alerts"):
            page.goto(f"{address}/watching?tab={tab}")
            wait_for_plots(page)
            if tab == "flow":
                picture(page, "watching")
            for summary in page.locator("#figure-volumes summary, #figure-to-read summary").all():
                summary.click()
            assert faults_in_each_look(page) == []


@pytest.mark.usefixtures("weeks")
def test_false_positives_are_a_click_away(site: Site, page: Page) -> None:
    page.goto("/watching?tab=readers")
    flagged = page.locator(".findings tbody tr").first
    number = flagged.locator("a").nth(1)
    count = int(number.evaluate("(link) => link.firstChild.textContent"))
    assert 0 < count <= 50
    number.click()
    expect(page.locator("table.studies tbody tr")).to_have_count(count)
    chosen = page.get_by_role("link", name="flagged, but no pneumonia")
    expect(chosen).to_contain_text("by ensemble")
    chosen.click()
    expect(page.get_by_role("link", name="flagged, but no pneumonia")).to_have_count(0)
    assert "agreement" not in page.url


@pytest.mark.usefixtures("weeks")
def test_the_parts_keep_the_time_that_was_chosen(site: Site, page: Page) -> None:
    first = TODAY - timedelta(days=6)
    page.goto(f"/watching?from={first}&to={TODAY}")
    parts = page.get_by_role("navigation", name="Parts of the monitoring")
    parts.get_by_role("link", name="Drift").click()
    expect(page.get_by_role("heading", name="Drift")).to_be_visible()
    expect(page.get_by_label("From", exact=True)).to_have_value(str(first))
    expect(page.locator(".status-line")).to_contain_text("alert", ignore_case=True)
