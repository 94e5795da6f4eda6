"""WADO-RS: instances and their metadata, by the Retrieve transaction (PS3.18 10.4)."""

import json
from collections.abc import Iterator, Sequence

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from pydicom.uid import ExplicitVRLittleEndian

from db.access.audit import AuditAction
from readfirst.access.roles import Role
from worklist.dicomweb.addresses import INSTANCE, SERIES, STUDY
from worklist.dicomweb.documents import INSTANCES, METADATA
from worklist.dicomweb.media_types import DICOM, DICOM_JSON, MediaType, check_json, chosen
from worklist.dicomweb.multipart import multipart, single
from worklist.dicomweb.parameters import InstancePath, ObjectsDep, SeriesPath, StudyPath
from worklist.dicomweb.study_objects import REMOVED, StudyObject
from worklist.security.policy import policy

router = APIRouter()

#: RFC 9111 5.5.
LEFT_OUT = '299 readfirst "Some originals were removed, as the settings of the site say."'


@router.get(STUDY, operation_id="retrieveStudy", response_class=Response, responses=INSTANCES)
@policy(Role.SERVICE, audit=AuditAction.ORIGINAL_TAKEN)
def study(request: Request, objects: ObjectsDep, study: StudyPath) -> Response:
    """All instances of a study: its films as they came in, and the results of the AI."""
    return _instances(request, objects.find(study))


@router.get(SERIES, operation_id="retrieveSeries", response_class=Response, responses=INSTANCES)
@policy(Role.SERVICE, audit=AuditAction.ORIGINAL_TAKEN)
def series(request: Request, objects: ObjectsDep, study: StudyPath, series: SeriesPath) -> Response:
    """The instances of a series, each in the syntax in which it came in."""
    return _instances(request, objects.find(study, series))


@router.get(INSTANCE, operation_id="retrieveInstance", response_class=Response, responses=INSTANCES)
@policy(Role.SERVICE, audit=AuditAction.ORIGINAL_TAKEN)
def instance(
    request: Request,
    objects: ObjectsDep,
    study: StudyPath,
    series: SeriesPath,
    instance: InstancePath,
) -> Response:
    """One instance, alone as `application/dicom` or as the only part of a multipart answer."""
    return _instances(request, objects.find(study, series, instance), alone=True)


@router.get(STUDY + "/metadata", operation_id="retrieveStudyMetadata", responses=METADATA)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def study_metadata(request: Request, objects: ObjectsDep, study: StudyPath) -> Response:
    """The attributes of all instances of a study, without pixels and other bulk data."""
    return _metadata(request, objects.find(study))


@router.get(SERIES + "/metadata", operation_id="retrieveSeriesMetadata", responses=METADATA)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def series_metadata(
    request: Request, objects: ObjectsDep, study: StudyPath, series: SeriesPath
) -> Response:
    """The attributes of the instances of a series."""
    return _metadata(request, objects.find(study, series))


@router.get(INSTANCE + "/metadata", operation_id="retrieveInstanceMetadata", responses=METADATA)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def instance_metadata(
    request: Request,
    objects: ObjectsDep,
    study: StudyPath,
    series: SeriesPath,
    instance: InstancePath,
) -> Response:
    """The attributes of one instance."""
    return _metadata(request, objects.find(study, series, instance))


def _instances(
    request: Request, objects: Sequence[StudyObject], *, alone: bool = False
) -> Response:
    kept = _kept(objects)
    syntaxes = {each.transfer_syntax_uid for each in kept}
    # Several syntaxes in one answer are to be had by who takes any.
    syntax = syntaxes.pop() if len(syntaxes) == 1 else ExplicitVRLittleEndian
    offered = [MediaType(DICOM, multipart=True, transfer_syntax=syntax)]
    if alone:
        offered.append(MediaType(DICOM, transfer_syntax=syntax))
    wanted = chosen(request, offered)
    parts = [each.part() for each in kept]
    if not wanted.multipart:
        return single(parts[0])
    some = len(kept) < len(objects)
    return multipart(
        DICOM,
        parts,
        status_code=206 if some else 200,
        headers={"Warning": LEFT_OUT} if some else None,
    )


def _metadata(request: Request, objects: Sequence[StudyObject]) -> Response:
    check_json(request)
    kept = _kept(objects)
    headers = {"Warning": LEFT_OUT} if len(kept) < len(objects) else None
    # The first is read before the answer begins, so that most faults are answered as such; the
    # others as they are sent, since a study may have many films.
    first = json.dumps(kept[0].attributes())
    return StreamingResponse(_json(first, kept[1:]), headers=headers, media_type=DICOM_JSON)


def _json(first: str, others: Sequence[StudyObject]) -> Iterator[str]:
    yield f"[{first}"
    for each in others:
        yield f",{json.dumps(each.attributes())}"
    yield "]"


def _kept(objects: Sequence[StudyObject]) -> list[StudyObject]:
    """Those that are not removed. Raises HTTPException 410 where all are."""
    kept = [each for each in objects if not each.is_removed]
    if not kept:
        raise HTTPException(410, REMOVED)
    return kept
