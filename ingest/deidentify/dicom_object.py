"""A DICOM film without its patient: PS3.15 annex E, Basic Application Confidentiality Profile.

A new object is made of the decoded pixels and of a short list of elements, each in a form of its
own. What is not in the list is not read: private elements, overlays, curves, descriptions,
comments, sequences, padding and whatever stands behind the pixels. dicognito replaces UIDs and
moves dates.
"""

import io
import warnings
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from ingest.deidentify.elements import READ, described
from ingest.deidentify.pixels import put_pixels
from ingest.deidentify.replacement import Replacement
from ingest.dicom.dicom_file import open_dicom, read_elements
from ingest.dicom.pixels.dicom import first_frame
from ingest.dicom.pixels.display import refusing

#: PS3.16 CID 7050, by PS3.15 E.1 and E.3: code, and its meaning.
BASIC_PROFILE = ("113100", "Basic Application Confidentiality Profile")
CLEAN_PIXELS = ("113101", "Clean Pixel Data Option")
MODIFIED_DATES = (
    "113107",
    "Retain Longitudinal Temporal Information Modified Dates Option",
)
PATIENT_CHARACTERISTICS = ("113108", "Retain Patient Characteristics Option")


def deidentified(path: Path, replacement: Replacement) -> bytes:
    """Return the file of a DICOM film without its patient, uncompressed, of its first frame.

    Raises Refused if it cannot be decoded.
    """
    with refusing(), warnings.catch_warnings():
        # pydicom warns of what does not keep to its form; nothing but good forms is written.
        warnings.simplefilter("ignore")
        with open_dicom(path) as dicom:
            header = read_elements(dicom, READ)
        frame = first_frame(path)
        dataset = described(header)
        put_pixels(dataset, frame, replacement.masked)
        _replace_identity(dataset, replacement)
        return _file(dataset)


def _replace_identity(dataset: Dataset, replacement: Replacement) -> None:
    """Give it another identity, and say by which rules (PS3.15 E.1.1, PS3.3 C.12.1.1.7)."""
    from dicognito.anonymizer import Anonymizer

    dataset.StudyInstanceUID = replacement.study_instance_uid
    dataset.SeriesInstanceUID = replacement.series_instance_uid
    dataset.SOPInstanceUID = replacement.sop_instance_uid
    dataset.file_meta = FileMetaDataset()
    Anonymizer(seed=replacement.seed).anonymize(dataset)
    dataset.PatientName = dataset.PatientID = replacement.patient
    for keyword in ("PatientBirthDate", "AccessionNumber", "ReferringPhysicianName", "StudyID"):
        setattr(dataset, keyword, "")
    dataset.SeriesNumber, dataset.InstanceNumber = None, "1"
    if replacement.age is not None:
        dataset.PatientAge = f"{replacement.age:03d}Y"
    codes = [BASIC_PROFILE, MODIFIED_DATES, PATIENT_CHARACTERISTICS]
    if replacement.text_checked:
        dataset.BurnedInAnnotation = "NO"
        codes.insert(1, CLEAN_PIXELS)
    dataset.PatientIdentityRemoved = "YES"
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"
    dataset.DeidentificationMethod = ["DICOGNITO", "ReadFirst"]
    dataset.DeidentificationMethodCodeSequence = [_code(*code) for code in codes]


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _file(dataset: Dataset) -> bytes:
    meta = dataset.file_meta
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = io.BytesIO()
    FileDataset(buffer, dataset, preamble=b"\0" * 128, file_meta=meta).save_as(
        buffer, enforce_file_format=True
    )
    return buffer.getvalue()
