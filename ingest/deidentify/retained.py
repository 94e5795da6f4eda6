"""Facts that a de-identified object still says of its film, for the table beside it."""

import io
from dataclasses import dataclass

import pydicom


@dataclass(frozen=True, slots=True)
class RetainedFacts:
    """The view and the scanner of a film; empty where nothing is said."""

    view_position: str = ""
    manufacturer: str = ""
    scanner_model: str = ""


def retained_facts(content: bytes) -> RetainedFacts:
    """Read the facts of an object that `dicom_object.deidentified` has made."""
    keywords = ("ViewPosition", "Manufacturer", "ManufacturerModelName")
    dataset = pydicom.dcmread(io.BytesIO(content), specific_tags=list(keywords))
    return RetainedFacts(*(str(dataset.get(keyword) or "") for keyword in keywords))
