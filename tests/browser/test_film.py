"""The film viewer in a real browser: what it paints, to the last grey, by hands and keys."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from playwright.sync_api import Locator, Page, Route, expect

from db.lifecycle.heat_maps import claim_wanted, made
from db.session import Database
from ingest.dicom.pixels.display import display_image
from ingest.dicom.pixels.window import Window
from models.manifest import shipped_version
from readfirst.derived_images import DerivedImages
from readfirst.heat_maps import Area
from tests.browser.accessibility import faults
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import PageMonitor, wait_until
from tests.browser.site import Site
from tests.support.files import a_dataset, a_gradient, dicom_bytes
from tests.support.studies import LEASE, NOW

#: Of the large film: wider and higher than the canvas, and so odd that no side is halved evenly.
ROWS, COLUMNS = 1311, 1703
#: Each value stands at one place.
PLACES = np.arange(60 * 60, dtype=np.uint16).reshape(60, 60)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A film of 12 bits with a window, white where it is low."""
    pixels = a_gradient(ROWS, COLUMNS, bits=12)
    pixels[200:240, 300:900] = 4000
    path = tmp_path / "large.dcm"
    window = {"WindowCenter": [2000, 900], "WindowWidth": [3001, 500]}
    spacing = {"ImagerPixelSpacing": [0.2, 0.2], "PhotometricInterpretation": "MONOCHROME1"}
    path.write_bytes(dicom_bytes(a_dataset(pixels, bits=12, **window, **spacing)))
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A film that is shown ten times as large as it is."""
    path = tmp_path / "small.dcm"
    path.write_bytes(dicom_bytes(a_dataset(PLACES, bits=12, WindowCenter=1800, WindowWidth=3600)))
    return path


def part(page: Page, name: str) -> Locator:
    return page.locator(f'[data-film="{name}"]')


def open_film(page: Page, site: Site, film: Path, probability: float = 0.1) -> str:
    """Have a film come in and open it; every pixel of it is there. Returns its study's UID."""
    uid = site.arrive(film, probability=probability)
    page.goto(f"/studies/{uid}/film")
    all_there(page)
    return uid


def all_there(page: Page) -> None:
    expect(part(page, "facts")).to_contain_text("%")
    expect(part(page, "message")).to_have_text("")


def settle(page: Page) -> None:
    """Until what was done is painted."""
    page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def painted(page: Page, name: str = "canvas") -> np.ndarray:
    """The pixels of a canvas, (rows, columns, 4)."""
    settle(page)
    address = part(page, name).evaluate("canvas => canvas.toDataURL('image/png')")
    with PillowImage.open(io.BytesIO(base64.b64decode(address.split(",")[1]))) as image:
        return np.asarray(image.convert("RGBA"))


def grey(page: Page) -> np.ndarray:
    colours = painted(page)
    assert np.array_equal(colours[..., 0], colours[..., 2])
    return colours[..., 0].astype(int)


def seen_at_one_to_one(film: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The pixels that a canvas of this shape shows of the middle of a film that is larger."""
    top, left = ((film.shape[side] - shape[side] + 1) // 2 for side in (0, 1))
    return film[top : top + shape[0], left : left + shape[1]].astype(int)


def zoom(page: Page) -> int:
    settle(page)
    match = re.search(r"(\d+) %", part(page, "facts").inner_text())
    assert match is not None
    return int(match[1])


def value(page: Page) -> int:
    """The value of the film under the pointer."""
    settle(page)
    match = re.search(r"value (-?\d+)", part(page, "facts").inner_text())
    assert match is not None
    return int(match[1])


def middle(page: Page) -> tuple[float, float]:
    box = part(page, "stage").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, across: float, down: float, button: str = "left") -> None:
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down(button=button)  # type: ignore[arg-type]
    page.mouse.move(x + across, y + down, steps=4)
    page.mouse.up(button=button)  # type: ignore[arg-type]


def test_the_canvas_shows_the_film_as_it_is_rendered_and_through_the_window_of_a_drag(
    site: Site, page: Page, large: Path
) -> None:
    open_film(page, site, large)
    expect(part(page, "facts")).to_contain_text("C 2000 W 3001")
    expect(part(page, "length")).to_contain_text("at the detector")
    assert zoom(page) < 100
    page.keyboard.press("1")
    expect(part(page, "facts")).to_contain_text("100 %")
    rendered = grey(page)
    assert np.array_equal(rendered, seen_at_one_to_one(display_image(large), rendered.shape))

    drag(page, 60, -30)
    # White is low here, so upwards, which is brighter, lowers no centre but raises it.
    width = 3001 * np.exp(60 / 300)
    through = grey(page)
    text = part(page, "facts").inner_text()
    assert f"W {width:.0f}" in text
    match = re.search(r"C (\d+)", text)
    assert match is not None
    center = float(match[1])
    assert center > 2000
    expected = seen_at_one_to_one(display_image(large, Window(center, width)), rendered.shape)
    assert np.abs(through - expected).max() <= 1

    page.keyboard.press("i")
    expect(part(page, "invert")).to_have_attribute("aria-pressed", "true")
    assert np.array_equal(grey(page), 255 - through)
    part(page, "windows").select_option(label="Window 2: C 900 W 500")
    expect(part(page, "facts")).to_contain_text("C 900 W 500")
    page.keyboard.press("r")
    expect(part(page, "facts")).not_to_contain_text("inverted")
    expect(part(page, "facts")).to_contain_text("C 2000 W 3001")
    assert faults(page) == []


def test_the_wheel_zooms_about_the_pointer_and_hands_and_keys_move_the_film(
    site: Site, page: Page, small: Path
) -> None:
    open_film(page, site, small)
    x, y = middle(page)
    page.mouse.move(x + 90, y - 70)
    pixel, fit = value(page), zoom(page)
    for turned in (-300, -300, 150):
        page.mouse.wheel(0, turned)
        assert value(page) == pixel
    assert zoom(page) > 1.8 * fit

    page.mouse.move(x, y)
    pixel = value(page)
    drag(page, 80, 40, button="right")
    assert value(page) == pixel, "what was taken hold of is still under the pointer"
    page.mouse.move(x, y)
    pixel = value(page)
    page.keyboard.down(" ")
    drag(page, -50, 0)
    page.keyboard.up(" ")
    assert value(page) == pixel
    part(page, "stage").focus()
    moved = zoom(page)
    for key in ("ArrowLeft", "Shift+ArrowRight", "+", "-"):
        page.keyboard.press(key)
    assert zoom(page) == moved
    page.mouse.dblclick(x, y)
    expect(part(page, "facts")).to_contain_text(f"{fit} %")
    part(page, "zoom-in").focus()
    page.keyboard.press(" ")
    assert zoom(page) > fit, "space on a button presses it"


def test_a_small_film_is_there_before_every_pixel_of_it(
    site: Site, page: Page, large: Path
) -> None:
    routes: list[Route] = []

    def hold(route: Route) -> None:
        routes.append(route)

    page.route(re.compile(r"/pixels$"), hold)
    uid = site.arrive(large, probability=0.1)
    page.goto(f"/studies/{uid}/film")
    expect(part(page, "message")).to_have_text("Loading every pixel …")
    before = grey(page)
    page.keyboard.press("i")
    wait_until(page, lambda: routes)
    routes[0].continue_()
    all_there(page)
    expect(part(page, "facts")).to_contain_text("inverted")
    page.keyboard.press("i")
    after = grey(page)
    assert before.max() == 255
    # The same film at the same place, by means of many pixels at first.
    assert np.abs(before - after).mean() < 3


def test_keys_are_left_alone_where_somebody_types(site: Site, page: Page, small: Path) -> None:
    uid = site.arrive(small, probability=0.1)
    page.goto(f"/studies/{uid}")
    all_there(page)
    page.get_by_label("Comment").fill("")
    page.get_by_label("Comment").press_sequentially("hi 1")
    expect(part(page, "invert")).to_have_attribute("aria-pressed", "false")
    expect(part(page, "heat-map")).to_have_attribute("aria-pressed", "false")


def test_two_fingers_zoom(site: Site, new_page: NewPage, small: Path) -> None:
    page = new_page(has_touch=True, viewport={"width": 400, "height": 800}, color_scheme="dark")
    open_film(page, site, small)
    fit = zoom(page)
    x, y = middle(page)
    hands = page.context.new_cdp_session(page)

    def touch(kind: str, apart: float | None) -> None:
        places = [] if apart is None else [(x - apart, y, 0), (x + apart, y, 1)]
        points = [{"x": left, "y": top, "id": number} for left, top, number in places]
        hands.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 30)
    for apart in (40, 50, 60):
        touch("touchMove", apart)
    touch("touchEnd", None)
    assert zoom(page) == pytest.approx(2 * fit, abs=0.1 * fit)
    expect(part(page, "facts")).to_contain_text("C 1800 W 3600")


def make_map(database: Database, derived_images: DerivedImages, area: Area) -> None:
    """As a worker does: hot in the upper left quarter of what the networks see, cold elsewhere."""
    heat = np.zeros((224, 224), np.uint8)
    heat[:112, :112] = 255
    with database.write() as session:
        wanted = claim_wanted(session, shipped_version(), NOW, LEASE)
        assert wanted is not None
        path = derived_images.heat_map(wanted.sha256, wanted.ensemble_version, wanted.method)
        path.parent.mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(heat).save(path)
        made(session, wanted, area, NOW)


def test_a_heat_map_is_asked_for_waited_for_and_lies_on_its_part_of_the_film(
    site: Site, page: Page, large: Path
) -> None:
    database = site.worker.database
    # What is wanted of the seeded films is somebody else's to make.
    with database.write() as session:
        while claim_wanted(session, shipped_version(), NOW, LEASE):
            pass
    open_film(page, site, large, probability=0.97)
    page.keyboard.press("h")
    expect(part(page, "legend")).to_contain_text("in work")
    make_map(database, site.worker.derived_images, Area(top=0.25, left=0.5, bottom=0.75, right=1.0))
    expect(part(page, "legend")).to_contain_text(
        f"not an outline of disease. Grad-CAM, ensemble {shipped_version()}."
    )
    opacity = painted(page, "heat")[..., 3]
    film = min(opacity.shape[0] / ROWS, opacity.shape[1] / COLUMNS)
    top = (opacity.shape[0] - film * ROWS) / 2
    left = (opacity.shape[1] - film * COLUMNS) / 2
    rows, columns = np.nonzero(opacity > 127)
    box = (rows.min() - top, rows.max() + 1 - top, columns.min() - left, columns.max() + 1 - left)
    hot = (0.25 * ROWS, 0.5 * ROWS, 0.5 * COLUMNS, 0.75 * COLUMNS)
    assert np.array(box) / film == pytest.approx(hot, abs=8)
    part(page, "opacity").fill("20")
    assert part(page, "heat").evaluate("canvas => canvas.style.opacity") == "0.2"
    assert faults(page) == []
    page.keyboard.press("h")
    expect(part(page, "legend")).to_be_hidden()
    assert painted(page, "heat")[..., 3].max() == 0


def test_the_heat_map_of_an_unlikely_film_does_not_glow(
    site: Site, page: Page, large: Path
) -> None:
    open_film(page, site, large, probability=0.02)
    with site.worker.database.write() as session:
        while claim_wanted(session, shipped_version(), NOW, LEASE):
            pass
    page.keyboard.press("h")
    expect(part(page, "legend")).to_contain_text("in work")
    make_map(site.worker.database, site.worker.derived_images, Area(0.25, 0.5, 0.75, 1.0))
    expect(part(page, "legend")).to_contain_text(
        "The AI scored 2 %. The map shows the least unlikely place."
    )
    opacity = painted(page, "heat")[..., 3]
    assert 0 < opacity.max() <= 0.25 * 255


def test_a_film_that_is_gone_says_so_in_its_place(
    site: Site, page: Page, monitor: PageMonitor, small: Path
) -> None:
    monitor.expect("404")
    uid = site.arrive(small, probability=0.1)
    for path in site.settings.store_path.rglob("*"):
        if path.is_file():
            path.unlink()
    page.goto(f"/studies/{uid}/film")
    expect(part(page, "message")).to_have_text("The original is not in the store.")
