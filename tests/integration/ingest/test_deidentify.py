"""Films without patients look as before, and text on films is found."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from ingest.deidentify.boxes import Box, painted_over
from ingest.deidentify.burned_in_text import LONGEST_SIDE, TextFinder, is_marker
from ingest.deidentify.replacement import Replacement
from ingest.dicom.pixels.display import display_image
from ingest.reader.reader_process import Reader
from readfirst.errors import Refused
from readfirst.samples import sample_files
from tests.support.files import a_dataset, dicom_bytes
from tests.support.identities import an_identified_dicom, identified
from tests.support.odd_films import a_chest_film, a_deep_film, a_table

WHO = Replacement(
    patient="pseudonym",
    seed="seed",
    age=4,
    study_instance_uid="1.2.826.77.1",
    series_instance_uid="1.2.826.77.2",
    sop_instance_uid="1.2.826.77.3",
    text_checked=True,
)
SIGNED = (a_deep_film().astype(np.int32) - 2048).astype(np.int16)
WINDOW = {"WindowCenter": 1900, "WindowWidth": 2500}
LUT = a_table([*range(0, 4096, 2)], [2048, 512, 12])
FILMS: dict[str, tuple[Any, int, dict[str, Any], str | None]] = {
    "eight bits": (a_chest_film(), 8, {}, None),
    "twelve bits with a window": (a_deep_film(), 12, WINDOW, None),
    "black and white swapped": (
        a_deep_film(), 12, {"PhotometricInterpretation": "MONOCHROME1", **WINDOW}, None,
    ),
    "signed": (
        SIGNED, 12, {"RescaleSlope": 0.7251, "RescaleIntercept": -3.5, "WindowCenter": 40,
                     "WindowWidth": 1500}, None,
    ),
    "a modality LUT": (a_deep_film(), 12, {"ModalityLUTSequence": [LUT]}, None),
    "a VOI LUT": (a_deep_film(), 12, {"VOILUTSequence": [LUT]}, None),
    "padding": (
        a_deep_film(), 12, {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 300}, None,
    ),
    "a useless window": (a_deep_film(), 12, {"WindowCenter": 1, "WindowWidth": 1}, None),
    "for processing": (
        a_deep_film(), 12, {"PresentationIntentType": "FOR PROCESSING",
                            "PixelIntensityRelationship": "LIN",
                            "PixelIntensityRelationshipSign": -1}, None,
    ),
    "colour": (np.stack([a_chest_film()] * 3, axis=-1), 8, {}, None),
    "implicit": (a_deep_film(), 12, WINDOW, ImplicitVRLittleEndian),
    "deflated": (a_deep_film(), 12, WINDOW, DeflatedExplicitVRLittleEndian),
    "RLE": (a_deep_film(), 12, WINDOW, RLELossless),
    "JPEG-LS": (a_deep_film(), 12, WINDOW, JPEGLSLossless),
    "JPEG 2000": (a_deep_film(), 12, WINDOW, JPEG2000Lossless),
    "square pixels no more": (a_chest_film(), 8, {"PixelAspectRatio": [2, 1]}, None),
}  # fmt: skip


@pytest.fixture(scope="module")
def finder() -> TextFinder:
    return TextFinder()


@pytest.mark.parametrize("kind", FILMS)
def test_a_film_without_its_patient_looks_as_before(
    kind: str, reader: Reader, tmp_path: Path
) -> None:
    pixels, bits, attributes, syntax = FILMS[kind]
    dataset = a_dataset(pixels, bits, **identified(WindowCenter=None, WindowWidth=None))
    for keyword in ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation"):
        delattr(dataset, keyword)
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    source, target = tmp_path / "before.dcm", tmp_path / "after.dcm"
    source.write_bytes(dicom_bytes(dataset, syntax))
    target.write_bytes(reader.deidentified(source, WHO))
    assert np.array_equal(reader.display(target), reader.display(source))
    assert np.array_equal(reader.film(target, 448), reader.film(source, 448))
    header = reader.header(target)
    assert (header.patient_id, header.patient_birth_date) == ("pseudonym", None)
    assert not header.may_be_cut


def test_a_big_endian_film_looks_as_before(reader: Reader, tmp_path: Path) -> None:
    dataset = a_dataset(a_deep_film().byteswap(), 12, **WINDOW)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    source, target = tmp_path / "before.dcm", tmp_path / "after.dcm"
    pydicom.dcmwrite(source, dataset, little_endian=False, implicit_vr=False, force_encoding=True)
    target.write_bytes(reader.deidentified(source, WHO))
    assert np.array_equal(reader.display(target), reader.display(source))


@pytest.mark.parametrize("interpretation", ["MONOCHROME1", "MONOCHROME2"])
def test_what_is_painted_over_is_black(interpretation: str, reader: Reader, tmp_path: Path) -> None:
    source, target = tmp_path / "before.dcm", tmp_path / "after.dcm"
    source.write_bytes(an_identified_dicom(PhotometricInterpretation=interpretation))
    box = Box(5, 10, 30, 60)
    masked = Replacement(
        **{name: getattr(WHO, name) for name in WHO.__slots__} | {"masked": (box,)}
    )
    target.write_bytes(reader.deidentified(source, masked))
    before, after = reader.display(source), reader.display(target)
    assert (after[5:30, 10:60] == after.min()).all()
    assert np.array_equal(after, painted_over(before, [box], int(after.min())))


def test_a_range_of_padding_hides_nothing(reader: Reader, tmp_path: Path) -> None:
    pixels = a_deep_film().copy()
    pixels[:10] = np.arange(pixels.shape[1]) % 200
    source, target = tmp_path / "before.dcm", tmp_path / "after.dcm"
    padding = {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 199}
    source.write_bytes(dicom_bytes(a_dataset(pixels, 12, **padding)))
    target.write_bytes(reader.deidentified(source, WHO))
    assert len(np.unique(pydicom.dcmread(target).pixel_array[:10])) == 1


def test_what_cannot_be_decoded_is_refused(reader: Reader, tmp_path: Path) -> None:
    source = tmp_path / "broken.dcm"
    source.write_bytes(an_identified_dicom()[:900])
    with pytest.raises(Refused):
        reader.deidentified(source, WHO)


def written_on(grey: np.ndarray, text: str, size: int, *, turned: bool = False) -> np.ndarray:
    """A film with a text in its corner, or up along its side."""
    image = Image.fromarray(np.rot90(grey, -1) if turned else grey)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(image).text((size, size), text, fill=230, font=font)
    written = np.asarray(image)
    return np.ascontiguousarray(np.rot90(written)) if turned else written


@pytest.mark.parametrize(
    ("text", "turned"),  # on a film without text, as is tested below
    [("EJEMPLO LUCIA 14.03.2022", False), ("ID 1067247", True), ("Müller, Jörg", False)],
)
def test_a_name_on_a_film_is_found_and_painted_over(
    text: str, turned: bool, finder: TextFinder
) -> None:
    film = display_image(next(path for path in sample_files() if path.name == "film-06.jpg"))
    written = written_on(film, text, 24, turned=turned)
    boxes = finder.find(written)
    changed = written != film
    for box in boxes:
        changed[box.top : box.bottom, box.left : box.right] = False
    assert boxes
    assert not changed.any()
    assert finder.find(painted_over(written, boxes, 0)) == ()


def test_small_letters_on_a_large_film_are_found(finder: TextFinder) -> None:
    film = display_image(next(path for path in sample_files() if path.name == "film-06.jpg"))
    # Longer than films are read at, and so read at a smaller scale.
    large = np.asarray(Image.fromarray(film).resize((3000, 1000)))
    assert LONGEST_SIDE < 3000
    assert finder.find(written_on(large, "Ejemplo^Lucia 14.03.2022", 30))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("R", True), ("l", True), ("PA ERECT", True), ("", True), ("R.", True),
     ("RICHARD", False), ("R 1067247", False), ("7", False), ("AP 12:30", False)],
)  # fmt: skip
def test_markers_of_sides_and_projections_are_no_text(text: str, expected: bool) -> None:
    assert is_marker(text) is expected


def test_the_text_of_a_device_is_found_and_bones_are_no_letters(finder: TextFinder) -> None:
    films = {path.name: display_image(path) for path in sample_files()}
    assert finder.find(films["study-04.dcm"])
    assert finder.find(films["study-05.dcm"]) == ()
    assert finder.find(films["film-08.png"]) == ()
    assert finder.find(films["film-06.jpg"]) == ()
