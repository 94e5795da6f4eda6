"""A reader's word that a prior is to be read all the same."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from db.lifecycle.unit_of_work import unit_of_work
from db.lifecycle.verdicts import read_anyway
from readfirst.access.roles import Role
from worklist.api.parameters import StudyUid
from worklist.http.problems import NO_STUDY
from worklist.security.policy import policy
from worklist.services.dependencies import CurrentUser, DatabaseDep, LifecycleDep
from worklist.services.forms import OwnForm

router = APIRouter(default_response_class=HTMLResponse)


@router.post("/studies/{study_instance_uid}/read-anyway", dependencies=[OwnForm])
# Noted in the transaction that changes it; nothing of the study is shown.
@policy(Role.READER)
def take_back(
    user: CurrentUser,
    database: DatabaseDep,
    rules: LifecycleDep,
    study_instance_uid: StudyUid,
    say: Annotated[Literal["read_anyway"], Form()],  # noqa: ARG001 - an empty form says nothing
) -> Response:
    """Put a prior among the unread studies, for good. say: what the form sends."""
    with unit_of_work(database, rules) as unit:
        if read_anyway(unit, study_instance_uid, user.actor) is None:
            raise HTTPException(404, NO_STUDY)
    return RedirectResponse(f"/studies/{study_instance_uid}", 303)
