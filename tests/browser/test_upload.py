"""Files that are added on the page, and the tray that follows each of them."""

from pathlib import Path

from playwright.sync_api import Locator, Page, Route, expect

from ingest.inbox.claim import claim
from readfirst.samples import FOLDER
from tests.browser.accessibility import faults_in_each_look
from tests.browser.page_monitor import PageMonitor, intercept
from tests.browser.site import Site

#: An event of the page with one file; its kind is the argument.
WITH_A_FILE = """(kind) => {
  const held = new DataTransfer();
  held.items.add(new File(["dropped"], "dropped.dcm"));
  document.body.dispatchEvent(new DragEvent(kind, {bubbles: true, dataTransfer: held}));
}"""


def line(page: Page, name: str) -> Locator:
    return page.locator("#upload-tray li").filter(has_text=name).locator(".status")


def take_in(site: Site, probability: float) -> None:
    """Let the workers take in what lies in the inbox, and score it."""
    for path in (site.settings.inbox_path / "upload").iterdir():
        claimed = claim(site.settings.inbox_path, path)
        assert claimed is not None
        site.worker.take_in(claimed)
    site.score(probability)


def test_files_chosen_or_dropped_on_the_page_land_in_the_inbox(site: Site, page: Page) -> None:
    films = [FOLDER / "film-06.jpg", FOLDER / "film-07.jpg"]
    page.goto("/")
    output = page.locator("#upload output")
    page.locator("#upload input").set_input_files(films)
    expect(output).to_have_text("2 files uploaded.")
    page.evaluate(WITH_A_FILE, "dragover")
    expect(page.get_by_text("Drop films here")).to_be_visible()
    page.evaluate(WITH_A_FILE, "drop")
    expect(page.get_by_text("Drop films here")).to_be_hidden()
    expect(output).to_have_text("1 file uploaded.")
    arrived = {path.read_bytes() for path in (site.settings.inbox_path / "upload").iterdir()}
    assert arrived == {film.read_bytes() for film in films} | {b"dropped"}


def test_each_file_is_followed_to_its_end(site: Site, page: Page, tmp_path: Path) -> None:
    cut = tmp_path / "half.dcm"
    cut.write_bytes((FOLDER / "study-07.dcm").read_bytes()[:20_000])
    page.goto("/")
    files = [FOLDER / "film-06.jpg", cut, FOLDER / "film-01.jpg"]
    page.locator("#upload input").set_input_files(files)
    expect(line(page, "film-06.jpg")).to_have_text("received")
    # It was seeded: no second study appears, and the tray says why.
    expect(line(page, "film-01.jpg")).to_have_text("already here: scored 7 %")
    take_in(site, 0.97)
    expect(line(page, "film-06.jpg")).to_have_text("scored 97 %")
    expect(line(page, "half.dcm")).to_contain_text("not scored: The file ends before its image")
    line(page, "film-06.jpg").get_by_role("link").click()
    expect(page).to_have_url(f"{site.address}/studies/{uid_of(site, 'film-06.jpg')}")


def uid_of(site: Site, name: str) -> str:
    """The study of a sample that was taken in already."""
    return site.arrive(FOLDER / name)


def test_a_file_that_fails_does_not_keep_the_others_back(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("ERR_FAILED")
    intercept(page)
    page.goto("/")
    sent = 0

    def fail_first(route: Route) -> None:
        nonlocal sent
        sent += 1
        route.abort() if sent == 1 else route.continue_()

    page.route("**/api/v1/uploads", fail_first)
    page.locator("#upload input").set_input_files([FOLDER / "film-06.jpg", FOLDER / "film-07.jpg"])
    expect(page.locator("#upload output")).to_have_text("1 of 2 files uploaded.")
    expect(line(page, "film-06.jpg")).to_have_text("not uploaded: the server does not answer")
    expect(line(page, "film-07.jpg")).to_have_text("received")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#upload-tray")).to_be_hidden()


def test_the_tray_is_for_everybody(site: Site, page: Page, tmp_path: Path) -> None:
    film = tmp_path / "a-film-with-a-long-name-of-a-scanner-of-1.2.826.0.1.3680043.8.498.dcm"
    film.write_bytes((FOLDER / "film-06.jpg").read_bytes())
    page.goto("/")
    page.locator("#upload input").set_input_files([FOLDER / "film-01.jpg", film])
    expect(line(page, "film-01.jpg")).to_contain_text("already here")
    assert faults_in_each_look(page, 390, 1440) == []
