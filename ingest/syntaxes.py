"""The transfer syntaxes that radiographs come in and that can be decoded here (PS3.5 10, A)."""

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


def is_supported(syntax: str) -> bool:
    """Whether pixels in this syntax can be decoded here."""
    return UID(syntax) in NATIVE + ENCAPSULATED


def is_encapsulated(syntax: str) -> bool:
    """Whether the pixel data stand in fragments (PS3.5 A.4)."""
    return UID(syntax) in ENCAPSULATED
