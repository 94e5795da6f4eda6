"""Pictures become grey: JPEG, PNG, TIFF, BMP and WebP."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ingest.dicom.picture_file import refuse_float
from ingest.dicom.pixels.arrays import Array8, Stored, stretch
from readfirst.domain import FileKind

#: TIFF 6.0: the tag of the photometric interpretation, and its value where 0 is white.
TIFF_PHOTOMETRIC, WHITE_IS_ZERO = 262, 0


def picture_grey(path: Path, kind: FileKind, least_side: int | None = None) -> Array8:
    """Decode the first picture of a file: upright, its transparent parts black.

    least_side: pixels that the shorter side of a JPEG must keep; None keeps all of them. Returns
    (rows, columns) uint8. Raises Refused for floating-point samples, and what Pillow raises.
    """
    # Given a path, Pillow maps uncompressed TIFFs into memory, and then turns those that lie on
    # their side wrongly (13.0).
    with path.open("rb") as file, Image.open(file, formats=[kind.value]) as image:
        refuse_float(image)
        if least_side is not None and kind is FileKind.JPEG:
            # A JPEG gives an eighth, a quarter or a half of its side for less work (ISO 10918-1
            # A.3.3: the low frequencies of each block alone).
            image.draft("L", (least_side, least_side))
        # The first directory alone says how a TIFF is meant, and it is gone once rotated.
        white_is_zero = kind is FileKind.TIFF and _white_is_zero(image)
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I"):
            return deep_grey(np.asarray(upright), white_is_zero)
        if upright.has_transparency_data:
            upright = _over_black(upright)
        return np.asarray(upright.convert("L"))


def deep_grey(values: Stored, white_is_zero: bool = False) -> Array8:
    """Show a picture of more than 8 bits by the bits that it uses: 12 of 16 is common."""
    bits = max(8, int(values.max()).bit_length())
    grey = stretch(values.astype(np.float64), (0, 2**bits - 1))
    return 255 - grey if white_is_zero else grey


def _white_is_zero(image: Image.Image) -> bool:
    """Return whether a TIFF of more than 8 bits is inverted, which Pillow leaves to its reader."""
    return bool(image.tag_v2.get(TIFF_PHOTOMETRIC) == WHITE_IS_ZERO)  # type: ignore[attr-defined]


def _over_black(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba)
