"""The FHIR R4 resources of a result: Device, ImagingStudy, Observations and DiagnosticReport.

They follow the same tree as the SR (`readfirst.results.report`), as HL7's guide from DICOM SR to
FHIR has it: a group of TID 1501 is an Observation, the algorithm of TID 4019 a Device.
"""

from collections.abc import Callable

from readfirst import DISCLAIMER
from readfirst.results import codes
from readfirst.results.concepts import Code
from readfirst.results.fhir.datatypes import (
    Json,
    accession_identifier,
    concept,
    hl7_concept,
    instant,
    patient_reference,
    plain,
    study_time,
    uid_identifier,
    without_empty,
)
from readfirst.results.uids import device_uid, series_uid, tracking_uid
from readfirst.results.values import AiResult, Algorithm, ImageResult, ResultKind
from readfirst.results.words import (
    MANUFACTURER,
    MODEL,
    algorithm_parameters,
    comments,
    serial_number,
)

#: A resource type and its id to what a reference says.
Reference = Callable[[str, str], str]

DIAGNOSTIC_IMAGING_STUDY = Code("18748-4", "Diagnostic imaging study", "LN")
SOURCE_OF_MEASUREMENT = Code("121112", "Source of Measurement", "DCM")
ALGORITHM_PARAMETERS = Code("111002", "Algorithm Parameters", "DCM")


def device_id(algorithm: Algorithm) -> str:
    """Return the id of the Device of an ensemble version."""
    return device_uid(algorithm)


def observation_id(image: ImageResult) -> str:
    """Return the id of the Observation of a film, by whichever version."""
    return image.image.sop_instance_uid


def device(algorithm: Algorithm) -> Json:
    """Return the ensemble that scored."""
    return {
        "resourceType": "Device",
        "id": device_id(algorithm),
        "identifier": [uid_identifier(device_uid(algorithm))],
        "status": "active",
        "manufacturer": MANUFACTURER,
        "serialNumber": serial_number(algorithm),
        "deviceName": [{"name": MODEL, "type": "model-name"}],
        "type": concept(codes.ARTIFICIAL_INTELLIGENCE),
        "version": [{"value": algorithm.version}],
        "note": [{"text": DISCLAIMER}],
    }


def imaging_study(result: AiResult) -> Json:
    """Return the study, as far as what refers to it needs it: the PACS knows the rest."""
    study = result.study
    return without_empty(
        {
            "resourceType": "ImagingStudy",
            "id": study.study_instance_uid,
            "identifier": [uid_identifier(study.study_instance_uid), *accession_identifier(study)],
            "status": "available",
            "subject": patient_reference(study),
            "started": study_time(study),
            "description": plain(study.study_description),
        }
    )


def observation(result: AiResult, image: ImageResult, reference: Reference) -> Json:
    """Return what the AI says of a film.

    Its value is *Present* where the film is flagged. Otherwise it has none: the AI rules nothing
    out. reference: what a reference to another resource says.
    """
    study = result.study
    of_study = {"reference": reference("ImagingStudy", study.study_instance_uid)}
    flagged: Json = {
        "valueCodeableConcept": concept(codes.PRESENT),
        "interpretation": [hl7_concept("v3-ObservationInterpretation", "A", "Abnormal")],
    }
    uid = tracking_uid(study.study_instance_uid, image.image.sop_instance_uid)
    return without_empty(
        {
            "resourceType": "Observation",
            "id": observation_id(image),
            "identifier": [uid_identifier(uid)],
            "partOf": [of_study],
            "status": "preliminary",
            "category": [hl7_concept("observation-category", "imaging", "Imaging")],
            "code": concept(*result.finding),
            "subject": patient_reference(study),
            "effectiveDateTime": study_time(study),
            "issued": instant([image.scored_at]),
            **(flagged if image.flagged else {}),
            "note": [{"text": text} for text in comments(image)],
            "bodySite": concept(codes.LUNG),
            "device": {"reference": reference("Device", device_id(result.algorithm))},
            "derivedFrom": [of_study],
            "component": _components(result, image),
        }
    )


def _components(result: AiResult, image: ImageResult) -> list[Json]:
    probability = {
        "value": round(image.probability, 6),
        "unit": codes.NO_UNITS.meaning,
        "system": "http://unitsofmeasure.org",
        "code": "1",
    }
    film = f"urn:oid:{image.image.sop_instance_uid}"
    parts: list[Json] = [
        {"code": concept(codes.PROBABILITY), "valueQuantity": probability},
        *(
            {"code": concept(ALGORITHM_PARAMETERS), "valueString": text}
            for text in algorithm_parameters(result.algorithm, image)
        ),
        {"code": concept(SOURCE_OF_MEASUREMENT), "valueString": film},
    ]
    if image.marks:
        value = concept(codes.VALIDITIES[image.validity])
        parts.append({"code": concept(codes.VALIDITY), "valueCodeableConcept": value})
    return parts


def diagnostic_report(result: AiResult, reference: Reference) -> Json:
    """Return the report of a study: preliminary, with an Observation a film.

    reference: as in `observation`.
    """
    study = result.study
    first = max(result.images, key=lambda image: image.probability)
    orders = [
        {"type": "ServiceRequest", "identifier": each} for each in accession_identifier(study)
    ]
    return without_empty(
        {
            "resourceType": "DiagnosticReport",
            "id": study.study_instance_uid,
            "identifier": [report_identifier(result), *accession_identifier(study)],
            "basedOn": orders,
            "status": "preliminary",
            "category": [hl7_concept("v2-0074", "RAD", "Radiology")],
            "code": concept(DIAGNOSTIC_IMAGING_STUDY),
            "subject": patient_reference(study),
            "effectiveDateTime": study_time(study),
            "issued": instant(image.scored_at for image in result.images),
            "result": [
                {"reference": reference("Observation", observation_id(image))}
                for image in result.images
            ],
            "imagingStudy": [{"reference": reference("ImagingStudy", study.study_instance_uid)}],
            "conclusion": " ".join(comments(first)),
            "conclusionCode": [concept(*result.finding)] if result.flagged else [],
        }
    )


def report_identifier(result: AiResult) -> Json:
    """Return what names the report of a study, whichever ensemble version it is by."""
    return uid_identifier(series_uid(ResultKind.FHIR, result.study.study_instance_uid))
