"""The preview of a study beside the list: film, result of the AI, indication and other studies."""

import re
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from db.access.audit import AuditAction
from db.worklist.patients import other_studies
from db.worklist.queries import study_detail
from readfirst.access.roles import Role
from worklist.pages.studies.facts import order_line, other_study_row
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, SettingsDep
from worklist.services.study_texts import examination, patient_name
from worklist.services.templating import TEMPLATES

router = APIRouter(default_response_class=HTMLResponse)

UID = re.compile(r"[0-9.]{1,64}")
#: Other studies of the patient that are listed.
MOST_OTHERS = 6


@router.get("/studies/{study_instance_uid}/preview")
@policy(Role.READER, audit=AuditAction.STUDY_VIEWED)
def preview(
    request: Request, database: DatabaseDep, settings: SettingsDep, study_instance_uid: str
) -> Response:
    """The preview, a part of the list's page. It displays no film for a verdict."""
    display = settings.display(datetime.now(UTC), to_reader=True)
    detail = None
    if UID.fullmatch(study_instance_uid):
        with database.read() as session:
            detail = study_detail(session, study_instance_uid, display=display)
            others = other_studies(session, study_instance_uid, display=display, limit=MOST_OTHERS)
    if detail is None:
        return Response(status_code=404)
    study = detail.study
    prepared = [image.sha256 for image in study.images if image.ready_at is not None]
    deciding = study.deciding_image if study.deciding_image in prepared else None
    context = {
        "study": study,
        "patient": patient_name(study),
        "examination": examination(study),
        "order": order_line(study),
        "film": deciding or next(iter(prepared), None),
        "others": [other_study_row(other, settings.zone) for other in others],
    }
    return TEMPLATES.TemplateResponse(request, "preview.html", context)
