"""DICOM files around compressed pixels, whatever these are."""

import io
from typing import Any

from pydicom import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from tests.support.files import a_dataset, a_gradient


def encapsulated(syntax: str, stream: bytes | bytearray, **attributes: Any) -> bytes:
    """A film of 48 x 64 pixels and 12 bits, as its header says; its one fragment is the stream."""
    dataset = named(a_dataset(a_gradient(bits=12), bits=12, **attributes))
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.PixelData = encapsulate([bytes(stream)])
    dataset["PixelData"].VR = "OB"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def named(dataset: FileDataset) -> FileDataset:
    """The same data set under UIDs that are the same in every run."""
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.1")
    dataset.SeriesInstanceUID, dataset.StudyInstanceUID = "1.2.3.2", "1.2.3.3"
    return dataset
