"""Every error as application/problem+json (RFC 9457): what went wrong, and nothing else.

No answer repeats what was sent, since that may be a patient's name, nor says how the server works.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, TypeVar, cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from readfirst.errors import Conflict, Misconfigured, Refused, Unavailable
from readfirst.language.texts import gettext
from readfirst.refusals import refusal_text

Raised = TypeVar("Raised", bound=Exception)
log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="As `query.limit`.")
    what: str


class Problem(BaseModel):
    """Why a request was not answered (RFC 9457)."""

    type: str = Field("about:blank", description="Always `about:blank`: the status says the kind.")
    title: str = Field(description="The status in words.")
    status: int = Field(ge=400, le=599)
    detail: str | None = Field(None, description="A sentence for a person.")
    code: str | None = Field(
        None, description="The refusal's code, where an image cannot be shown because of it."
    )
    faults: list[Fault] | None = Field(None, description="What is wrong with the request.")


def _documented(description: str) -> dict[str, Any]:
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": description, "content": {MEDIA_TYPE: reference}}


#: What every route may answer.
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    401: _documented("Nobody is logged in, and no valid token was sent."),
    403: _documented("The account's role is not enough, or a page of another site sent this."),
    422: _documented("The request is not understood; `faults` says where."),
    500: _documented("A fault of the server."),
    503: _documented("The database, or a file that is needed, does not answer at the moment."),
}
#: Of routes for one thing that may not be there.
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: _documented("There is no such thing.")}
#: The detail of the problem where a study is named that is not there.
NO_STUDY = "No study has this Study Instance UID."
#: Of routes that take a body.
TAKEN: dict[int | str, dict[str, Any]] = {
    400: _documented("The body is not what is taken here."),
    413: _documented("The body is larger than is taken here."),
    415: _documented("Another media type is taken here."),
}
CONFLICT: dict[int | str, dict[str, Any]] = {
    409: _documented("Something else came in between; `detail` says what to look at.")
}
GONE: dict[int | str, dict[str, Any]] = {
    410: _documented("The original was removed, as the site's settings say.")
}


@contextmanager
def as_problem() -> Iterator[None]:
    """Answer 422 with the reason why what a program wants cannot be."""
    try:
        yield
    except Misconfigured as refusal:
        raise HTTPException(422, str(refusal)) from refusal


def add_problems(app: FastAPI) -> None:
    """Let every error of the application be a problem."""
    _answer(app, HTTPException, _http)
    _answer(app, RequestValidationError, _invalid)
    _answer(app, DBAPIError, _database)
    _answer(app, Unavailable, _unavailable)
    _answer(app, Refused, _refused)
    _answer(app, Conflict, _conflict)
    _answer(app, Exception, _fault)


def _answer(app: FastAPI, kind: type[Raised], answer: Callable[[Raised], Response]) -> None:
    """Let errors of a kind be answered by a function of the error."""

    def handler(_: Request, error: Exception) -> Response:
        # Starlette calls it with nothing but errors of the kind that it is registered for.
        return answer(cast(Raised, error))

    app.add_exception_handler(kind, handler)


def problem(
    status: int,
    detail: str | None = None,
    *,
    code: str | None = None,
    faults: Sequence[Fault] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer for an error."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=gettext(detail) if detail else detail,
        code=code,
        faults=None if faults is None else list(faults),
    )
    content = body.model_dump_json(exclude_none=True)
    return Response(content, status, headers=headers, media_type=MEDIA_TYPE)


def _http(error: HTTPException) -> Response:
    phrase = HTTPStatus(error.status_code).phrase
    detail = None if error.detail == phrase else str(error.detail)
    return problem(error.status_code, detail, headers=error.headers)


def _invalid(error: RequestValidationError) -> Response:
    faults = [
        Fault(
            where=".".join(str(part) for part in each["loc"]),
            what=each["msg"].removeprefix("Value error, "),
        )
        for each in error.errors()
    ]
    return problem(422, "The request is not understood.", faults=faults)


def _database(error: DBAPIError) -> Response:
    log.error("database_fault", action="serve", error=type(error).__name__)
    return problem(503, "The database does not answer.", headers={"Retry-After": "5"})


def _unavailable(error: Unavailable) -> Response:
    log.error("unavailable", action="serve", error=str(error))
    return problem(503, "A file that is needed does not answer.", headers={"Retry-After": "5"})


def _refused(error: Refused) -> Response:
    return problem(422, refusal_text(error.code, error.reason), code=error.code.value)


def _conflict(error: Conflict) -> Response:
    return problem(409, str(error))


def _fault(_: Exception) -> Response:
    # The server logs what it was.
    return problem(500, "A fault of the server; its log says more.")
