"""Numbers of a header that cannot be read are left aside, and the film is shown."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from ingest.dicom.header import read_header
from ingest.dicom.numbers import first_number, numbers, positive_number, whole_number
from ingest.dicom.pixels.display import display_image, film_image, viewed_film
from ingest.dicom.pixels.viewing import facts_of
from tests.support.files import a_dataset
from tests.support.odd_films import a_chest_film, a_deep_film, displayed, explicit, with_value

GREY, DEEP = a_chest_film(), a_deep_film()
PLAIN = np.rint((DEEP - float(DEEP.min())) / (float(DEEP.max()) - DEEP.min()) * 255)
WINDOW = {"WindowCenter": "1500", "WindowWidth": "2500"}
#: Written by devices and by those who edit files, as bytes of the element.
ODD = [
    b"[00400, 00400]", b"nan", b"NaN", b"inf", b"-inf", b"1e400", b"US", b"", b"  ", b"\\", b"--3",
    b"0x20", b"1,2,3", b"1.2.3", b"\xff\xfe", b"\0\0", b"none", b"12 34", b"1,024",
    "٣".encode(), b"1e", b"+", b".", b",",
]  # fmt: skip


def a_film(**attributes: Any) -> bytes:
    return explicit(a_dataset(DEEP, bits=12, **attributes))


def window_of(folder: Path, content: bytes) -> np.ndarray:
    return displayed(folder, content)[0]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("element", [(0x28, 0x1050), (0x28, 0x1051)])
def test_a_window_that_is_no_number_is_left_aside(
    tmp_path: Path, odd: bytes, element: tuple[int, int]
) -> None:
    grey, corrections = displayed(tmp_path, with_value(a_film(**WINDOW), *element, "DS", odd))
    np.testing.assert_array_equal(grey, PLAIN)
    assert corrections == "a window cannot be read"


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("element", [(0x28, 0x1052), (0x28, 0x1053)])
def test_a_rescale_that_is_no_number_is_left_aside(
    tmp_path: Path, odd: bytes, element: tuple[int, int]
) -> None:
    content = a_film(RescaleSlope="2", RescaleIntercept="-1000")
    grey, corrections = displayed(tmp_path, with_value(content, *element, "DS", odd))
    np.testing.assert_array_equal(grey, PLAIN)
    assert "cannot be read" in corrections or not odd.strip(b" \0\\")


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("keyword", "element"),
    [
        ("PixelSpacing", (0x28, 0x30)),
        ("ImagerPixelSpacing", (0x18, 0x1164)),
        ("NominalScannedPixelSpacing", (0x18, 0x2010)),
        ("PixelAspectRatio", (0x28, 0x34)),
    ],
)
def test_a_spacing_that_is_no_number_leaves_the_pixels_square(
    tmp_path: Path, odd: bytes, keyword: str, element: tuple[int, int]
) -> None:
    vr = "IS" if keyword == "PixelAspectRatio" else "DS"
    for value in (odd, odd + b"\\0.2", b"0.2\\" + odd):
        path = tmp_path / "film.dcm"
        path.write_bytes(with_value(a_film(**{keyword: ["2", "1"]}), *element, vr, value))
        film = film_image(path, 448)
        assert film.shape == DEEP.shape
        assert facts_of(viewed_film(path)).pixel_height == 1.0


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd not in (b"\0\0", b"1,024")])
def test_a_number_of_frames_that_is_no_number_is_one(tmp_path: Path, odd: bytes) -> None:
    content = with_value(a_film(NumberOfFrames="1"), 0x28, 0x8, "IS", odd)
    grey, _ = displayed(tmp_path, content)
    np.testing.assert_array_equal(grey, PLAIN)
    assert read_header(tmp_path / "film.dcm").number_of_frames == 1


@pytest.mark.parametrize("value", [b"2047,5", b"2047.5", b" 2047,5 ", b"+2047.5", b"20475e-1"])
def test_a_comma_is_read_as_a_point(tmp_path: Path, value: bytes) -> None:
    content = a_film(WindowCenter="1", WindowWidth="3001")
    point = displayed(tmp_path, a_film(WindowCenter="2047.5", WindowWidth="3001"))[0]
    grey, corrections = displayed(tmp_path, with_value(content, 0x28, 0x1050, "DS", value))
    np.testing.assert_array_equal(grey, point)
    assert not corrections


def test_spacings_with_commas_are_read(tmp_path: Path) -> None:
    content = with_value(a_film(PixelSpacing=["1", "1"]), 0x28, 0x30, "DS", b"0,286\\0,143")
    path = tmp_path / "film.dcm"
    path.write_bytes(content)
    assert facts_of(viewed_film(path)).spacing == (0.286, 0.143)
    assert film_image(path, 448).shape[0] == 2 * DEEP.shape[0]


@pytest.mark.parametrize(
    ("centers", "widths"),
    [(b"\\1500", b"\\2500"), (b"text\\1500", b"1\\2500"), (b"1\\1500\\7", b"nan\\2500\\9")],
)
def test_of_several_windows_the_first_that_can_be_read_is_shown(
    tmp_path: Path, centers: bytes, widths: bytes
) -> None:
    content = with_value(a_film(**WINDOW), 0x28, 0x1050, "DS", centers)
    grey, corrections = displayed(tmp_path, with_value(content, 0x28, 0x1051, "DS", widths))
    np.testing.assert_array_equal(grey, displayed(tmp_path, a_film(**WINDOW))[0])
    assert corrections == "a window cannot be read"


@pytest.mark.parametrize("vr", ["LO", "SH", "FD", "US", "IS", "ST", "UT", "UN", "OB"])
def test_a_window_of_another_representation_is_read(tmp_path: Path, vr: str) -> None:
    dataset = a_dataset(DEEP, bits=12)
    for element, text in ((0x00281050, "1500"), (0x00281051, "2500")):
        value: Any = text
        if vr in ("FD", "US", "IS"):
            value = int(text)
        if vr in ("UN", "OB"):
            value = text.encode()
        dataset.add_new(element, vr, value)
    grey, corrections = displayed(tmp_path, explicit(dataset))
    np.testing.assert_array_equal(grey, displayed(tmp_path, a_film(**WINDOW))[0])
    assert not corrections


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
                                     "PixelRepresentation", "SamplesPerPixel"])  # fmt: skip
@pytest.mark.parametrize("vr", ["UL", "IS", "DS", "LO", "SS", "OW"])
def test_whole_numbers_of_another_representation_are_read(
    tmp_path: Path, keyword: str, vr: str
) -> None:
    dataset = a_dataset(DEEP, bits=12)
    value: Any = int(dataset[keyword].value)
    others = {"LO": str(value), "OW": value.to_bytes(2, "little")}
    dataset.add_new(keyword, vr, others.get(vr, value))
    grey, corrections = displayed(tmp_path, explicit(dataset))
    np.testing.assert_array_equal(grey, PLAIN)
    assert not corrections


@pytest.mark.parametrize("keyword", ["SmallestImagePixelValue", "LargestImagePixelValue",
                                     "PixelPaddingValue", "PixelPaddingRangeLimit",
                                     "PixelIntensityRelationshipSign"])  # fmt: skip
@pytest.mark.parametrize("value", ["text", "", "1,5", "nan", "-1e999"])
def test_other_numbers_that_are_none_do_no_harm(tmp_path: Path, keyword: str, value: str) -> None:
    dataset = a_dataset(DEEP, bits=12)
    dataset.add_new(keyword, "LO", value)
    grey, _ = displayed(tmp_path, explicit(dataset))
    np.testing.assert_array_equal(grey, PLAIN)


@pytest.mark.parametrize(
    "function", [b"", b"linear", b" Linear", b"LINEAR\0", b"  "], ids=lambda each: repr(each)
)
def test_a_function_that_is_empty_or_in_small_letters_is_linear(
    tmp_path: Path, function: bytes
) -> None:
    content = with_value(a_film(**WINDOW, VOILUTFunction="SIGMOID"), 0x28, 0x1056, "CS", function)
    grey, corrections = displayed(tmp_path, content)
    np.testing.assert_array_equal(grey, displayed(tmp_path, a_film(**WINDOW))[0])
    assert not corrections
    assert facts_of(viewed_film(tmp_path / "film.dcm")).function == "LINEAR"


@pytest.mark.parametrize(
    ("written", "function"),
    [
        (b"linear_exact", "LINEAR_EXACT"),
        (b"LINEAR EXACT", "LINEAR_EXACT"),
        (b"sigmoid ", "SIGMOID"),
        (b"Sigmoid", "SIGMOID"),
    ],
)
def test_functions_are_known_in_their_spellings(
    tmp_path: Path, written: bytes, function: str
) -> None:
    content = with_value(a_film(**WINDOW, VOILUTFunction="LINEAR"), 0x28, 0x1056, "CS", written)
    grey, corrections = displayed(tmp_path, content)
    right = displayed(tmp_path, a_film(**WINDOW, VOILUTFunction=function))[0]
    np.testing.assert_array_equal(grey, right)
    assert not corrections


@pytest.mark.parametrize("function", ["CUBIC", "LINEARISH", "1"])
def test_a_window_by_an_unknown_function_is_left_aside(tmp_path: Path, function: str) -> None:
    grey, corrections = displayed(tmp_path, a_film(**WINDOW, VOILUTFunction=function))
    np.testing.assert_array_equal(grey, PLAIN)
    assert corrections == "VOI LUT Function is unknown"


@pytest.mark.parametrize("width", ["0", "-100", "nan"])
def test_a_sigmoid_without_a_width_is_left_aside(tmp_path: Path, width: str) -> None:
    content = a_film(WindowCenter="1500", WindowWidth="1", VOILUTFunction="SIGMOID")
    grey, _ = displayed(tmp_path, with_value(content, 0x28, 0x1051, "DS", width.encode()))
    np.testing.assert_array_equal(grey, PLAIN)


# Windows that leave nothing.


@pytest.mark.parametrize("interpretation", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(
    ("center", "width"),
    [("20000", "100"), ("-5000", "100"), ("40", "400"), ("127", "255"), ("1e6", "2e6"),
     ("0", "1"), ("-1024", "1"), ("1e300", "1e300")],
)  # fmt: skip
def test_a_window_that_leaves_nothing_is_left_aside(
    tmp_path: Path, center: str, width: str, function: str, interpretation: str
) -> None:
    kind = {"PhotometricInterpretation": interpretation}
    window = {"WindowCenter": center, "WindowWidth": width, "VOILUTFunction": function}
    grey, corrections = displayed(tmp_path, a_film(**window, **kind))
    np.testing.assert_array_equal(grey, 255 - PLAIN if interpretation == "MONOCHROME1" else PLAIN)
    assert corrections == "the window leaves nothing of the film"
    viewed = viewed_film(tmp_path / "film.dcm")
    np.testing.assert_array_equal(viewed.samples.table[viewed.samples.values], grey)
    assert not facts_of(viewed).windows


@pytest.mark.parametrize(
    ("center", "width"), [("1500", "2500"), ("2048", "4096"), ("1800", "800"), ("2500", "400")]
)
def test_a_window_that_shows_a_part_of_the_range_is_shown(
    tmp_path: Path, center: str, width: str
) -> None:
    grey, corrections = displayed(tmp_path, a_film(WindowCenter=center, WindowWidth=width))
    low, high = float(center) - float(width) / 2, float(center) + float(width) / 2
    window = np.clip((DEEP - low) / (high - low) * 255, 0, 255)
    assert np.abs(grey - window).max() <= 2
    assert not corrections


def test_a_collimated_film_keeps_its_window(tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 12, (600, 500)).astype(np.uint16)
    pixels[200:320, 150:310] = DEEP + 40
    content = explicit(a_dataset(pixels, bits=13, **WINDOW))
    assert not displayed(tmp_path, content)[1]


def test_a_window_that_somebody_asks_for_is_shown_whatever_it_leaves(tmp_path: Path) -> None:
    from ingest.dicom.pixels.window import Window

    path = tmp_path / "film.dcm"
    path.write_bytes(a_film(**WINDOW))
    assert not display_image(path, Window(20_000, 100)).any()


# The reader itself.


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("0,143\\0.143", [0.143, 0.143]),
        ("\\2048", [None, 2048.0]),
        ("1,024", [None]),
        ("0,024", [0.024]),
        ("12,5", [12.5]),
        (" 7\0", [7.0]),
        ("1e3", [1000.0]),
        ("nan\\inf\\1", [None, None, 1.0]),
    ],
)
def test_texts_are_read_as_numbers(written: str, values: list[float | None]) -> None:
    dataset = Dataset()
    dataset.add_new("WindowCenter", "LO", written.split("\\"))
    assert numbers(dataset, "WindowCenter") == values
    assert first_number(dataset, "WindowCenter") == values[0]


def test_what_is_absent_or_a_sequence_is_no_number() -> None:
    dataset = Dataset()
    assert numbers(dataset, "Rows") == []
    assert positive_number(dataset, "Rows", 7) == 7
    dataset.add_new("Rows", "SQ", [Dataset()])
    assert whole_number(dataset, "Rows") is None
    dataset.add_new("Columns", "DS", "1.5")
    assert whole_number(dataset, "Columns") is None
