"""Files that lie, are odd, or are made to harm: each ends as an image or as one refusal."""

import io
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from ingest.dicom.header import read_header
from ingest.dicom.pixels.display import display_image
from ingest.dicom.sniff import kind_of
from ingest.reader.reader_process import Reader
from ingest.scope.scope import check_scope
from ingest.scope.scope_rules import default_rules
from readfirst.domain import FileKind, Header
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from tests.support.files import a_dataset, a_dicom_file, a_gradient, dicom_bytes
from tests.support.zeros import MEBIBYTE, deflated_zeros
from tests.unit.ingest.test_header import refusal_of, rename_syntax


def deflated(whole: bytes, zeros: int | None = None) -> bytes:
    """The same file with its data set deflated, by zlib, and so many zeros behind it."""
    end_of_meta = 132 + 12 + int.from_bytes(whole[140:144], "little")
    meta = rename_syntax(whole[:end_of_meta], DeflatedExplicitVRLittleEndian)
    squeeze = zlib.compressobj(wbits=-15)
    data_set = squeeze.compress(whole[end_of_meta:])
    if zeros is None:
        return meta + data_set + squeeze.flush()
    return meta + data_set + squeeze.flush(zlib.Z_FULL_FLUSH) + deflated_zeros(zeros)


def a_bomb(megabytes: int) -> bytes:
    """A deflated film with so many MiB of zeros behind it."""
    return deflated(dicom_bytes(a_dataset(a_gradient())), megabytes * MEBIBYTE)


@pytest.fixture(scope="module")
def tight() -> Iterator[Reader]:
    with Reader(120, 400) as opened:
        yield opened


@pytest.mark.parametrize("preamble", [True, False])
def test_a_deflate_bomb_is_given_up_within_the_memory_limit(
    tight: Reader, tmp_path: Path, preamble: bool
) -> None:
    bomb = a_bomb(600)
    assert len(bomb) < 2**21
    path = tmp_path / "film.dcm"
    path.write_bytes(bomb if preamble else bomb[132:])
    for read in (tight.header, tight.display):
        with pytest.raises(Refused) as caught:
            read(path)
        assert caught.value.code is RefusalCode.TOO_LARGE
        assert "inflates to more than" in caught.value.reason


@pytest.mark.parametrize("preamble", [True, False])
def test_a_deflated_film_is_read_as_any_other(tmp_path: Path, preamble: bool) -> None:
    plain = a_dicom_file(tmp_path / "plain.dcm")
    path = tmp_path / "film.dcm"
    path.write_bytes(deflated(plain.read_bytes())[0 if preamble else 132 :])
    assert read_header(path).transfer_syntax_uid == DeflatedExplicitVRLittleEndian
    np.testing.assert_array_equal(display_image(path), display_image(plain))


def test_a_deflated_film_that_lost_its_end_is_truncated(tmp_path: Path) -> None:
    whole = deflated(dicom_bytes(a_dataset(a_gradient())))
    path = tmp_path / "film.dcm"
    for cut in (len(whole) - 3, len(whole) - 50):
        path.write_bytes(whole[:cut])
        assert refusal_of(path) is RefusalCode.TRUNCATED


@pytest.mark.parametrize("side", [16_000, 20_000, 60_000])
def test_a_picture_that_claims_to_be_huge_is_too_large(tmp_path: Path, side: int) -> None:
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    png = bytearray(buffer.getvalue())
    png[16:24] = side.to_bytes(4, "big") * 2
    png[29:33] = zlib.crc32(bytes(png[12:29])).to_bytes(4, "big")
    path = tmp_path / "film.png"
    path.write_bytes(png)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert refusal_of(path) is RefusalCode.TOO_LARGE


@pytest.mark.parametrize(
    "attributes",
    [{"SamplesPerPixel": 60_000, "Rows": 9000}, {"NumberOfFrames": 2_000_000_000}],
)
def test_the_size_counts_samples_and_frames(tmp_path: Path, attributes: dict[str, Any]) -> None:
    path = a_dicom_file(tmp_path / "film.dcm", **attributes)
    assert refusal_of(path) is RefusalCode.TOO_LARGE


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture(tmp_path: Path) -> None:
    thumbnail, film = io.BytesIO(), io.BytesIO()
    Image.fromarray(a_gradient()).save(thumbnail, "JPEG")
    noise = np.random.default_rng(1).integers(0, 255, (300, 300), dtype=np.uint8)
    Image.fromarray(noise).save(film, "JPEG", exif=b"Exif\0\0" + thumbnail.getvalue())
    path = tmp_path / "film.jpg"
    path.write_bytes(film.getvalue())
    assert read_header(path).rows == 300
    path.write_bytes(film.getvalue()[:3000])
    assert refusal_of(path) is RefusalCode.TRUNCATED


def test_what_a_device_writes_behind_the_picture_is_allowed(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(a_gradient()).save(buffer, "JPEG")
    path = tmp_path / "film.jpg"
    path.write_bytes(buffer.getvalue() + b"trailer" * 2000)
    assert read_header(path).columns == 64


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_elements_behind_the_pixels_do_not_hide_their_end(tmp_path: Path, syntax: str) -> None:
    dataset = a_dataset(a_gradient(), DataSetTrailingPadding=b"\0" * 20_000)
    whole = dicom_bytes(dataset, syntax)
    path = tmp_path / "film.dcm"
    path.write_bytes(whole)
    assert read_header(path).rows == 48
    path.write_bytes(whole[: len(whole) - 20_000 - 100])
    assert refusal_of(path) is RefusalCode.TRUNCATED


def test_fragments_that_are_none_are_unreadable(tmp_path: Path) -> None:
    whole = dicom_bytes(a_dataset(a_gradient()), RLELossless)
    path = tmp_path / "film.dcm"
    path.write_bytes(whole.replace(b"\xfe\xff\x00\xe0", b"\xfe\xff\x33\xe0"))
    assert refusal_of(path) is RefusalCode.PIXELS_UNREADABLE


def test_an_image_that_does_not_say_its_size_is_unreadable(tmp_path: Path) -> None:
    dataset = a_dataset(a_gradient())
    del dataset.Rows
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom_bytes(dataset))
    assert refusal_of(path) is RefusalCode.DICOM_UNREADABLE


def test_a_preamble_that_begins_like_a_jpeg_does_not_make_one(tmp_path: Path) -> None:
    path = a_dicom_file(tmp_path / "film.jpg")
    path.write_bytes(b"\xff\xd8\xff\xe0" + path.read_bytes()[4:])
    assert kind_of(path) is FileKind.DICOM
    assert display_image(path).shape == (48, 64)


@pytest.mark.parametrize(
    "window",
    [
        {"WindowCenter": 100, "WindowWidth": 0},
        {"WindowCenter": None, "WindowWidth": None},
        {"WindowCenter": 100, "WindowWidth": 50, "VOILUTFunction": "CUBIC"},
        {"VOILUTSequence": []},
    ],
)
def test_a_window_that_says_nothing_is_left_aside(tmp_path: Path, window: dict[str, Any]) -> None:
    odd = a_dicom_file(tmp_path / "odd.dcm", **window)
    plain = a_dicom_file(tmp_path / "plain.dcm")
    np.testing.assert_array_equal(display_image(odd), display_image(plain))


def test_twelve_bits_in_a_sixteen_bit_png_use_the_whole_range(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    Image.fromarray(np.array([[0, 2048, 4095]], dtype=np.uint16)).save(path)
    assert list(display_image(path)[0]) == [0, 128, 255]


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 192", "Ελληνίδα^Παιδί"),
        ("ISO_IR 126", "Διονυσιος"),
        ("ISO_IR 100", "Müller^Jürgen"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        ("ISO_IR 13", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
    ],
)
def test_person_names_are_read_in_their_character_set(
    tmp_path: Path, character_set: object, name: str
) -> None:
    path = a_dicom_file(tmp_path / "film", SpecificCharacterSet=character_set, PatientName=name)
    assert read_header(path).patient_name == name


def test_an_unknown_character_set_refuses_no_film(tmp_path: Path) -> None:
    path = a_dicom_file(tmp_path / "film", SpecificCharacterSet="ISO_IR 100")
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 999"))
    assert read_header(path).rows == 48


@pytest.mark.parametrize("view", ["LATERAL", "LEFT LATERAL", "LAT_R", "LLD", "rl"])
def test_laterals_are_known_in_their_many_spellings(view: str) -> None:
    header = Header(kind=FileKind.DICOM, rows=9, columns=9, view_position=view)
    with pytest.raises(Refused) as caught:
        check_scope(header, default_rules(), None)
    assert caught.value.code is RefusalCode.VIEW_NOT_FRONTAL


WHOLE = {
    "native": dicom_bytes(a_dataset(a_gradient())),
    "rle": dicom_bytes(a_dataset(a_gradient()), RLELossless),
    "jpeg-ls": dicom_bytes(a_dataset(a_gradient()), JPEGLSLossless),
}


# The pixels of changed files are decoded in a child only: here it is the header alone.
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    which=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), max_size=8),
    cut=st.none() | st.integers(0, 1500),
)
def test_a_changed_header_is_read_or_refused_and_nothing_else(
    tmp_path: Path, which: str, changes: list[tuple[int, int]], cut: int | None
) -> None:
    content = bytearray(WHOLE[which])
    for at, value in changes:
        content[at % len(content)] = value
    path = tmp_path / "film.dcm"
    path.write_bytes(content[:cut])
    try:
        header = read_header(path)
    except Refused:
        return
    assert min(header.rows, header.columns, header.number_of_frames) >= 1
    assert header.patient_name is None or header.patient_name.encode()
