"""DICOM files made to harm: each by what it tries, under a name that says so."""

import io
import struct
import warnings
from collections.abc import Iterator
from typing import Any

import imagecodecs
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.fuzz.encapsulating import encapsulated
from tests.support.files import a_dataset, a_gradient, dicom_bytes
from tests.support.zeros import MEBIBYTE, deflated_zeros

#: Levels of sequences: far more than Python's stack has frames.
DEEP = 20_000
#: (0008,1140) Referenced Image Sequence: before the pixels, as a header's would be.
SEQUENCE_TAG = b"\x08\x00\x40\x11"
ITEM = b"\xfe\xff\x00\xe0"
ITEM_END, SEQUENCE_END = b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
UNDEFINED = b"\xff\xff\xff\xff"
#: Square images of 16 bits with about as many bytes as a radiograph may have.
LARGE_SIDE = 10_900


def hostile_dicom() -> Iterator[tuple[str, bytes]]:
    """Their names and contents."""
    yield from _nested()
    yield from _odd_numbers()
    yield from _odd_tables()
    yield from odd_uids()
    yield from _lying_streams()
    yield from _offsets()


def _film(**attributes: Any) -> bytes:
    return dicom_bytes(a_dataset(a_gradient(), **attributes))


def _with_elements(elements: bytes, film: bytes | None = None) -> bytes:
    """A film with raw elements before its SOP Class UID, the first element of its data set."""
    whole = film or _film()
    at = whole.index(b"\x08\x00\x16\x00", 140)
    return whole[:at] + elements + whole[at:]


def _nested() -> Iterator[tuple[str, bytes]]:
    begin = SEQUENCE_TAG + b"SQ\0\0" + UNDEFINED + ITEM + UNDEFINED
    end = ITEM_END + bytes(4) + SEQUENCE_END + bytes(4)
    yield "deep-sequences", _with_elements(begin * DEEP + end * DEEP)
    yield "deep-sequences-without-end", _with_elements(begin * DEEP)
    nested = b""
    for _ in range(2000):
        item = ITEM + struct.pack("<I", len(nested)) + nested
        nested = SEQUENCE_TAG + b"SQ\0\0" + struct.pack("<I", len(item)) + item
    yield "deep-sequences-with-lengths", _with_elements(nested)
    items = (ITEM + bytes(4)) * 300_000
    many = SEQUENCE_TAG + b"SQ\0\0" + struct.pack("<I", len(items)) + items
    yield "many-items", _with_elements(many)
    yield "many-elements", _with_elements(b"\x08\x00\x81\x00ST\x02\x00  " * 200_000)
    huge = b"\x08\x00\x80\x00UT\0\0" + struct.pack("<I", 0xFFFFFFF0)
    yield "a-value-of-four-gigabytes", _with_elements(huge)
    icon = Dataset()
    icon.update(a_dataset(a_gradient(2000, 2000)))
    yield "an-icon-like-a-film", _film(IconImageSequence=[icon])


def _odd_numbers() -> Iterator[tuple[str, bytes]]:
    numbers: dict[str, dict[str, Any]] = {
        "no-rows": {"Rows": 0},
        "gigapixels": {"Rows": 65535, "Columns": 65535},
        "frames-without-end": {"NumberOfFrames": 2_147_483_647},
        "less-than-one-frame": {"NumberOfFrames": -5},
        "no-samples": {"SamplesPerPixel": 0},
        "samples-without-end": {"SamplesPerPixel": 65535},
        "no-bits": {"BitsAllocated": 0},
        "odd-bits": {"BitsAllocated": 13, "BitsStored": 13, "HighBit": 12},
        "more-bits-stored-than-allocated": {"BitsStored": 64, "HighBit": 63},
        "bits-without-end": {"BitsAllocated": 65528, "BitsStored": 65528},
        "a-window-without-end": {"WindowCenter": "1e308", "WindowWidth": "1e308"},
        "a-window-of-nothing": {"WindowCenter": "0", "WindowWidth": "1e-308"},
        "a-slope-without-end": {"RescaleSlope": "1e308", "RescaleIntercept": "1e308"},
        "many-windows": {"WindowCenter": ["1"] * 5000, "WindowWidth": ["1"] * 5000},
        "padding-everywhere": {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 255},
        "no-such-interpretation": {"PhotometricInterpretation": "ULTRAVIOLET"},
        "flat-pixels": {"PixelAspectRatio": ["1", "2000000000"]},
        "no-pixel-at-all": {"PixelAspectRatio": ["0", "0"]},
    }
    for name, values in numbers.items():
        yield name, _film(**values)
    for name, text in {"nan": b"nan ", "infinite": b"-inf", "letters": b"1e9x"}.items():
        film = _film(WindowCenter="1234", WindowWidth="1234")
        yield f"a-window-of-{name}", film.replace(b"1234", text)
        film = _film(RescaleSlope="1234", RescaleIntercept="0")
        yield f"a-slope-of-{name}", film.replace(b"1234", text)


def _odd_tables() -> Iterator[tuple[str, bytes]]:
    for name, descriptor, data in (
        ("empty-table", [0, 0, 8], b""),
        ("short-table", [0, 0, 16], bytes(8)),
        ("table-of-no-bits", [16, 0, 0], bytes(32)),
        ("table-of-many-bits", [16, 0, 60_000], bytes(32)),
        ("table-from-afar", [16, 65_535, 16], bytes(32)),
        ("descriptor-of-one", [16], bytes(32)),
    ):
        table = Dataset()
        table.LUTDescriptor, table.LUTData = descriptor, data
        table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
        yield f"modality-{name}", _film(ModalityLUTSequence=[table])
        yield f"voi-{name}", _film(VOILUTSequence=[table])
    yield "palette-without-tables", _film(PhotometricInterpretation="PALETTE COLOR")


def odd_uids() -> Iterator[tuple[str, bytes]]:
    """UIDs and names that would lead elsewhere if somebody made paths of them."""
    placeholder = b"1.2.3.4.5.6.7.8.9.10.11.12"
    film = _film(SOPInstanceUID=placeholder.decode(), StudyInstanceUID=placeholder.decode())
    for name, trick in {
        "climbing": b"../../../../etc/passwd",
        "absolute": b"/etc/passwd",
        "windows": b"..\\..\\windows\\win.ini",
        "nul": b"1.2.3\0.4/../x",
        "letters": "é́‮".encode(),
    }.items():
        yield f"uid-{name}", film.replace(placeholder, trick.ljust(len(placeholder), b"\0"))
    long = b"\x08\x00\x18\x00UI" + struct.pack("<H", 60_000) + b"1." * 30_000
    yield "uid-very-long", _with_elements(long)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        name, number = "^".join(["X" * 5000] * 5), "%n%s" * 1000
        yield "name-very-long", _film(PatientName=name, PatientID=number)


def _lying_streams() -> Iterator[tuple[str, bytes]]:
    """Compressed pixels that say they are far larger than the header says."""
    most = b"\xff\xff"
    jpeg = imagecodecs.ljpeg_encode(a_gradient(bits=12), bitspersample=12)
    at = jpeg.index(b"\xff\xc3") + 5
    yield "gigapixels-in-jpeg", encapsulated(JPEGLosslessSV1, jpeg[:at] + most * 2 + jpeg[at + 4 :])
    ls = imagecodecs.jpegls_encode(a_gradient(bits=12))
    at = ls.index(b"\xff\xf7") + 5
    yield "gigapixels-in-jpeg-ls", encapsulated(JPEGLSLossless, ls[:at] + most * 2 + ls[at + 4 :])
    j2k = imagecodecs.jpeg2k_encode(a_gradient(bits=12), codecformat="j2k", reversible=True)
    at = j2k.index(b"\xff\x51") + 6
    for name, side in (("gigapixels", 0x7FFFFFFF), ("much", LARGE_SIDE)):
        # ISO 15444-1 A.5.1: Xsiz and Ysiz, the offsets, and the size of a tile.
        sizes = struct.pack(">6I", side, side, 0, 0, side, side)
        lie = j2k[:at] + sizes + j2k[at + 24 :]
        yield f"{name}-in-jpeg-2000", encapsulated(JPEG2000Lossless, lie)
    tiles = struct.pack(">6I", 60_000, 60_000, 0, 0, 1, 1)
    lie = j2k[:at] + tiles + j2k[at + 24 :]
    yield "tiles-without-end-in-jpeg-2000", encapsulated(JPEG2000Lossless, lie)
    yield "rle-that-inflates", an_rle_bomb()
    yield "deflate-bomb", a_deflate_bomb()
    yield "aborts-gdcm", what_aborts_gdcm()


def an_rle_bomb() -> bytes:
    """A few megabytes that become as much as a radiograph may have, all of it black."""
    size = LARGE_SIDE * LARGE_SIDE
    # PS3.5 G.3.1: a count of -127 repeats the next byte 128 times; the last run is shorter.
    segment = b"\x81\0" * (size // 128) + bytes([257 - size % 128, 0])
    header = struct.pack("<16I", 2, 64, 64 + len(segment), *[0] * 13)
    attributes = {"Rows": LARGE_SIDE, "Columns": LARGE_SIDE}
    return encapsulated(RLELossless, header + segment * 2, **attributes)


def a_deflate_bomb() -> bytes:
    """Some hundred kilobytes that would become 512 MiB."""
    dataset = a_dataset(a_gradient())
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    meta = buffer.getvalue()[: 144 + int.from_bytes(buffer.getvalue()[140:144], "little")]
    return meta + deflated_zeros(512 * MEBIBYTE)


def what_aborts_gdcm() -> bytes:
    """A lossless JPEG whose first table has no marker: GDCM 3.2 then ends its process."""
    jpeg = imagecodecs.ljpeg_encode(a_gradient(bits=12), bitspersample=12)
    return encapsulated(JPEGLosslessSV1, jpeg[:2] + b"\x12\x34" + jpeg[4:])


def _offsets() -> Iterator[tuple[str, bytes]]:
    """Tables and headers that point outside, or at themselves."""
    rle = dicom_bytes(a_dataset(a_gradient()), RLELossless)
    at = rle.rindex(ITEM, 0, rle.rindex(SEQUENCE_END)) + 8
    for name, number in (("outside", 0xFFFFFFF0), ("itself", 0)):
        yield f"rle-offset-{name}", rle[: at + 4] + struct.pack("<I", number) + rle[at + 8 :]
    yield "rle-segments-without-end", rle[:at] + b"\xff" * 4 + rle[at + 4 :]
    lengths = struct.pack("<2Q", 0, 1 << 62)
    table = {"ExtendedOffsetTable": lengths, "ExtendedOffsetTableLengths": lengths}
    yield "extended-offsets-outside", encapsulated(RLELossless, rle[at : at + 200], **table)
    whole = encapsulated(RLELossless, rle[at:-8])
    basic = whole.index(ITEM + bytes(4)) if ITEM + bytes(4) in whole else whole.index(ITEM)
    looped = ITEM + struct.pack("<4I", 12, 0, 0, 0xFFFFFFFF)
    yield "basic-offsets-in-a-circle", whole[:basic] + looped + whole[basic + 8 :]
    short = encapsulated(RLELossless, struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 50)
    yield "rle-too-short", short
    yield "many-empty-fragments", short.replace(SEQUENCE_END, (ITEM + bytes(4)) * 300_000)
