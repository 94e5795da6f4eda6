"""Values of DICOM results by what matters, the rest filled in; and the tools of others that read
what is made of them.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage

from readfirst.results.assessment import assessment_report
from readfirst.results.concepts import Code
from readfirst.results.heat_maps import presentation_state, secondary_capture
from readfirst.results.key_objects import key_objects
from readfirst.results.report import structured_report
from readfirst.results.values import (
    AiResult,
    Algorithm,
    Assessment,
    HeatMapPicture,
    ImageResult,
    OrderReference,
    ReaderVerdict,
    ResultKind,
    ResultStudy,
    SourceImage,
)
from tests.support.dcmtk import tool
from tests.support.requirements import require

PNEUMONIA = (Code("RID5350", "pneumonia", "RADLEX"), Code("233604007", "Pneumonia", "SCT"))
DISAGREE = (
    "members_disagree",
    "The networks disagree: some of them are above the threshold, and some below. (4 %, 78 %)",
)
UNLIKE = ("unlike_validated", "The film looks unlike those that the networks were validated on.")
ADULT = ("adult", "The patient is an adult; the networks were not validated on adults. (47 y)")


def a_study(**values: Any) -> ResultStudy:
    fields: dict[str, Any] = {
        "study_instance_uid": "1.2.826.1",
        "study_id": "7",
        "study_datetime": datetime(2026, 3, 1, 8, 0),
        "accession_number": "A-1",
        "study_description": "Chest AP",
        "referring_physician_name": "Invented^Physician",
        "patient_id": "P-1",
        "patient_name": "Ejemplo^Lucia",
        "patient_birth_date": date(2022, 3, 14),
        "patient_sex": "F",
        "orders": (OrderReference(requested_procedure_id="RP-1", placer_order_number="O-1"),),
    } | values
    return ResultStudy(**fields)


def a_source(number: int = 1, **values: Any) -> SourceImage:
    fields: dict[str, Any] = {
        "sop_class_uid": ComputedRadiographyImageStorage,
        "sop_instance_uid": f"1.2.826.1.1.{number}",
        "series_instance_uid": "1.2.826.1.1",
        "rows": 120,
        "columns": 100,
    } | values
    return SourceImage(**fields)


def an_image_result(number: int = 1, probability: float = 0.9, **values: Any) -> ImageResult:
    fields: dict[str, Any] = {
        "image": a_source(number),
        "probability": probability,
        "threshold": 0.5,
        "flagged": probability >= 0.5,
        "scored_at": datetime(2026, 3, 1, 8, 5, tzinfo=UTC),
    } | values
    return ImageResult(**fields)


def a_result(**values: Any) -> AiResult:
    fields: dict[str, Any] = {
        "study": a_study(),
        "algorithm": Algorithm(version="2.0", prevalence=0.2, manifest_sha256="ab" * 32),
        "images": (an_image_result(),),
        "at": datetime(2026, 3, 1, 8, 5),
        "finding": PNEUMONIA,
    } | values
    return AiResult(**fields)


def a_heat_map(image: SourceImage | None = None, **attributes: Any) -> HeatMapPicture:
    """A hot upper left quarter of a grey film. attributes: by which the film is shown."""
    image = image or a_source()
    film = Dataset()
    attributes = {
        "PhotometricInterpretation": "MONOCHROME2",
        "SamplesPerPixel": 1,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "PixelRepresentation": 0,
        "WindowCenter": 2048,
        "WindowWidth": 4096,
    } | attributes
    for keyword, value in attributes.items():
        if value is not None:
            setattr(film, keyword, value)
    return HeatMapPicture(
        image=image,
        method="Grad-CAM",
        painted=np.full((image.rows, image.columns, 3), 90, dtype=np.uint8),
        outlines=(np.array([[10.0, 10.0], [50.0, 10.0], [50.0, 60.0], [10.0, 60.0]]),),
        presentation=film.to_json_dict(),
    )


def a_verdict(**values: Any) -> ReaderVerdict:
    fields: dict[str, Any] = {
        "number": 3,
        "at": datetime(2026, 3, 1, 9, 0),
        "assessment": Assessment.REJECTED,
        "present": False,
        "by": "reader.one",
    } | values
    return ReaderVerdict(**fields)


#: An object of each kind, of a result that is flagged.
MAKERS: dict[ResultKind, Callable[[AiResult], Dataset]] = {
    ResultKind.SR: structured_report,
    ResultKind.KOS: key_objects,
    ResultKind.SC: lambda result: secondary_capture(result, a_heat_map(result.images[0].image)),
    ResultKind.GSPS: lambda result: presentation_state(result, a_heat_map(result.images[0].image)),
    ResultKind.VERDICT: lambda result: assessment_report(result, a_verdict()),
}


def saved(dataset: Dataset, path: Path) -> Path:
    dataset.save_as(path, enforce_file_format=True)
    return path


def of_wheel(name: str) -> str:
    """The path of a tool that a wheel of the development packages brings."""
    path = Path(sys.prefix, "bin", name)
    require("dicom tools", path.is_file())
    return str(path)


def output_of(*command: str | os.PathLike[str]) -> str:
    """All that a command says, which must succeed."""
    done = subprocess.run(command, capture_output=True, timeout=120)
    text = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, text
    return text


def dciodvfy_errors(path: Path) -> list[str]:
    """The errors that David Clunie's dciodvfy sees in a file."""
    done = subprocess.run(
        [of_wheel("dciodvfy"), path], capture_output=True, timeout=120, check=False
    )
    text = (done.stdout + done.stderr).decode(errors="replace")
    # It names the kind of object that it knows: else it has looked at nothing.
    assert re.search(r"^\w+$", text, re.MULTILINE), text
    return [line for line in text.splitlines() if line.startswith(("Error", "Abort"))]


def dcmtk(name: str, *arguments: str | os.PathLike[str]) -> str:
    """All that a tool of DCMTK says."""
    path = tool(name)
    require("dcmtk", shutil.which(path) is not None)
    return output_of(path, *arguments)
