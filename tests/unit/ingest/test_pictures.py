"""JPEG, PNG, TIFF, BMP and WebP: known by their content, whole, upright and grey."""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from ingest.dicom.header import read_header
from ingest.dicom.pixels.display import display_image, film_image
from readfirst.domain import FileKind
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from tests.support.files import a_gradient
from tests.unit.ingest.test_header import refusal_of

KINDS = {"JPEG": FileKind.JPEG, "PNG": FileKind.PNG, "TIFF": FileKind.TIFF, "BMP": FileKind.BMP,
         "WEBP": FileKind.WEBP}  # fmt: skip
#: EXIF: the tag of the orientation.
ORIENTATION = 0x0112


def a_picture(path: Path, image: Image.Image, format: str, **how: Any) -> Path:
    image.save(path, format, **({"lossless": True} if format == "WEBP" else {}) | how)
    return path


def frames() -> list[Image.Image]:
    return [Image.fromarray(a_gradient()), Image.fromarray(255 - a_gradient())]


@pytest.mark.parametrize("name", ["film", "film.dcm", "film.txt"])
@pytest.mark.parametrize("format", KINDS)
def test_a_picture_is_known_by_its_content(tmp_path: Path, format: str, name: str) -> None:
    path = a_picture(tmp_path / name, Image.fromarray(a_gradient()), format)
    header = read_header(path)
    assert (header.kind, header.rows, header.columns) == (KINDS[format], 48, 64)
    assert header.number_of_frames == 1
    tolerance = 6 if format == "JPEG" else 0
    assert np.abs(display_image(path).astype(int) - a_gradient()).max() <= tolerance


@pytest.mark.parametrize("format", KINDS)
def test_a_picture_that_lost_its_end_is_truncated(tmp_path: Path, format: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (60, 50), dtype=np.uint8)
    path = a_picture(tmp_path / "film", Image.fromarray(noise), format)
    whole = path.read_bytes()
    for cut in (len(whole) // 3, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:cut])
        assert refusal_of(path) is RefusalCode.TRUNCATED


@pytest.mark.parametrize(
    "encode",
    [
        imagecodecs.jpeg8_encode,
        imagecodecs.png_encode,
        imagecodecs.webp_encode,
        imagecodecs.bmp_encode,
    ],
)
def test_pictures_that_others_encoded(tmp_path: Path, encode: Any) -> None:
    path = tmp_path / "film"
    colours = np.repeat(a_gradient()[..., np.newaxis], 3, axis=2)
    how = {"lossless": True} if encode is imagecodecs.webp_encode else {}
    path.write_bytes(bytes(encode(colours, **how)))
    assert np.abs(display_image(path).astype(int) - a_gradient()).max() <= 6
    assert read_header(path).rows == 48


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_pictures_are_upright(tmp_path: Path, format: str, orientation: int) -> None:
    upright = np.full((48, 64), 200, np.uint8)
    upright[:16, :16] = 0
    turns: dict[int, Callable[[np.ndarray], Any]] = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: np.rot90,
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, 3),
    }
    image = Image.fromarray(np.ascontiguousarray(turns[orientation](upright)))
    if format == "TIFF":
        path = a_picture(tmp_path / "film", image, format, tiffinfo={ORIENTATION: orientation})
    else:
        exif = image.getexif()
        exif[ORIENTATION] = orientation
        path = a_picture(tmp_path / "film", image, format, exif=exif)
    grey = display_image(path)
    assert grey.shape == upright.shape
    assert np.abs(grey.astype(int) - upright).max() <= 10


# Pillow knows no inverted 16 bits with the high byte first.
@pytest.mark.parametrize(("order", "white_is_zero"), [("<", False), (">", False), ("<", True)])
def test_sixteen_bits_of_a_tiff(tmp_path: Path, order: str, white_is_zero: bool) -> None:
    values = np.array([[0, 32768, 65535]], dtype=f"{order}u2")
    path = tmp_path / "film"
    path.write_bytes(a_tiff(values, 16, order=order, photometric=0 if white_is_zero else 1))
    grey = [int(value) for value in display_image(path)[0]]
    assert grey == ([255, 127, 0] if white_is_zero else [0, 128, 255])
    assert read_header(path).kind is FileKind.TIFF


@pytest.mark.parametrize("white_is_zero", [False, True])
def test_eight_bits_of_a_tiff(tmp_path: Path, white_is_zero: bool) -> None:
    path = tmp_path / "film"
    values = np.array([[0, 100, 255]], np.uint8)
    path.write_bytes(a_tiff(values, 8, photometric=0 if white_is_zero else 1))
    grey = [int(value) for value in display_image(path)[0]]
    assert grey == ([255, 155, 0] if white_is_zero else [0, 100, 255])


def test_floating_point_samples_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(a_tiff(np.ones((1, 3), np.float32), 32, sample_format=3))
    assert refusal_of(path) is RefusalCode.TRANSFER_SYNTAX_UNSUPPORTED
    with pytest.raises(Refused):
        display_image(path)


def a_tiff(
    values: np.ndarray, bits: int, *, order: str = "<", photometric: int = 1, sample_format: int = 1
) -> bytes:
    """An uncompressed strip, written here from TIFF 6.0: Pillow writes no inverted 16 bits."""
    rows, columns = values.shape
    tags = [(256, columns), (257, rows), (258, bits), (259, 1), (262, photometric), (273, 200),
            (277, 1), (278, rows), (279, values.nbytes), (339, sample_format)]  # fmt: skip
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack(f"{order}H", len(tags)) + entries + b"\0" * 4
    return (head + directory).ljust(200, b"\0") + values.tobytes()


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    grey = np.full((2, 2), 200, np.uint8)
    alpha = np.array([[0, 128], [255, 255]], np.uint8)
    for format in ("PNG", "TIFF", "WEBP"):
        image = Image.merge("RGBA", [Image.fromarray(each) for each in (grey, grey, grey, alpha)])
        path = a_picture(tmp_path / "film", image, format, **exact(format))
        assert np.abs(display_image(path) - np.array([[0, 100], [200, 200]])).max() <= 1
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    path = a_picture(tmp_path / "film", image, "PNG", transparency=1)
    assert int(display_image(path)[0, 1]) == 0


def exact(format: str) -> dict[str, bool]:
    """WebP else leaves out what nobody sees."""
    return {"exact": True} if format == "WEBP" else {}


def test_cyan_magenta_yellow_and_black_become_grey(tmp_path: Path) -> None:
    image = Image.fromarray(a_gradient()).convert("RGB").convert("CMYK")
    for format in ("JPEG", "TIFF"):
        path = a_picture(tmp_path / "film", image, format)
        assert np.abs(display_image(path).astype(int) - a_gradient()).max() <= 8


@pytest.mark.parametrize("format", ["TIFF", "PNG", "WEBP"])
def test_several_pictures_in_one_file_are_counted(tmp_path: Path, format: str) -> None:
    path = tmp_path / "film"
    first, second = frames()
    how = {"lossless": True} if format == "WEBP" else {}
    first.save(path, format, save_all=True, append_images=[second], **how)
    assert read_header(path).number_of_frames == 2
    np.testing.assert_array_equal(display_image(path), a_gradient())


@pytest.mark.parametrize(("subfile", "pages"), [(0, 2), (1, 1), (4, 1), (2, 2)])
def test_a_thumbnail_or_mask_is_no_page(tmp_path: Path, subfile: int, pages: int) -> None:
    first = bytearray(a_tiff(a_gradient(4, 4), 8))
    entries = int.from_bytes(first[8:10], "little")
    # A second directory for the same strip, behind it, of which NewSubfileType says what it is.
    second = struct.pack("<HHHII", entries + 1, 254, 4, 1, subfile)
    second += first[10 : 10 + 12 * entries] + b"\0" * 4
    first[10 + 12 * entries : 14 + 12 * entries] = len(first).to_bytes(4, "little")
    path = tmp_path / "film"
    path.write_bytes(first + second)
    assert read_header(path).number_of_frames == pages
    np.testing.assert_array_equal(display_image(path), a_gradient(4, 4))


def test_directories_that_go_round_in_circles_end(tmp_path: Path) -> None:
    content = bytearray(a_tiff(a_gradient(4, 4), 8))
    entries = int.from_bytes(content[8:10], "little")
    content[10 + 12 * entries : 14 + 12 * entries] = (8).to_bytes(4, "little")
    path = tmp_path / "film"
    path.write_bytes(content)
    assert read_header(path).number_of_frames == 1


def test_of_several_pictures_in_a_jpeg_the_first_is_the_film(tmp_path: Path) -> None:
    path = tmp_path / "film"
    first, second = frames()
    first.save(path, "MPO", save_all=True, append_images=[second], quality=95)
    assert read_header(path).number_of_frames == 1
    assert np.abs(display_image(path).astype(int) - a_gradient()).max() <= 4


def test_a_jpeg_is_read_at_a_smaller_scale_and_stays_upright(tmp_path: Path) -> None:
    large = np.asarray(Image.fromarray(a_gradient()).resize((1200, 1000)))
    image = Image.fromarray(large)
    exif = image.getexif()
    exif[ORIENTATION] = 6
    path = a_picture(tmp_path / "film", image, "JPEG", exif=exif, quality=95)
    assert display_image(path).shape == (1200, 1000)
    assert film_image(path, 448).shape == (600, 500)
    assert film_image(path, 224).shape == (300, 250)
    assert film_image(path, 800).shape == (1200, 1000)


def test_two_letters_make_no_bmp(tmp_path: Path) -> None:
    path = tmp_path / "film.bmp"
    path.write_bytes(b"BMW motorcycles, a history in pictures; see page 12. " * 20)
    assert refusal_of(path) is RefusalCode.NOT_AN_IMAGE


@pytest.mark.parametrize("format", ["TIFF", "BMP", "WEBP"])
def test_a_picture_that_claims_to_be_huge_is_too_large(tmp_path: Path, format: str) -> None:
    path = tmp_path / "film"
    if format == "TIFF":
        content = a_tiff(np.zeros((1, 9), np.uint8), 8)
        for tag, small in ((256, 9), (257, 1)):
            entry = struct.pack("<HHII", tag, 4, 1, small)
            content = content.replace(entry, struct.pack("<HHII", tag, 4, 1, 16000))
    elif format == "BMP":
        buffer = io.BytesIO()
        Image.new("L", (8, 8)).save(buffer, "BMP")
        content = buffer.getvalue()[:18] + struct.pack("<ii", 16000, 16000) + buffer.getvalue()[26:]
    else:
        # The extended header of a still picture: width and height less one, 24 bits each.
        canvas = (15999).to_bytes(3, "little") * 2
        body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0" * 4 + canvas
        content = b"RIFF" + struct.pack("<I", len(body)) + body
    path.write_bytes(content)
    assert refusal_of(path) in (RefusalCode.TOO_LARGE, RefusalCode.PIXELS_UNREADABLE)
    if format != "WEBP":
        assert refusal_of(path) is RefusalCode.TOO_LARGE
