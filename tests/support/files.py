"""Files for the tests: DICOM objects by what matters, the rest filled in."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import dcmwrite
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

#: Syntaxes into which pydicom itself can encode here.
COMPRESSED = (RLELossless, JPEGLSLossless, JPEG2000Lossless)


def a_gradient(rows: int = 48, columns: int = 64, bits: int = 8) -> npt.NDArray[Any]:
    """A picture in which every row and column differs, over the whole range of the bits."""
    ramp = np.add.outer(np.arange(rows) * 2, np.arange(columns)).astype(np.float64)
    values = np.rint(ramp / ramp.max() * (2**bits - 1))
    wide: npt.NDArray[Any] = values.astype(np.uint8 if bits <= 8 else np.uint16)
    return wide


def a_dataset(pixels: npt.NDArray[Any], bits: int | None = None, **attributes: Any) -> FileDataset:
    """A CR image of these pixels; attributes replace or add elements by keyword."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.Modality = "CR"
    dataset.PatientName = "Invented^Child"
    dataset.PatientID = "TEST-1"
    dataset.ViewPosition = "AP"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = pixels.shape[2] if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = pixels.itemsize * 8
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def dicom_bytes(dataset: FileDataset, syntax: str | None = None) -> bytes:
    """The file of a data set, encoded into a transfer syntax."""
    if syntax in COMPRESSED:
        dataset.compress(syntax, generate_instance_uid=False)
    elif syntax is not None:
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def as_it_is(dataset: FileDataset, syntax: str) -> bytes:
    """The file of a data set whose pixels are encoded already."""
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def a_dicom_file(path: Path, pixels: npt.NDArray[Any] | None = None, **attributes: Any) -> Path:
    """Write a small, good DICOM film."""
    grey = a_gradient() if pixels is None else pixels
    path.write_bytes(dicom_bytes(a_dataset(grey, **attributes)))
    return path


def an_export(folder: Path, *films: Path) -> Path:
    """Write films as a workstation burns them, an index (DICOMDIR) beside. Returns the index."""
    export = FileSet()
    for film in films:
        export.add(film)
    export.write(folder)
    # Its folder of drafts; pydicom leaves that to the end of the process, with a warning.
    export._stage["t"].cleanup()
    return folder / "DICOMDIR"


def a_big_endian_file(path: Path, pixels: npt.NDArray[Any]) -> Path:
    """Write a 12-bit film in the retired big endian syntax."""
    dataset = a_dataset(pixels.byteswap(), bits=12)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    # pydicom converts byte orders only on demand.
    dcmwrite(
        path,
        dataset,
        implicit_vr=False,
        little_endian=False,
        enforce_file_format=False,
        force_encoding=True,
    )
    return path


def two_files_of_one_uid(folder: Path, **changes: object) -> tuple[Path, Path]:
    """Two DICOM files with one SOP Instance UID; the second says these attributes otherwise."""
    dataset = a_dataset(a_gradient())
    first, second = folder / "a.dcm", folder / "b.dcm"
    first.write_bytes(dicom_bytes(dataset))
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    second.write_bytes(dicom_bytes(dataset))
    return first, second
