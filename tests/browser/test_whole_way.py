"""The whole way with a person before it: real processes, a real film, a real browser."""

import io
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from models.manifest import shipped_version
from readfirst.samples import FOLDER, sample_files
from tests.browser.conftest import PICTURES, NewPage, Picture
from tests.browser.page_monitor import PageMonitor, log_in
from tests.browser.site import PASSWORD
from tests.support.environments import clean_environment
from tests.support.stack import page_address, run_here, running, scored, wait_for
from tests.support.waiting import LONG_TIMEOUT

#: Are there before: films of each kind, flagged and not; all samples for pictures of the documents.
FEW = ("study-01.dcm", "study-02.dcm", "study-05.dcm", "film-01.jpg", "film-05.png")
#: Drops while somebody looks.
LATE = FOLDER / "study-04.dcm"
#: Milliseconds in which a film is scored and on the page.
SOON = round(1000 * LONG_TIMEOUT)

#: Pictures of the list as others see it.
APART: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 400, "height": 800}},
}


@dataclass(frozen=True)
class Stack:
    """Everything that `readfirst up` starts."""

    address: str
    home: Path
    environment: dict[str, str]

    def drop(self, *films: Path) -> None:
        """Copy films into the inbox, as a modality would."""
        for film in films:
            shutil.copy(film, self.home / "inbox")


@pytest.fixture
def early() -> list[Path]:
    """The films that are there before."""
    films = [film for film in sample_files() if film != LATE]
    return films if PICTURES in os.environ else [film for film in films if film.name in FEW]


@pytest.fixture
def site(tmp_path: Path, early: list[Path]) -> Iterator[Stack]:
    """In place of the site without workers: the whole of it, with a reader and a lead."""
    home = tmp_path / "home"
    environment = clean_environment() | {
        "READFIRST_HOME": str(home),
        "READFIRST_DATABASE_URL": f"sqlite:///{home / 'readfirst.db'}",
        "READFIRST_PORT": "0",
        "READFIRST_SETTLE_SECONDS": "0.2",
        "READFIRST_QUIET_SECONDS": "1",
        "READFIRST_SWEEP_SECONDS": "2",
        "READFIRST_PRIOR_AFTER_DAYS": "0",
        "READFIRST_DECODE_SECONDS": "120",
    }
    (home / "inbox").mkdir(parents=True)
    for name in ("reader", "lead"):
        run_here(environment, "accounts", "add", name, "--role", name, stdin=f"{PASSWORD}\n")
    with running([sys.executable, "-m", "readfirst", "up"], environment):
        stack = Stack(page_address(home / "logs" / "page.log"), home, environment)
        stack.drop(*early)
        wait_for(lambda: scored(environment) == len(early), home / "logs")
        yield stack


def screenshot(element: Locator) -> npt.NDArray[np.int16]:
    """The pixels of the screen: (rows, columns, 3)."""
    with Image.open(io.BytesIO(element.screenshot())) as picture:
        return np.asarray(picture.convert("RGB")).astype(np.int16)


def colour(element: Locator) -> float:
    """The share of an element that is not grey."""
    seen = screenshot(element)
    return float(np.mean(seen.max(axis=2) - seen.min(axis=2) > 16))


def drag(page: Page, element: Locator, by: tuple[int, int]) -> None:
    """Press in the middle, move, and let go."""
    box = element.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0], y + by[1], steps=5)
    page.mouse.up()


def look_at_film(page: Page) -> None:
    """See that the film is drawn, windowed by the mouse, and overlaid with its heat map."""
    stage = page.locator("[data-film=stage]")
    expect(page.locator("[data-film=facts]")).not_to_be_empty()
    expect(page.locator("[data-film=message]")).to_be_empty()
    as_sent = screenshot(stage).mean()
    assert as_sent > 10, "a film is shown"
    drag(page, stage, (0, 120))
    assert abs(screenshot(stage).mean() - as_sent) > 5, "dragging changes the level"
    page.keyboard.press("r")
    assert colour(stage) < 0.01

    page.keyboard.press("h")
    expect(page.locator("[data-film=legend-text]")).to_contain_text(
        "Areas that raised the score", timeout=SOON
    )
    strong = colour(stage)
    assert strong > 0.05, "the heat map lies on the film"
    page.get_by_label("Opacity").fill("5")
    assert colour(stage) < strong / 2
    page.get_by_label("Opacity").fill("60")


@pytest.mark.timeout(1800)
def test_a_film_arrives_is_looked_at_and_judged_and_the_lead_sees_it(
    site: Stack, early: list[Path], new_page: NewPage, picture: Picture, monitor: PageMonitor
) -> None:
    studies = len(early) + 1
    page = new_page()
    log_in(page, "reader")
    names = page.locator("tbody .patient .open")
    expect(names).to_have_count(len(early))
    before = page.evaluate("performance.timeOrigin")

    site.drop(LATE)
    row = page.locator("tbody tr", has_text="Esempio, Marco")
    expect(row).to_contain_text("Pneumonia likely", timeout=SOON)
    assert page.evaluate("performance.timeOrigin") == before, "the page was not loaded again"
    picture(page, "worklist")

    # By keys alone: to the row, and into the study.
    for _ in range(studies):
        page.keyboard.press("j")
        if "is-selected" in (row.get_attribute("class") or ""):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Esempio, Marco")).to_be_visible()

    look_at_film(page)
    picture(page, "study")

    page.keyboard.press("a")
    expect(page.locator("#verdict .current-verdict")).to_contain_text("agrees with the AI")
    page.goto("/")
    expect(names).to_have_count(len(early))
    expect(row).to_have_count(0)
    page.goto("/?show=read")
    expect(row).to_have_count(1)

    lead = new_page()
    log_in(lead, "lead")
    lead.get_by_role("link", name="Monitoring").click()
    expect(lead.get_by_role("heading", name=f"{studies} studies")).to_be_visible()
    lead.get_by_role("link", name="Readers", exact=True).click()
    readers = lead.get_by_role("region", name=f"Ensemble {shipped_version()} against readers")
    expect(readers.get_by_role("link", name="1 studies: flagged, pneumonia")).to_be_visible()
    expect(readers.get_by_role("row", name="PPV")).to_contain_text("too few verdicts (1 of 30)")

    for name, options in APART.items():
        other = new_page(**options)
        log_in(other, "reader")
        expect(other.locator("tbody tr")).to_have_count(len(early))
        picture(other, name)
