"""Films side by side: the opened study first, earlier ones beside it, zoomed together."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Locator, Page, expect
from pydicom.uid import generate_uid

from db.verdicts import all_verdicts
from ingest.reader.reader_process import Reader
from readfirst.samples import FOLDER
from readfirst.studies.findings import Finding
from tests.browser.accessibility import faults, faults_in_each_look
from tests.browser.conftest import NewPage
from tests.browser.site import Site, a_site
from tests.browser.test_film import part, settle

#: The patient of study-02, and how many days ago the earlier studies were taken.
PATIENT, AGES = "DEMO-0010", (21, 400)


def saved(folder: Path, name: str, days: int, **changes: str) -> Path:
    """A film of the patient, taken so many days ago, with pixels that no other has."""
    dataset = pydicom.dcmread(FOLDER / "study-02.dcm")
    taken = datetime.now(UTC) - timedelta(days=days)
    dataset.StudyDate = dataset.SeriesDate = f"{taken:%Y%m%d}"
    if "AcquisitionDate" in dataset:
        dataset.AcquisitionDate = dataset.StudyDate
    dataset.pop("AcquisitionDateTime", None)
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    if "StudyInstanceUID" not in changes:
        dataset.StudyInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    path = folder / name
    dataset.save_as(path)
    return path


#: The Study Instance UID of the study of today.
UID = generate_uid()


@pytest.fixture(scope="module")
def seeded_home(
    seeded_home: Path, reader: Reader, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The seeded home, with a study of today, of two films, and two earlier ones of its patient."""
    folder = tmp_path_factory.mktemp("side-by-side")
    shutil.copytree(seeded_home, folder / "home")
    with a_site(folder / "home", reader) as site:
        for days, probability in zip(AGES, (0.93, 0.04), strict=True):
            site.arrive(saved(folder, f"{days}.dcm", days), probability)
        site.arrive(saved(folder, "new.dcm", 0, StudyInstanceUID=UID), 0.21)
        lateral = saved(folder, "lateral.dcm", 0, StudyInstanceUID=UID, ViewPosition="LL")
        assert site.arrive(lateral) == UID
        site.score(0.0)
    return folder / "home"


@pytest.fixture
def study(site: Site) -> str:
    """A study of today, with a frontal and a lateral film; its patient has two earlier ones."""
    return UID


def frames(page: Page) -> Locator:
    return page.locator(".film-viewer")


def complete(page: Page, count: int) -> None:
    """Wait until this many frames show every pixel of their films."""
    expect(frames(page)).to_have_count(count)
    for number in range(count):
        frame = frames(page).nth(number)
        expect(frame.locator('[data-film="facts"]')).to_contain_text("%")
        expect(frame.locator('[data-film="message"]')).to_have_text("")


def opened(page: Page, study: str) -> None:
    page.goto(f"/studies/{study}")
    complete(page, 1)


def widths(page: Page) -> set[int]:
    """The widths of all films that are shown, in pixels."""
    stages = page.locator(".film-stage").all()
    return {round(box["width"]) for stage in stages if (box := stage.bounding_box())}


def facts(page: Page, number: int) -> str:
    settle(page)
    return frames(page).nth(number).locator('[data-film="facts"]').inner_text()


def earlier(page: Page) -> Locator:
    return page.locator("button[data-earlier]")


def test_the_strip_has_this_study_and_earlier_ones_with_dates_and_scores(
    study: str, page: Page
) -> None:
    opened(page, study)
    strip = page.locator(".film-strip")
    expect(strip.locator(".film-heading")).to_have_text(["This study", "Earlier 3"])
    expect(strip.locator("button[data-sha256]")).to_have_count(2)
    expect(strip.locator("button[data-sha256]").nth(1)).to_contain_text("Not scored")
    expect(earlier(page)).to_have_count(3)
    expect(earlier(page).nth(0)).to_contain_text("93 %")
    expect(earlier(page).nth(0)).to_have_class("is-flagged")
    expect(earlier(page).nth(2)).not_to_have_class("is-flagged")
    taken = datetime.now(UTC) - timedelta(days=AGES[0])
    expect(strip.locator(".film-date").first).to_have_text(taken.strftime("%d %b %Y"))
    # A lateral film is not scored, and is seen all the same.
    preview = strip.locator("canvas[data-preview]").first
    page.wait_for_function(
        """() => {
            const canvas = document.querySelector(".film-strip canvas[data-preview]");
            const { data } = canvas.getContext("2d").getImageData(0, 0, 96, 96);
            return data.some((value, index) => index % 4 === 0 && value > 40);
        }"""
    )
    expect(preview).to_be_visible()


def test_layouts_by_key_and_button_each_film_says_whose_it_is(
    study: str, new_page: NewPage
) -> None:
    page = new_page(viewport={"width": 1800, "height": 1000})
    opened(page, study)
    name = page.get_by_role("heading", level=1).inner_text()
    page.keyboard.press("2")
    complete(page, 2)
    expect(page.get_by_role("button", name="1×2")).to_have_attribute("aria-pressed", "true")
    both = widths(page)
    assert max(both) - min(both) <= 2, "the strip takes from both films alike"
    page.keyboard.press("4")
    complete(page, 4)
    four = widths(page)
    assert max(four) - min(four) <= 2
    page.keyboard.press("t")
    for number in range(4):
        identity = frames(page).nth(number).locator('[data-film="identity"]')
        expect(identity).to_be_visible()
        expect(identity).to_contain_text(f"{name} ID {PATIENT}")
    expect(page.locator(".film-earlier").first).to_contain_text("Earlier: ")
    expect(page.locator(".film-earlier").first).to_contain_text("Verdicts are not on this one.")
    assert faults(page) == []
    page.keyboard.press("1")
    complete(page, 1)
    expect(frames(page).locator('[data-film="identity"]')).to_be_visible()


def test_zoom_and_window_go_together_unless_they_are_not_to(study: str, page: Page) -> None:
    opened(page, study)
    page.keyboard.press("2")
    complete(page, 2)
    # The frames are not of one size: all of a film is another scale in each.
    before = [percent(facts(page, number)) for number in range(2)]
    for key in "+++i":
        page.keyboard.press(key)
    assert "inverted" in facts(page, 0)
    assert "inverted" in facts(page, 1)
    after = [percent(facts(page, number)) for number in range(2)]
    assert after[0] > 1.5 * before[0]
    assert after[0] / before[0] == pytest.approx(after[1] / before[1], rel=0.05)
    # The frame under the pointer leads.
    frames(page).nth(1).locator('[data-film="stage"]').hover()
    page.keyboard.press("0")
    settle(page)
    assert [percent(facts(page, number)) for number in range(2)] == before
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Linked").first).to_have_attribute(
        "aria-pressed", "false"
    )
    page.keyboard.press("+")
    settle(page)
    assert percent(facts(page, 1)) > before[1]
    assert percent(facts(page, 0)) == before[0]


def percent(text: str) -> int:
    match = re.search(r"(\d+) %", text)
    assert match is not None
    return int(match[1])


def test_a_verdict_is_on_the_opened_study_whatever_is_beside_it(
    site: Site, study: str, page: Page
) -> None:
    opened(page, study)
    today = datetime.now(UTC).strftime("%d %b %Y")
    expect(page.locator("#verdict-on")).to_contain_text(f"On the study of {today}")
    pneumonia = page.get_by_role("button", name="Pneumonia", exact=False).first
    expect(pneumonia).to_have_accessible_description(re.compile(f"On the study of {today}"))
    earlier(page).first.click()
    complete(page, 2)
    frames(page).nth(1).locator('[data-film="stage"]').hover()
    page.keyboard.press("x")
    expect(page.locator(".current-verdict")).to_contain_text("No pneumonia")
    with site.worker.database.read() as session:
        (verdict,) = all_verdicts(session, limit=9)
    assert (verdict.study_instance_uid, verdict.finding) == (study, Finding.NO_PNEUMONIA)


def test_a_film_of_an_earlier_study_is_no_film_for_a_verdict(
    site: Site, study: str, page: Page
) -> None:
    """The opened study's own film is still loading, and the earlier one is displayed."""
    page.goto("/")
    page.evaluate("localStorage.setItem('readfirst.film.beside', 'true')")
    digests = page.evaluate(
        "uid => fetch(`/api/v1/studies/${uid}`).then(answer => answer.json())"
        ".then(({study}) => study.images.map(image => image.sha256))",
        study,
    )
    page.route(re.compile(rf"({'|'.join(digests)})/pixels"), lambda _: None)
    page.goto(f"/studies/{study}")
    expect(frames(page)).to_have_count(2)
    expect(frames(page).nth(1).locator('[data-film="facts"]')).to_contain_text("%")
    page.keyboard.press("x")
    expect(page.locator("#update-notice")).to_contain_text("not displayed yet")
    with site.worker.database.read() as session:
        assert all_verdicts(session, limit=9) == []


def test_a_study_opens_with_its_latest_prior_if_the_reader_wishes_so(
    study: str, page: Page
) -> None:
    opened(page, study)
    page.get_by_label("Open side by side").first.check()
    complete(page, 2)
    page.reload()
    complete(page, 2)
    date = (datetime.now(UTC) - timedelta(days=AGES[0])).strftime("%d %b %Y")
    expect(frames(page).nth(1).locator(".film-earlier")).to_contain_text(f"Earlier: {date}")
    expect(frames(page).nth(0).locator(".film-earlier")).to_have_count(0)
    page.get_by_label("Open side by side").first.uncheck()
    page.reload()
    complete(page, 1)


def test_full_screen_shows_all_frames(study: str, page: Page) -> None:
    opened(page, study)
    page.keyboard.press("2")
    complete(page, 2)
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement?.matches('.film-grid')")
    for number in range(2):
        expect(frames(page).nth(number).locator('[data-film="identity"]')).to_be_visible()


def test_the_window_of_films_has_layouts_too(study: str, page: Page) -> None:
    page.goto(f"/studies/{study}/film")
    complete(page, 1)
    page.keyboard.press("2")
    complete(page, 2)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("one film, two, four side by side")
    assert part(page, "identity").count() == 2


def test_it_can_be_looked_at_and_used_by_everybody(study: str, page: Page) -> None:
    opened(page, study)
    assert faults_in_each_look(page, 390, 1440) == []
    page.keyboard.press("2")
    complete(page, 2)
    assert faults_in_each_look(page, 390, 1440) == []
