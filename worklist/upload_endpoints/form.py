"""Plain upload: files from a form, as they are, into the inbox."""

from dataclasses import dataclass

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from python_multipart.multipart import parse_options_header

from db.access.audit import AuditAction
from db.images import image_with_content
from db.session import Database
from db.uploads import UploadOutcome, upload_outcome
from readfirst.access.roles import Role
from worklist.api import PREFIX
from worklist.api.parameters import Sha256
from worklist.http.problems import DOCUMENTED, TAKEN
from worklist.http.query_names import check_query_names
from worklist.http.responses import NOT_MODIFIED, answer_json
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, DisplayDep, UploadWriterDep
from worklist.upload_endpoints.multipart import BodyPart, received_parts

router = APIRouter()

#: The body, for the document: it is read as it comes, and by no model.
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                }
            }
        },
    }
}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that is in the inbox now. file_name: as the sender calls it; it is kept nowhere."""

    file_name: str
    bytes: int
    #: Of its content.
    sha256: str
    #: Says what became of it.
    href: str
    #: A file with this content came in before: no study is added.
    already_here: bool


@router.post(
    f"{PREFIX}/uploads",
    operation_id="uploadFiles",
    tags=["ways in"],
    status_code=202,
    responses=DOCUMENTED | TAKEN,
    openapi_extra=FORM,
    dependencies=[Depends(check_query_names)],
)
@policy(Role.SERVICE, audit=AuditAction.UPLOADED)
async def upload(
    request: Request, inbox_writer: UploadWriterDep, database: DatabaseDep
) -> list[Uploaded]:
    """Put files (multipart/form-data, any field) into the inbox. `href` tells of each how far it
    has come.
    """
    async with received_parts(request, "multipart/form-data", inbox_writer, _is_file) as parts:
        if not parts:
            raise HTTPException(400, "The form holds no file.")
        return [await run_in_threadpool(_deliver, part, database) for part in parts]


def _is_file(part: BodyPart) -> bool:
    """Return whether a part is a chosen file: an empty field for files has an empty name."""
    return bool(_file_name(part))


def _file_name(part: BodyPart) -> str:
    _, parameters = parse_options_header(part.headers.get("content-disposition"))
    return parameters.get(b"filename", b"").decode(errors="replace")


def _deliver(part: BodyPart, database: Database) -> Uploaded:
    if part.incoming_file is None:
        raise ValueError("this part was not wanted")
    digest = part.incoming_file.sha256
    with database.read() as session:
        already_here = image_with_content(session, digest) is not None
    part.incoming_file.deliver()
    href = f"{PREFIX}/uploads/{digest}"
    return Uploaded(_file_name(part), part.incoming_file.size, digest, href, already_here)


@router.get(
    f"{PREFIX}/uploads/{{sha256}}",
    operation_id="getUploadOutcome",
    tags=["ways in"],
    response_model=UploadOutcome,
    responses=DOCUMENTED | NOT_MODIFIED,
    dependencies=[Depends(check_query_names)],
)
# The page asks by itself until it is known; what it shows of a study is noted once.
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED, attended=False, each_time=False)
def upload_status(
    request: Request, database: DatabaseDep, display: DisplayDep, sha256: Sha256
) -> Response:
    """What became of a file: not taken in yet, received, ready, scored, refused or set aside."""
    with database.read() as session:
        outcome = upload_outcome(session, sha256, display=display)
    return answer_json(request, outcome)
