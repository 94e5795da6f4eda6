"""Files that got their full size before their content: the rest of them reads as zeros."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from ingest.dicom.header import read_header
from ingest.dicom.structure import PIXEL_DATA
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from tests.support.files import COMPRESSED, a_dataset, a_gradient, dicom_bytes

ROWS, COLUMNS = 480, 640
GREY = a_gradient(ROWS, COLUMNS) // 2 + np.uint8(1)
NOISE = np.random.default_rng(1).integers(1, 255, (ROWS, COLUMNS), dtype=np.uint8)


def picture(form: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, form, **how)
    return buffer.getvalue()


def film(pixels: npt.NDArray[Any] = GREY, **attributes: Any) -> bytes:
    return dicom_bytes(a_dataset(pixels, **attributes))


def written(content: bytes, share: float) -> bytes:
    """The file as it is when so much of it has been written."""
    return content[: round(share * len(content))].ljust(len(content), b"\0")


def look(path: Path, content: bytes) -> bool | RefusalCode:
    """Read whether the film may be cut, or why it is refused."""
    path.write_bytes(content)
    try:
        return read_header(path).may_be_cut
    except Refused as refusal:
        return refusal.code


ENCODED = {
    **{str(syntax): dicom_bytes(a_dataset(GREY), syntax) for syntax in COMPRESSED},
    "JPEG": picture("JPEG"),
    "PNG": picture("PNG"),
    "WebP": picture("WEBP"),
    "TIFF, LZW": picture("TIFF", compression="tiff_lzw"),
    "TIFF, deflate": picture("TIFF", compression="tiff_adobe_deflate"),
}
STORED = {
    "explicit": film(),
    "implicit": dicom_bytes(a_dataset(GREY), ImplicitVRLittleEndian),
    "16 bits": film(a_gradient(ROWS, COLUMNS, bits=12) + 1),
    "MONOCHROME1": film(PhotometricInterpretation="MONOCHROME1"),
    "colour": film(np.stack([GREY] * 3, axis=-1)),
    "BMP": picture("BMP"),
    "TIFF": picture("TIFF"),
}


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ENCODED)
def test_an_encoded_film_of_full_size_that_is_not_written_is_truncated(
    tmp_path: Path, name: str, share: float
) -> None:
    assert look(tmp_path / "film", ENCODED[name]) is False
    assert look(tmp_path / "film", written(ENCODED[name], share)) is RefusalCode.TRUNCATED


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", STORED)
def test_stored_pixels_that_end_in_zeros_may_be_cut(
    tmp_path: Path, name: str, share: float
) -> None:
    assert look(tmp_path / "film", STORED[name]) is False
    assert look(tmp_path / "film", written(STORED[name], share)) is True


@pytest.mark.parametrize(
    ("syntax", "behind"),
    [
        (ExplicitVRLittleEndian, 7),
        (ImplicitVRLittleEndian, 7),
        (RLELossless, 99),
        (JPEG2000Lossless, 99),
    ],
)
def test_wherever_a_header_breaks_off_it_is_truncated(
    tmp_path: Path, syntax: str, behind: int
) -> None:
    """Within a tag, a length, a value or the name of the syntax, none of which is a fault then.

    behind: bytes behind the beginning of Pixel Data up to which a film is not there yet; one that
    is not compressed may be black from there on.
    """
    content = dicom_bytes(a_dataset(GREY), syntax)
    pixels = content.index(b"".join(half.to_bytes(2, "little") for half in PIXEL_DATA))
    refused = {
        size: look(tmp_path / "film", content[:size].ljust(4000, b"\0"))
        for size in range(1, pixels + behind)
    }
    assert {size for size, code in refused.items() if code is not RefusalCode.TRUNCATED} == set()


@pytest.mark.parametrize("size", [0, 1, 300])
def test_zeros_of_tens_of_megabytes_are_no_elements_to_be_read_one_by_one(
    tmp_path: Path, size: int
) -> None:
    content = film()[:size].ljust(60_000_000, b"\0")
    assert look(tmp_path / "film", content) is RefusalCode.TRUNCATED


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("name", [name for name in ENCODED if name[0] in "JPWT"])
def test_a_picture_of_which_a_few_bytes_are_written_is_truncated(
    tmp_path: Path, name: str, size: int
) -> None:
    content = ENCODED[name][:size].ljust(9000, b"\0")
    assert look(tmp_path / "film", content) is RefusalCode.TRUNCATED


@pytest.mark.parametrize("padding", [1, 64, 20_000])
@pytest.mark.parametrize("name", [*ENCODED, *STORED])
def test_zeros_behind_a_whole_film_mean_nothing(tmp_path: Path, name: str, padding: int) -> None:
    content = {**ENCODED, **STORED}[name] + bytes(padding)
    assert look(tmp_path / "film", content) is False


BLACK = GREY.copy()
BLACK[-60:] = 0
ON_PURPOSE: dict[str, dict[str, Any]] = {
    "shutter": {"ShutterShape": "RECTANGULAR", "ShutterLowerHorizontalEdge": 420},
    "collimator": {"CollimatorShape": "RECTANGULAR", "CollimatorLowerHorizontalEdge": 420},
    "circle": {"CenterOfCircularShutter": [210, 300], "RadiusOfCircularShutter": 210},
    "polygon": {"VerticesOfThePolygonalCollimator": [1, 1, 1, 600, 420, 600, 420, 1]},
    "padding": {"PixelPaddingValue": 0},
}


@pytest.mark.parametrize("name", ON_PURPOSE)
def test_rows_that_are_black_on_purpose_are_no_cut(tmp_path: Path, name: str) -> None:
    assert look(tmp_path / "film", film(BLACK)) is True
    assert look(tmp_path / "film", film(BLACK, **ON_PURPOSE[name])) is False


def test_a_shutter_explains_no_more_than_what_is_below_it(tmp_path: Path) -> None:
    half = GREY.copy()
    half[ROWS // 2 :] = 0
    assert look(tmp_path / "film", film(half, **ON_PURPOSE["shutter"])) is True


@pytest.mark.parametrize("kind", ["DICOM", "BMP", "TIFF"])
def test_a_film_with_black_borders_all_round_is_no_cut(tmp_path: Path, kind: str) -> None:
    framed = NOISE.copy()
    framed[:40] = framed[-60:] = 0
    buffer = io.BytesIO()
    if kind == "DICOM":
        buffer.write(film(framed))
    else:
        Image.fromarray(framed).save(buffer, kind)
    assert look(tmp_path / "film", buffer.getvalue()) is False


def test_a_black_row_or_two_are_no_cut(tmp_path: Path) -> None:
    grey = GREY.copy()
    grey[-2:] = 0
    assert look(tmp_path / "film", film(grey)) is False


def test_a_deflated_film_says_itself_that_it_is_whole(tmp_path: Path) -> None:
    content = dicom_bytes(a_dataset(BLACK), DeflatedExplicitVRLittleEndian)
    assert look(tmp_path / "film", content) is False
    assert look(tmp_path / "film", written(content, 0.5)) is RefusalCode.TRUNCATED


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(600), RefusalCode.NOT_AN_IMAGE),
        (b"text" + bytes(9000), RefusalCode.NOT_AN_IMAGE),
        (b"", RefusalCode.EMPTY_FILE),
        (bytes(9000), RefusalCode.TRUNCATED),
    ],
    ids=["OLE", "text", "empty", "zeros"],
)
def test_what_is_no_image_stays_none(tmp_path: Path, content: bytes, code: RefusalCode) -> None:
    assert look(tmp_path / "file", content) is code
