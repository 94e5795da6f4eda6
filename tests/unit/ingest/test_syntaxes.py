"""Every transfer syntax: files that others wrote or encoded, against what others decode."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from ingest.dicom.header import read_header
from ingest.dicom.pixels.display import display_image, film_image
from ingest.dicom.pixels.reduced import decomposition_levels
from ingest.dicom.syntaxes import ENCAPSULATED, NATIVE
from ingest.reader.reader_process import Reader
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.samples import sample_files
from tests.support.files import a_big_endian_file, a_dataset, as_it_is, dicom_bytes
from tests.unit.ingest.test_decode import recode
from tests.unit.ingest.test_hostile import deflated

#: A file of pydicom's collection, and the same image as others decoded it; None: all grey values
#: may differ by this much.
TWINS = [
    ("MR_small_implicit.dcm", "MR_small.dcm", 0),
    ("MR_small_bigendian.dcm", "MR_small.dcm", 0),
    ("MR_small_RLE.dcm", "MR_small.dcm", 0),
    ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm", 0),
    ("MR_small_jp2klossless.dcm", "MR_small.dcm", 0),
    ("RG1_J2KR.dcm", "RG1_UNCR.dcm", 0),
    ("RG1_J2KI.dcm", "RG1_UNCI.dcm", 0),
    ("RG3_J2KR.dcm", "RG3_UNCR.dcm", 0),
    ("RG3_J2KI.dcm", "RG3_UNCI.dcm", 0),
    ("JPEG2000.dcm", "JPEG2000_UNC.dcm", 0),
    ("SC_rgb_rle.dcm", "SC_rgb.dcm", 0),
    ("SC_rgb_jpeg_gdcm.dcm", "SC_rgb.dcm", 0),
    ("SC_rgb_gdcm_KY.dcm", "SC_rgb_gdcm2k_uncompressed.dcm", 1),
    ("SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_dcmtk_ebcr_dcmd.dcm", 1),
    ("SC_rgb_dcmtk_+eb+cy+n1.dcm", "SC_rgb_dcmtk_ebcyn1_dcmd.dcm", 1),
    ("SC_rgb_dcmtk_+eb+cy+s2.dcm", "SC_rgb_dcmtk_ebcys2_dcmd.dcm", 1),
    ("SC_rgb_dcmtk_+eb+cy+s4.dcm", "SC_rgb_dcmtk_ebcys4_dcmd.dcm", 1),
    ("SC_ybr_full_uncompressed.dcm", "SC_rgb.dcm", 2),
    ("SC_ybr_full_422_uncompressed.dcm", "SC_rgb_dcmtk_ebcys2_dcmd.dcm", 1),
    ("emri_small_RLE.dcm", "emri_small.dcm", 0),
    ("emri_small_jpeg_ls_lossless.dcm", "emri_small.dcm", 0),
]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.getLogger("pydicom").setLevel("CRITICAL")
    yield
    logging.getLogger("pydicom").setLevel("NOTSET")


def file_of_others(name: str) -> Path:
    path = get_testdata_file(name, download=False)
    assert path, f"pydicom-data has no {name}"
    return Path(path)


@pytest.mark.parametrize(("name", "twin", "tolerance"), TWINS, ids=lambda value: str(value))
def test_a_file_of_others_shows_what_its_twin_shows(name: str, twin: str, tolerance: int) -> None:
    grey, golden = (display_image(file_of_others(each)).astype(int) for each in (name, twin))
    assert grey.shape == golden.shape
    assert np.ptp(golden) > 50
    assert np.abs(grey - golden).max() <= tolerance


@pytest.mark.parametrize(
    ("name", "decode"),
    [
        ("JPGLosslessP14SV1_1s_1f_8b.dcm", imagecodecs.jpeg_decode),
        ("JPEG-LL.dcm", imagecodecs.ljpeg_decode),
        ("JPEG-lossy.dcm", imagecodecs.jpeg8_decode),
        ("JPGExtended.dcm", imagecodecs.jpeg8_decode),
        ("JPEGLSNearLossless_16.dcm", imagecodecs.jpegls_decode),
        ("JPEGLSNearLossless_08.dcm", imagecodecs.jpegls_decode),
        ("693_J2KI.dcm", imagecodecs.jpeg2k_decode),
    ],
)
def test_a_file_of_others_shows_what_another_library_decodes(
    name: str, decode: Callable[[bytes], Any], tmp_path: Path
) -> None:
    """The same header over the pixels as imagecodecs decodes them, uncompressed."""
    dataset = pydicom.dcmread(file_of_others(name))
    pixels = decode(get_frame(dataset.PixelData, 0, number_of_frames=1))
    dataset.PixelData = pixels.astype(f"<i{dataset.BitsAllocated // 8}").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset["PixelData"].is_undefined_length = False
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(tmp_path / "plain.dcm")
    grey, golden = display_image(file_of_others(name)), display_image(tmp_path / "plain.dcm")
    assert np.ptp(golden.astype(int)) > 50
    assert np.abs(grey.astype(int) - golden).max() <= 1


def test_a_deflated_file_of_others_is_read() -> None:
    path = file_of_others("image_dfl.dcm")
    golden = pydicom.dcmread(path).pixel_array
    assert read_header(path).transfer_syntax_uid == DeflatedExplicitVRLittleEndian
    grey = display_image(path)
    # The file has no window: its values are stretched.
    order = np.argsort(golden, axis=None, kind="stable")
    assert (np.diff(grey.reshape(-1)[order].astype(int)) >= 0).all()
    assert (int(grey.min()), int(grey.max())) == (0, 255)


def a_film() -> np.ndarray:
    """A real film at 12 bits."""
    path = next(path for path in sample_files() if path.name == "film-05.png")
    return (display_image(path).astype(np.uint16) << 4) | 5


def a_frame(encode: Callable[..., Any], **how: Any) -> Callable[[np.ndarray], bytes]:
    return lambda pixels: bytes(encode(pixels, **how))


#: Who encodes which syntax, and by how many grey values of 4095 its loss may be off.
FRAMES: dict[str, tuple[Callable[[np.ndarray], bytes], int]] = {
    JPEGExtended12Bit: (a_frame(imagecodecs.jpeg8_encode, level=95, bitspersample=12), 120),
    JPEGLossless: (
        a_frame(imagecodecs.jpeg8_encode, lossless=True, predictor=6, bitspersample=12),
        0,
    ),
    JPEGLosslessSV1: (a_frame(imagecodecs.ljpeg_encode, bitspersample=12), 0),
    JPEGLSLossless: (a_frame(imagecodecs.jpegls_encode), 0),
    JPEGLSNearLossless: (a_frame(imagecodecs.jpegls_encode, level=3), 8),
    JPEG2000Lossless: (
        a_frame(imagecodecs.jpeg2k_encode, reversible=True, codecformat="j2k", bitspersample=12),
        0,
    ),
    JPEG2000: (
        a_frame(imagecodecs.jpeg2k_encode, level=60, codecformat="j2k", bitspersample=12),
        60,
    ),
    HTJ2KLossless: (a_frame(imagecodecs.htj2k_encode, reversible=True), 0),
    HTJ2KLosslessRPCL: (a_frame(imagecodecs.htj2k_encode, reversible=True, tlm=True), 0),
    HTJ2K: (a_frame(imagecodecs.htj2k_encode, reversible=False, level=0.0005), 60),
}


def write(path: Path, pixels: np.ndarray, syntax: str) -> int:
    """Write a film in a syntax by somebody else's encoder; returns how far it may be off."""
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    dataset = a_dataset(pixels, bits=12, **window)
    if syntax == ExplicitVRBigEndian:
        a_big_endian_file(path, pixels)
    elif syntax == DeflatedExplicitVRLittleEndian:
        path.write_bytes(deflated(dicom_bytes(dataset)))
    elif syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        path.write_bytes(dicom_bytes(dataset, syntax))
    elif syntax == RLELossless:
        path.write_bytes(dicom_bytes(dataset))
        recode(path, "RLELossless")
    elif syntax == JPEGBaseline8Bit:
        narrow = (pixels >> 4).astype(np.uint8)
        dataset = a_dataset(narrow)
        dataset.PixelData = encapsulate([bytes(imagecodecs.jpeg8_encode(narrow, level=95))])
        path.write_bytes(as_it_is(dataset, syntax))
        return 160
    else:
        encode, off = FRAMES[syntax]
        dataset.PixelData = encapsulate([encode(pixels)])
        path.write_bytes(as_it_is(dataset, syntax))
        return off
    return 0


@pytest.mark.parametrize("syntax", NATIVE + ENCAPSULATED, ids=lambda uid: uid.name)
def test_a_film_in_every_syntax_shows_its_golden_pixels(tmp_path: Path, syntax: str) -> None:
    pixels = a_film()
    path = tmp_path / "film.dcm"
    off = write(path, pixels, syntax)
    assert read_header(path).transfer_syntax_uid == syntax
    golden = np.rint(pixels / 4095 * 255)
    if syntax in (ExplicitVRBigEndian, JPEGBaseline8Bit):
        # Without a window the range of the values is shown.
        low, high = int(pixels.min()), int(pixels.max())
        golden = np.rint((pixels - float(low)) / (high - low) * 255)
    assert np.abs(display_image(path) - golden).max() <= off / 16 + 0.5 * (off > 0)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize(
    "encode", [imagecodecs.jpeg2k_encode, imagecodecs.htj2k_encode], ids=["J2K", "HTJ2K"]
)
def test_a_lower_level_of_jpeg_2000_is_the_film_in_small(
    tmp_path: Path, encode: Callable[..., Any], bits: int
) -> None:
    path = tmp_path / "film.dcm"
    pixels = a_film()
    wide = (pixels >> 4).astype(np.uint8) if bits == 8 else (pixels << (bits - 12))
    how = {"codecformat": "j2k"} if encode is imagecodecs.jpeg2k_encode else {}
    dataset = a_dataset(wide, bits=bits, WindowCenter=2 ** (bits - 1), WindowWidth=2**bits)
    dataset.PixelData = encapsulate([bytes(encode(wide, reversible=True, **how))])
    path.write_bytes(as_it_is(dataset, HTJ2KLossless if not how else JPEG2000Lossless))
    full = display_image(path)
    rows, columns = full.shape
    side = min(rows, columns)
    small = film_image(path, side // 2)
    assert small.shape == (-(-rows // 2), -(-columns // 2))
    block = full[: rows // 2 * 2, : columns // 2 * 2].reshape(rows // 2, 2, columns // 2, 2)
    assert np.abs(small[: rows // 2, : columns // 2] - block.mean(axis=(1, 3))).mean() < 4
    np.testing.assert_array_equal(film_image(path, side), full)


def test_a_size_that_pillow_rounds_another_way_is_read_at_the_level_before() -> None:
    path = file_of_others("RG1_J2KR.dcm")
    full, small = display_image(path), film_image(path, 400)
    assert full.shape == (1955, 1841)
    assert small.shape == (978, 921)


def test_a_frame_of_baseline_jpeg_is_read_at_a_smaller_scale(tmp_path: Path) -> None:
    path = tmp_path / "film.dcm"
    write(path, a_film(), JPEGBaseline8Bit)
    full = display_image(path)
    assert film_image(path, min(full.shape) // 4).shape == tuple(-(-n // 4) for n in full.shape)


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000Lossless])
def test_a_frame_of_another_size_than_its_header_is_shown_at_no_scale(
    tmp_path: Path, syntax: str
) -> None:
    path = tmp_path / "film.dcm"
    write(path, a_film(), syntax)
    dataset = pydicom.dcmread(path)
    dataset.Rows += 40
    dataset.save_as(path)
    for read in (display_image, lambda path: film_image(path, 50)):
        with pytest.raises(Refused) as caught:
            read(path)
        assert caught.value.code is RefusalCode.PIXELS_UNREADABLE


def test_a_film_with_padding_is_decoded_in_full(tmp_path: Path) -> None:
    path = tmp_path / "film.dcm"
    dataset = a_dataset(a_film(), bits=12, PixelPaddingValue=0)
    path.write_bytes(dicom_bytes(dataset, JPEG2000Lossless))
    np.testing.assert_array_equal(film_image(path, 50), display_image(path))


def test_levels_are_read_from_the_codestream_and_not_found_where_there_are_none() -> None:
    frame = bytes(imagecodecs.jpeg2k_encode(a_film(), codecformat="j2k", resolutions=4))
    assert decomposition_levels(frame) == 3
    assert decomposition_levels(frame[:40]) == 0
    assert decomposition_levels(b"\xff\x4f" + b"\xff\x51\x00\x00" * 9) == 0


def test_garbage_behind_the_pixels_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "film.dcm"
    for syntax in (ExplicitVRLittleEndian, RLELossless):
        write(path, a_film(), syntax)
        clean = display_image(path)
        lying = b"\xe0\x7f\x11\x00OB\0\0\xf0\xff\xff\x7f" + b"\x99" * 100
        for garbage in (lying, b"\0" * 5000, b"\x08\x00\x18\x00UI\xff\xff"):
            with path.open("ab") as file:
                file.write(garbage)
            assert read_header(path).rows == clean.shape[0]
            np.testing.assert_array_equal(display_image(path), clean)


def test_a_decoder_that_panics_leaves_its_child_alive(reader: Reader, tmp_path: Path) -> None:
    pixels = np.zeros((2, 2), dtype=np.uint16)
    dataset = a_dataset(pixels, bits=16)
    # Two segments; the second gives more bytes than there are pixels.
    head = b"\x02\0\0\0\x40\0\0\0\x44\0\0\0" + b"\0" * 52
    dataset.PixelData = encapsulate([head + b"\x5e\xe1\x8a\x68\x9d\x92\xf7\0"])
    broken, good = tmp_path / "broken.dcm", tmp_path / "good.dcm"
    broken.write_bytes(as_it_is(dataset, RLELossless))
    write(good, a_film(), RLELossless)
    reader.header(good)
    child = reader.pid
    with pytest.raises(Refused) as caught:
        reader.display(broken)
    assert caught.value.code is RefusalCode.PIXELS_UNREADABLE
    assert "Panic" in caught.value.reason
    assert reader.display(good).shape == a_film().shape
    assert reader.pid == child is not None
