"""FHIR R4, to be read: `GET /fhir/TYPE/ID`, `GET /fhir/TYPE?…`, and what is here."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from db.access.audit import AuditAction
from readfirst.access.roles import Role
from readfirst.results.fhir.datatypes import Json
from results.services import NoResult, result_services
from worklist.fhir.capability import SEARCHES, capability_statement
from worklist.fhir.readable import FhirReader
from worklist.fhir.search import fhir_search
from worklist.http.fhir_outcomes import MEDIA_TYPE, PREFIX, operation_outcome
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, HeaderReaderDep, NowDep, SettingsDep

# The CapabilityStatement describes these routes, in the words of FHIR.
router = APIRouter(prefix=PREFIX, include_in_schema=False)


async def _reader(
    settings: SettingsDep, database: DatabaseDep, reader: HeaderReaderDep, now: NowDep
) -> FhirReader:
    return FhirReader(result_services(settings, database, reader), now)


ReaderDep = Annotated[FhirReader, Depends(_reader)]


async def _known_type(resource_type: str) -> str:
    if resource_type not in SEARCHES:
        types = ", ".join(SEARCHES)
        raise HTTPException(404, f"There is no resource of this type here; there are {types}.")
    return resource_type


TypeDep = Annotated[str, Depends(_known_type)]


@router.get("/metadata")
@policy(Role.SERVICE)
async def metadata(request: Request) -> Response:
    """What of FHIR is here."""
    return _answer(capability_statement(_address(request)))


@router.get("/{resource_type}/{resource_id}")
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def read(reader: ReaderDep, kind: TypeDep, resource_id: str) -> Response:
    """One resource."""
    try:
        resource = reader.read(kind, resource_id)
    except NoResult as none:
        raise HTTPException(404, none.reason) from none
    if resource is None:
        raise HTTPException(404, f"There is no {kind} of this id.")
    return _answer(resource)


@router.get("/{resource_type}")
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def search(request: Request, reader: ReaderDep, kind: TypeDep) -> Response:
    """The resources of a study, or the device of a UID. What is not made says why."""
    wanted = fhir_search(kind, request.query_params)
    matches: list[Json] = []
    reasons: list[str] = []
    if kind == "Device":
        matches = [each for each in reader.devices() if each["id"] == wanted.uid]
    else:
        with reader.services.database.read() as session:
            studies = wanted.studies(session)
        for study in studies:
            try:
                matches += reader.of_study(kind, study)
            except NoResult as none:
                reasons.append(none.reason)
    return _answer(_search_set(request, matches, reasons))


def _search_set(request: Request, matches: list[Json], reasons: list[str]) -> Json:
    address = _address(request)
    entries = [
        {
            "fullUrl": f"{address}/{each['resourceType']}/{each['id']}",
            "resource": each,
            "search": {"mode": "match"},
        }
        for each in matches
    ]
    entries += [
        {
            "resource": operation_outcome(reason, "not-found", "information"),
            "search": {"mode": "outcome"},
        }
        for reason in dict.fromkeys(reasons)
    ]
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(matches),
        "link": [{"relation": "self", "url": str(request.url)}],
    }
    # FHIR has no empty lists.
    return bundle | ({"entry": entries} if entries else {})


def _address(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{PREFIX}"


def _answer(resource: Json) -> Response:
    content = json.dumps(resource, ensure_ascii=False).encode()
    return Response(content, media_type=MEDIA_TYPE)
