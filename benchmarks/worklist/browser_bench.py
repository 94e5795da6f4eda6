"""Waiting times in a browser: for the first row, and for the answer to a key or a click."""

import os
import shutil
import socket
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
from ingest.inbox.store import Store
from readfirst.derived_images import DerivedImages
from readfirst.samples import FOLDER
from readfirst.settings import Settings

ROOT = Path(__file__).parents[2]
#: How often each thing is done.
TIMES = 20
#: Seconds that the server has to start.
PATIENCE = 60.0
ROW = "tbody tr[data-uid]"
#: `painted` calls back once the screen shows what holds, and fails where it does not in 30 seconds.
#: Times are in milliseconds since 1970.
SCRIPT = """
const now = () => performance.timeOrigin + performance.now();
window.painted = (holds, seconds = 30) => new Promise((done, failed) => {
  const end = now() + 1000 * seconds;
  const look = () => {
    if (!holds()) {
      if (now() < end) return requestAnimationFrame(look);
      return failed(new Error(`Not on ${location.pathname} after ${seconds} s: ${holds}`));
    }
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
        lay_films(settings, studies)
        with serving(settings, url) as address:
            page = new_page(browser, address)
            waited = [
                _waited(studies, what, [do(page) for _ in range(TIMES)])
                for what, do in DOINGS.items()
            ]
            page.close()
    return waited


def new_page(browser: Browser, address: str) -> Page:
    """Open the list of a server, on a page that takes its times."""
    page = browser.new_page(viewport={"width": 1400, "height": 900}, base_url=address)
    page.add_init_script(SCRIPT)
    page.goto("/")
    return page


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


def _open_first(page: Page, address: str = "/") -> None:
    page.goto(address)
    page.keyboard.press("j")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _study(page: Page) -> float:
    _open_first(page)
    script = 'painted(() => document.querySelector("#verdict button")).then(since)'
    return float(page.evaluate(script))


def _verdict(page: Page) -> float:
    # There is nothing to agree with where a score is in doubt, as that of most others here.
    _open_first(page, "/?flagged=true")
    # Earlier releases take a verdict of a film that is not displayed, and have no such field.
    page.wait_for_function(
        """() => {
          const needsFilm = document.querySelector("#verdict [name=displayed]");
          const facts = document.querySelector('[data-film="facts"]').textContent;
          const { film } = document.querySelector("main").dataset;
          return facts.includes("%") && (!needsFilm || film === "displayed");
        }"""
    )
    page.evaluate(
        """() => {
          const number = () => document.querySelector("#verdict")?.dataset.verdicts;
          const before = number();
          window.answered = painted(() => ![undefined, before].includes(number()));
        }"""
    )
    page.keyboard.press("a")
    return float(page.evaluate("answered.then(since)"))


#: In this order; the list is the one that the thing before left.
DOINGS: dict[str, Callable[[Page], float]] = {
    "first row, from the address": _first_row,
    "`j`, until the next row is selected": _key(
        "j", 'document.querySelector("tr.is-selected") !== before'
    ),
    "a filter, until its first row": _filter,
    "Enter, until the study can be judged": _study,
    "`a` on its page, until the verdict stands there": _verdict,
}


def _waited(studies: int, what: str, took: Sequence[float]) -> Waited:
    # The first one fills caches.
    middle, high = np.percentile(took[1:], (50, 95))
    return Waited(studies, what, float(middle), max(took[1:]), float(high))


def lay_films(settings: Settings, studies: int) -> None:
    """Give a film, and a picture of it, to every study that is unread: no other is looked at."""
    settings.home_path.mkdir(exist_ok=True)
    store, derived = Store(settings.store_path), DerivedImages(settings.prepared_path)
    grey = np.random.default_rng(0).normal(110, 40, (64, 64)).clip(0, 255).astype(np.uint8)
    picture, film = settings.home_path / "thumbnail.png", settings.home_path / "film.dcm"
    Image.fromarray(grey).resize((256, 256)).save(picture)
    shutil.copyfile(FOLDER / "study-02.dcm", film)
    for number in range(studies - UNREAD, studies + 1):
        sha256 = digest(number)
        for path, file in ((derived.thumbnail(sha256), picture), (store.path(sha256), film)):
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, path)


@contextmanager
def serving(settings: Settings, url: str, tree: Path = ROOT) -> Iterator[str]:
    """Serve the pages of a database by a tree's own code. Yields the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {
        "READFIRST_HOME": str(settings.home),
        "READFIRST_DATABASE_URL": url,
        "PYTHONPATH": str(tree),
    }
    command = [sys.executable, "-m", "readfirst", "serve", "--port", str(port)]
    log = settings.home_path / "serve.log"
    with log.open("w") as lines:
        server = subprocess.Popen(command, env=os.environ | own, stderr=lines, cwd=tree)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/healthz", log)
        yield address
    finally:
        server.terminate()
        server.wait()


def _wait_for(address: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            urlopen(address, timeout=PATIENCE).close()  # noqa: S310 - our own server
        except OSError as error:
            if time.monotonic() > end:
                raise TimeoutError(log.read_text()) from error
            time.sleep(0.1)
        else:
            return
