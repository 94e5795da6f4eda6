"""STOW-RS: the Store transaction of DICOMweb's Studies service (PS3.18 10.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from db.access.audit import AuditAction
from ingest.inbox.inbox_writer import InboxWriter, IncomingFile
from ingest.reader.reader_process import Reader
from ingest.receivers.contexts import STORAGE_CLASSES
from readfirst.access.roles import Role
from readfirst.domain import FileKind, Header
from readfirst.errors import Refused, Unavailable
from readfirst.refusals import RefusalCode
from worklist.http import DICOMWEB_ROOT
from worklist.http.problems import DOCUMENTED, TAKEN
from worklist.security.policy import policy
from worklist.services.dependencies import DicomwebWriterDep, HeaderReaderDep
from worklist.upload_endpoints.multipart import BodyPart, content_type, received_parts

router = APIRouter(tags=["ways in"])

PATH = f"{DICOMWEB_ROOT}/studies"
MEDIA_TYPE = "application/dicom+json"
_STORED: dict[str, Any] = {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}
#: For the document. PS3.18 10.5.3: of what is not stored, the answer says which and why.
RESPONSES: dict[int | str, dict[str, Any]] = {
    **DOCUMENTED,
    **TAKEN,
    200: {"description": "All were stored.", **_STORED},
    202: {"description": "Some were stored.", **_STORED},
    406: {**TAKEN[400], "description": f"The answer is {MEDIA_TYPE}, which was not wanted."},
    409: {"description": "None was stored.", **_STORED},
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {"multipart/related": {"schema": {"type": "string", "format": "binary"}}},
    }
}
#: What an Accept header must name for that answer to be taken.
ACCEPTABLE = (MEDIA_TYPE, "application/json", "application/*", "*/*")
#: PS3.18 I.2.2: why an instance was not stored.
OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0xA700, 0xC000
CLASS_UNSUPPORTED, SYNTAX_UNSUPPORTED, FAILED = 0x0122, 0xC122, 0x0110
#: (0008,1198), (0008,1199), (0008,119A): Failed SOP, Referenced SOP, Other Failures Sequence.
FAILED_SOP, REFERENCED_SOP, OTHER_FAILURES = "00081198", "00081199", "0008119A"
SOP_CLASS_UID, SOP_INSTANCE_UID, FAILURE_REASON = "00081150", "00081155", "00081197"


@dataclass(frozen=True, slots=True)
class StoreResult:
    """The result of storing an instance. failure: None when it is stored, else the reason's code.

    The UIDs are None where they could not be read.
    """

    sop_class_uid: str | None
    sop_instance_uid: str | None
    failure: int | None = None


@router.post(PATH, operation_id="storeInstances", responses=RESPONSES, openapi_extra=BODY)
@policy(Role.SERVICE, audit=AuditAction.UPLOADED)
async def store(
    request: Request, inbox_writer: DicomwebWriterDep, reader: HeaderReaderDep
) -> JSONResponse:
    """Store instances (multipart/related, application/dicom) of any study."""
    return await _store(request, None, inbox_writer, reader)


@router.post(
    PATH + "/{study_instance_uid}",
    operation_id="storeInstancesOfStudy",
    responses=RESPONSES,
    openapi_extra=BODY,
)
@policy(Role.SERVICE, audit=AuditAction.UPLOADED)
async def store_study(
    request: Request,
    inbox_writer: DicomwebWriterDep,
    reader: HeaderReaderDep,
    study_instance_uid: str,
) -> JSONResponse:
    """Store instances of this study; those of another fail."""
    return await _store(request, study_instance_uid, inbox_writer, reader)


async def _store(
    request: Request, study_instance_uid: str | None, inbox_writer: InboxWriter, reader: Reader
) -> JSONResponse:
    _check_media_types(request)
    async with received_parts(request, "multipart/related", inbox_writer, _is_dicom) as parts:
        if not parts:
            raise HTTPException(400, "The body holds no instance.")
        results = [
            await run_in_threadpool(_keep, part.incoming_file, study_instance_uid, reader)
            for part in parts
            if part.incoming_file is not None
        ]
    return JSONResponse(response_module(results), status_code(results), media_type=MEDIA_TYPE)


def _check_media_types(request: Request) -> None:
    accepted = request.headers.get("accept", "*/*")
    if not any(kind.split(";")[0].strip() in ACCEPTABLE for kind in accepted.split(",")):
        raise HTTPException(406, f"The answer is {MEDIA_TYPE}.")
    kind, parameters = content_type(request.headers)
    part_type = parameters.get("type", "application/dicom").lower()
    if kind != "multipart/related" or part_type != "application/dicom":
        raise HTTPException(415, 'multipart/related; type="application/dicom" is taken here.')


def _is_dicom(part: BodyPart) -> bool:
    """Want every part. Raises HTTPException 415 for one that says it is something else."""
    kind, _ = content_type(part.headers)
    if kind not in ("", "application/dicom"):
        raise HTTPException(415, "Every part must be application/dicom.")
    return True


def _keep(
    incoming_file: IncomingFile, study_instance_uid: str | None, reader: Reader
) -> StoreResult:
    """Read one instance's header and put it into the inbox, unless something speaks against it."""
    try:
        incoming_file.close()
        header = reader.header(incoming_file.part)
    except Refused as refusal:
        unsupported = refusal.code is RefusalCode.TRANSFER_SYNTAX_UNSUPPORTED
        return StoreResult(None, None, SYNTAX_UNSUPPORTED if unsupported else CANNOT_UNDERSTAND)
    except (Unavailable, OSError):
        return StoreResult(None, None, OUT_OF_RESOURCES)
    failure = failure_of(header, study_instance_uid)
    if failure is None:
        failure = _deliver(incoming_file)
    return StoreResult(header.sop_class_uid, header.sop_instance_uid, failure)


def _deliver(incoming_file: IncomingFile) -> int | None:
    try:
        incoming_file.deliver()
    except Unavailable:
        return OUT_OF_RESOURCES
    except OSError:
        return FAILED
    return None


def failure_of(header: Header, study_instance_uid: str | None) -> int | None:
    """The code why an instance is not stored; None if nothing speaks against it.

    study_instance_uid: the only study that is wanted; None: any.
    """
    if header.kind is not FileKind.DICOM or header.sop_instance_uid is None:
        return CANNOT_UNDERSTAND
    if header.sop_class_uid not in STORAGE_CLASSES:
        return CLASS_UNSUPPORTED
    brought = (header.study_instance_uid, header.invalid_study_instance_uid)
    if study_instance_uid is not None and study_instance_uid not in brought:
        return CANNOT_UNDERSTAND
    return None


def status_code(results: Sequence[StoreResult]) -> int:
    """PS3.18 10.5.3.1: 200 all stored, 202 some of them, 409 none, 503 none for want of room."""
    failures = [result.failure for result in results if result.failure is not None]
    if not failures:
        return 200
    if len(failures) < len(results):
        return 202
    return 503 if set(failures) == {OUT_OF_RESOURCES} else 409


def response_module(results: Sequence[StoreResult]) -> dict[str, Any]:
    """The Store Instances Response Module (PS3.18 I.2) in the DICOM JSON Model (F.2).

    There is no Retrieve URL: a file is on its way, and not yet to be had.
    """
    sequences: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        sequences.setdefault(_sequence(result), []).append(_item(result))
    return {tag: {"vr": "SQ", "Value": items} for tag, items in sorted(sequences.items())}


def _sequence(result: StoreResult) -> str:
    if result.failure is None:
        return REFERENCED_SOP
    return FAILED_SOP if result.sop_class_uid and result.sop_instance_uid else OTHER_FAILURES


def _item(result: StoreResult) -> dict[str, Any]:
    item: dict[str, Any] = {}
    if result.sop_class_uid and result.sop_instance_uid:
        item[SOP_CLASS_UID] = {"vr": "UI", "Value": [result.sop_class_uid]}
        item[SOP_INSTANCE_UID] = {"vr": "UI", "Value": [result.sop_instance_uid]}
    if result.failure is not None:
        item[FAILURE_REASON] = {"vr": "US", "Value": [result.failure]}
    return item
