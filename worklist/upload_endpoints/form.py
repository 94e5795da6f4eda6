"""Plain upload: files from a form, as they are, into the inbox."""

from dataclasses import dataclass

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.multipart import parse_options_header

from db.access.audit import AuditAction
from readfirst.access.roles import Role
from worklist.api import PREFIX
from worklist.http.problems import DOCUMENTED, TAKEN
from worklist.http.query_names import check_query_names
from worklist.security.policy import policy
from worklist.services.dependencies import UploadWriterDep
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
async def upload(request: Request, inbox_writer: UploadWriterDep) -> list[Uploaded]:
    """Put files (multipart/form-data, any field) into the inbox; the worklist then says what
    became of each.
    """
    async with received_parts(request, "multipart/form-data", inbox_writer, _is_file) as parts:
        if not parts:
            raise HTTPException(400, "The form holds no file.")
        return [await run_in_threadpool(_deliver, part) for part in parts]


def _is_file(part: BodyPart) -> bool:
    """Return whether a part is a chosen file: an empty field for files has an empty name."""
    return bool(_file_name(part))


def _file_name(part: BodyPart) -> str:
    _, parameters = parse_options_header(part.headers.get("content-disposition"))
    return parameters.get(b"filename", b"").decode(errors="replace")


def _deliver(part: BodyPart) -> Uploaded:
    if part.incoming_file is None:
        raise ValueError("this part was not wanted")
    part.incoming_file.deliver()
    return Uploaded(_file_name(part), part.incoming_file.size)
