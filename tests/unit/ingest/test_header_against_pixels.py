"""Headers that do not fit their pixels: what the pixels prove is shown, or the film is refused."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from ingest.dicom.header import read_header
from ingest.dicom.pixels.display import display_image
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from tests.support.files import a_dataset, dicom_bytes
from tests.support.odd_films import (
    a_chest_film,
    a_deep_film,
    displayed,
    explicit,
    jpeg,
    with_frame,
    with_value,
)

GREY = a_chest_film()
DEEP = a_deep_film()
RGB = np.stack([GREY, GREY, GREY], -1)
RANGE = np.rint((GREY - float(GREY.min())) / (float(GREY.max()) - GREY.min()) * 255)


def a_colour_picture() -> npt.NDArray[np.uint8]:
    """Three colours that differ, and are smooth."""
    return np.stack([GREY, np.roll(GREY, 9, axis=0), 255 - GREY], -1)


def luma(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.rint(colours.astype(np.float64) @ [0.299, 0.587, 0.114]).astype(np.uint8)


def ranged(pixels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The range of the values as grey."""
    low, high = float(pixels.min()), float(pixels.max())
    return np.rint((pixels - low) / (high - low) * 255)


def refusal(folder: Path, content: bytes) -> tuple[RefusalCode, str]:
    with pytest.raises(Refused) as caught:
        displayed(folder, content)
    return caught.value.code, caught.value.reason


# Samples of a pixel.


@pytest.mark.parametrize("colours", [RGB, a_colour_picture()], ids=["grey", "coloured"])
@pytest.mark.parametrize("interpretation", ["MONOCHROME2", "MONOCHROME1", "PALETTE COLOR"])
def test_three_samples_called_monochrome_are_luma(
    tmp_path: Path, colours: npt.NDArray[np.uint8], interpretation: str
) -> None:
    dataset = a_dataset(colours, PhotometricInterpretation=interpretation)
    grey, corrections = displayed(tmp_path, explicit(dataset))
    assert np.abs(grey - luma(colours).astype(int)).max() <= 1
    assert interpretation in corrections


@pytest.mark.parametrize("colours", [RGB, a_colour_picture()], ids=["grey", "coloured"])
def test_three_samples_that_are_said_to_be_one_are_luma(
    tmp_path: Path, colours: npt.NDArray[np.uint8]
) -> None:
    dataset = a_dataset(GREY)
    dataset.PixelData = colours.tobytes()
    grey, corrections = displayed(tmp_path, explicit(dataset))
    assert np.abs(grey - luma(colours).astype(int)).max() <= 1
    assert "3 samples of 8 bits" in corrections


def test_three_planes_of_one_grey_that_are_said_to_be_one_sample_are_shown(tmp_path: Path) -> None:
    dataset = a_dataset(GREY)
    dataset.PixelData = GREY.tobytes() * 3
    grey, corrections = displayed(tmp_path, explicit(dataset))
    np.testing.assert_array_equal(grey, GREY)
    assert "3 samples of 8 bits" in corrections


def test_three_planes_that_may_be_three_frames_are_refused(tmp_path: Path) -> None:
    dataset = a_dataset(GREY)
    dataset.PixelData = np.moveaxis(a_colour_picture(), -1, 0).tobytes()
    code, reason = refusal(tmp_path, explicit(dataset))
    assert code is RefusalCode.PIXELS_UNREADABLE
    assert "3 bytes a pixel, 1 in the header" in reason


def test_three_samples_of_which_there_is_one_are_grey(tmp_path: Path) -> None:
    dataset = a_dataset(RGB)
    dataset.PixelData = GREY.tobytes()
    grey, corrections = displayed(tmp_path, explicit(dataset))
    np.testing.assert_array_equal(grey, RANGE)
    assert "1 samples of 8 bits" in corrections


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("colours", [RGB, a_colour_picture()], ids=["grey", "coloured"])
def test_planar_configuration_is_what_makes_a_picture(
    tmp_path: Path, planar: int, colours: npt.NDArray[np.uint8]
) -> None:
    for declared in (0, 1):
        dataset = a_dataset(colours)
        dataset.PlanarConfiguration = declared
        dataset.PixelData = np.moveaxis(colours, -1, 0).tobytes() if planar else colours.tobytes()
        grey, corrections = displayed(tmp_path, explicit(dataset))
        assert np.abs(grey - luma(colours).astype(int)).max() <= 1
        assert bool(corrections) == (declared != planar)


@pytest.mark.parametrize(
    ("frame", "syntax"),
    [
        (jpeg(RGB), JPEGBaseline8Bit),
        (bytes(imagecodecs.ljpeg_encode(GREY)), JPEGLossless),
        (bytes(imagecodecs.jpeg2k_encode(RGB, codecformat="j2k", reversible=True)),
         JPEG2000Lossless),
        (bytes(imagecodecs.jpegls_encode(RGB)), JPEGLSLossless),
    ],
    ids=["baseline", "lossless", "jpeg-2000", "jpeg-ls"],
)  # fmt: skip
@pytest.mark.parametrize("pixels", [GREY, RGB], ids=["said one", "said three"])
@pytest.mark.parametrize("interpretation", ["MONOCHROME2", "RGB", "YBR_FULL"])
def test_a_frame_knows_its_components(
    tmp_path: Path, frame: bytes, syntax: str, pixels: Any, interpretation: str
) -> None:
    attributes = {"PhotometricInterpretation": interpretation}
    grey, corrections = displayed(tmp_path, with_frame(frame, syntax, pixels, **attributes))
    golden = RANGE if syntax == JPEGLossless else GREY
    limit = 9 if syntax == JPEGBaseline8Bit else 1
    if syntax in (JPEG2000Lossless, JPEGLSLossless) and interpretation == "YBR_FULL":
        # Nothing says otherwise: the standard lets these hold YBR.
        return
    assert np.abs(grey - golden.astype(int)).max() <= limit
    right = interpretation == ("MONOCHROME2" if syntax == JPEGLossless else "RGB")
    assert corrections or right or (interpretation, syntax) == ("YBR_FULL", JPEGBaseline8Bit)


@pytest.mark.parametrize("declared", [GREY, RGB], ids=["said one", "said three"])
@pytest.mark.parametrize("pixels", [GREY, RGB], ids=["one", "three"])
def test_rle_knows_its_components_by_its_segments(
    tmp_path: Path, pixels: Any, declared: Any
) -> None:
    dataset = a_dataset(pixels)
    dicom_bytes(dataset, RLELossless)
    dataset.SamplesPerPixel = declared.shape[2] if declared.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if declared.ndim == 3 else "MONOCHROME2"
    content = dicom_bytes(dataset)
    grey, corrections = displayed(tmp_path, content)
    golden = GREY if pixels.ndim == 3 else RANGE
    assert np.abs(grey - golden.astype(int)).max() <= 1
    assert bool(corrections) == (declared.ndim != pixels.ndim)


# One sample, whatever it is called.


@pytest.mark.parametrize("name", ["YBR_FULL", "RGB", "YBR_FULL_422", "YBR_ICT", "ULTRAVIOLET"])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLosslessSV1])
def test_one_sample_is_grey_whatever_it_is_called(tmp_path: Path, name: str, syntax: str) -> None:
    attributes: dict[str, Any] = {"PhotometricInterpretation": name}
    content = explicit(a_dataset(GREY, **attributes))
    if syntax != ExplicitVRLittleEndian:
        is_lossy = syntax == JPEGBaseline8Bit
        frame = jpeg(GREY) if is_lossy else bytes(imagecodecs.ljpeg_encode(GREY))
        content = with_frame(frame, syntax, GREY, **attributes)
    grey, corrections = displayed(tmp_path, content)
    assert np.abs(grey - RANGE).max() <= 9 * (syntax == JPEGBaseline8Bit)
    assert name in corrections


@pytest.mark.parametrize(
    "name", [b"monochrome2", b"Monochrome2 ", b" MONOCHROME2", b"MONOCHROME2\0\0"]
)
def test_small_letters_and_spaces_say_the_same(tmp_path: Path, name: bytes) -> None:
    content = with_value(explicit(a_dataset(GREY)), 0x28, 4, "CS", name)
    np.testing.assert_array_equal(displayed(tmp_path, content)[0], RANGE)


def test_small_letters_keep_the_polarity(tmp_path: Path) -> None:
    content = with_value(explicit(a_dataset(GREY)), 0x28, 4, "CS", b"monochrome1")
    grey, corrections = displayed(tmp_path, content)
    np.testing.assert_array_equal(grey, 255 - RANGE)
    assert not corrections


# Bits.


def test_eight_bits_in_sixteen_allocated_are_shown(tmp_path: Path) -> None:
    dataset = a_dataset(GREY, BitsAllocated=16)
    grey, corrections = displayed(tmp_path, explicit(dataset))
    np.testing.assert_array_equal(grey, RANGE)
    assert "1 samples of 8 bits" in corrections


def test_sixteen_bits_in_eight_allocated_are_shown(tmp_path: Path) -> None:
    dataset = a_dataset(DEEP, BitsAllocated=8, BitsStored=8, HighBit=7)
    grey, corrections = displayed(tmp_path, explicit(dataset))
    assert np.abs(grey - ranged(DEEP)).max() <= 1
    assert "1 samples of 16 bits" in corrections


@pytest.mark.parametrize(("allocated", "stored"), [(16, 8), (16, 12), (16, 16), (8, 8)])
@pytest.mark.parametrize("frame", ["baseline", "lossless", "jpeg-ls", "jpeg-2000", "rle"])
def test_a_frame_of_eight_bits_is_read_whatever_is_allocated(
    tmp_path: Path, frame: str, allocated: int, stored: int
) -> None:
    bits = {"BitsAllocated": allocated, "BitsStored": stored, "HighBit": stored - 1}
    if frame == "rle":
        dataset = a_dataset(GREY)
        dicom_bytes(dataset, RLELossless)
        for keyword, value in bits.items():
            setattr(dataset, keyword, value)
        content = dicom_bytes(dataset)
    else:
        stream, syntax = {
            "baseline": (jpeg(GREY), JPEGBaseline8Bit),
            "lossless": (imagecodecs.ljpeg_encode(GREY), JPEGLosslessSV1),
            "jpeg-ls": (imagecodecs.jpegls_encode(GREY), JPEGLSLossless),
            "jpeg-2000": (
                imagecodecs.jpeg2k_encode(GREY, codecformat="j2k", reversible=True),
                JPEG2000Lossless,
            ),
        }[frame]
        content = with_frame(bytes(stream), syntax, GREY, **bits)
    grey, corrections = displayed(tmp_path, content)
    assert np.abs(grey - RANGE).max() <= 9 * (frame == "baseline")
    assert bool(corrections) == (allocated == 16)


@pytest.mark.parametrize(("allocated", "stored"), [(8, 8), (16, 8), (16, 10), (16, 12)])
@pytest.mark.parametrize("frame", ["extended", "lossless", "jpeg-ls", "jpeg-2000"])
def test_a_frame_of_twelve_bits_is_read_whatever_is_said_to_be_stored(
    tmp_path: Path, frame: str, allocated: int, stored: int
) -> None:
    bits = {"BitsAllocated": allocated, "BitsStored": stored, "HighBit": stored - 1}
    stream, syntax = {
        "extended": (imagecodecs.jpeg8_encode(DEEP, level=97, bitspersample=12), JPEGExtended12Bit),
        "lossless": (imagecodecs.ljpeg_encode(DEEP, bitspersample=12), JPEGLosslessSV1),
        "jpeg-ls": (imagecodecs.jpegls_encode(DEEP), JPEGLSLossless),
        "jpeg-2000": (
            imagecodecs.jpeg2k_encode(DEEP, codecformat="j2k", reversible=True, bitspersample=12),
            JPEG2000Lossless,
        ),
    }[frame]
    grey, _ = displayed(tmp_path, with_frame(bytes(stream), syntax, DEEP, **bits))
    assert np.abs(grey - ranged(DEEP)).max() <= (6 if frame == "extended" else 1)


@pytest.mark.parametrize("stored", [8, 9, 10, 11])
def test_values_of_more_bits_than_are_said_to_be_stored_are_whole(
    tmp_path: Path, stored: int
) -> None:
    dataset = a_dataset(DEEP, bits=stored)
    grey, corrections = displayed(tmp_path, explicit(dataset))
    assert np.abs(grey - ranged(DEEP)).max() <= 1
    assert "bits are stored" in corrections


@pytest.mark.parametrize("high", [0, 3, 7, 10, 12, 13, 14, 15, 255])
def test_an_odd_high_bit_does_no_harm(tmp_path: Path, high: int) -> None:
    dataset = a_dataset(DEEP, bits=12, HighBit=high)
    grey, _ = displayed(tmp_path, explicit(dataset))
    assert np.abs(grey - ranged(DEEP)).max() <= 1


@pytest.mark.parametrize(("bits", "declared"), [(16, 1), (12, 1), (8, 1)])
def test_unsigned_values_called_signed_are_shown(tmp_path: Path, bits: int, declared: int) -> None:
    pixels = GREY if bits == 8 else a_deep_film(bits)
    dataset = a_dataset(pixels, bits=bits, PixelRepresentation=declared)
    grey, corrections = displayed(tmp_path, explicit(dataset))
    assert np.abs(grey - ranged(pixels)).max() <= 1
    assert "unsigned" in corrections


@pytest.mark.parametrize("bits", [16, 12])
def test_signed_values_called_unsigned_are_shown(tmp_path: Path, bits: int) -> None:
    pixels = (a_deep_film(bits).astype(np.int32) - 2 ** (bits - 1)).astype(np.int16)
    dataset = a_dataset(pixels, bits=bits, PixelRepresentation=0)
    grey, corrections = displayed(tmp_path, explicit(dataset))
    assert np.abs(grey - ranged(pixels)).max() <= 1
    assert corrections


def test_right_signs_with_blackened_and_saturated_parts_stay(tmp_path: Path) -> None:
    """A mask, writing and a saturated part beside black ones prove no other sign."""
    for value in (65535, 65000):
        pixels = a_deep_film(12).copy()
        pixels[:20], pixels[40:60, 10:40:2], pixels[-9:] = value, value, 0
        grey, corrections = displayed(tmp_path, explicit(a_dataset(pixels)))
        np.testing.assert_array_equal(grey, ranged(pixels))
        assert not corrections


# Size.


@pytest.mark.parametrize("frame", ["baseline", "lossless", "jpeg-ls", "jpeg-2000"])
def test_rows_and_columns_that_are_swapped_are_those_of_the_frame(
    tmp_path: Path, frame: str
) -> None:
    stream, syntax = {
        "baseline": (jpeg(GREY), JPEGBaseline8Bit),
        "lossless": (imagecodecs.ljpeg_encode(GREY), JPEGLosslessSV1),
        "jpeg-ls": (imagecodecs.jpegls_encode(GREY), JPEGLSLossless),
        "jpeg-2000": (imagecodecs.jpeg2k_encode(GREY, codecformat="j2k"), JPEG2000Lossless),
    }[frame]
    rows, columns = GREY.shape
    content = with_frame(bytes(stream), syntax, GREY, Rows=columns, Columns=rows)
    grey, corrections = displayed(tmp_path, content)
    assert grey.shape == GREY.shape
    assert "swapped" in corrections
    content = with_frame(bytes(stream), syntax, GREY, Rows=rows // 2)
    code, reason = refusal(tmp_path, content)
    assert code is RefusalCode.PIXELS_UNREADABLE
    assert f"{columns} x {rows} in the frame" in reason


@pytest.mark.parametrize("change", [{"Rows": 50}, {"Columns": 80}, {"Rows": 50, "Columns": 80}])
@pytest.mark.parametrize("pixels", [GREY, DEEP], ids=["8 bits", "12 bits"])
def test_no_part_of_a_film_is_shown_where_rows_or_columns_are_less(
    tmp_path: Path, change: dict[str, int], pixels: npt.NDArray[Any]
) -> None:
    dataset = a_dataset(pixels, bits=12 if pixels.itemsize == 2 else 8, **change)
    code, reason = refusal(tmp_path, explicit(dataset))
    assert code is RefusalCode.PIXELS_UNREADABLE
    assert "bytes a pixel" in reason


def test_two_frames_that_are_said_to_be_one_are_not_taken_for_sixteen_bits(tmp_path: Path) -> None:
    dataset = a_dataset(GREY)
    dataset.PixelData = GREY.tobytes() + np.roll(GREY, 3).tobytes()
    assert refusal(tmp_path, explicit(dataset))[0] is RefusalCode.PIXELS_UNREADABLE


def test_half_a_film_of_sixteen_bits_is_not_taken_for_eight(tmp_path: Path) -> None:
    dataset = a_dataset(DEEP, bits=12)
    dataset.PixelData = DEEP[: len(DEEP) // 2].tobytes()
    assert refusal(tmp_path, explicit(dataset))[0] is RefusalCode.PIXELS_UNREADABLE


@pytest.mark.parametrize("padding", [b"\0" * 2, b"\0" * 5000, b"\xff" * 300])
def test_padding_behind_the_pixels_is_no_part_of_them(tmp_path: Path, padding: bytes) -> None:
    dataset = a_dataset(GREY)
    dataset.PixelData = GREY.tobytes() + padding
    grey, corrections = displayed(tmp_path, explicit(dataset))
    np.testing.assert_array_equal(grey, RANGE)
    assert not corrections


def test_more_pixels_than_are_said_and_than_are_there_are_truncated(tmp_path: Path) -> None:
    dataset = a_dataset(GREY)
    dataset.PixelData = RGB.tobytes()
    content = explicit(dataset)
    assert refusal(tmp_path, content[: -GREY.size])[0] is RefusalCode.TRUNCATED


def test_right_films_of_each_kind_have_no_corrections(tmp_path: Path) -> None:
    signed = (DEEP.astype(np.int32) - 1000).astype(np.int16)
    for dataset in (
        a_dataset(GREY),
        a_dataset(DEEP, bits=12, WindowCenter="2048", WindowWidth="4096"),
        a_dataset(DEEP << 4, bits=12, HighBit=15),
        a_dataset(signed, RescaleSlope="2", RescaleIntercept="-1024"),
        a_dataset(RGB),
        a_dataset(a_colour_picture(), PlanarConfiguration=0),
        a_dataset(GREY, WindowCenter="100", WindowWidth="60"),
    ):
        assert not displayed(tmp_path, explicit(dataset))[1]


def test_the_header_of_such_films_is_read(tmp_path: Path) -> None:
    """Intake reads the header alone, before anybody decodes."""
    path = tmp_path / "film.dcm"
    dataset = a_dataset(RGB)
    dataset.PixelData = GREY.tobytes()
    path.write_bytes(explicit(dataset))
    assert read_header(path).columns == GREY.shape[1]
    assert Image.fromarray(display_image(path)).size == GREY.shape[::-1]


def test_bands_of_colour_prove_no_other_order(tmp_path: Path) -> None:
    """In even bands, rows are alike in either order: then what the header says counts."""
    bands = np.repeat(np.random.default_rng(3).integers(0, 255, (12, 3), np.uint8), 10, axis=0)
    colours = np.repeat(bands[:, None], 90, axis=1)
    for planar in (0, 1):
        dataset = a_dataset(colours, PlanarConfiguration=planar)
        content = np.moveaxis(colours, -1, 0) if planar else colours
        dataset.PixelData = content.tobytes()
        grey, corrections = displayed(tmp_path, explicit(dataset))
        assert not corrections
        assert np.abs(grey - luma(colours).astype(int)).max() <= 1
