"""The lead's page in a real browser: plots are drawn, redrawn, and told as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from benchmarks.weeks import Weeks, fill_weeks
from db.ensembles import EnsembleFacts
from models.manifest import SHIPPED, load_manifest, shipped_version
from tests.browser.accessibility import faults
from tests.browser.conftest import NewPage, Picture
from tests.browser.seeing import log_in
from tests.browser.site import Site, add_people
from tests.worklist.serving import served

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


@pytest.fixture
def weeks(site: Site) -> None:
    """Weeks of a department, behind the films of the site."""
    manifest = load_manifest(SHIPPED / shipped_version())
    ensemble = EnsembleFacts(
        manifest.version, manifest.threshold, manifest.preprocessing_version, manifest.prevalence
    )
    first = TODAY - timedelta(days=45)
    fill_weeks(site.resources.database, Weeks(first=first, days=45, per_day=24, ensemble=ensemble))


def wait_for_plots(page: Page) -> None:
    plots = page.locator(".plot")
    expect(page.locator(".plot canvas")).to_have_count(plots.count())


@pytest.mark.usefixtures("weeks")
def test_every_plot_is_drawn_and_fits_wide_and_narrow(site: Site, page: Page) -> None:
    page.goto("/watching")
    wait_for_plots(page)
    places = page.locator(".plot").all()
    assert len(places) > 10
    for place in places:
        assert place.evaluate(INKED) > 500, place.get_attribute("data-chart")
    for width in (400, 900):
        page.set_viewport_size({"width": width, "height": 800})
        expect(page.locator(".plot .uplot").first).to_be_visible()
        page.wait_for_function(
            "[...document.querySelectorAll('.plot')].every("
            "(one) => Math.abs(one.querySelector('.uplot').clientWidth - one.clientWidth) < 2)"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.usefixtures("weeks")
def test_the_plots_follow_light_and_dark(site: Site, page: Page) -> None:
    page.goto("/watching")
    wait_for_plots(page)
    volumes = page.locator("[data-chart='volumes']")
    light = volumes.evaluate(COLOUR)
    page.emulate_media(color_scheme="dark")
    expect(volumes.locator("canvas")).to_have_count(1)
    assert (light, volumes.evaluate(COLOUR)) == ("11,90,143", "130,196,242")


@pytest.mark.usefixtures("weeks")
def test_the_pointer_reads_a_day_and_the_table_says_the_same(site: Site, page: Page) -> None:
    page.goto("/watching")
    wait_for_plots(page)
    figure = page.locator("#figure-volumes")
    figure.get_by_text("Figures").click()
    row = figure.locator("tbody tr").nth(3)
    day, scored = row.locator("th").inner_text(), row.locator("td").first.inner_text()
    over = figure.locator(".u-over")
    box = over.bounding_box()
    assert box is not None
    # The fourth of 28 places, of which each side has a half more.
    over.hover(position={"x": box["width"] * 3.6 / 28.2, "y": box["height"] / 2})
    legend = figure.locator(".u-legend")
    expect(legend).to_contain_text(day)
    expect(legend.locator("tr", has_text="Scored").first).to_contain_text(scored)


@pytest.mark.usefixtures("weeks")
def test_a_time_is_chosen_and_taken_along_as_csv(site: Site, page: Page) -> None:
    page.goto("/watching")
    first = TODAY - timedelta(days=20)
    page.get_by_label("From", exact=True).fill(str(first))
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(f"{site.address}/watching?from={first}&to={TODAY}")
    with page.expect_download() as download:
        page.locator("#figure-volumes .csv").click()
    lines = download.value.path().read_text().splitlines()
    assert (len(lines), lines[1].split(",")[0]) == (22, str(first))
    page.get_by_role("link", name="3 months").click()
    expect(page.locator(".counted")).to_contain_text("by week")


def test_readers_are_not_shown_the_way_and_leads_are(site: Site, new_page: NewPage) -> None:
    add_people(site)
    reader, lead = new_page(), new_page()
    log_in(reader, "reader")
    expect(reader.get_by_role("link", name="Watching")).to_have_count(0)
    log_in(lead, "lead")
    lead.get_by_role("link", name="Watching").click()
    expect(lead.get_by_role("heading", name="Watching the AI")).to_be_visible()


@pytest.mark.usefixtures("weeks")
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_no_grave_fault(
    site: Site, new_page: NewPage, colours: Any, picture: Picture
) -> None:
    page = new_page(color_scheme=colours)
    # The films of the weeks show pneumonia as often as this site says.
    told = site.settings.model_copy(update={"prevalence": 0.2})
    with served(told) as (address, _):
        page.goto(f"{address}/watching")
        wait_for_plots(page)
        if colours == "light":
            picture(page, "watching")
        for summary in page.locator("#figure-volumes summary, #figure-to-read summary").all():
            summary.click()
        assert faults(page) == []
