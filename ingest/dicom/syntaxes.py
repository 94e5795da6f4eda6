"""The transfer syntaxes that can be decoded here (PS3.5 10, A), and lossy compression by them."""

from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
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

from readfirst.domain import FileKind

NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
JPEG_2000 = (JPEG2000, JPEG2000Lossless)
HIGH_THROUGHPUT_JPEG_2000 = (HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL)
ENCAPSULATED = (
    RLELossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    *JPEG_2000,
    *HIGH_THROUGHPUT_JPEG_2000,
)
#: Syntaxes that lose something, and those that may.
ALWAYS = {
    JPEGBaseline8Bit: "JPEG",
    JPEGExtended12Bit: "JPEG",
    JPEGLSNearLossless: "JPEG-LS",
}
PERHAPS = {JPEG2000: "JPEG 2000", HTJ2K: "High-Throughput JPEG 2000"}
#: Lossy Image Compression Method (0028,2114), its defined terms.
METHODS = {
    "ISO_10918_1": "JPEG",
    "ISO_14495_1": "JPEG-LS",
    "ISO_15444_1": "JPEG 2000",
    "ISO_15444_15": "High-Throughput JPEG 2000",
    "ISO_13818_2": "MPEG-2",
    "ISO_14496_10": "MPEG-4",
    "ISO_23008_2": "HEVC",
}
#: Attributes that say so.
LOSSY_KEYWORDS = (
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
)  # fmt: skip
#: A ratio beyond it is a mistake in the header.
MOST_RATIO = 10_000.0


def is_supported(syntax: str) -> bool:
    """Return whether pixels in this syntax can be decoded here."""
    return UID(syntax) in NATIVE + ENCAPSULATED


def is_encapsulated(syntax: str) -> bool:
    """Return whether the pixel data stand in fragments (PS3.5 A.4)."""
    return UID(syntax) in ENCAPSULATED


def lossy_compression(dataset: Dataset, syntax: UID | None) -> str:
    """Say that a film has lost detail, as `lossy JPEG, 12:1`; empty where nothing says so.

    Lossy Image Compression (0028,2110) `01` holds for ever, also of a film that is stored without
    loss now. A syntax that may be lossy or not is said so unless the header decides.
    """
    stated = str(dataset.get("LossyImageCompression") or "").strip()
    encoding = syntax or UID("")
    always, perhaps = ALWAYS.get(encoding, ""), PERHAPS.get(encoding, "")
    if stated == "01" or always:
        method = always or METHODS.get(str(_last(dataset, "LossyImageCompressionMethod")), perhaps)
        name = " ".join(filter(None, ("lossy", method or "compression")))
        return f"{name}{_ratio(dataset)}"
    return f"perhaps lossy {perhaps}" if perhaps and stated != "00" else ""


def lossy_picture(kind: FileKind) -> str:
    """Say the same of a picture, which tells it by its kind alone."""
    return {FileKind.JPEG: "lossy JPEG", FileKind.WEBP: "perhaps lossy WebP"}.get(kind, "")


def _ratio(dataset: Dataset) -> str:
    """The last ratio that the header states: each later compression adds one."""
    try:
        ratio = float(_last(dataset, "LossyImageCompressionRatio") or 0)
    except (TypeError, ValueError):
        return ""
    return f", {ratio:.3g}:1" if 1 < ratio <= MOST_RATIO else ""


def _last(dataset: Dataset, keyword: str) -> Any:
    value = dataset.get(keyword)
    if isinstance(value, MultiValue):
        return value[-1] if value else None
    return value
