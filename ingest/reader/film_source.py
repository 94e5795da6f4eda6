"""The film of a DICOM result: what the database does not keep of it, read with care."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from ingest.dicom.attributes import all_text, sequence_items, text
from ingest.dicom.dicom_file import read_elements
from ingest.dicom.header import DEFER_BYTES, read_header
from ingest.dicom.zero_tail import open_written
from readfirst.domain import FileKind, Header
from readfirst.results.values import PRESENTATION, OrderReference

#: Attributes of an order, in the data set or in an item of its Request Attributes Sequence.
ORDER = {
    "requested_procedure_id": "RequestedProcedureID",
    "requested_procedure_description": "RequestedProcedureDescription",
    "placer_order_number": "PlacerOrderNumberImagingServiceRequest",
    "filler_order_number": "FillerOrderNumberImagingServiceRequest",
}
TAGS = [
    "SpecificCharacterSet", "StudyID", "PatientOrientation", "RequestAttributesSequence",
    *ORDER.values(), *PRESENTATION,
]  # fmt: skip
#: No value is longer: tables have 65,536 entries of two bytes at most.
MOST_BYTES = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmSource:
    """A film as results refer to it.

    patient_orientation: of rows and columns, as `L`, `F`; empty where it is not said. presentation:
    how the film is shown, in DICOM's JSON form (PS3.18 F).
    """

    header: Header
    study_id: str | None = None
    patient_orientation: tuple[str, ...] = ()
    orders: tuple[OrderReference, ...] = ()
    presentation: dict[str, Any]


def read_source(path: Path) -> FilmSource:
    """Read a film; of a picture its header alone. Raises Refused as `header.read_header`."""
    header = read_header(path)
    if header.kind is not FileKind.DICOM:
        return FilmSource(header=header, presentation={})
    with warnings.catch_warnings(), open_written(path) as dicom:
        # As in `ingest.dicom.header`.
        warnings.simplefilter("ignore")
        dataset = read_elements(dicom, TAGS, DEFER_BYTES)
        return FilmSource(
            header=header,
            study_id=text(dataset, "StudyID"),
            patient_orientation=_orientation(dataset),
            orders=_orders(dataset),
            presentation=_presentation(dataset),
        )


def _orientation(dataset: Dataset) -> tuple[str, ...]:
    """The two directions of Patient Orientation (PS3.3 C.7.6.1.1.1); empty where it has no two."""
    directions = tuple((all_text(dataset, "PatientOrientation") or "").split("\\"))
    is_known = len(directions) == 2 and all(set(each) <= set("LRAPHF") for each in directions)
    return directions if is_known and all(directions) else ()


def _orders(dataset: Dataset) -> tuple[OrderReference, ...]:
    items = sequence_items(dataset, "RequestAttributesSequence") or [dataset]
    orders = (
        OrderReference(**{name: text(item, keyword) for name, keyword in ORDER.items()})
        for item in items
    )
    nothing = OrderReference()
    return tuple(order for order in dict.fromkeys(orders) if order != nothing)


def _presentation(dataset: Dataset) -> dict[str, Any]:
    """How the film is shown; nothing at all where a part of it cannot be read, or is huge."""
    presentation: dict[str, Any] = {}
    for keyword in PRESENTATION:
        try:
            if keyword not in dataset or dataset[keyword].is_empty:
                continue
            kept = Dataset()
            kept.add(dataset[keyword])
            presentation |= kept.to_json_dict(MOST_BYTES, _too_long)
        except MemoryError:
            raise
        except Exception:
            # As in `ingest.dicom.attributes`: pydicom raises many kinds.
            return {}
    return presentation


def _too_long(element: DataElement) -> str:
    raise ValueError(f"{element.keyword} is too long")
