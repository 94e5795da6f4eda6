"""Who else has a study open: what its page says of itself, and is told, every few seconds."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Response
from fastapi.responses import PlainTextResponse

from db.worklist.readers import OpenPage, note_left, note_open, readers_by_study
from readfirst.access.roles import Role
from worklist.api.parameters import StudyUid
from worklist.http.problems import NO_STUDY
from worklist.security.policy import policy
from worklist.services.dependencies import CurrentUser, DatabaseDep, NowDep
from worklist.services.reader_texts import reader_text

router = APIRouter(default_response_class=PlainTextResponse)

#: Made up by the page as it loads.
Tab = Annotated[str, Form(pattern=r"^[0-9a-f]{32}$")]


@router.post("/studies/{study_instance_uid}/readers")
# The page sends it by itself. The answer names accounts, and nothing of the patient.
@policy(Role.READER, attended=False)
def readers(
    user: CurrentUser,
    database: DatabaseDep,
    now: NowDep,
    study_instance_uid: StudyUid,
    tab: Tab,
    left: Annotated[bool, Form()] = False,
) -> Response:
    """Note that the page is open, or left. Answers who else has it open, as a sentence."""
    page = OpenPage(study_instance_uid=study_instance_uid, tab=tab, account=user.account)
    with database.write() as session:
        is_known = (note_left if left else note_open)(session, page, now)
        everybody = readers_by_study(session, now, [study_instance_uid])
        others = readers_by_study(session, now, [study_instance_uid], but_tab=tab)
    if not is_known:
        raise HTTPException(404, NO_STUDY)
    first = everybody.get(study_instance_uid, ())[:1]
    mine = any(reader.by == user.account for reader in first)
    return PlainTextResponse(
        reader_text(others.get(study_instance_uid, ()), user.account, mine=mine)
    )
