"""The rules by which stored values become the film that is scored."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ingest.dicom.pixels.borders import without_borders
from ingest.dicom.pixels.decoding import significant
from ingest.dicom.pixels.dicom import completed
from ingest.dicom.pixels.display import display_image, film_image
from ingest.dicom.pixels.geometry import pixel_height, with_square_pixels
from ingest.dicom.pixels.grey import grey_display
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.samples import sample_files
from tests.support.files import a_dataset, a_dicom_file, a_gradient, dicom_bytes

RAMP = np.array([[0, 1000, 2000, 3000, 4000]], dtype=np.uint16)


def a_lut(values: list[int], first: int = 0, bits: int = 8) -> Dataset:
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [len(values), first, bits], values
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    return item


# Values.


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_modality_lut_comes_before_the_window(bits: int) -> None:
    lut = a_lut([0, 10, 100, 200, 255], bits=bits)
    pixels = np.array([[0, 1, 2, 3, 4]], np.uint8)
    dataset = completed(a_dataset(pixels, ModalityLUTSequence=[lut]))
    dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = 100, 200, "LINEAR_EXACT"
    grey = grey_display(np.array([[0, 1, 2, 3, 4]], np.uint8), dataset)[0]
    assert [int(value) for value in grey] == [0, 13, 128, 255, 255]


@pytest.mark.parametrize(
    ("function", "golden"),
    [
        ("LINEAR", [0, 0, 128, 255, 255]),
        ("LINEAR_EXACT", [0, 0, 128, 255, 255]),
        ("SIGMOID", [5, 30, 128, 225, 250]),
        (None, [0, 0, 128, 255, 255]),
    ],
)
def test_a_window_of_each_function(function: str | None, golden: list[int]) -> None:
    window: dict[str, Any] = {"WindowCenter": [2000, 5], "WindowWidth": [2000, 9]}
    dataset = a_dataset(RAMP, bits=12, **window)
    if function is not None:
        dataset.VOILUTFunction = function
    grey = grey_display(RAMP, dataset)[0]
    # Of two windows the first. PS3.3 C.11.2.1.3.1: a sigmoid is 1 / (1 + exp(-4 (x - c) / w)).
    assert np.abs(grey.astype(int) - golden).max() <= 1


def test_a_voi_lut_of_more_entries_than_the_type_of_the_values_can_count() -> None:
    pixels = np.array([[0, 100, 255]], dtype=np.uint8)
    lut = a_lut([min(n, 255) for n in range(1024)])
    assert list(grey_display(pixels, a_dataset(pixels, VOILUTSequence=[lut]))[0]) == [0, 100, 255]


def test_a_voi_lut_follows_a_rescale_that_gives_fractions() -> None:
    pixels = np.array([[0, 100, 200]], dtype=np.uint8)
    dataset = a_dataset(pixels, RescaleSlope=0.5, RescaleIntercept=0)
    dataset.VOILUTSequence = [a_lut([2 * n for n in range(128)])]
    assert list(grey_display(pixels, dataset)[0]) == [0, 100, 200]


def test_a_slope_of_nothing_leaves_the_film() -> None:
    pixels = a_gradient()
    dataset = a_dataset(pixels, RescaleSlope=0, RescaleIntercept=5)
    np.testing.assert_array_equal(grey_display(pixels, dataset), pixels)


@pytest.mark.parametrize(("name", "sequence"), [("mlut_18.dcm", 0), ("vlut_04.dcm", 1)])
def test_look_up_tables_of_others(name: str, sequence: int) -> None:
    path = Path(get_testdata_file(name, download=False) or "")
    dataset = pydicom.dcmread(path)
    item = dataset.ModalityLUTSequence[0] if sequence == 0 else dataset.VOILUTSequence[0]
    entries, first, bits = item.LUTDescriptor
    table = np.asarray(item.LUTData if item["LUTData"].VR != "OW" else
                       np.frombuffer(item.LUTData, "<u2"), dtype=np.float64)  # fmt: skip
    values = table[np.clip(dataset.pixel_array.astype(int) - first, 0, entries - 1)]
    if sequence == 0:
        # What the modality LUT gives is windowed, or shown by its own range.
        order = np.argsort(values, axis=None, kind="stable")
        grey = display_image(path).reshape(-1)[order].astype(int)
        assert (np.diff(grey) >= 0).all() or (np.diff(grey) <= 0).all()
        return
    golden = values / (2**bits - 1) * 255
    assert np.abs(display_image(path) - golden).max() <= 1


@pytest.mark.parametrize("signed", [False, True])
def test_overlays_in_unused_bits_are_not_shown(tmp_path: Path, signed: bool) -> None:
    values = a_gradient(bits=12).astype(np.int32) - (2048 if signed else 0)
    overlay = (np.indices(values.shape).sum(axis=0) % 3 == 0).astype(np.int32) << 15
    stored = ((values & 0x0FFF) | overlay).astype(np.uint16)
    with_overlay = a_dataset(stored, bits=12, PixelRepresentation=int(signed))
    clean = a_dataset((values & 0x0FFF).astype(np.uint16), bits=12, PixelRepresentation=int(signed))
    paths = tmp_path / "overlay.dcm", tmp_path / "clean.dcm"
    for path, dataset in zip(paths, (with_overlay, clean), strict=True):
        path.write_bytes(dicom_bytes(dataset))
    grey, golden = map(display_image, paths)
    np.testing.assert_array_equal(grey, golden)
    np.testing.assert_array_equal(grey, np.rint(a_gradient(bits=12) / 4095 * 255))


def test_overlays_of_others_are_not_drawn(tmp_path: Path) -> None:
    path = Path(get_testdata_file("MR-SIEMENS-DICOM-WithOverlays.dcm", download=False) or "")
    dataset = pydicom.dcmread(path)
    groups = {element.tag for element in dataset if 0x6000 <= element.tag.group <= 0x60FF}
    assert groups
    for tag in groups:
        del dataset[tag]
    dataset.save_as(tmp_path / "without.dcm")
    np.testing.assert_array_equal(display_image(path), display_image(tmp_path / "without.dcm"))


@given(
    values=arrays(np.uint16, 9, elements=st.integers(0, 4095)),
    high_bit=st.integers(11, 15),
    garbage=arrays(np.uint16, 9, elements=st.integers(0, 65535)),
)
def test_values_are_taken_from_below_the_high_bit(
    values: np.ndarray, high_bit: int, garbage: np.ndarray
) -> None:
    shift = high_bit - 11
    mask = np.uint16(0x0FFF << shift)
    stored = ((values << shift) | (garbage & ~mask)).astype(np.uint16)
    np.testing.assert_array_equal(significant(stored, 12, high_bit), values)
    signed = significant(stored.view(np.int16), 12, high_bit)
    np.testing.assert_array_equal(signed, values.astype(np.int32) - 4096 * (values >= 2048))


def test_a_film_whose_values_end_at_the_highest_bit_is_read(tmp_path: Path) -> None:
    pixels = a_gradient(bits=12)
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom_bytes(a_dataset(pixels << 4, bits=12, HighBit=15)))
    np.testing.assert_array_equal(display_image(path), np.rint(pixels / 4095 * 255))


def test_what_old_devices_leave_out_is_filled_in(tmp_path: Path) -> None:
    dataset = a_dataset(a_gradient())
    for keyword in ("BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"):
        delattr(dataset, keyword)
    del dataset.PhotometricInterpretation
    path = tmp_path / "film"
    path.write_bytes(dicom_bytes(dataset)[132:])
    np.testing.assert_array_equal(display_image(path), a_gradient())


@pytest.mark.parametrize("interpretation", ["HSV", "CMYK", "XYZ"])
def test_unknown_colours_are_refused(tmp_path: Path, interpretation: str) -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    path = a_dicom_file(tmp_path / "film", pixels, PhotometricInterpretation=interpretation)
    with pytest.raises(Refused) as caught:
        display_image(path)
    assert caught.value.code is RefusalCode.PIXELS_UNREADABLE


def test_a_palette_becomes_luma(tmp_path: Path) -> None:
    pixels = np.array([[0, 1, 2]], np.uint8)
    dataset = a_dataset(pixels, PhotometricInterpretation="PALETTE COLOR")
    for colour, table in (
        ("Red", [255, 0, 9, 9]),
        ("Green", [0, 255, 9, 9]),
        ("Blue", [0, 0, 9, 9]),
    ):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [4, 0, 8])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", bytes(table))
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom_bytes(dataset))
    assert list(display_image(path)[0]) == [76, 150, 9]


def test_an_enhanced_object_keeps_its_window_in_its_functional_groups() -> None:
    dataset = a_dataset(RAMP, bits=12)
    voi, group, transformation = Dataset(), Dataset(), Dataset()
    voi.WindowCenter, voi.WindowWidth = 2000, 2000
    transformation.RescaleSlope, transformation.RescaleIntercept = 1, 0
    group.FrameVOILUTSequence = Sequence([voi])
    shared = Dataset()
    shared.PixelValueTransformationSequence = Sequence([transformation])
    dataset.PerFrameFunctionalGroupsSequence = Sequence([group])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    grey = grey_display(RAMP, completed(dataset))[0]
    assert (grey[1], grey[3]) == (0, 255)
    assert dataset.RescaleSlope == 1


# Padding.


@pytest.mark.parametrize("interpretation", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("limits", [(9000, None), (9000, 9100), (9100, 9000)])
def test_padding_is_black_and_takes_no_part_in_the_range(
    interpretation: str, limits: tuple[int, int | None]
) -> None:
    pixels = np.array([[9000, 100, 200, 300]], dtype=np.uint16)
    dataset = a_dataset(pixels, PhotometricInterpretation=interpretation)
    dataset.PixelPaddingValue = limits[0] if limits[1] else 9000
    if limits[1] is not None:
        dataset.PixelPaddingRangeLimit = limits[1]
    film = [0, 127.5, 255] if interpretation == "MONOCHROME2" else [255, 127.5, 0]
    assert np.abs(grey_display(pixels, dataset)[0] - [0, *film]).max() <= 0.5


def test_padding_that_takes_the_whole_film_is_left_aside() -> None:
    pixels = a_gradient()
    dataset = a_dataset(pixels, PixelPaddingValue=0, PixelPaddingRangeLimit=255)
    np.testing.assert_array_equal(grey_display(pixels, dataset), pixels)


def test_signed_padding_that_was_written_as_unsigned_is_known() -> None:
    pixels = np.array([[-2000, 0, 100]], dtype=np.int16)
    dataset = a_dataset(pixels)
    dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
    assert [int(value) for value in grey_display(pixels, dataset)[0]] == [0, 0, 255]


# Images for processing.


@pytest.mark.parametrize("sign", [1, -1, None])
def test_raw_intensities_become_what_a_film_shows(sign: int | None) -> None:
    """A wedge that halves the intensity at each step is an even ramp on a film."""
    intensity = np.repeat([[16384, 8192, 4096, 2048, 1024]], 40, axis=0).astype(np.uint16)
    stored = intensity if sign != -1 else 16384 - intensity
    dataset = a_dataset(stored, bits=15, PresentationIntentType="FOR PROCESSING")
    dataset.PixelIntensityRelationship = "LIN"
    dataset.WindowCenter, dataset.WindowWidth = 3, 2
    if sign is None:
        dataset.PhotometricInterpretation = "MONOCHROME1"
    else:
        dataset.PixelIntensityRelationshipSign = sign
    grey = grey_display(stored, dataset)[0].astype(int)
    assert (grey[0], grey[4]) == (0, 255)
    if sign != -1:
        assert np.abs(grey - [0, 64, 128, 191, 255]).max() <= 1
    assert (np.diff(grey) > 0).all()


def test_raw_logarithms_are_not_taken_to_their_logarithm() -> None:
    pixels = np.repeat([[0, 100, 200]], 40, axis=0).astype(np.uint16)
    dataset = a_dataset(pixels, PresentationIntentType="FOR PROCESSING")
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", -1
    assert np.abs(grey_display(pixels, dataset)[0] - [0, 127.5, 255]).max() <= 0.5


def test_a_dead_pixel_does_not_darken_a_raw_film() -> None:
    pixels = np.full((100, 100), 5000, np.uint16)
    pixels[:50], pixels[0, 0] = 3000, 65535
    dataset = a_dataset(pixels, PresentationIntentType="FOR PROCESSING")
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LIN", 1
    grey = grey_display(pixels, dataset)
    assert (grey[10, 10], grey[90, 90]) == (255, 0)


# Geometry.


@pytest.mark.parametrize(
    ("attributes", "height"),
    [
        ({"PixelSpacing": [0.4, 0.2]}, 2.0),
        ({"ImagerPixelSpacing": [0.1, 0.2]}, 0.5),
        ({"NominalScannedPixelSpacing": [0.3, 0.2]}, 1.5),
        ({"PixelAspectRatio": [4, 3]}, 4 / 3),
        ({"PixelSpacing": [0.2, 0.2], "PixelAspectRatio": [4, 3]}, 1.0),
        ({"PixelSpacing": [0, 0.2]}, 1.0),
        ({"PixelSpacing": [0.2]}, 1.0),
        ({}, 1.0),
    ],
)
def test_the_height_of_a_pixel_is_what_the_header_says(
    attributes: dict[str, Any], height: float
) -> None:
    assert pixel_height(a_dataset(a_gradient(), **attributes)) == pytest.approx(height)


def test_pixels_become_square_by_stretching_and_absurd_ratios_are_left_aside() -> None:
    grey = a_gradient(40, 60)
    assert with_square_pixels(grey, 2.0).shape == (80, 60)
    assert with_square_pixels(grey, 0.5).shape == (40, 120)
    for height in (1.0, 1.005, 90.0, 0.01):
        assert with_square_pixels(grey, height) is grey


def test_a_round_object_is_round_on_the_film(tmp_path: Path) -> None:
    rows, columns = np.indices((100, 200))
    disc = (np.hypot((rows - 50) * 2, columns - 100) < 80).astype(np.uint8) * 250 + 5
    path = a_dicom_file(tmp_path / "film.dcm", disc, PixelSpacing=[0.4, 0.2])
    film = film_image(path, 448)
    high, wide = (np.ptp(np.flatnonzero((film > 100).any(axis=axis))) for axis in (1, 0))
    assert abs(int(high) - int(wide)) <= 3


# Borders.


def a_chest() -> np.ndarray:
    return display_image(next(path for path in sample_files() if path.name == "film-05.png"))


def bordered(film: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    return np.pad(film, ((top, bottom), (left, right)))


@settings(max_examples=25, deadline=None)
@given(borders=st.tuples(*[st.just(0) | st.integers(40, 120)] * 4))
def test_collimator_borders_are_cut_and_nothing_of_the_film(
    borders: tuple[int, int, int, int],
) -> None:
    film = np.maximum(a_chest(), 30)
    np.testing.assert_array_equal(without_borders(bordered(film, *borders)), film)


def test_a_marker_in_the_border_keeps_nothing_and_uneven_black_is_black() -> None:
    film = np.maximum(a_chest(), 30)
    framed = bordered(film, 60, 60, 60, 60)
    framed[:] = np.maximum(framed, np.random.default_rng(0).integers(0, 6, framed.shape))
    framed[20:26, 30:35] = 255
    assert without_borders(framed).shape == film.shape


def test_air_beside_a_chest_is_no_border() -> None:
    fading = np.tile(np.clip(np.arange(-60, 140), 0, 120), (200, 1)).astype(np.uint8)
    for scale in (1, 5):
        film = np.repeat(np.repeat(fading, scale, axis=0), scale, axis=1)
        assert without_borders(film).shape == film.shape


@pytest.mark.parametrize("level", [0, 128])
def test_an_even_film_stays(level: int) -> None:
    film = np.full((50, 60), level, dtype=np.uint8)
    assert without_borders(film).shape == (50, 60)


def test_a_film_that_is_hardly_there_stays() -> None:
    film = bordered(np.full((20, 20), 200, np.uint8), 100, 100, 100, 100)
    assert without_borders(film).shape == film.shape


def test_the_border_is_no_part_of_the_film_but_of_the_display(tmp_path: Path) -> None:
    framed = bordered(np.maximum(a_chest(), 30), 50, 50, 0, 0)
    path = a_dicom_file(tmp_path / "film.dcm", framed)
    assert display_image(path).shape == framed.shape
    assert film_image(path, 448).shape == a_chest().shape
