"""The real OHIF opens a study from ReadFirst, from an address of its own."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image as PillowImage
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from ingest.reader.reader_process import Reader
from tests.browser.conftest import TIMEOUT
from tests.browser.ohif import ohif_server
from tests.browser.page_monitor import wait_until
from tests.browser.site import Site, a_site
from tests.support.serving import served

#: OHIF's own tour of itself has been taken.
NO_TOUR = "localStorage.setItem('shownTours', JSON.stringify(['basicViewerTour']))"


@pytest.fixture(scope="module")
def viewed_site(
    seeded_home: Path, reader: Reader, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site that these tests only read."""
    home = tmp_path_factory.mktemp("viewed") / "home"
    shutil.copytree(seeded_home, home)
    with a_site(home, reader) as site:
        yield site


@pytest.fixture(scope="module")
def ohif(viewed_site: Site, browser: Browser) -> Iterator[BrowserContext]:
    """Opens pages of OHIF; the browser loads its scripts once for all of them."""
    with ohif_server() as server:
        settings = viewed_site.settings.model_copy(update={"dicomweb_origins": (server.origin,)})
        with served(settings) as (address, _):
            server.configure(address)
            viewport: Any = {"width": 1440, "height": 900}
            with browser.new_context(viewport=viewport, base_url=server.origin) as context:
                context.set_default_timeout(TIMEOUT)
                context.add_init_script(NO_TOUR)
                yield context


@pytest.fixture
def viewer(ohif: BrowserContext) -> Iterator[Page]:
    """A page of OHIF, which asks ReadFirst alone."""
    requests: list[Request] = []

    def remember(request: Request) -> None:
        requests.append(request)

    ohif.on("request", remember)
    page = ohif.new_page()
    yield page
    page.close()
    ohif.remove_listener("request", remember)
    hosts = {urlsplit(each.url).hostname for each in requests if not each.url.startswith("data:")}
    assert hosts - {None, ""} == {"127.0.0.1"}


def shades(page: Page) -> float:
    """The spread of the greys of the film on the screen; 0 for a blank one."""
    canvas = page.locator("canvas.cornerstone-canvas")
    if canvas.count() == 0:
        return 0
    picture = PillowImage.open(io.BytesIO(canvas.first.screenshot()))
    return float(np.asarray(picture.convert("L")).std())


def test_a_study_is_chosen_in_the_list_and_opens_with_its_report(
    viewed_site: Site, viewer: Page
) -> None:
    viewer.goto("/")
    rows = viewer.get_by_role("row").filter(has_text="Chest AP")
    expect(rows).to_have_count(7)
    # The first field is that of the patient, and the words are searched for by ReadFirst.
    viewer.locator("input").first.fill("beispiel")
    expect(rows).to_have_count(1)
    rows.dblclick()
    viewer.wait_for_url(f"**/viewer?StudyInstanceUIDs={viewed_site.study('DEMO-0010')}*")
    expect(viewer.get_by_text("ReadFirst AI result")).to_be_visible()
    expect(viewer.get_by_text("ReadFirst AI flag")).to_be_visible()
    wait_until(viewer, lambda: shades(viewer) > 20)
    report = viewer.locator("[data-cy^=study-browser-thumbnail]").filter(has_text="AI result")
    report.hover()
    report.get_by_role("button").last.click()
    viewer.get_by_text("Tag Browser").first.click()
    expect(viewer.get_by_role("dialog")).to_contain_text("1.2.840.10008.5.1.4.1.1.88.33")


def test_a_study_that_is_not_flagged_opens_without_a_flag(viewed_site: Site, viewer: Page) -> None:
    viewer.goto(f"/viewer?StudyInstanceUIDs={viewed_site.study('DEMO-0009')}")
    expect(viewer.get_by_text("ReadFirst AI result")).to_be_visible()
    wait_until(viewer, lambda: shades(viewer) > 20)
    expect(viewer.get_by_text("ReadFirst AI flag")).to_have_count(0)
