"""Parts that all results share: who made them, whose they are, and what they refer to."""

import warnings
from datetime import datetime
from typing import Any

from highdicom import ContributingEquipment
from highdicom.sr import (
    AlgorithmIdentification,
    DeviceObserverIdentifyingAttributes,
    ObserverContext,
)
from pydicom.dataset import Dataset

from readfirst import DISCLAIMER
from readfirst.results import codes
from readfirst.results.coded import coded
from readfirst.results.uids import device_uid, series_uid
from readfirst.results.values import (
    AiResult,
    Algorithm,
    ImageResult,
    ObjectReference,
    OrderReference,
    ResultKind,
    ResultStudy,
    SourceImage,
)
from readfirst.results.words import MANUFACTURER, MODEL, algorithm_parameters, serial_number

#: All text is written in UTF-8 (PS3.3 C.12.1.1.2), whatever the films have it in.
CHARACTER_SET = "ISO_IR 192"
#: The lengths of SH and of LO, and of one group of a PN (PS3.5 6.2), in characters.
MOST_SHORT, MOST_LONG = 16, 64
#: PS3.3 C.7.1.1.
SEXES = ("M", "F", "O")
#: Series Number and Series Description, by kind.
SERIES = {
    ResultKind.SR: (9101, "ReadFirst AI result"),
    ResultKind.KOS: (9102, "ReadFirst AI flag"),
    ResultKind.SC: (9103, "ReadFirst AI heat map, not for diagnosis"),
    ResultKind.GSPS: (9104, "ReadFirst AI hot region, not for diagnosis"),
    ResultKind.VERDICT: (9105, "Verdict on the ReadFirst AI result"),
}
#: The first sentence of `DISCLAIMER`, which fits into an attribute of 64 characters.
SHORT_DISCLAIMER = DISCLAIMER.split(".")[0]


class FilledLater:
    """Base of objects whose patient and study are filled in by `finish`.

    highdicom would copy them of a film, and knows the modules of the usual SOP classes alone.
    """

    def copy_patient_and_study_information(self, dataset: Dataset) -> None:
        """Copy nothing."""


def series_attributes(kind: ResultKind, result: AiResult) -> dict[str, Any]:
    """Return what highdicom's classes want to know of series and equipment, by its names."""
    number, description = SERIES[kind]
    return {
        "series_instance_uid": series_uid(kind, result.study.study_instance_uid),
        "series_number": number,
        "series_description": description,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MODEL,
        "software_versions": long_text(result.algorithm.version),
        "device_serial_number": serial_number(result.algorithm),
        "specific_character_set": CHARACTER_SET,
    }


def evidence(result: AiResult) -> list[Dataset]:
    """Return the films of a result, as highdicom wants what an object refers to."""
    return [source_dataset(result.study, image.image) for image in result.images]


def source_dataset(study: ResultStudy, image: SourceImage) -> Dataset:
    """Return what a reference to a film needs of it. Patient and study are filled in later."""
    dataset = reference_dataset(
        study,
        ObjectReference(
            sop_class_uid=image.sop_class_uid,
            sop_instance_uid=image.sop_instance_uid,
            series_instance_uid=image.series_instance_uid,
        ),
    )
    dataset.Rows, dataset.Columns = image.rows, image.columns
    return dataset


def reference_dataset(study: ResultStudy, reference: ObjectReference) -> Dataset:
    """Return what a reference to an object of the same study needs of it."""
    dataset = Dataset()
    dataset.SOPClassUID = reference.sop_class_uid
    dataset.SOPInstanceUID = reference.sop_instance_uid
    dataset.SeriesInstanceUID = reference.series_instance_uid
    dataset.StudyInstanceUID = study.study_instance_uid
    for keyword in (
        "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID",
        "StudyDate", "StudyTime", "ReferringPhysicianName",
    ):  # fmt: skip
        # By ourselves, in `finish`: highdicom writes a name that it doubts into the log.
        setattr(dataset, keyword, None)
    return dataset


def finish(dataset: Dataset, result: AiResult, at: datetime) -> Dataset:
    """Fill in patient and study, and the times, which highdicom takes from the clock.

    at: the time of what the object says, as the clock of the films has it.
    """
    with warnings.catch_warnings():
        # An identifier that is too long for its representation stays what it is in the films.
        warnings.simplefilter("ignore")
        _fill_in(dataset, result.study)
    for keyword in ("InstanceCreation", "Series", "Content", "PresentationCreation"):
        if keyword == "Series" or f"{keyword}Date" in dataset:
            setattr(dataset, f"{keyword}Date", f"{at:%Y%m%d}")
            setattr(dataset, f"{keyword}Time", f"{at:%H%M%S}")
    if "DateOfSecondaryCapture" in dataset:
        dataset.DateOfSecondaryCapture = f"{at:%Y%m%d}"
        dataset.TimeOfSecondaryCapture = f"{at:%H%M%S}"
    for item in dataset.get("ContributingEquipmentSequence", ()):
        item.ContributionDateTime = f"{at:%Y%m%d%H%M%S}"
    return dataset


def _fill_in(dataset: Dataset, study: ResultStudy) -> None:
    dataset.SpecificCharacterSet = CHARACTER_SET
    dataset.PatientName = _name(study.patient_name)
    dataset.PatientID = study.patient_id
    if study.issuer_of_patient_id:
        dataset.IssuerOfPatientID = study.issuer_of_patient_id
    born = study.patient_birth_date
    dataset.PatientBirthDate = f"{born:%Y%m%d}" if born else None
    dataset.PatientSex = study.patient_sex if study.patient_sex in SEXES else None
    begun = study.study_datetime
    dataset.StudyDate = f"{begun:%Y%m%d}" if begun else None
    dataset.StudyTime = f"{begun:%H%M%S}" if begun else None
    dataset.StudyID = (study.study_id or "")[:MOST_SHORT] or None
    dataset.AccessionNumber = study.accession_number
    dataset.ReferringPhysicianName = _name(study.referring_physician_name)
    if study.study_description:
        dataset.StudyDescription = long_text(study.study_description)
    if study.utc_offset:
        dataset.TimezoneOffsetFromUTC = study.utc_offset


def order_items(study: ResultStudy) -> list[Dataset] | None:
    """Return the items of Referenced Request Sequence (PS3.3 C.17.2); None without an order."""
    return [_order_item(study, order) for order in study.orders] or None


def _order_item(study: ResultStudy, order: OrderReference) -> Dataset:
    item = Dataset()
    item.StudyInstanceUID = study.study_instance_uid
    item.ReferencedStudySequence = []
    item.AccessionNumber = study.accession_number
    item.PlacerOrderNumberImagingServiceRequest = (order.placer_order_number or "")[:MOST_LONG]
    item.FillerOrderNumberImagingServiceRequest = (order.filler_order_number or "")[:MOST_LONG]
    item.RequestedProcedureID = (order.requested_procedure_id or "")[:MOST_SHORT]
    item.RequestedProcedureDescription = long_text(order.requested_procedure_description or "")
    item.RequestedProcedureCodeSequence = []
    return item


def algorithm_identification(result: AiResult, image: ImageResult) -> AlgorithmIdentification:
    """Return what names the algorithm (TID 4019)."""
    algorithm = result.algorithm
    return AlgorithmIdentification(
        name=MODEL,
        version=algorithm.version,
        parameters=algorithm_parameters(algorithm, image),
        family=coded(codes.ARTIFICIAL_INTELLIGENCE),
        manufacturer=MANUFACTURER,
    )


def device_context(algorithm: Algorithm) -> ObserverContext:
    """Return the observer: the ensemble (TID 1004)."""
    return ObserverContext(
        coded(codes.DEVICE),
        DeviceObserverIdentifyingAttributes(
            uid=device_uid(algorithm),
            name=MODEL,
            manufacturer_name=MANUFACTURER,
            model_name=f"{MODEL} {algorithm.version}",
            serial_number=serial_number(algorithm),
        ),
    )


def equipment(result: AiResult) -> list[ContributingEquipment]:
    """Return the software as what has contributed (PS3.3 C.12.1.1.9, CID 7005)."""
    return [
        ContributingEquipment(
            manufacturer=MANUFACTURER,
            purpose_of_reference=coded(codes.PROCESSING_EQUIPMENT),
            manufacturer_model_name=MODEL,
            software_versions=long_text(result.algorithm.version),
            contribution_description=DISCLAIMER,
        )
    ]


def long_text(text: str) -> str:
    """Return as much of a text as an LO holds (PS3.5 6.2): 64 characters, no backslash."""
    return text.replace("\\", "/")[:MOST_LONG].strip()


def _name(name: str | None) -> str | None:
    """Return a PN of which no group is too long (PS3.5 6.2.1)."""
    if name is None:
        return None
    groups = name.replace("\\", " ").split("=")[:3]
    return "=".join(group[:MOST_LONG] for group in groups)
