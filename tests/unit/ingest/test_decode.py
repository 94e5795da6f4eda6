import io
from pathlib import Path
from typing import Any

import gdcm
import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    RLELossless,
)

from ingest.dicom.pixels.arrays import stretch
from ingest.dicom.pixels.display import display_image
from ingest.dicom.pixels.grey import grey_display, is_inverse
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from tests.support.files import a_big_endian_file, a_dataset, a_gradient, dicom_bytes

NATIVE_AND_LOSSLESS = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
]


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("syntax", NATIVE_AND_LOSSLESS)
def test_every_lossless_syntax_gives_the_same_display(
    tmp_path: Path, syntax: str, bits: int
) -> None:
    pixels = a_gradient(bits=bits)
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom_bytes(a_dataset(pixels, bits=bits), syntax))
    golden = np.rint(pixels / (2**bits - 1) * 255).astype(np.uint8)
    np.testing.assert_array_equal(display_image(path), golden)


def test_big_endian_gives_the_same_display(tmp_path: Path) -> None:
    pixels = a_gradient(bits=12)
    path = a_big_endian_file(tmp_path / "film.dcm", pixels)
    np.testing.assert_array_equal(
        display_image(path), np.rint(pixels / 4095 * 255).astype(np.uint8)
    )


@pytest.mark.parametrize(
    ("process", "bits", "tolerance"),
    [
        ("JPEGLosslessProcess14", 16, 0),
        ("JPEGLosslessProcess14_1", 12, 0),
        ("JPEGLSNearLossless", 8, 3),
    ],
)
def test_jpeg_processes_encoded_by_gdcm(
    tmp_path: Path, process: str, bits: int, tolerance: int
) -> None:
    pixels = a_gradient(bits=bits)
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom_bytes(a_dataset(pixels, bits=bits)))
    recode(path, process)
    grey = display_image(path).astype(int)
    golden = np.rint(pixels / (2**bits - 1) * 255).astype(int)
    assert np.abs(grey - golden).max() <= tolerance


def test_twelve_bit_extended_jpeg_encoded_by_libjpeg_turbo(tmp_path: Path) -> None:
    pixels = a_gradient(bits=12)
    pixels[:20, :30], pixels[30:, 40:] = 0, 4095  # where values that wrap would show
    frame = imagecodecs.jpeg8_encode(pixels, level=90, bitspersample=12)
    dataset = a_dataset(pixels, bits=12, WindowCenter=2048, WindowWidth=4096)
    dataset.PixelData = encapsulate([bytes(frame)])
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom_bytes(dataset, JPEGExtended12Bit))
    golden = imagecodecs.jpeg8_decode(frame) / 4095 * 255
    assert np.abs(display_image(path) - golden).max() <= 1


def test_high_throughput_jpeg_2000_encoded_by_openjph(tmp_path: Path) -> None:
    pixels = a_gradient(bits=12)
    dataset = a_dataset(pixels, bits=12)
    dataset.PixelData = encapsulate([bytes(imagecodecs.htj2k_encode(pixels, reversible=True))])
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom_bytes(dataset, HTJ2KLossless))
    golden = np.rint(pixels / 4095 * 255).astype(np.uint8)
    np.testing.assert_array_equal(display_image(path), golden)


def test_jpeg_baseline(tmp_path: Path) -> None:
    pixels = a_gradient()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    dataset = a_dataset(pixels)
    dataset.PixelData = encapsulate([buffer.getvalue()])
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom_bytes(dataset, JPEGBaseline8Bit))
    assert np.abs(display_image(path).astype(int) - pixels).max() <= 4


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pixels=arrays(np.uint16, (6, 5), elements=st.integers(0, 4095)))
def test_monochrome1_is_inverted_monochrome2(pixels: np.ndarray) -> None:
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    inverted = a_dataset(pixels, bits=12, PhotometricInterpretation="MONOCHROME1", **window)
    plain = a_dataset(pixels, bits=12, **window)
    np.testing.assert_array_equal(grey_display(pixels, inverted), 255 - grey_display(pixels, plain))


def test_a_window_decides_what_is_black_and_white(tmp_path: Path) -> None:
    pixels = np.array([[0, 1000, 2000, 3000, 4000]], dtype=np.uint16)
    dataset = a_dataset(pixels, bits=12, WindowCenter=2000, WindowWidth=2000)
    grey = grey_display(pixels, dataset)
    assert grey[0, 0] == grey[0, 1] == 0
    assert grey[0, 3] == grey[0, 4] == 255
    assert abs(int(grey[0, 2]) - 128) <= 1


def test_the_window_counts_in_rescaled_values() -> None:
    pixels = np.array([[0, 100, 200]], dtype=np.uint16)
    dataset = a_dataset(pixels, bits=12, RescaleSlope=10, RescaleIntercept=-1000)
    dataset.WindowCenter, dataset.WindowWidth = 0, 2000
    assert [int(value) for value in grey_display(pixels, dataset)[0]] == [0, 128, 255]


def test_a_voi_lut_is_applied() -> None:
    pixels = np.array([[0, 1, 2, 3]], dtype=np.uint8)
    item = Dataset()
    item.LUTDescriptor = [4, 0, 8]
    item.LUTData = [0, 10, 200, 255]
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "US"
    dataset = a_dataset(pixels, VOILUTSequence=[item])
    assert list(grey_display(pixels, dataset)[0]) == [0, 10, 200, 255]


@pytest.mark.parametrize(
    ("attributes", "inverse"),
    [
        ({"PhotometricInterpretation": "MONOCHROME1"}, True),
        ({"PhotometricInterpretation": "MONOCHROME2"}, False),
        ({"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}, True),
        ({"PhotometricInterpretation": "MONOCHROME2", "PresentationLUTShape": "IDENTITY"}, False),
    ],
)
def test_polarity_is_what_the_header_says(attributes: dict[str, Any], inverse: bool) -> None:
    assert is_inverse(a_dataset(a_gradient(), **attributes)) is inverse


def test_signed_pixels_without_a_window_show_their_range() -> None:
    pixels = np.array([[-100, 0, 100]], dtype=np.int16)
    grey = grey_display(pixels, a_dataset(pixels))[0]
    assert (grey[0], grey[2]) == (0, 255)
    assert grey[1] in (127, 128)


def test_colour_becomes_luma(tmp_path: Path) -> None:
    pixels = np.zeros((2, 3, 3), dtype=np.uint8)
    pixels[:, 0], pixels[:, 1], pixels[:, 2] = (255, 0, 0), (0, 255, 0), (255, 255, 255)
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom_bytes(a_dataset(pixels)))
    assert list(display_image(path)[0]) == [76, 150, 255]


@given(values=arrays(np.float64, 7, elements=st.floats(-1e6, 1e6)), low=st.floats(-1e3, 1e3))
def test_stretching_keeps_the_order(values: np.ndarray, low: float) -> None:
    ordered = np.sort(values)
    assert (np.diff(stretch(ordered, (low, low + 100)).astype(int)) >= 0).all()


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_pictures_are_shown_upright(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(a_gradient(40, 60))
    exif = image.getexif()
    exif[0x0112] = 6  # EXIF orientation: rotated by 90 degrees
    path = tmp_path / f"film.{suffix}"
    image.save(path, exif=exif)
    assert display_image(path).shape == (60, 40)


def test_sixteen_bit_png_keeps_its_range(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    Image.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16)).save(path)
    assert list(display_image(path)[0]) == [0, 128, 255]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "CMYK", "1"])
def test_every_mode_of_a_picture_becomes_grey(tmp_path: Path, mode: str) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    path = tmp_path / f"film.{suffix}"
    Image.fromarray(a_gradient()).convert("RGB").convert("RGBA" if mode == "LA" else mode).convert(
        mode
    ).save(path)
    assert display_image(path).dtype == np.uint8
    assert display_image(path).shape == (48, 64)


def test_pixels_that_cannot_be_decoded_are_refused(tmp_path: Path) -> None:
    whole = bytearray(dicom_bytes(a_dataset(a_gradient()), JPEG2000Lossless))
    start = whole.index(b"\xff\x4f\xff\x51")
    whole[start + 2 : start + 60] = b"\x13" * 58
    path = tmp_path / "film.dcm"
    path.write_bytes(whole)
    with pytest.raises(Refused) as caught:
        display_image(path)
    assert caught.value.code is RefusalCode.PIXELS_UNREADABLE


def recode(path: Path, process: str) -> None:
    """Encode the pixels of a file anew, by GDCM."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, process)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
