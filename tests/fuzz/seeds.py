"""Whole files to be broken: real ones of every syntax and kind, and small ones of what is rare.

DICOM of the shipped films, and of pydicom's collections, which many devices and toolkits wrote; the
rest is encoded by Pillow, libjpeg, CharLS and OpenJPH.
"""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import imagecodecs
import numpy as np
import pydicom
from PIL import Image, ImageFilter
from pydicom.data import get_testdata_file
from pydicom.uid import (
    HTJ2K,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEGExtended12Bit,
    JPEGLossless,
)

from readfirst.samples import FOLDER
from tests.fuzz.encapsulating import encapsulated, named
from tests.support.files import a_dataset, a_gradient, dicom_bytes
from tests.support.odd_films import a_table

#: Of pydicom and pydicom-data: small ones of one frame, by what only they show.
COLLECTED = (
    "693_J2KI.dcm", "JPEG2000.dcm", "SC_rgb_gdcm_KY.dcm", "US1_J2KI.dcm", "CT_small.dcm",
    "MR_small_padded.dcm", "SC_rgb_small_odd.dcm", "SC_ybr_full_422_uncompressed.dcm",
    "ExplVR_BigEnd.dcm", "MR_small_bigendian.dcm", "SC_rgb_expb_16bit.dcm", "liver_expb_1frame.dcm",
    "GDCMJ2K_TextGBR.dcm", "J2K_pixelrep_mismatch.dcm", "MR_small_jp2klossless.dcm",
    "JPEG-lossy.dcm", "JPGExtended.dcm", "JPEGLSNearLossless_08.dcm", "JPEGLSNearLossless_16.dcm",
    "SC_rgb_jls_lossy_line.dcm", "MR_small_RLE.dcm", "SC_rgb_rle.dcm", "SC_rgb_rle_16bit.dcm",
    "OBXXXX1A_rle.dcm", "MR_small_implicit.dcm", "SC_jpeg_no_color_transform.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_dcmtk_+eb+cy+np.dcm", "SC_rgb_small_odd_jpeg.dcm",
    "SC_rgb_jpeg_gdcm.dcm", "JPEG-LL.dcm", "image_dfl.dcm", "emri_small_RLE.dcm",
    "rtdose_1frame.dcm", "bad_sequence.dcm",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seed:
    """A file as it should be. kind: its transfer syntax, or the name of its picture format."""

    name: str
    kind: str
    content: bytes


@cache
def seeds() -> tuple[Seed, ...]:
    """All of them, in the same order everywhere."""
    return tuple(Seed(name, _kind(content), content) for name, content in _contents())


@cache
def small_seeds() -> tuple[Seed, ...]:
    """Choose a small file of every kind."""
    least: dict[str, Seed] = {}
    for seed in seeds():
        smallest = least.get(seed.kind)
        if smallest is None or len(seed.content) < len(smallest.content):
            least[seed.kind] = seed
    return tuple(least.values())


def _contents() -> Iterator[tuple[str, bytes]]:
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in (".dcm", ".jpg", ".png"):
            yield path.name, path.read_bytes()
    for name in COLLECTED:
        yield name, Path(str(get_testdata_file(name, download=False))).read_bytes()
    yield from _encoded_here()
    yield from _pictures()
    yield from _archives()


def _encoded_here() -> Iterator[tuple[str, bytes]]:
    """Files that the collections lack: lossless process 14, HTJ2K, 12 bits, and no preamble."""
    deep, shallow = a_gradient(bits=12), a_gradient()
    streams = {
        JPEGLossless: imagecodecs.ljpeg_encode(deep, bitspersample=12),
        JPEGExtended12Bit: imagecodecs.jpeg8_encode(deep, bitspersample=12),
        HTJ2K: imagecodecs.htj2k_encode(deep, reversible=False),
        HTJ2KLossless: imagecodecs.htj2k_encode(deep, reversible=True),
        HTJ2KLosslessRPCL: imagecodecs.htj2k_encode(deep, reversible=True),
    }
    for syntax, stream in streams.items():
        yield f"{UID(syntax).keyword}.dcm", encapsulated(syntax, stream)
    yield "with-tables.dcm", dicom_bytes(named(a_film_with_tables()))
    yield "no-preamble.dcm", dicom_bytes(named(a_dataset(shallow)))[132:]
    yield "multi-frame.dcm", dicom_bytes(named(a_multi_frame()))


def a_film_with_tables() -> pydicom.FileDataset:
    """A film with all that may stand between stored values and grey, and the size of a pixel."""
    curve = [round((value / 4095) ** 0.6 * 4095) for value in range(4096)]
    return a_dataset(
        a_gradient(bits=12),
        bits=12,
        PixelSpacing=["0.143", "0.143"],
        ImagerPixelSpacing=["0.150", "0.150"],
        WindowCenter=["1500", "2047.5"],
        WindowWidth=["2500", "4095"],
        VOILUTFunction="LINEAR",
        RescaleSlope="1.0",
        RescaleIntercept="0.0",
        ModalityLUTSequence=[a_table(curve, [4096, 0, 16], "OW")],
        VOILUTSequence=[a_table(curve, [4096, 0, 12])],
        PixelPaddingValue=0,
    )


def a_multi_frame() -> pydicom.FileDataset:
    """Three frames of one film."""
    dataset = a_dataset(a_gradient(), NumberOfFrames=3)
    dataset.PixelData = dataset.PixelData * 3
    return dataset


def _pictures() -> Iterator[tuple[str, bytes]]:
    with Image.open(FOLDER / "film-01.jpg") as opened:
        film = opened.convert("L").resize((160, 140))
    deep = Image.fromarray(np.asarray(film).astype(np.uint16) * 257)
    colour = Image.merge("RGB", [film, film.filter(ImageFilter.BLUR), film])
    clear = colour.convert("RGBA")
    clear.putalpha(film)
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, picture, how in (
        ("progressive.jpg", film, {"progressive": True}),
        ("turned.jpg", film, {"exif": exif}),
        ("cmyk.jpg", colour.convert("CMYK"), {}),
        ("deep.png", deep, {}),
        ("palette.png", colour.convert("P"), {}),
        ("clear.png", clear, {}),
        ("bits.png", film.convert("1"), {}),
        ("plain.tiff", film, {}),
        ("deep.tiff", deep, {"compression": "tiff_lzw"}),
        ("deflated.tiff", colour, {"compression": "tiff_adobe_deflate"}),
        ("packbits.tiff", film, {"compression": "packbits"}),
        ("jpeg.tiff", colour, {"compression": "jpeg"}),
        ("fax.tiff", film.convert("1"), {"compression": "group4"}),
        ("film.bmp", film, {}),
        ("colour.bmp", colour, {}),
        ("lossy.webp", film, {"quality": 80}),
        ("lossless.webp", clear, {"lossless": True}),
    ):
        buffer = io.BytesIO()
        picture.save(buffer, _format_of(name), **how)
        yield name, buffer.getvalue()


def _archives() -> Iterator[tuple[str, bytes]]:
    film = dicom_bytes(named(a_dataset(a_gradient())))
    members = {"ward/film.dcm": film, "ward/film.jpg": (FOLDER / "film-02.jpg").read_bytes()}
    for name, method in (("stored.zip", ZIP_STORED), ("deflated.zip", ZIP_DEFLATED)):
        yield name, archived(members, method)


def archived(members: dict[str, bytes], method: int = ZIP_DEFLATED) -> bytes:
    """A zip archive, the same at every time."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(ZipInfo(name), content, compress_type=method)
    return buffer.getvalue()


def _format_of(name: str) -> str:
    suffix = name.rsplit(".", 1)[1]
    return {"jpg": "JPEG"}.get(suffix, suffix.upper())


def _kind(content: bytes) -> str:
    for start, name in (
        (b"\xff\xd8", "JPEG"),
        (b"\x89PNG", "PNG"),
        (b"II*\0", "TIFF"),
        (b"BM", "BMP"),
        (b"RIFF", "WebP"),
        (b"PK", "zip"),
    ):
        # A DICOM file's preamble is free, and may begin like a picture.
        if content.startswith(start) and content[128:132] != b"DICM":
            return name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(io.BytesIO(content), force=True, specific_tags=["Rows"])
    return UID(dataset.file_meta.get("TransferSyntaxUID", "no syntax")).name
