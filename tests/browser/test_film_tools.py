"""The tools of the viewer: turning, measuring, overlays, windows, and the texts on the film."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from ingest.dicom.pixels.display import display_image
from tests.browser.accessibility import faults
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import wait_until
from tests.browser.site import Site
from tests.browser.test_film import (
    all_there,
    drag,
    grey,
    middle,
    open_film,
    painted,
    part,
    seen_at_one_to_one,
    settle,
    zoom,
)
from tests.support.files import a_dataset, a_gradient, dicom_bytes

#: Of the film: no side is halved evenly, and both are larger than the canvas.
ROWS, COLUMNS = 1311, 1703
#: Of the overlay: a square near the upper left corner of the film.
TOP, LEFT, SIDE = 100, 200, 300


def saved(folder: Path, **attributes: object) -> Path:
    """A film in which every pixel differs from its neighbours, with these attributes."""
    pixels = a_gradient(ROWS, COLUMNS, bits=12)
    path = folder / "film.dcm"
    path.write_bytes(dicom_bytes(a_dataset(pixels, bits=12, **attributes)))
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return saved(tmp_path)


@pytest.fixture
def drawn_on(tmp_path: Path) -> Path:
    """A film with an overlay that can be drawn, and one within its pixels, which cannot."""
    dataset = a_dataset(a_gradient(ROWS, COLUMNS, bits=12), bits=12)
    square = np.ones((SIDE, SIDE), dtype=np.uint8)
    for element, vr, value in [
        (0x10, "US", SIDE), (0x11, "US", SIDE), (0x40, "CS", "G"),
        (0x50, "SS", [TOP + 1, LEFT + 1]), (0x100, "US", 1), (0x102, "US", 0),
        (0x3000, "OW", np.packbits(square, bitorder="little").tobytes()),
    ]:  # fmt: skip
        dataset.add_new((0x6000, element), vr, value)
    for element, value in [(0x10, ROWS), (0x11, COLUMNS), (0x100, 16), (0x102, 12)]:
        dataset.add_new((0x6002, element), "US", value)
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom_bytes(dataset))
    return path


def clicked(page: Page, across: float, down: float) -> None:
    x, y = middle(page)
    page.mouse.click(x + across, y + down)


def test_a_film_is_turned_and_mirrored_to_the_last_pixel_and_says_so(
    site: Site, new_page: NewPage, plain: Path
) -> None:
    # The film is larger than the canvas, however it is turned.
    page = new_page(viewport={"width": 1000, "height": 700})
    open_film(page, site, plain)
    film = display_image(plain)
    for key, text, expected in [
        (".", "turned 90°", np.rot90(film, -1)),
        (".", "turned 180°", np.rot90(film, 2)),
        ("y", "turned 180°, mirrored", np.fliplr(np.rot90(film, 2))),
    ]:
        page.keyboard.press(key)
        page.keyboard.press("1")
        expect(part(page, "changed")).to_have_text(text)
        expect(part(page, "facts")).to_contain_text("100 %")
        visible = grey(page)
        assert np.array_equal(visible, seen_at_one_to_one(expected, visible.shape))
    page.keyboard.press("r")
    expect(part(page, "changed")).to_have_text("")
    page.keyboard.press("1")
    settle(page)
    visible = grey(page)
    assert np.array_equal(visible, seen_at_one_to_one(film, visible.shape))


def test_a_length_says_where_it_holds_and_an_angle_and_a_ratio_need_no_size(
    site: Site, page: Page, tmp_path: Path
) -> None:
    open_film(page, site, saved(tmp_path, ImagerPixelSpacing=[0.2, 0.2], ViewPosition="AP"))
    page.keyboard.press("1")
    page.keyboard.press("m")
    expect(part(page, "distance")).to_have_attribute("aria-pressed", "true")
    clicked(page, 0, 0)
    clicked(page, 300, 0)
    expect(part(page, "measures")).to_contain_text("60 mm at the detector")
    expect(part(page, "distance")).to_have_attribute("aria-pressed", "false")
    before = part(page, "facts").inner_text().split(" · value")[0]
    page.keyboard.press("m")
    drag(page, 0, 100)
    expect(part(page, "measures")).to_contain_text("20 mm at the detector")
    assert part(page, "facts").inner_text().startswith(before), "a drag that measures is no window"
    page.keyboard.press("Delete")
    expect(part(page, "measures")).to_have_text("")

    page.keyboard.press("g")
    clicked(page, 100, 0)
    clicked(page, 0, 0)
    clicked(page, 0, -100)
    expect(part(page, "measures")).to_contain_text("90.0°")
    page.keyboard.press("b")
    expect(part(page, "measures")).to_contain_text("across the heart")
    drag(page, 150, 40)
    expect(part(page, "measures")).to_contain_text("across the chest")
    drag(page, 300, 0)
    expect(part(page, "measures")).to_contain_text(
        "Cardiothoracic ratio 0.50 (heart 30 mm, chest 60 mm at the detector)."
    )
    expect(part(page, "measures")).to_contain_text("AP view: the heart looks larger")
    page.keyboard.press("0")
    page.keyboard.press(".")
    expect(part(page, "measures")).to_contain_text("ratio 0.50 (heart 30 mm")
    assert painted(page, "marks")[..., 3].max() == 255
    assert faults(page) == []


def test_without_the_size_of_a_pixel_there_is_no_length(
    site: Site, page: Page, plain: Path
) -> None:
    open_film(page, site, plain)
    page.keyboard.press("m")
    drag(page, 100, 0)
    expect(part(page, "measures")).to_contain_text("No length: the film states no size")
    page.keyboard.press("b")
    drag(page, 100, 0)
    drag(page, 200, 0)
    expect(part(page, "measures")).to_contain_text("Cardiothoracic ratio 0.50.")


def test_an_overlay_lies_where_it_belongs_and_can_be_hidden(
    site: Site, page: Page, drawn_on: Path
) -> None:
    open_film(page, site, drawn_on)
    expect(part(page, "overlay-text")).to_have_text(
        "with overlay · has an overlay that is not shown"
    )
    settle(page)
    opacity = painted(page, "overlay")[..., 3]
    scale = min(opacity.shape[0] / ROWS, opacity.shape[1] / COLUMNS)
    corner = np.array(
        [(opacity.shape[0] - scale * ROWS) / 2, (opacity.shape[1] - scale * COLUMNS) / 2]
    )
    drawn = np.argwhere(opacity > 127)
    assert (drawn.min(axis=0) - corner) / scale == pytest.approx((TOP, LEFT), abs=4)
    assert (drawn.max(axis=0) + 1 - corner) / scale == pytest.approx(
        (TOP + SIDE, LEFT + SIDE), abs=4
    )
    page.keyboard.press("v")
    expect(part(page, "overlays")).to_have_attribute("aria-pressed", "false")
    expect(part(page, "overlay-text")).to_contain_text("overlay hidden")
    assert painted(page, "overlay")[..., 3].max() == 0


def test_lossy_compression_and_the_side_are_said(site: Site, page: Page, tmp_path: Path) -> None:
    film = saved(tmp_path, LossyImageCompression="01", LossyImageCompressionRatio="12.5",
                 LossyImageCompressionMethod="ISO_10918_1", ImageLaterality="L")  # fmt: skip
    open_film(page, site, film)
    expect(part(page, "facts")).to_contain_text("lossy JPEG, 12.5:1")
    expect(part(page, "laterality")).to_have_text("side L")
    expect(part(page, "position")).to_contain_text("AP, image 1 of 1")


def test_windows_that_the_film_does_not_bring(site: Site, page: Page, plain: Path) -> None:
    open_film(page, site, plain)
    own = part(page, "facts").inner_text()
    page.keyboard.press("w")
    expect(part(page, "windows").locator("option:checked")).to_have_text("All values")
    page.keyboard.press("w")
    expect(part(page, "windows").locator("option:checked")).to_have_text("Dark parts: lungs")
    wait_until(page, lambda: part(page, "facts").inner_text() != own)
    dark = grey(page)
    page.keyboard.press("w")
    expect(part(page, "windows").locator("option:checked")).to_contain_text("behind the heart")
    wait_until(page, lambda: grey(page).mean() < dark.mean() - 20)
    page.keyboard.press("w")
    expect(part(page, "windows").locator("option:checked")).to_have_text("As sent")
    wait_until(page, lambda: part(page, "facts").inner_text() == own)


@pytest.mark.parametrize("where", ["study", "window", "full screen"])
def test_whose_film_it_is_stands_on_it_whatever_is_hidden(
    site: Site, page: Page, where: str
) -> None:
    uid = site.study("DEMO-0010")
    page.goto(f"/studies/{uid}{'/film' if where == 'window' else ''}")
    all_there(page)
    if where == "full screen":
        page.keyboard.press("f")
        page.wait_for_function("() => document.fullscreenElement !== null")
    identity = part(page, "identity")
    for fact in ("Beispiel, Jonas", "ID DEMO-0010", "born 02 Jul 2021", "sex M"):
        expect(identity).to_contain_text(fact)
    expect(part(page, "acquired")).to_contain_text("Invented Children's Hospital")
    page.keyboard.press("t")
    expect(part(page, "acquired")).to_be_hidden()
    expect(part(page, "facts")).to_be_hidden()
    expect(identity).to_be_visible()
    page.keyboard.press("T")
    expect(part(page, "facts")).to_be_visible()
    if where == "window":
        assert page.title() == "ReadFirst: film"


def test_keys_work_with_caps_lock(site: Site, page: Page, plain: Path) -> None:
    open_film(page, site, plain)
    page.keyboard.press("I")
    expect(part(page, "invert")).to_have_attribute("aria-pressed", "true")
    fit = zoom(page)
    page.keyboard.press("+")
    assert zoom(page) > fit
