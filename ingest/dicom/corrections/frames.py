"""Headers against the compressed frame: what the frame says of itself is right, or nothing is."""

from pydicom.dataset import Dataset
from pydicom.uid import UID

from ingest.dicom.codestreams import LOSSY, Codestream
from ingest.dicom.dicom_file import check_size
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode


def with_frame_facts(dataset: Dataset, frame: Codestream) -> list[str]:
    """Let a data set say what its frame does, and return what was set right.

    A size that differs, but for rows and columns that are swapped, refuses the image: one of the
    two is a part of the film, and nobody knows which. Raises Refused.
    """
    return [*_syntax(dataset, frame), *_size(dataset, frame), *_samples(dataset, frame),
            *_bits(dataset, frame)]  # fmt: skip


def _syntax(dataset: Dataset, frame: Codestream) -> list[str]:
    declared = UID(dataset.file_meta.TransferSyntaxUID)
    # A decoder for 8 bits takes no more, whatever family it is of.
    deep = frame.syntaxes[:2] == LOSSY[::-1]
    if declared in frame.syntaxes and not (deep and declared == LOSSY[0]):
        return []
    dataset.file_meta.TransferSyntaxUID = frame.syntaxes[0]
    return [f"the pixels are {frame.syntaxes[0].name} and are said to be {declared.name}"]


def _size(dataset: Dataset, frame: Codestream) -> list[str]:
    declared, actual = (int(dataset.Rows), int(dataset.Columns)), (frame.rows, frame.columns)
    if declared == actual or 0 in actual:
        return []
    if declared != actual[::-1]:
        detail = (
            f"{actual[1]} x {actual[0]} in the frame, {declared[1]} x {declared[0]} in the header"
        )
        raise Refused(RefusalCode.PIXELS_UNREADABLE, detail)
    dataset.Rows, dataset.Columns = actual
    return ["Rows and Columns are swapped"]


def _samples(dataset: Dataset, frame: Codestream) -> list[str]:
    declared = int(dataset.SamplesPerPixel)
    if frame.samples == declared:
        return []
    if frame.samples not in (1, 3):
        detail = f"{frame.samples} components in the frame, {declared} in the header"
        raise Refused(RefusalCode.PIXELS_UNREADABLE, detail)
    check_size(int(dataset.Rows), int(dataset.Columns), frame.samples, int(dataset.BitsAllocated))
    dataset.SamplesPerPixel = frame.samples
    dataset.PlanarConfiguration = 0
    return [f"the frame has {frame.samples} samples a pixel and says {declared}"]


def _bits(dataset: Dataset, frame: Codestream) -> list[str]:
    allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    # ISO 10918-1, 14495-1 and 15444-1 say how many bits a value has; RLE how many bytes.
    actual = 8 * (frame.bytes_of_a_sample or -(-frame.bits // 8))
    if actual not in (8, 16) or (actual == allocated and not _is_deep_lossy(frame)):
        return []
    bits = frame.bits or min(stored, actual)
    if actual == allocated and bits == stored:
        return []
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = actual, bits, bits - 1
    return [f"{bits} bits are stored in {actual} and {stored} in {allocated} are said to be"]


def _is_deep_lossy(frame: Codestream) -> bool:
    """Return whether it is an extended JPEG of 12 bits, whose decoder must be told so."""
    return frame.bits > 8 and set(frame.syntaxes) == set(LOSSY)
