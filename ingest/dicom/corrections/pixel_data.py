"""Pixel Data of a file: the first frame, held against what its header says."""

from typing import BinaryIO

from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian

from ingest.dicom.codestreams import Codestream, first_codestream
from ingest.dicom.corrections.frames import with_frame_facts
from ingest.dicom.corrections.interpretation import with_true_interpretation
from ingest.dicom.corrections.layouts import with_true_layout
from ingest.dicom.dicom_file import MOST_BYTES
from ingest.dicom.pixel_position import SEQUENCE_END, PixelData, PixelForm, native_bytes
from ingest.dicom.syntaxes import is_encapsulated
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode


def add_pixels(
    file: BinaryIO, position: PixelData, dataset: FileDataset, *, little_endian: bool
) -> list[str]:
    """Add Pixel Data: the first frame of native ones, all fragments of encapsulated ones.

    The data set says then how they really are. Returns what was set right. Raises Refused where
    nothing proves how to read them.
    """
    file.seek(position.start)
    if position.form is PixelForm.NATIVE:
        corrections = _add_native(file, position, dataset, little_endian=little_endian)
        return _with_interpretation(corrections, dataset, None)
    content = file.read(position.length)
    if position.form is PixelForm.BARE:
        content = encapsulate([content], has_bot=False)
    else:
        content += SEQUENCE_END + bytes(4)
    dataset.add_new("PixelData", "OB", content)
    dataset["PixelData"].is_undefined_length = True
    frame = first_codestream(content)
    if frame is None and not is_encapsulated(dataset.file_meta.TransferSyntaxUID):
        raise Refused(RefusalCode.PIXELS_UNREADABLE, "fragments of an unknown encoding")
    # A frame without a start that is known is left to the decoder, which says what is wrong.
    corrections = [] if frame is None else with_frame_facts(dataset, frame)
    return _with_interpretation(corrections, dataset, frame)


def _with_interpretation(
    corrections: list[str], dataset: FileDataset, frame: Codestream | None
) -> list[str]:
    """Write the true interpretation, which needs no word where the samples are set right."""
    of_interpretation = with_true_interpretation(dataset, frame)
    return corrections or of_interpretation


def _add_native(
    file: BinaryIO, position: PixelData, dataset: FileDataset, *, little_endian: bool
) -> list[str]:
    corrections: list[str] = []
    if is_encapsulated(dataset.file_meta.TransferSyntaxUID):
        corrections = [
            f"the pixels are native and are said to be {dataset.file_meta.TransferSyntaxUID.name}"
        ]
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    frames = int(dataset.NumberOfFrames)
    whole = native_bytes(dataset)
    dataset.NumberOfFrames = 1
    content = _native(file, position, native_bytes(dataset) if frames > 1 else whole, frames)
    if frames == 1:
        corrections += with_true_layout(dataset, content, little_endian=little_endian)
    # PS3.5 8.1.1: the value has an even length.
    dataset.add_new("PixelData", position.vr, content + b"\0" * (len(content) % 2))
    dataset["PixelData"].is_undefined_length = False
    return corrections


def _native(file: BinaryIO, position: PixelData, needed: int, frames: int) -> bytes:
    """Read what the header says, and what more there is, unless it is padding.

    A part of a film looks like a film: so nothing is left out that may belong to it.
    """
    content = file.read(min(needed, position.length))
    more = position.length - needed
    if frames > 1 or more <= 1:
        return content
    if more > MOST_BYTES:
        raise Refused(RefusalCode.TOO_LARGE, f"{position.length} bytes of pixels")
    rest = file.read(more)
    if rest.count(rest[:1]) == len(rest):
        return content
    if position.is_cut:
        raise Refused(RefusalCode.TRUNCATED)
    return content + rest
