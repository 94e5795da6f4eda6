"""The button by which a reader acknowledges that a study was escalated."""

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from db.escalation.acknowledge import acknowledge
from db.lifecycle.unit_of_work import unit_of_work
from readfirst.access.roles import Role
from worklist.api.parameters import StudyUid
from worklist.security.policy import policy
from worklist.services.dependencies import (
    CurrentUser,
    DatabaseDep,
    LifecycleDep,
    RequestDisclosures,
)
from worklist.services.forms import OwnForm

router = APIRouter(default_response_class=HTMLResponse)


@router.post("/studies/{study_instance_uid}/acknowledgement", dependencies=[OwnForm])
# It is noted in its own transaction.
@policy(Role.READER)
def acknowledgement(
    user: CurrentUser,
    disclosures: RequestDisclosures,
    database: DatabaseDep,
    rules: LifecycleDep,
    study_instance_uid: StudyUid,
) -> Response:
    """Note it, and lead back to the study."""
    with unit_of_work(database, rules) as unit:
        acknowledge(unit, study_instance_uid, user.actor)
    disclosures.noted = True
    return RedirectResponse(f"/studies/{study_instance_uid}", 303)
