"""The transaction by which a FHIR server gets a result: twice is once. Pure."""

import json
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID, uuid5

from readfirst.results.fhir.datatypes import Json, instant
from readfirst.results.fhir.resources import (
    device,
    diagnostic_report,
    imaging_study,
    observation,
)
from readfirst.results.uids import instance_uid
from readfirst.results.values import AiResult, ResultKind

#: Of the names within a transaction, which a server replaces by its own.
NAMES = UUID("5b8f64de-1f4a-5c55-9d5e-0d3f2b6b8f10")


@dataclass(frozen=True, slots=True)
class FhirBundle:
    """A transaction. identifier: a UUID made of what it says. resource: a Bundle."""

    identifier: str
    resource: Json

    @property
    def content(self) -> bytes:
        """The bytes that are sent: JSON in UTF-8."""
        return json.dumps(self.resource, ensure_ascii=False, indent=1).encode()


def transaction_bundle(result: AiResult) -> FhirBundle:
    """Make the transaction of a result: the same result, the same bytes.

    Study and device are created where the server has none of their identifiers, and never changed:
    it may know more of them. Report and observations take the place of those of the same
    identifiers, as a newer ensemble version's result does.
    """
    identifier = str(uuid5(NAMES, instance_uid(ResultKind.FHIR, result)))
    resources = [
        device(result.algorithm),
        imaging_study(result),
        *(observation(result, image, full_url) for image in result.images),
        diagnostic_report(result, full_url),
    ]
    bundle = {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{identifier}"},
        "type": "transaction",
        "timestamp": instant(image.scored_at for image in result.images),
        "entry": [_entry(resource) for resource in resources],
    }
    return FhirBundle(identifier, bundle)


def full_url(resource_type: str, resource_id: str) -> str:
    """Return the name of a resource within a transaction."""
    return f"urn:uuid:{uuid5(NAMES, f'{resource_type}/{resource_id}')}"


def _entry(resource: Json) -> Json:
    kind = resource["resourceType"]
    # Which id it gets is the server's to say.
    sent = {name: value for name, value in resource.items() if name != "id"}
    return {
        "fullUrl": full_url(kind, resource["id"]),
        "resource": sent,
        "request": _request(kind, _token(resource)),
    }


def _request(kind: str, token: str) -> Json:
    if kind in ("Device", "ImagingStudy"):
        return {"method": "POST", "url": kind, "ifNoneExist": f"identifier={token}"}
    return {"method": "PUT", "url": f"{kind}?identifier={token}"}


def _token(resource: Json) -> str:
    """Return the first identifier as a search takes it."""
    identifier = resource["identifier"][0]
    return quote(f"{identifier['system']}|{identifier['value']}", safe="|:")
