"""Plain upload: files from a form, as they are, into the inbox."""

from dataclasses import dataclass

from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.multipart import parse_options_header

from ingest.delivery import Inlet
from worklist.api.problems import DOCUMENTED, TAKEN
from worklist.multipart import Part, received_parts


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that is in the inbox now. file_name: as the sender calls it; it is kept nowhere."""

    file_name: str
    bytes: int


def add_uploads(app: FastAPI, inlet: Inlet, most_bytes: int) -> None:
    """Add the route that takes files. most_bytes: of one request."""

    @app.post(
        "/api/v1/uploads",
        operation_id="upload",
        tags=["ways in"],
        status_code=202,
        max_body_size=most_bytes,
        responses=DOCUMENTED | TAKEN,
    )
    async def upload(request: Request) -> list[Uploaded]:
        """Put files (multipart/form-data, any field) into the inbox; the worklist then says what
        became of each.
        """
        async with received_parts(request, "multipart/form-data", inlet, _is_file) as parts:
            if not parts:
                raise HTTPException(400, "The form holds no file.")
            return [await run_in_threadpool(_deliver, part) for part in parts]


def _is_file(part: Part) -> bool:
    """Whether a part is a chosen file: an empty field for files has an empty name."""
    return bool(_file_name(part))


def _file_name(part: Part) -> str:
    _, parameters = parse_options_header(part.headers.get("content-disposition"))
    return parameters.get(b"filename", b"").decode(errors="replace")


def _deliver(part: Part) -> Uploaded:
    if part.parcel is None:
        raise ValueError("this part was not wanted")
    part.parcel.deliver()
    return Uploaded(_file_name(part), part.parcel.size)
