"""Pictures made to harm: bombs, lies, circles, and files that are several things at once."""

import io
import struct
import zlib
from collections.abc import Iterator
from zipfile import ZipFile

import numpy as np
from PIL import Image

from readfirst.samples import FOLDER
from tests.support.files import a_dataset, a_gradient, dicom_bytes
from tests.support.zeros import compressed_zeros

#: Square pictures of 8 bits with about as many bytes as a radiograph may have.
LARGE_SIDE = 15_400
PNG_START = b"\x89PNG\r\n\x1a\n"


def hostile_pictures() -> Iterator[tuple[str, bytes]]:
    """Their names and contents."""
    yield "png-bomb", a_png_bomb(LARGE_SIDE, LARGE_SIDE, colour=0)
    yield "png-bomb-with-alpha", a_png_bomb(7_600, 7_600, colour=6)
    yield "png-of-gigapixels", a_png_bomb(100_000, 100_000, colour=0, rows=1)
    yield "png-text-bomb", a_png(_chunk(b"zTXt", b"Comment\0\0" + compressed_zeros(1 << 28)))
    yield "png-profile-bomb", a_png(_chunk(b"iCCP", b"p\0\0" + compressed_zeros(1 << 28)))
    yield "png-of-many-chunks", a_png(_chunk(b"tEXt", b"a\0b") * 200_000)
    yield from _jpegs()
    yield from _tiffs()
    yield from _others()
    yield from polyglots()


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def a_png_bomb(columns: int, rows_said: int, *, colour: int, rows: int | None = None) -> bytes:
    """A PNG of black pixels that says it has so many rows, and has them unless `rows` says else."""
    # A line is the name of its filter, 0 for none, and its samples.
    line = 1 + columns * {0: 1, 6: 4}[colour]
    data = compressed_zeros(line * (rows_said if rows is None else rows))
    head = struct.pack(">IIBBBBB", columns, rows_said, 8, colour, 0, 0, 0)
    return PNG_START + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def a_png(extra: bytes) -> bytes:
    """A small whole PNG with more chunks before its data."""
    buffer = io.BytesIO()
    Image.fromarray(a_gradient()).save(buffer, "PNG")
    return buffer.getvalue()[:33] + extra + buffer.getvalue()[33:]


def a_jpeg(**how: object) -> bytes:
    """A small whole JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(a_gradient()).save(buffer, "JPEG", **how)
    return buffer.getvalue()


def a_jpeg_of_many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG that refines its coefficients again and again: small, but slow."""
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((side, side), np.uint8)).save(buffer, "JPEG", progressive=True)
    whole = buffer.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * scans + whole[-2:]


def _jpegs() -> Iterator[tuple[str, bytes]]:
    whole = a_jpeg()
    at = whole.index(b"\xff\xc0") + 5
    yield "jpeg-of-gigapixels", whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :]
    yield "jpeg-much-larger-than-it-is", whole[:at] + b"\x3c\x28\x3c\x28" + whole[at + 4 :]
    yield "jpeg-without-size", whole[:at] + bytes(4) + whole[at + 4 :]
    yield "jpeg-of-fill-bytes", whole[:2] + b"\xff" * 1_000_000 + whole[2:]
    circle = b"MM\0*\0\0\0\x08" + struct.pack(">H", 1)
    circle += struct.pack(">HHII", 0x8769, 4, 1, 8) + struct.pack(">I", 8)
    yield "exif-in-a-circle", a_jpeg(exif=b"Exif\0\0" + circle)
    entries = struct.pack(">HHII", 0x0112, 3, 0xFFFFFFFF, 0xFFFFFFF0)
    yield (
        "exif-outside",
        a_jpeg(exif=b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 65535) + entries),
    )
    yield "jpeg-of-many-tables", whole[:2] + b"\xff\xdb\x00\x43\x00" + b"\x01" * 64 + whole[2:]


def _tiffs() -> Iterator[tuple[str, bytes]]:
    buffer = io.BytesIO()
    Image.fromarray(a_gradient()).save(buffer, "TIFF")
    whole = bytearray(buffer.getvalue())
    (directory,) = struct.unpack_from("<I", whole, 4)
    (count,) = struct.unpack_from("<H", whole, directory)
    following = directory + 2 + 12 * count

    def tagged(**values: int) -> bytes:
        tags = {"columns": 256, "rows": 257, "bits": 258, "offset": 273, "size": 279}
        changed = bytearray(whole)
        for entry in range(directory + 2, following, 12):
            for name, value in values.items():
                if struct.unpack_from("<H", changed, entry)[0] == tags[name]:
                    struct.pack_into("<HII", changed, entry + 2, 4, 1, value)
        return bytes(changed)

    yield (
        "tiff-in-a-circle",
        bytes(whole[:following]) + struct.pack("<I", directory) + bytes(whole[following + 4 :]),
    )
    yield "tiff-of-gigapixels", tagged(columns=0x7FFFFFFF, rows=0x7FFFFFFF)
    yield "tiff-larger-than-it-is", tagged(columns=LARGE_SIDE, rows=LARGE_SIDE)
    yield "tiff-that-points-outside", tagged(offset=0xFFFFFFF0)
    yield "tiff-of-lying-size", tagged(size=0xFFFFFFFF)
    yield (
        "tiff-of-many-entries",
        bytes(whole[:directory]) + b"\xff\xff" + bytes(whole[directory + 2 :]),
    )
    yield "tiff-directory-outside", bytes(whole[:4]) + b"\xf0\xff\xff\xff" + bytes(whole[8:])
    black = Image.new("L", (LARGE_SIDE, LARGE_SIDE))
    buffer = io.BytesIO()
    black.save(buffer, "TIFF", compression="tiff_adobe_deflate")
    yield "tiff-bomb", buffer.getvalue()


def _others() -> Iterator[tuple[str, bytes]]:
    buffer = io.BytesIO()
    Image.fromarray(a_gradient()).save(buffer, "WEBP", lossless=True)
    webp = bytearray(buffer.getvalue())
    at = webp.index(b"VP8L") + 9
    webp[at : at + 4] = b"\xff\xff\xff\x0f"
    yield "webp-as-large-as-can-be", bytes(webp)
    webp[4:8] = b"\xf0\xff\xff\xff"
    yield "webp-of-lying-length", bytes(webp)
    buffer = io.BytesIO()
    Image.fromarray(a_gradient()).save(buffer, "BMP")
    bmp = bytearray(buffer.getvalue())
    for name, columns, rows in (
        ("bmp-of-gigapixels", 0x7FFFFFFF, 0x7FFFFFFF),
        ("bmp-upside-down-without-end", LARGE_SIDE, -0x80000000),
        ("bmp-larger-than-it-is", LARGE_SIDE, LARGE_SIDE),
    ):
        struct.pack_into("<ii", bmp, 18, columns, rows)
        yield name, bytes(bmp)
    # Escape codes alone: each line of 15,400 pixels takes two bytes.
    struct.pack_into("<ii", bmp, 18, LARGE_SIDE, LARGE_SIDE)
    struct.pack_into("<I", bmp, 30, 1)
    yield "bmp-run-lengths", bytes(bmp[: struct.unpack_from("<I", bmp, 10)[0]]) + b"\0\0" * 20_000


def polyglots() -> Iterator[tuple[str, bytes]]:
    """Files that are DICOM and something else: the preamble is free (PS3.10 7.1)."""
    film = dicom_bytes(a_dataset(a_gradient()))
    archive = io.BytesIO()
    with ZipFile(archive, "w") as opened:
        opened.writestr("../../outside.dcm", film)
    starts = {
        "tiff": b"II*\0\x08\0\0\0",
        "program": b"MZ" + bytes(58) + struct.pack("<I", 0x80),
        "elf": b"\x7fELF\x02\x01\x01",
        "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        "png": PNG_START,
        "webp": b"RIFF\0\0\0\0WEBP",
        "bmp": b"BM",
        "script": b"#!/bin/sh\n",
        "page": b"<html><script>",
        "pdf": b"%PDF-1.7\n",
        "zip": b"PK\x03\x04",
    }
    for name, start in starts.items():
        yield f"dicom-and-{name}", start.ljust(128, b"\0")[:128] + film[128:]
    yield "dicom-with-an-archive-behind", film + archive.getvalue()
    yield "jpeg-with-an-archive-behind", (FOLDER / "film-01.jpg").read_bytes() + archive.getvalue()
    text = _chunk(b"tEXt", b"a\0" + bytes(128 - 43) + film[128:])
    yield "png-that-says-it-is-dicom", a_png(text)
    yield "archive", archive.getvalue()
