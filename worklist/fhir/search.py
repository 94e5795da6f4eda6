"""Parameters of a FHIR search: studies by their UID or accession number, devices by their UID."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import HTTPException
from sqlalchemy.orm import Session

from db.fhir.lookups import studies_with_accession_number
from ingest.dicom.attributes import is_uid
from worklist.fhir.capability import SEARCHES

#: Most studies of one answer: results are made of their originals while somebody waits.
MOST_STUDIES = 20
JSON_FORMATS = ("json", "application/json", "application/fhir+json")
#: Of every search, and without a say in what it finds.
OF_ALL = ("_format", "_count")


@dataclass(frozen=True, slots=True)
class FhirSearch:
    """The study or device that is looked for: by its UID or its accession number, one is None."""

    uid: str | None
    accession_number: str | None

    def studies(self, session: Session) -> list[str]:
        """Return the Study Instance UIDs, of which some may be nobody's."""
        if self.uid is not None:
            return [self.uid]
        return studies_with_accession_number(session, self.accession_number or "", MOST_STUDIES)


def fhir_search(kind: str, parameters: Mapping[str, str]) -> FhirSearch:
    """Read the parameters of a search. Raises HTTPException 400, without any of their values.

    One that is not known is a fault: an answer without it would be of more patients than wanted.
    """
    known = SEARCHES[kind]
    wanted = [name for name in parameters if name not in OF_ALL]
    if parameters.get("_format", "json").split(";")[0] not in JSON_FORMATS:
        raise HTTPException(400, "The answer is application/fhir+json; no other _format is there.")
    if len(wanted) != 1 or wanted[0] not in known:
        raise HTTPException(400, f"Search {kind} by one of these: {', '.join(known)}.")
    (name,) = wanted
    value = parameters[name].strip()
    system, bar, token = value.rpartition("|")
    if name == "identifier" and (system not in ("", "urn:dicom:uid") or not token):
        raise HTTPException(400, "The system must be urn:dicom:uid, or empty for a number.")
    uid = re.sub(r"^(ImagingStudy/|urn:oid:)", "", token if bar else value)
    by_uid = name != "identifier" or kind == "Device" or system or token.startswith("urn:oid:")
    if not by_uid:
        return FhirSearch(None, token)
    if not is_uid(uid):
        raise HTTPException(400, f"{name} names no DICOM UID.")
    return FhirSearch(uid, None)
