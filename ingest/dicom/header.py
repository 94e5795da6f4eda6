"""Headers of DICOM files and pictures, read without their pixels and without trusting them."""

import warnings
from pathlib import Path

from pydicom.dataset import FileDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from ingest.dicom import attributes, zero_tail
from ingest.dicom.dicom_file import DicomFile, read_elements, transfer_syntax
from ingest.dicom.numbers import positive_number
from ingest.dicom.picture_file import picture_header
from ingest.dicom.pixel_position import PixelData, PixelForm, locate_pixels
from ingest.dicom.sniff import kind_of
from ingest.dicom.zero_tail import ends_in_zeros, is_black_on_purpose, open_written
from readfirst.domain import FileKind, Header

#: No header of a radiograph needs more bytes in one value before its pixels (icons, overlays).
DEFER_BYTES = 64 * 1024
TAGS = [
    *attributes.TAGS, *zero_tail.TAGS, "NumberOfFrames", "Rows", "Columns", "BitsAllocated",
    "SamplesPerPixel", "PhotometricInterpretation",
]  # fmt: skip


def read_header(path: Path) -> Header:
    """Read the header of a DICOM file or a picture, and check that the image is all there.

    Raises Refused: empty, truncated, of another kind, encoded in a way not supported, too large,
    without pixels, or unreadable.
    """
    kind = kind_of(path)
    with warnings.catch_warnings():
        # Odd values are no reason to speak: what matters is read into the header or is not.
        warnings.simplefilter("ignore")
        return _dicom_header(path) if kind is FileKind.DICOM else picture_header(path, kind)


def _dicom_header(path: Path) -> Header:
    with open_written(path) as dicom:
        dataset = read_elements(dicom, TAGS, DEFER_BYTES)
        pixels = locate_pixels(dicom, dataset)
        may_be_cut = _may_be_cut(dicom, dataset, pixels)
    return Header(
        kind=FileKind.DICOM,
        rows=positive_number(dataset, "Rows", 1),
        columns=positive_number(dataset, "Columns", 1),
        transfer_syntax_uid=str(transfer_syntax(dicom, dataset)),
        number_of_frames=positive_number(dataset, "NumberOfFrames", 1),
        may_be_cut=may_be_cut,
        **attributes.attributes(dataset),
    )


def _may_be_cut(dicom: DicomFile, dataset: FileDataset, pixels: PixelData) -> bool:
    """Return whether the pixels end as those of a film of which the rest was never written.

    What is encapsulated or deflated says itself where it ends.
    """
    deflated = transfer_syntax(dicom, dataset) == DeflatedExplicitVRLittleEndian
    if deflated or pixels.form is not PixelForm.NATIVE:
        return False
    rows, end = positive_number(dataset, "Rows", 1), pixels.start + pixels.length
    if not ends_in_zeros(dicom.file, pixels.start, end, rows):
        return False
    return not is_black_on_purpose(dataset, pixels, dicom.file)
