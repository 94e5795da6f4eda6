"""A study: its images, their scores by every ensemble, and its events."""

from fastapi import APIRouter, HTTPException, Request, Response

from db.access.audit import AuditAction
from db.read_models import ScoreRecord, StudyDetail
from db.session import Database
from db.worklist.patients import OtherStudy, earlier_studies
from db.worklist.queries import study_detail, study_exists
from readfirst.access.roles import Role
from readfirst.studies.display import DisplayContext
from worklist.api.parameters import StudyUid
from worklist.http.problems import NOT_FOUND
from worklist.http.responses import NOT_MODIFIED, ROWS, Wanted, answer_json, answer_rows
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, DisplayDep

router = APIRouter()


@router.get(
    "/studies/{study_instance_uid}",
    operation_id="getStudy",
    tags=["studies"],
    response_model=StudyDetail,
    responses=NOT_FOUND | NOT_MODIFIED,
)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def study(
    request: Request, database: DatabaseDep, display: DisplayDep, study_instance_uid: StudyUid
) -> Response:
    """One study: images, scores of every ensemble version, events."""
    return answer_json(request, _detail(database, study_instance_uid, display))


@router.get(
    "/studies/{study_instance_uid}/scores",
    operation_id="getScoresOfStudy",
    tags=["scores"],
    response_model=list[ScoreRecord],
    responses=ROWS | NOT_FOUND,
)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def scores(
    request: Request,
    database: DatabaseDep,
    display: DisplayDep,
    study_instance_uid: StudyUid,
    wanted: Wanted = None,
) -> Response:
    """The scores of a study's images, by every ensemble version and member."""
    rows = _detail(database, study_instance_uid, display).scores
    return answer_rows(request, wanted, ScoreRecord, rows)


@router.get(
    "/studies/{study_instance_uid}/priors",
    operation_id="getPriorsOfStudy",
    tags=["studies"],
    response_model=list[OtherStudy],
    responses=ROWS | NOT_FOUND,
)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def priors(
    request: Request,
    database: DatabaseDep,
    display: DisplayDep,
    study_instance_uid: StudyUid,
    wanted: Wanted = None,
) -> Response:
    """The earlier studies of the same patient, the latest first, with their images and verdicts.

    The same patient is who has the same Patient ID of the same issuer. `prior` tells those that
    are no unread work.
    """
    with database.read() as session:
        if not study_exists(session, study_instance_uid):
            raise HTTPException(404, "No study has this Study Instance UID.")
        rows = earlier_studies(session, study_instance_uid, display=display)
    return answer_rows(request, wanted, OtherStudy, rows)


def _detail(database: Database, study_instance_uid: str, display: DisplayContext) -> StudyDetail:
    with database.read() as session:
        detail = study_detail(session, study_instance_uid, display=display)
    if detail is None:
        raise HTTPException(404, "No study has this Study Instance UID.")
    return detail
