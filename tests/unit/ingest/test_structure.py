"""Whole films with a broken structure are read, and only what is cut is called truncated."""

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from ingest.dicom.elements import read_all
from ingest.dicom.header import read_header
from ingest.dicom.pixels.display import display_image
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from tests.support.files import a_dataset, as_it_is, dicom_bytes
from tests.support.odd_films import (
    ITEM_END,
    SEQUENCE_END,
    a_chest_film,
    before,
    displayed,
    element,
    explicit,
    jpeg,
    with_frame,
)

GREY = a_chest_film()
PLAIN = np.rint((GREY - float(GREY.min())) / (float(GREY.max()) - GREY.min()) * 255)
CREATOR = element(9, 0x10, b"LO", b"INVENTED")
UNDEFINED = b"\xff\xff\xff\xff"
ITEM = b"\xfe\xff\x00\xe0"
STREAMS: dict[UID, bytes] = {
    JPEGBaseline8Bit: jpeg(GREY),
    JPEGLossless: bytes(imagecodecs.ljpeg_encode(GREY)),
    JPEGLSLossless: bytes(imagecodecs.jpegls_encode(GREY)),
    JPEG2000Lossless: bytes(imagecodecs.jpeg2k_encode(GREY, codecformat="j2k", reversible=True)),
    HTJ2KLossless: bytes(imagecodecs.htj2k_encode(GREY, reversible=True)),
}
NAMES = {syntax: syntax.keyword for syntax in STREAMS}


def a_film(syntax: str = ExplicitVRLittleEndian) -> bytes:
    return dicom_bytes(a_dataset(GREY), syntax)


def is_shown(folder: Path, content: bytes, off: int = 0) -> str:
    """Check that header and film are read, and return the corrections."""
    grey, corrections = displayed(folder, content)
    assert np.abs(grey - PLAIN).max() <= off
    header = read_header(folder / "film.dcm")
    assert (header.rows, header.patient_id, header.view_position) == (len(GREY), "TEST-1", "AP")
    assert any(row.keyword == "PatientID" for row in read_all(folder / "film.dcm"))
    return corrections


def code_of(folder: Path, content: bytes) -> RefusalCode:
    path = folder / "film.dcm"
    path.write_bytes(content)
    try:
        read_header(path)
    except Refused as refusal:
        return refusal.code
    with pytest.raises(Refused) as caught:
        display_image(path)
    return caught.value.code


# Delimiters.


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("delimiter", [ITEM_END, SEQUENCE_END, ITEM_END * 2, ITEM + bytes(4)])
@pytest.mark.parametrize("at", [(0x08, 0x18), (0x10, 0x10), (0x28, 0x02), (0x7FE0, 0x10)])
def test_a_stray_delimiter_is_dropped(
    tmp_path: Path, syntax: str, delimiter: bytes, at: tuple[int, int]
) -> None:
    is_shown(tmp_path, before(a_film(syntax), *at, delimiter))


def a_sequence(*parts: bytes, tag: tuple[int, int] = (9, 0x1001)) -> bytes:
    head = struct.pack("<HH", *tag) + b"SQ\0\0" + UNDEFINED
    return (CREATOR if tag[0] == 9 else b"") + head + b"".join(parts)


INNER = element(9, 0x1002, b"LO", b"one ")
OPEN = ITEM + UNDEFINED + INNER


@pytest.mark.parametrize(
    "sequence",
    [
        a_sequence(OPEN, SEQUENCE_END),
        a_sequence(OPEN, OPEN, SEQUENCE_END),
        a_sequence(OPEN, ITEM_END),
        a_sequence(OPEN, ITEM_END, ITEM_END, SEQUENCE_END),
        a_sequence(OPEN, ITEM_END, OPEN, SEQUENCE_END),
        a_sequence(ITEM, struct.pack("<I", len(INNER)), INNER, ITEM_END, SEQUENCE_END),
        a_sequence(OPEN, SEQUENCE_END, tag=(8, 0x1140)),
        a_sequence(OPEN, ITEM_END, SEQUENCE_END, SEQUENCE_END),
    ],
)
def test_a_sequence_that_is_not_closed_rightly_is_closed(tmp_path: Path, sequence: bytes) -> None:
    is_shown(tmp_path, before(a_film(), 0x10, 0x10, sequence))


def test_an_item_that_is_not_closed_in_an_implicit_film_is_closed(tmp_path: Path) -> None:
    creator = struct.pack("<HHI", 9, 0x10, 8) + b"INVENTED"
    inner = struct.pack("<HHI", 9, 0x1002, 4) + b"one "
    sequence = struct.pack("<HH", 9, 0x1001) + UNDEFINED + ITEM + UNDEFINED + inner + SEQUENCE_END
    is_shown(tmp_path, before(a_film(ImplicitVRLittleEndian), 0x10, 0x10, creator + sequence))


# Representations.


ODD_VRS = [b"\0\0", b"??", b"lo", b"ox", b"  ", b"UN", b"--", b"ZZ", b"L0", b"\xff\xff", b"Lo"]


@pytest.mark.parametrize("vr", ODD_VRS)
@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_an_unknown_representation_is_read_over(tmp_path: Path, vr: bytes, long: bool) -> None:
    value = b"one two "
    length = b"\0\0" + struct.pack("<I", 8) if long else struct.pack("<H", 8)
    odd = struct.pack("<HH", 9, 0x1002) + vr + length + value
    if vr == b"UN" and not long:
        # Right by its letters, and wrong by its length: nobody could tell.
        return
    is_shown(tmp_path, before(a_film(), 0x10, 0x10, CREATOR + odd))


@pytest.mark.parametrize("vr", [vr for vr in ODD_VRS if vr != b"UN"])
@pytest.mark.parametrize(
    ("tag", "known"),
    [((0x10, 0x20), b"LO"), ((0x28, 0x10), b"US"), ((0x28, 0x101), b"US"), ((0x18, 0x5101), b"CS")],
)
def test_an_element_that_is_needed_is_read_by_what_the_standard_says(
    tmp_path: Path, vr: bytes, tag: tuple[int, int], known: bytes
) -> None:
    head = struct.pack("<HH", *tag)
    film = a_film()
    at = film.index(head + known)
    is_shown(tmp_path, film[: at + 4] + vr + film[at + 6 :])


def test_a_needed_element_of_representation_un_is_read(tmp_path: Path) -> None:
    film = a_film()
    for tag, known in (((0x28, 0x10), b"US"), ((0x10, 0x20), b"LO")):
        at = film.index(struct.pack("<HH", *tag) + known)
        size = int.from_bytes(film[at + 6 : at + 8], "little")
        unknown = b"UN\0\0" + struct.pack("<I", size)
        film = film[: at + 4] + unknown + film[at + 8 :]
    is_shown(tmp_path, film)


@pytest.mark.parametrize("vr", [b"ox", b"??", b"\0\0", b"ob", b"UN", b"OB"])
def test_pixels_of_an_unknown_representation_are_read(tmp_path: Path, vr: bytes) -> None:
    film = a_film()
    at = film.rindex(b"\xe0\x7f\x10\x00OB")
    is_shown(tmp_path, film[: at + 4] + vr + film[at + 6 :])


@pytest.mark.parametrize("vr", [b"??", b"sq", b"\0\0"])
def test_a_sequence_of_an_unknown_representation_is_read(tmp_path: Path, vr: bytes) -> None:
    sequence = a_sequence(OPEN, ITEM_END, SEQUENCE_END).replace(b"SQ", vr)
    is_shown(tmp_path, before(a_film(), 0x10, 0x10, sequence))


def test_an_odd_representation_from_which_nothing_goes_on_is_no_cut(tmp_path: Path) -> None:
    odd = struct.pack("<HH", 9, 0x1002) + b"??" + b"\x13\x57\x9b\xdf" * 3
    content = before(a_film(), 0x10, 0x10, CREATOR + odd)
    assert code_of(tmp_path, content) is RefusalCode.DICOM_UNREADABLE


@pytest.mark.parametrize("odd", [ITEM_END, element(9, 0x1002, b"??", b"one ")])
def test_a_film_with_an_odd_element_that_is_cut_is_truncated(tmp_path: Path, odd: bytes) -> None:
    content = before(a_film(), 0x10, 0x10, odd)
    assert code_of(tmp_path, content[: content.index(b"TEST-1") + 3]) is RefusalCode.TRUNCATED
    assert code_of(tmp_path, content[:-100]) is RefusalCode.TRUNCATED


def test_a_header_that_was_never_written_to_its_end_is_truncated(tmp_path: Path) -> None:
    content = a_film()
    at = content.index(b"TEST-1") + 6
    assert code_of(tmp_path, content[:at].ljust(len(content), b"\0")) is RefusalCode.TRUNCATED


def test_a_report_still_carries_no_image(tmp_path: Path) -> None:
    dataset = a_dataset(GREY)
    for keyword in ("Rows", "Columns", "PixelData"):
        delattr(dataset, keyword)
    # PS3.4 B.5: Basic Text SR Storage.
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(
        "1.2.840.10008.5.1.4.1.1.88.11"
    )
    assert code_of(tmp_path, explicit(dataset)) is RefusalCode.NO_PIXEL_DATA
    odd = before(explicit(dataset), 0x10, 0x10, ITEM_END)
    assert code_of(tmp_path, odd) is RefusalCode.NO_PIXEL_DATA


# Compressed pixels under another name.


@pytest.mark.parametrize("actual", STREAMS, ids=NAMES.get)
@pytest.mark.parametrize(
    "declared",
    [ExplicitVRLittleEndian, RLELossless, JPEGExtended12Bit, JPEGLosslessSV1, *STREAMS],
    ids=lambda syntax: syntax.keyword,
)
def test_a_frame_is_decoded_by_what_it_is(tmp_path: Path, actual: UID, declared: UID) -> None:
    dataset = a_dataset(GREY)
    dataset.PixelData = encapsulate([STREAMS[actual]])
    content = as_it_is(dataset, JPEGBaseline8Bit)
    name = JPEGBaseline8Bit.encode()
    padded = declared.encode().ljust(len(name) + len(name) % 2, b"\0")
    if len(padded) != len(name) + len(name) % 2:
        content = as_it_is(dataset, declared)
    else:
        content = content.replace(name + b"\0" * (len(name) % 2), padded)
    corrections = is_shown(tmp_path, content, off=9 * (actual == JPEGBaseline8Bit))
    families = (
        {JPEGBaseline8Bit, JPEGExtended12Bit},
        {JPEGLossless, JPEGLosslessSV1},
    )
    alike = actual == declared or any({actual, declared} <= family for family in families)
    assert bool(corrections) != alike


def test_twelve_bits_under_baseline_are_extended(tmp_path: Path) -> None:
    deep = (GREY.astype(np.uint16) << 4) | 7
    stream = bytes(imagecodecs.jpeg8_encode(deep, level=98, bitspersample=12))
    grey, corrections = displayed(
        tmp_path, with_frame(stream, JPEGBaseline8Bit, deep, BitsStored=12)
    )
    assert np.abs(grey - PLAIN).max() <= 6
    assert "Extended" in corrections


@pytest.mark.parametrize("actual", STREAMS, ids=NAMES.get)
def test_a_bare_frame_under_a_native_syntax_is_decoded(tmp_path: Path, actual: UID) -> None:
    dataset = a_dataset(GREY)
    stream = STREAMS[actual]
    dataset.PixelData = stream + b"\0" * (len(stream) % 2)
    corrections = is_shown(tmp_path, explicit(dataset), off=9 * (actual == JPEGBaseline8Bit))
    assert "are said to be Explicit VR Little Endian" in corrections


def test_fragments_of_a_known_length_are_read(tmp_path: Path) -> None:
    dataset = a_dataset(GREY)
    dataset.PixelData = encapsulate([STREAMS[JPEGLSLossless]])
    syntaxes: tuple[UID, ...] = (JPEGLSLossless, ExplicitVRLittleEndian)
    for syntax in syntaxes:
        content = dicom_bytes(a_dataset(GREY))
        value = dataset.PixelData
        at = content.rindex(b"\xe0\x7f\x10\x00OB")
        content = content[: at + 8] + struct.pack("<I", len(value)) + value
        name, other = ExplicitVRLittleEndian.encode() + b"\0", JPEGLSLossless.encode()
        if syntax == JPEGLSLossless:
            meta = content.index(b"\x02\0\x10\0UI")
            content = (content[: meta + 6] + struct.pack("<H", len(other)) + other
                       + content[meta + 8 + len(name) :])  # fmt: skip
            content = content[:140] + struct.pack("<I", _meta(content)) + content[144:]
        is_shown(tmp_path, content)


def _meta(content: bytes) -> int:
    """The length of the file meta behind its own length (PS3.10 7.1)."""
    return content.index(b"\x08\0\x16\0", 144) - 144


def test_native_pixels_under_a_compressed_syntax_are_read(tmp_path: Path) -> None:
    dataset = a_dataset(GREY)
    film = dicom_bytes(dataset)
    short, long = ExplicitVRLittleEndian.encode() + b"\0", JPEGBaseline8Bit.encode()
    at = film.index(b"\x02\0\x10\0UI")
    content = film[: at + 6] + struct.pack("<H", len(long)) + long + film[at + 8 + len(short) :]
    content = content[:140] + struct.pack("<I", _meta(content)) + content[144:]
    assert "native" in is_shown(tmp_path, content)


# The last delimiter.


@pytest.mark.parametrize("actual", [*STREAMS, RLELossless], ids=lambda each: each.keyword)
def test_zeros_for_the_last_delimiter_will_do_behind_a_whole_frame(
    tmp_path: Path, actual: UID
) -> None:
    if actual == RLELossless:
        content = dicom_bytes(a_dataset(GREY), RLELossless)
    else:
        content = with_frame(STREAMS[actual], actual, GREY)
    assert content.endswith(SEQUENCE_END)
    off = 9 * (actual == JPEGBaseline8Bit)
    is_shown(tmp_path, content[:-8] + bytes(8), off)
    # A file that was made as long as it will be, and is not written to its end.
    for lost in (20, 200, 1000):
        half = content[: -8 - lost] + bytes(8 + lost)
        assert code_of(tmp_path, half) is not None
        assert code_of(tmp_path, content[: -8 - lost]) is RefusalCode.TRUNCATED


def test_a_picture_is_what_it_was() -> None:
    """The film is what the other tests hold against."""
    assert Image.fromarray(GREY).size == GREY.shape[::-1]
    assert GREY.std() > 30
