"""The CapabilityStatement: what of FHIR is here."""

from readfirst import DISCLAIMER, __version__
from readfirst.results.fhir.datatypes import Json
from worklist.http.fhir_outcomes import MEDIA_TYPE

#: When what it states changed last.
DATE = "2026-11-29"
#: By type the parameters of a search, each with its kind and what it takes.
SEARCHES: dict[str, dict[str, tuple[str, str]]] = {
    "ImagingStudy": {
        "identifier": ("token", "urn:dicom:uid|urn:oid:UID, or the accession number"),
    },
    "DiagnosticReport": {
        "identifier": ("token", "The accession number."),
        "study": ("reference", "ImagingStudy/UID, urn:oid:UID or UID: Study Instance UID."),
    },
    "Observation": {
        "study": ("reference", "ImagingStudy/UID, urn:oid:UID or UID: Study Instance UID."),
        "part-of": ("reference", "As `study`."),
    },
    "Device": {"identifier": ("token", "urn:dicom:uid|urn:oid:UID of an ensemble version.")},
}


def capability_statement(address: str) -> Json:
    """Return the statement. address: of this server's FHIR."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": {"name": "ReadFirst", "version": __version__},
        "implementation": {"description": DISCLAIMER, "url": address},
        "fhirVersion": "4.0.1",
        "format": [MEDIA_TYPE],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "Authorization: Bearer, of a service account."},
                "resource": [_resource(kind, names) for kind, names in SEARCHES.items()],
            }
        ],
    }


def _resource(kind: str, names: dict[str, tuple[str, str]]) -> Json:
    return {
        "type": kind,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [
            {"name": name, "type": form, "documentation": words}
            for name, (form, words) in names.items()
        ],
    }
