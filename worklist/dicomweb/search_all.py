"""QIDO-RS across studies: series and instances of films (PS3.18 10.6.1)."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from db.access.audit import AuditAction
from db.dicomweb.records import DicomImage, DicomStudy
from db.dicomweb.search_images import find_images
from db.session import Database
from readfirst.access.roles import Role
from worklist.dicomweb.documents import NO_ROWS, ROWS
from worklist.dicomweb.media_types import check_json
from worklist.dicomweb.parameters import ObjectsDep
from worklist.dicomweb.query import STUDY_KEYS, Query, query_parameters, read_query
from worklist.dicomweb.search import answer_rows, instance_row, series_row, study_row
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, SettingsDep

router = APIRouter()

#: The file of each row is read.
MOST_ROWS = 100
SERIES_KEYS = (*STUDY_KEYS, "SeriesInstanceUID", "Modality")
INSTANCE_KEYS = (*SERIES_KEYS, "SOPInstanceUID")


@router.get(
    "/series",
    operation_id="findSeriesOfAllStudies",
    responses=ROWS | NO_ROWS,
    openapi_extra=query_parameters(SERIES_KEYS, MOST_ROWS),
)
@policy(Role.SERVICE, audit=AuditAction.LIST_VIEWED)
def all_series(
    request: Request, database: DatabaseDep, settings: SettingsDep, objects: ObjectsDep
) -> Response:
    """The series of films of all studies, the latest arrival first, each with its study."""
    query, pairs = _find(request, database, settings.zone, SERIES_KEYS, by_series=True)
    rows = []
    for study, image in pairs[: query.limit]:
        uid = image.series_instance_uid
        members = [each for each in study.images if each.series_instance_uid == uid]
        films = [objects.film_of(study, each) for each in members]
        own = series_row(study.study_instance_uid, films, query)
        rows.append(study_row(study, settings.zone) | own)
    return answer_rows(rows, query, matched=len(pairs))


@router.get(
    "/instances",
    operation_id="findInstancesOfAllStudies",
    responses=ROWS | NO_ROWS,
    openapi_extra=query_parameters(INSTANCE_KEYS, MOST_ROWS),
)
@policy(Role.SERVICE, audit=AuditAction.LIST_VIEWED)
def all_instances(
    request: Request, database: DatabaseDep, settings: SettingsDep, objects: ObjectsDep
) -> Response:
    """The films of all studies, the latest arrival first, each with its study."""
    query, pairs = _find(request, database, settings.zone, INSTANCE_KEYS)
    rows = [
        study_row(study, settings.zone)
        | instance_row(study.study_instance_uid, objects.film_of(study, image), query)
        for study, image in pairs[: query.limit]
    ]
    return answer_rows(rows, query, matched=len(pairs))


def _find(
    request: Request,
    database: Database,
    zone: ZoneInfo,
    keys: Sequence[str],
    *,
    by_series: bool = False,
) -> tuple[Query, list[tuple[DicomStudy, DicomImage]]]:
    """Read the query and find its matches, one more than its limit where there are more."""
    check_json(request)
    query = read_query(request, keys, MOST_ROWS)
    match = query.image_match(zone)
    with database.read() as session:
        pairs = find_images(
            session, match, limit=query.limit + 1, offset=query.offset, by_series=by_series
        )
    return query, pairs
