"""The transfer syntaxes that radiographs come in and that can be decoded here (PS3.5 10, A)."""

from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
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

NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
ENCAPSULATED = (
    RLELossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    JPEG2000,
    JPEG2000Lossless,
    HTJ2K,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
)


def is_supported(syntax: str) -> bool:
    """Deflated ones are not: a few kilobytes of them can inflate to gigabytes."""
    return UID(syntax) in NATIVE + ENCAPSULATED


def is_encapsulated(syntax: str) -> bool:
    """Whether the pixel data stand in fragments (PS3.5 A.4)."""
    return UID(syntax) in ENCAPSULATED
