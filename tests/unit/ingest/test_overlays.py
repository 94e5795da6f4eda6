"""Overlays (groups 60xx) and lossy compression, as the headers of films say them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSNearLossless,
)

from ingest.dicom.overlays import overlay_image, overlays_of
from ingest.dicom.pixels.display import viewed_film
from ingest.dicom.pixels.viewing import facts_of
from ingest.dicom.syntaxes import lossy_compression
from readfirst.errors import Refused
from readfirst.samples import FOLDER
from tests.support.files import a_dataset, a_gradient, dicom_bytes

ROWS, COLUMNS = 20, 30


def a_film() -> FileDataset:
    return a_dataset(a_gradient(ROWS, COLUMNS, bits=12), bits=12)


def with_overlay(
    dataset: FileDataset, origin: list[int], *, group: int = 0x6000, **changes: Any
) -> FileDataset:
    """Add a plane of 4 x 5 pixels that draws at (1, 2) and (3, 4). changes: by element."""
    bits = np.zeros((4, 5), dtype=np.uint8)
    bits[1, 2] = bits[3, 4] = 1
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    elements = {
        "e0010": 4, "e0011": 5, "e0040": "G", "e0050": origin, "e0100": 1, "e0102": 0,
        "e3000": packed + b"\0" * (len(packed) % 2),
    }  # fmt: skip
    vrs = {"e0040": "CS", "e0050": "SS", "e3000": "OW", "e0015": "IS"}
    for name, value in (elements | changes).items():
        if value is not None:
            dataset.add_new((group, int(name[1:], 16)), vrs.get(name, "US"), value)
    return dataset


def drawn(dataset: FileDataset, folder: Path) -> list[tuple[int, int]]:
    """The pixels that overlays draw in the file of a data set."""
    path = folder / "film.dcm"
    path.write_bytes(dicom_bytes(dataset))
    image = overlay_image(path)
    assert image.shape == (ROWS, COLUMNS)
    assert set(np.unique(image)) <= {0, 255}
    return [(int(row), int(column)) for row, column in np.argwhere(image)]


def test_an_overlay_lies_at_its_origin(tmp_path: Path) -> None:
    """PS3.3 C.9.2: Overlay Origin 1\\1 is the upper left pixel of the film."""
    assert drawn(with_overlay(a_film(), [1, 1]), tmp_path) == [(1, 2), (3, 4)]
    assert drawn(with_overlay(a_film(), [3, 4]), tmp_path) == [(3, 5), (5, 7)]


def test_what_lies_beside_the_film_is_left_out(tmp_path: Path) -> None:
    assert drawn(with_overlay(a_film(), [-1, -1]), tmp_path) == [(1, 2)]
    assert drawn(with_overlay(a_film(), [ROWS - 1, COLUMNS - 3]), tmp_path) == [(19, 28)]
    assert drawn(with_overlay(a_film(), [500, 500]), tmp_path) == []


def test_several_overlays_are_drawn_over_each_other(tmp_path: Path) -> None:
    film = with_overlay(with_overlay(a_film(), [1, 1]), [11, 1], group=0x601E)
    assert drawn(film, tmp_path) == [(1, 2), (3, 4), (11, 2), (13, 4)]


@pytest.mark.parametrize(
    "changes",
    [
        {"e0100": 16, "e0102": 12, "e3000": None},
        {"e3000": b"\1\0"},
        {"e0011": 0},
        {"e3000": None},
    ],
    ids=["within the pixels", "too short", "no width", "no data"],
)
def test_an_overlay_that_cannot_be_drawn_is_counted(changes: dict[str, Any]) -> None:
    overlays = overlays_of(with_overlay(a_film(), [1, 1], **changes))
    assert (overlays.planes, overlays.not_shown) == ((), 1)


def test_an_overlay_of_a_later_frame_is_none_of_the_first() -> None:
    overlays = overlays_of(with_overlay(a_film(), [1, 1], e0051=2))
    assert (overlays.planes, overlays.not_shown) == ((), 0)


def test_a_picture_has_no_overlay() -> None:
    with pytest.raises(Refused):
        overlay_image(FOLDER / "film-01.jpg")


def test_the_viewer_is_told_of_overlays_side_and_compression(tmp_path: Path) -> None:
    path = tmp_path / "film.dcm"
    film = with_overlay(a_film(), [1, 1])
    film.Laterality, film.LossyImageCompression = "L", "01"
    path.write_bytes(dicom_bytes(film))
    facts = facts_of(viewed_film(path))
    assert (facts.overlays, facts.overlays_not_shown) == (1, 0)
    assert (facts.laterality, facts.lossy) == ("L", "lossy compression")
    assert facts_of(viewed_film(FOLDER / "film-01.jpg")).lossy == "lossy JPEG"


@pytest.mark.parametrize(
    ("syntax", "stated", "text"),
    [
        (ExplicitVRLittleEndian, {}, ""),
        (ExplicitVRLittleEndian, {"LossyImageCompression": "00"}, ""),
        (ExplicitVRLittleEndian, {"LossyImageCompression": "01"}, "lossy compression"),
        (
            JPEGLosslessSV1,
            {"LossyImageCompression": "01", "LossyImageCompressionMethod": "ISO_15444_1"},
            "lossy JPEG 2000",
        ),
        (JPEGBaseline8Bit, {}, "lossy JPEG"),
        (JPEGBaseline8Bit, {"LossyImageCompression": "00"}, "lossy JPEG"),
        (JPEGBaseline8Bit, {"LossyImageCompressionRatio": "12.5"}, "lossy JPEG, 12.5:1"),
        (JPEGBaseline8Bit, {"LossyImageCompressionRatio": ["3", "20"]}, "lossy JPEG, 20:1"),
        (JPEGBaseline8Bit, {"LossyImageCompressionRatio": "0"}, "lossy JPEG"),
        (JPEGLSNearLossless, {}, "lossy JPEG-LS"),
        (JPEG2000, {}, "perhaps lossy JPEG 2000"),
        (JPEG2000, {"LossyImageCompression": "00"}, ""),
        (JPEG2000, {"LossyImageCompression": "01"}, "lossy JPEG 2000"),
        (JPEG2000Lossless, {}, ""),
    ],
)
def test_lossy_compression_is_said_as_far_as_it_is_known(
    syntax: UID, stated: dict[str, object], text: str
) -> None:
    film = a_film()
    for keyword, value in stated.items():
        setattr(film, keyword, value)
    assert lossy_compression(film, syntax) == text
