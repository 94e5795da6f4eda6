"""QIDO-RS: the Search transaction of DICOMweb's Studies service (PS3.18 10.6)."""

import json
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from db.access.audit import AuditAction
from db.dicomweb.records import DicomStudy
from db.dicomweb.search import find_studies
from readfirst.access.roles import Role
from worklist.dicomweb.addresses import SERIES, STUDY, retrieve_url
from worklist.dicomweb.documents import NO_ROWS, ROWS
from worklist.dicomweb.json_model import JsonObject, json_object, tag_of
from worklist.dicomweb.media_types import DICOM_JSON, check_json
from worklist.dicomweb.parameters import ObjectsDep, SeriesPath, StudyPath
from worklist.dicomweb.query import (
    INSTANCE_KEYS,
    MORE,
    SERIES_KEYS,
    STUDY_KEYS,
    Query,
    query_parameters,
    read_query,
)
from worklist.dicomweb.study_objects import StudyObject
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, SettingsDep

router = APIRouter()

#: PS3.18 10.6.3.3: attributes that a row has in any case.
OF_STUDY = (
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription", "AccessionNumber",
    "ReferringPhysicianName", "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
)  # fmt: skip
OF_SERIES = (
    "StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription",
    "SeriesDate", "SeriesTime", "BodyPartExamined", "Laterality", "TimezoneOffsetFromUTC",
    "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime",
    "RequestAttributesSequence",
)  # fmt: skip
OF_INSTANCE = (
    "StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID", "InstanceNumber",
    "Modality", "Rows", "Columns", "BitsAllocated", "NumberOfFrames", "TimezoneOffsetFromUTC",
    "AvailableTransferSyntaxUID",
)  # fmt: skip


@router.get(
    "/studies",
    operation_id="findStudies",
    responses=ROWS | NO_ROWS,
    openapi_extra=query_parameters(STUDY_KEYS),
)
@policy(Role.SERVICE, audit=AuditAction.LIST_VIEWED)
def studies(request: Request, database: DatabaseDep, settings: SettingsDep) -> Response:
    """Studies that have a DICOM image, the latest arrival first. The rows count films alone."""
    check_json(request)
    query = read_query(request, STUDY_KEYS)
    match = query.study_match(settings.zone)
    with database.read() as session:
        records = find_studies(session, match, limit=query.limit + 1, offset=query.offset)
    rows = [study_row(study, settings.zone) for study in records[: query.limit]]
    return answer_rows(rows, query, matched=len(records))


@router.get(
    STUDY + "/series",
    operation_id="findSeries",
    responses=ROWS | NO_ROWS,
    openapi_extra=query_parameters(SERIES_KEYS),
)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def series(request: Request, objects: ObjectsDep, study: StudyPath) -> Response:
    """The series of a study: those of its films, and one of each result of the AI."""
    check_json(request)
    query = read_query(request, SERIES_KEYS)
    by_uid: dict[str, list[StudyObject]] = {}
    for each in objects.find(study):
        by_uid.setdefault(each.series_instance_uid, []).append(each)
    rows = [series_row(study, members, query) for members in by_uid.values()]
    return answer_rows(query.page(rows), query)


@router.get(
    STUDY + "/instances",
    operation_id="findInstances",
    responses=ROWS | NO_ROWS,
    openapi_extra=query_parameters((*SERIES_KEYS, *INSTANCE_KEYS)),
)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def instances(request: Request, objects: ObjectsDep, study: StudyPath) -> Response:
    """The instances of a study."""
    check_json(request)
    query = read_query(request, (*SERIES_KEYS, *INSTANCE_KEYS))
    rows = [instance_row(study, each, query) for each in objects.find(study)]
    return answer_rows(query.page(rows), query)


@router.get(
    SERIES + "/instances",
    operation_id="findInstancesOfSeries",
    responses=ROWS | NO_ROWS,
    openapi_extra=query_parameters(INSTANCE_KEYS),
)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def instances_of_series(
    request: Request, objects: ObjectsDep, study: StudyPath, series: SeriesPath
) -> Response:
    """The instances of a series."""
    check_json(request)
    query = read_query(request, INSTANCE_KEYS)
    rows = [instance_row(study, each, query) for each in objects.find(study, series)]
    return answer_rows(query.page(rows), query)


def answer_rows(rows: Sequence[JsonObject], query: Query, *, matched: int = 0) -> Response:
    """Rows as DICOM's JSON; without any, an empty answer (PS3.18 10.6.3).

    matched: the number that the database has returned, one more than the rows where more follow.
    """
    warnings = [*query.warnings, *([MORE] if matched > len(rows) > 0 else [])]
    headers = {"Warning": ", ".join(warnings)} if warnings else None
    if not rows:
        return Response(status_code=204, headers=headers)
    return Response(json.dumps(rows), headers=headers, media_type=DICOM_JSON)


def study_row(study: DicomStudy, zone: ZoneInfo) -> JsonObject:
    """A row of the studies (PS3.18 10.6.3.3.1). zone: in which date and time are said."""
    at = study.study_datetime.astimezone(zone) if study.study_datetime else None
    born = study.patient_birth_date
    modalities = sorted({image.modality for image in study.images if image.modality})
    return json_object(
        {
            "SpecificCharacterSet": "ISO_IR 192",
            "StudyInstanceUID": study.study_instance_uid,
            "StudyDate": f"{at:%Y%m%d}" if at else None,
            "StudyTime": f"{at:%H%M%S}" if at else None,
            "StudyID": None,
            "StudyDescription": study.study_description,
            "AccessionNumber": study.accession_number,
            "ReferringPhysicianName": study.referring_physician_name,
            "PatientName": study.patient_name,
            "PatientID": study.patient_id,
            "IssuerOfPatientID": study.issuer_of_patient_id,
            "PatientBirthDate": f"{born:%Y%m%d}" if born else None,
            "PatientSex": study.patient_sex,
            "ModalitiesInStudy": modalities,
            "NumberOfStudyRelatedSeries": len({each.series_instance_uid for each in study.images}),
            "NumberOfStudyRelatedInstances": len(study.images),
            "InstanceAvailability": _availability(
                all(image.original_removed for image in study.images)
            ),
            "RetrieveURL": retrieve_url(study.study_instance_uid),
        }
    )


def series_row(study_uid: str, members: Sequence[StudyObject], query: Query) -> JsonObject:
    """A row of the series, by the first instance of one (PS3.18 10.6.3.3.2)."""
    own = {
        "NumberOfSeriesRelatedInstances": len(members),
        "InstanceAvailability": _availability(all(each.is_removed for each in members)),
        "RetrieveURL": retrieve_url(study_uid, members[0].series_instance_uid),
    }
    return _with(members[0].attributes(), OF_SERIES, query) | json_object(own)


def instance_row(study_uid: str, each: StudyObject, query: Query) -> JsonObject:
    """A row of the instances (PS3.18 10.6.3.3.3)."""
    own = {
        "InstanceAvailability": _availability(each.is_removed),
        "RetrieveURL": retrieve_url(study_uid, each.series_instance_uid, each.sop_instance_uid),
    }
    return _with(each.attributes(), OF_INSTANCE, query) | json_object(own)


def _with(attributes: JsonObject, keywords: Sequence[str], query: Query) -> JsonObject:
    """Those that a row has in any case, and those that are wanted besides."""
    if query.included is None:
        return attributes
    wanted = {tag_of(keyword) for keyword in keywords} | query.included
    return {tag: value for tag, value in attributes.items() if tag in wanted}


def _availability(is_removed: bool) -> str:
    """PS3.3 C.4.23.1.1: whether it can be had at once, or not any more."""
    return "UNAVAILABLE" if is_removed else "ONLINE"
