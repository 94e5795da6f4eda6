"""Waiting times in a browser: for the first row, and for the answer to a key or a click."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks.worklist.seed_data import UNREAD, digest
from readfirst.derived_images import DerivedImages
from readfirst.settings import Settings

#: How often each thing is done.
TIMES = 20
#: Seconds that the server has to start.
PATIENCE = 60.0
ROW = "tbody tr[data-uid]"
#: `painted` calls back once the screen shows what holds; times are in milliseconds since 1970.
SCRIPT = """
const now = () => performance.timeOrigin + performance.now();
window.painted = (holds) => new Promise((done) => {
  const look = () => {
    if (!holds()) return requestAnimationFrame(look);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(now());
    port2.postMessage(null);
  };
  requestAnimationFrame(look);
});
window.firstRow = painted(() => document.querySelector("tbody tr[data-uid]"));
for (const type of ["keydown", "click"]) {
  addEventListener(type, (event) => {
    sessionStorage.setItem("begun", performance.timeOrigin + event.timeStamp);
  }, { capture: true });
}
window.since = (end) => end - Number(sessionStorage.getItem("begun"));
"""


@dataclass(frozen=True, slots=True)
class Waited:
    """Milliseconds that somebody waited for one thing."""

    studies: int
    what: str
    median: float
    most: float
    #: The 95th percentile.
    p95: float


def looked_at(browser: Browser, url: str, studies: int) -> list[Waited]:
    """Do what a reader does, before a server in a process of its own."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        _draw_thumbnails(settings, studies)
        with _serving(settings, url) as address:
            page = browser.new_page(viewport={"width": 1400, "height": 900}, base_url=address)
            page.add_init_script(SCRIPT)
            page.goto("/")
            waited = [
                _waited(studies, what, [do(page) for _ in range(TIMES)])
                for what, do in DOINGS.items()
            ]
            page.close()
    return waited


def _first_row(page: Page) -> float:
    page.goto("/")
    return float(page.evaluate("firstRow.then((at) => at - performance.timeOrigin)"))


def _key(key: str, holds: str) -> Callable[[Page], float]:
    """Press a key, until it holds that …; `before` is the row that was selected."""

    def press(page: Page) -> float:
        page.evaluate(
            f"""() => {{
              const before = document.querySelector("tr.is-selected");
              window.answered = painted(() => {holds});
            }}"""
        )
        page.keyboard.press(key)
        return float(page.evaluate("answered.then(since)"))

    return press


def _filter(page: Page) -> float:
    with page.expect_navigation():
        page.get_by_role("link", name="Flagged", exact=True).click()
    return float(page.evaluate("firstRow.then(since)"))


def _study(page: Page) -> float:
    page.goto("/")
    page.keyboard.press("j")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    script = 'painted(() => document.querySelector("#verdict button")).then(since)'
    return float(page.evaluate(script))


#: In this order; the list is the one that the thing before left.
DOINGS: dict[str, Callable[[Page], float]] = {
    "first row, from the address": _first_row,
    "`j`, until the next row is selected": _key(
        "j", 'document.querySelector("tr.is-selected") !== before'
    ),
    "`a`, until the verdict is taken and the next row is selected": _key(
        "a", 'document.querySelector("tr.is-selected") !== before'
    ),
    "a filter, until its first row": _filter,
    "Enter, until the study can be judged": _study,
}


def _waited(studies: int, what: str, took: Sequence[float]) -> Waited:
    # The first one fills caches.
    middle, high = np.percentile(took[1:], (50, 95))
    return Waited(studies, what, float(middle), max(took[1:]), float(high))


def _draw_thumbnails(settings: Settings, studies: int) -> None:
    """Draw a picture for every study that is unread: the rest is not looked at."""
    prepared = DerivedImages(settings.prepared_path)
    grey = np.random.default_rng(0).normal(110, 40, (64, 64)).clip(0, 255).astype(np.uint8)
    drawn = Image.fromarray(grey).resize((256, 256))
    first = Path(settings.home) / "thumbnail.png"
    drawn.save(first)
    for number in range(studies - UNREAD, studies + 1):
        path = prepared.thumbnail(digest(number))
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(first, path)


@contextmanager
def _serving(settings: Settings, url: str) -> Iterator[str]:
    own = {"READFIRST_HOME": str(settings.home), "READFIRST_DATABASE_URL": url}
    command = [sys.executable, "-m", "readfirst", "serve", "--port", "0"]
    log = settings.home_path / "serve.log"
    with log.open("w") as lines:
        server = subprocess.Popen(command, env=os.environ | own, stderr=lines)
    try:
        address = _page_address(log)
        # It listens already, and answers once it has started.
        urlopen(f"{address}/healthz", timeout=PATIENCE).close()  # noqa: S310 - our own server
        yield address
    finally:
        server.terminate()
        server.wait()


def _page_address(log: Path) -> str:
    """The address that the server writes to its log once it listens."""
    end = time.monotonic() + PATIENCE
    while not (notice := re.search(r"The page is at (\S+)/$", log.read_text(), re.MULTILINE)):
        if time.monotonic() > end:
            raise TimeoutError(log.read_text())
        time.sleep(0.1)
    return notice[1]
