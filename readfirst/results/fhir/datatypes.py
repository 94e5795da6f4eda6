"""FHIR R4 data types of what results say: codes, identifiers, times. Pure."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from readfirst.domain import uid_from_digest
from readfirst.results.codes import OWN_SCHEME
from readfirst.results.concepts import Code
from readfirst.results.uids import digest
from readfirst.results.values import ResultStudy

Json = dict[str, Any]

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
#: The FHIR systems of DICOM's coding schemes (PS3.16 8). Codes of others have no system.
SYSTEMS = {
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "SCT": "http://snomed.info/sct",
    "LN": "http://loinc.org",
    "UCUM": "http://unitsofmeasure.org",
    "RADLEX": "http://radlex.org",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    OWN_SCHEME: f"urn:oid:{uid_from_digest(digest(OWN_SCHEME.encode()), 'coding scheme')}",
}


def coding(code: Code) -> Json:
    """Return a Coding."""
    system = {"system": SYSTEMS[code.scheme]} if code.scheme in SYSTEMS else {}
    return system | {"code": code.value, "display": code.meaning}


def concept(*codes: Code) -> Json:
    """Return a CodeableConcept of one meaning, the preferred code first."""
    return {"coding": [coding(code) for code in codes], "text": codes[0].meaning}


def hl7_concept(table: str, code: str, display: str) -> Json:
    """Return a CodeableConcept of a table of HL7's own."""
    return {"coding": [{"system": f"{TERMINOLOGY}/{table}", "code": code, "display": display}]}


def uid_identifier(uid: str) -> Json:
    """Return the Identifier of a DICOM UID."""
    return {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}


def plain(text: str | None) -> str | None:
    """Return a string as FHIR has them: no control characters, and not of spaces alone."""
    text = CONTROL.sub(" ", text or "").encode("utf-8", "replace").decode().strip()
    return text or None


def accession_identifier(study: ResultStudy) -> list[Json]:
    """Return the Identifier of the accession number, where there is one."""
    number = plain(study.accession_number)
    kind = hl7_concept("v2-0203", "ACSN", "Accession ID")
    return [{"type": kind, "value": number}] if number else []


def patient_reference(study: ResultStudy) -> Json:
    """Return a reference to the patient by number: whoever receives it knows the patient."""
    kind = hl7_concept("v2-0203", "MR", "Medical record number")
    identifier: Json = {"type": kind, "value": plain(study.patient_id)}
    if issuer := plain(study.issuer_of_patient_id):
        identifier["assigner"] = {"display": issuer}
    return {"type": "Patient", "identifier": identifier}


def study_time(study: ResultStudy) -> str | None:
    """Return a dateTime: a day alone where the films do not say their offset from UTC."""
    at, offset = study.study_datetime, study.utc_offset
    if at is None:
        return None
    return f"{at:%Y-%m-%dT%H:%M:%S}{offset[:3]}:{offset[3:]}" if offset else f"{at:%Y-%m-%d}"


def instant(times: Iterable[datetime]) -> str:
    """Return the last of some times as an instant. times: with a zone."""
    return max(times).isoformat(timespec="seconds")


def without_empty(values: Json) -> Json:
    """Leave out what is None or empty: FHIR has no empty values."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
