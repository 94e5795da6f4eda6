"""Films in which a patient's identity stands wherever a file can hold it."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEGBaseline8Bit

from tests.support.files import a_dataset, dicom_bytes
from tests.support.odd_films import a_chest_film, a_deep_film

NAME, ID, ACCESSION = "Zyxwell^Quorra", "MRN-7193355", "ACC-8842091"
STUDY_UID, SERIES_UID, SOP_UID = "1.2.826.77.1", "1.2.826.77.2", "1.2.826.77.3"
STUDY_DATE, BIRTH_DATE = date(2026, 3, 14), date(2021, 11, 5)
#: What must be in no byte of an export, in whatever case.
PLANTED = (
    "zyxwell", "quorra", "7193355", "8842091", "1.2.826.77", "20260314", "20211105",
    "hospital nirgendwo", "oberarzt", "station9", "sn-55512", "hidden-in-overlay",
    "hidden-in-private", "hidden-in-preamble", "hidden-behind", "hidden-in-comment",
    "hidden-in-jpeg",
)  # fmt: skip


def identified(**attributes: Any) -> dict[str, Any]:
    """Attributes of a film with names, numbers, dates and places."""
    values = {
        "PatientName": NAME,
        "PatientID": ID,
        "IssuerOfPatientID": "Hospital Nirgendwo",
        "OtherPatientIDs": ID,
        "PatientBirthDate": f"{BIRTH_DATE:%Y%m%d}",
        "PatientSex": "F",
        "PatientAge": "004Y",
        "PatientComments": f"{NAME} hidden-in-comment",
        "ImageComments": f"{NAME} hidden-in-comment",
        "AccessionNumber": ACCESSION,
        "StudyInstanceUID": STUDY_UID,
        "SeriesInstanceUID": SERIES_UID,
        "SOPInstanceUID": SOP_UID,
        "FrameOfReferenceUID": f"{STUDY_UID}.9",
        "StudyDate": f"{STUDY_DATE:%Y%m%d}",
        "StudyTime": "091500",
        "SeriesDate": f"{STUDY_DATE:%Y%m%d}",
        "AcquisitionDateTime": f"{STUDY_DATE:%Y%m%d}091501",
        "StudyDescription": f"Chest of {NAME}",
        "SeriesDescription": NAME,
        "ReferringPhysicianName": "Dr^Oberarzt",
        "OperatorsName": "Dr^Oberarzt",
        "InstitutionName": "Hospital Nirgendwo",
        "InstitutionAddress": "Hospital Nirgendwo",
        "StationName": "STATION9",
        "DeviceSerialNumber": "SN-55512",
        "Manufacturer": "Good Detectors",
        "ManufacturerModelName": "Plate of Zyxwell",
        "BodyPartExamined": "CHEST",
        "ImageType": ["ORIGINAL", "PRIMARY", "ZYXWELL"],
        "WindowCenter": 2048,
        "WindowWidth": 4096,
        "WindowCenterWidthExplanation": NAME,
        "ProtocolName": NAME,
        "RequestedProcedureDescription": NAME,
    }
    return values | attributes


def an_identified_dicom(**attributes: Any) -> bytes:
    """A film of 12 bits whose every corner holds the identity."""
    dataset = a_dataset(_with_unused_bits(a_deep_film()), 12, **identified(**attributes))
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.SourceApplicationEntityTitle = "STATION9"
    dataset.file_meta.PrivateInformationCreatorUID = UID(f"{STUDY_UID}.8")
    dataset.file_meta.PrivateInformation = b"hidden-in-private"
    original = Dataset()
    original.PatientName, original.PatientID = NAME, ID
    modified = Dataset()
    modified.ModifiedAttributesSequence = [original]
    modified.SourceOfPreviousValues = "Hospital Nirgendwo"
    dataset.OriginalAttributesSequence = [modified]
    request = Dataset()
    request.RequestedProcedureID, request.AccessionNumber = ID, ACCESSION
    dataset.RequestAttributesSequence = [request]
    icon = Dataset()
    icon.PixelData = b"hidden-in-overlay "
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = [icon]
    block = dataset.private_block(0x0031, "MITRA LINKED ATTRIBUTES 1.0", create=True)
    block.add_new(0x20, "LO", f"{ID} hidden-in-private")
    _put_overlay(dataset)
    dataset.DataSetTrailingPadding = b"hidden-behind "
    dataset.preamble = b"hidden-in-preamble".ljust(128, b"\0")
    return dicom_bytes(dataset) + b"hidden-behind"


def an_identified_jpeg_dicom(**attributes: Any) -> bytes:
    """A film whose compressed frame has a comment."""
    dataset = a_dataset(a_chest_film(), **identified(**attributes))
    dataset.PixelData = encapsulate([a_commented_jpeg()])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def a_commented_jpeg() -> bytes:
    """A picture with the identity in its comment and its EXIF, and behind its end."""
    exif = Image.Exif()
    exif[0x010E] = f"{NAME} hidden-in-jpeg"
    buffer = io.BytesIO()
    comment = f"{ID} hidden-in-jpeg".encode()
    Image.fromarray(a_chest_film()).save(buffer, "JPEG", quality=95, exif=exif, comment=comment)
    content = buffer.getvalue() + b"hidden-behind"
    return content + b"\0" * (len(content) % 2)


def a_commented_png() -> bytes:
    """A picture with the identity in its text chunks."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", f"{NAME} {ID} hidden-in-comment", zip=True)
    buffer = io.BytesIO()
    flipped = np.fliplr(a_chest_film())
    Image.fromarray(flipped).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def identities_in(folder: Path) -> dict[str, list[str]]:
    """The parts of the identity in names and bytes of the files of a folder, by file."""
    names = {}
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        text = f"{path.name}\n".encode() + content
        kinds = [text.lower(), text.decode("utf-16-le", "ignore").encode("utf-8", "ignore").lower()]
        planted = [each for each in PLANTED if any(each.encode() in kind for kind in kinds)]
        if planted:
            names[path.name] = planted
    return names


def _with_unused_bits(pixels: Any) -> Any:
    """Let the four bits that no value uses spell the name, as old overlays did (PS3.5 8.1.2)."""
    letters = np.frombuffer(NAME.encode(), np.uint8)
    nibbles = np.stack([letters >> 4, letters & 15], axis=1).reshape(-1)
    flat = pixels.reshape(-1).copy()
    flat[: len(nibbles)] |= nibbles.astype(np.uint16) << 12
    return flat.reshape(pixels.shape)


def _put_overlay(dataset: Dataset) -> None:
    dataset.add_new(0x60000010, "US", 16)
    dataset.add_new(0x60000011, "US", 16)
    dataset.add_new(0x60000022, "LO", "hidden-in-overlay")
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", b"hidden-in-overlay".ljust(32, b"\0"))
