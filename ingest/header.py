"""What a file says of itself, read without its pixels and without trusting it."""

import warnings
from pathlib import Path

from ingest import attributes
from ingest.archive import check_is_whole
from ingest.dicom_file import locate_pixels, number, open_dicom, read_elements, transfer_syntax
from ingest.picture_file import picture_header
from ingest.sniff import is_archive, kind_of
from readfirst.domain import FileKind, Header

#: No header of a radiograph needs more bytes in one value before its pixels (icons, overlays).
DEFER_BYTES = 64 * 1024
TAGS = [
    *attributes.TAGS, "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "SamplesPerPixel",
    "PhotometricInterpretation",
]  # fmt: skip


def read_header(path: Path) -> Header:
    """Read the header of a DICOM file or a picture, and check that the image is all there.

    Raises Refused: empty, truncated, of another kind, encoded in a way not supported, too large,
    without pixels, or unreadable.
    """
    if is_archive(path):
        check_is_whole(path)
    kind = kind_of(path)
    with warnings.catch_warnings():
        # Odd values are no reason to speak: what matters is read into the header or is not.
        warnings.simplefilter("ignore")
        return _dicom_header(path) if kind is FileKind.DICOM else picture_header(path, kind)


def _dicom_header(path: Path) -> Header:
    with open_dicom(path) as dicom:
        dataset = read_elements(dicom, TAGS, DEFER_BYTES)
        locate_pixels(dicom, dataset)
    return Header(
        kind=FileKind.DICOM,
        rows=number(dataset, "Rows", 1),
        columns=number(dataset, "Columns", 1),
        transfer_syntax_uid=str(transfer_syntax(dicom, dataset)),
        number_of_frames=number(dataset, "NumberOfFrames", 1),
        **attributes.attributes(dataset),
    )
