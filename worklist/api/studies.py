"""A study: its images, their scores by every ensemble, and its events."""

from fastapi import APIRouter, HTTPException, Request, Response

from db.access.audit import AuditAction
from db.escalation.acknowledge import EscalationRecord, acknowledge
from db.lifecycle.unit_of_work import unit_of_work
from db.read_models import ScoreRecord, StudyDetail
from db.session import Database
from db.worklist.patients import OtherStudy, earlier_studies
from db.worklist.queries import study_detail, study_exists
from readfirst.access.roles import Role
from readfirst.studies.display import DisplayContext
from worklist.api.parameters import StudyUid
from worklist.http.problems import CONFLICT, NO_STUDY, NOT_FOUND
from worklist.http.responses import NOT_MODIFIED, ROWS, Wanted, answer_json, answer_rows, as_json
from worklist.security.policy import policy
from worklist.services.dependencies import (
    CurrentUser,
    DatabaseDep,
    DisplayDep,
    LifecycleDep,
    RequestDisclosures,
)

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
            raise HTTPException(404, NO_STUDY)
        rows = earlier_studies(session, study_instance_uid, display=display)
    return answer_rows(request, wanted, OtherStudy, rows)


@router.post(
    "/studies/{study_instance_uid}/acknowledgement",
    operation_id="acknowledgeEscalation",
    tags=["studies"],
    response_model=EscalationRecord,
    responses=NOT_FOUND | CONFLICT,
)
# It is noted in its own transaction.
@policy(Role.READER)
def acknowledgement(
    user: CurrentUser,
    disclosures: RequestDisclosures,
    database: DatabaseDep,
    rules: LifecycleDep,
    study_instance_uid: StudyUid,
) -> Response:
    """Acknowledge that the study was escalated: no mail and no webhook tells of it any more.

    Whoever did so first stays. A study that was not escalated is answered by 409.
    """
    with unit_of_work(database, rules) as unit:
        if not study_exists(unit.session, study_instance_uid):
            raise HTTPException(404, NO_STUDY)
        record = acknowledge(unit, study_instance_uid, user.actor)
    disclosures.noted = True
    return Response(as_json(record), media_type="application/json")


def _detail(database: Database, study_instance_uid: str, display: DisplayContext) -> StudyDetail:
    with database.read() as session:
        detail = study_detail(session, study_instance_uid, display=display)
    if detail is None:
        raise HTTPException(404, NO_STUDY)
    return detail
