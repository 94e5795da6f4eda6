"""One study: its images, what every ensemble said of them, and what happened to it."""

from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request, Response

from db.session import Database
from db.views import ScoreView, StudyDetail
from db.worklist import study_detail
from readfirst.settings import Settings
from worklist.api.answers import NOT_MODIFIED, ROWS, Wanted, answer_json, answer_rows
from worklist.api.parameters import StudyUid
from worklist.api.problems import NOT_FOUND


def add_studies(router: APIRouter, database: Database, settings: Settings) -> None:
    """Add one study, and its scores."""

    def detail_of(study_instance_uid: str) -> StudyDetail:
        now = datetime.now(UTC)
        with database.read() as session:
            found = study_detail(
                session,
                study_instance_uid,
                prevalence=settings.prevalence,
                quiet_before=settings.quiet_before(now),
                overdue=settings.overdue(now),
            )
        if found is None:
            raise HTTPException(404, "No study has this Study Instance UID.")
        return found

    @router.get(
        "/studies/{study_instance_uid}",
        operation_id="getStudy",
        tags=["studies"],
        response_model=StudyDetail,
        responses=NOT_FOUND | NOT_MODIFIED,
    )
    def study(request: Request, study_instance_uid: StudyUid) -> Response:
        """One study: images, scores of every ensemble version, events."""
        return answer_json(request, detail_of(study_instance_uid))

    @router.get(
        "/studies/{study_instance_uid}/scores",
        operation_id="getScoresOfStudy",
        tags=["scores"],
        response_model=list[ScoreView],
        responses=ROWS | NOT_FOUND,
    )
    def scores(request: Request, study_instance_uid: StudyUid, wanted: Wanted = None) -> Response:
        """The scores of a study's images, by every ensemble version and member."""
        rows = detail_of(study_instance_uid).scores
        return answer_rows(request, wanted, ScoreView, rows)
