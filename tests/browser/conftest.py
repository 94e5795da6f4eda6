"""A real browser before the real application: Chromium, uvicorn, SQLite, films.

How to write a test (`tests/browser/test_<feature>.py`)::

    from playwright.sync_api import Page, expect
    from tests.browser.page_monitor import log_in
    from tests.browser.site import LATER, Site, add_people

    def test_a_film_that_arrives_slides_in(site: Site, page: Page) -> None:
        page.goto("/")                                # relative to the site's address
        uid = site.arrive(LATER[0], probability=0.9)  # intake, prepare and score, for real
        expect(page.locator(f"[id='study-{uid}']")).to_be_visible()

`site`: nine scored films, one refused; each test has its own copy. Nobody has to log in until
    `add_people(site)`; then `log_in(page, "reader")`, `"lead"` or `"admin"`.
    `site.worker` is what a worker holds, for steps that a test takes itself;
    `site.study("DEMO-0010")` is the Study Instance UID of a patient.
`page`: 1400 x 900, light. The test fails if the page logs an error or a warning, breaks the
    Content-Security-Policy, or asks another machine. `monitor.expect("401")` lets pass what is
    meant.
`new_page(color_scheme="dark", viewport={"width": 400, "height": 800})`: further pages, each with
    cookies of its own, watched in the same way. They are quick where tabs.py keeps
    windows with such options.
`faults(page)` of tests/browser/accessibility.py: what axe finds; assert that it is [].
    `faults_in_each_look(page, 390, 1440)`: in light and dark, and in windows of these widths.
`picture(page, "study")`: docs/study.png, written only by `make pictures`.

No asyncio in these tests: Playwright's own loop runs in their thread.
"""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from benchmarks.browser import CHROMIUM, WHOLE_CHROMIUM
from ingest.reader.reader_process import Reader
from tests.browser.page_monitor import PageMonitor
from tests.browser.site import Site, a_site, seed
from tests.browser.tabs import DESK, OF_PAGES, Tabs, Windows
from tests.fixtures.shared_reader import shared_reader  # noqa: F401
from tests.support import waiting
from tests.support.requirements import require
from tests.support.serving import served

#: Names the folder, from that of the project, for pictures that somebody wants anew.
PICTURES = "READFIRST_SCREENSHOTS"
#: Milliseconds for what must come to hold.
TIMEOUT = round(1000 * waiting.TIMEOUT)
#: Nothing here needs the network, and Chromium is not to try.
ARGUMENTS = [
    "--disable-gpu", "--disable-quic", "--disable-sync", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    # All pages are of this machine: a new one needs no other process once it has an address.
    "--disable-site-isolation-trials", "--renderer-process-limit=1",
    # Nor is anything to be drawn around it: tabs, an address, a toolbar.
    "--kiosk",
]  # fmt: skip
#: Chromium's own sandbox cannot be had by root.
AS_ROOT = ["--no-sandbox"] if os.geteuid() == 0 else []


class NewPage(Protocol):
    """Opens a watched page; takes what `Browser.new_context` does."""

    def __call__(self, **options: Any) -> Page: ...


class Picture(Protocol):
    """Takes a picture of a page for the documents, if somebody wants them anew."""

    def __call__(self, page: Page, name: str) -> None: ...


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Playwright for all tests of this folder, gone before the next: its loop shuts out others."""
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser for all tests of this folder."""
    require("chromium", CHROMIUM is not None)
    with playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS + AS_ROOT) as launched:
        yield launched


@pytest.fixture(scope="module")
def whole_browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser that can be permitted to notify people."""
    require("whole chromium", WHOLE_CHROMIUM is not None)
    program, arguments = WHOLE_CHROMIUM, ARGUMENTS + AS_ROOT
    with playwright.chromium.launch(executable_path=program, args=arguments) as launched:
        yield launched


@pytest.fixture(scope="session")
def seeded_home(tmp_path_factory: pytest.TempPathFactory, reader: Reader) -> Path:
    """A home with films, made once."""
    home = tmp_path_factory.mktemp("seeded") / "home"
    with a_site(home, reader) as site:
        seed(site)
    return home


@pytest.fixture(scope="package")
def port() -> Iterator[socket.socket]:
    """The port of all sites, the same for all tests: the browser has their scripts already."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


@pytest.fixture
def site(
    seeded_home: Path,
    reader: Reader,
    shared_reader: None,  # noqa: F811
    port: socket.socket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """A site of the test's own, served."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(seeded_home, tmp_path / "home")
    with a_site(tmp_path / "home", reader) as made, served(made.settings, port) as (address, _):
        yield replace(made, address=address)


@pytest.fixture
def monitor() -> Iterator[PageMonitor]:
    """Monitors the pages of this test; problems that it does not expect fail it."""
    monitor = PageMonitor()
    yield monitor
    assert monitor.unexpected() == []


@pytest.fixture(scope="package")
def windows(browser: Browser, port: socket.socket) -> Windows:
    """The windows of the browser in which tests open their pages."""
    return Windows(browser, f"http://127.0.0.1:{port.getsockname()[1]}")


@pytest.fixture
def tabs(windows: Windows) -> Iterator[Tabs]:
    """A window of the browser in which tests open their first page."""
    taken = windows.take()
    assert taken is not None
    yield taken
    windows.close()


@pytest.fixture
def new_page(
    browser: Browser, windows: Windows, site: Site, monitor: PageMonitor
) -> Iterator[NewPage]:
    """Opens pages of this site, each with cookies of its own."""
    with ExitStack() as opened:
        opened.callback(windows.close)

        def new(**options: Any) -> Page:
            of_page = {name: options[name] for name in options.keys() & OF_PAGES}
            of_window = {name: options[name] for name in options.keys() - OF_PAGES}
            if site.address == windows.address and (window := windows.take(**of_window)):
                page = window.open(**of_page)
            else:
                chosen = {"viewport": DESK, "base_url": site.address} | options
                page = opened.enter_context(browser.new_context(**chosen)).new_page()
            page.set_default_timeout(TIMEOUT)
            monitor.watch(page)
            return page

        yield new


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A page of this site."""
    return new_page()


@pytest.fixture
def permitted_page(whole_browser: Browser, site: Site, monitor: PageMonitor) -> Iterator[Page]:
    """A page of this site that may show notifications."""
    with whole_browser.new_context(
        base_url=site.address, viewport=DESK, permissions=["notifications"]
    ) as context:
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        monitor.watch(page)
        yield page


@pytest.fixture
def picture() -> Picture:
    """Pictures for the documents."""
    folder = os.environ.get(PICTURES)

    def take(page: Page, name: str) -> None:
        if folder:
            page.screenshot(path=Path(__file__).parents[2] / folder / f"{name}.png")

    return take
