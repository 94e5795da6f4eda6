"""Errors of FHIR routes as OperationOutcome: of the middleware, too, which knows no FHIR."""

import json

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from readfirst.results.fhir.datatypes import Json
from worklist.http import problems
from worklist.http.problems import Problem

PREFIX = "/fhir"
MEDIA_TYPE = "application/fhir+json"
#: The codes of an issue (http://hl7.org/fhir/issue-type), by status; others are `processing`.
CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    500: "exception",
    503: "transient",
}


def operation_outcome(sentence: str, code: str, severity: str = "error") -> Json:
    """Return an OperationOutcome of one issue."""
    issue = {"severity": severity, "code": code, "details": {"text": sentence}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


class FhirOutcomes:
    """Middleware: what is a problem (RFC 9457) elsewhere is an OperationOutcome here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/"):
            send = _OutcomeSender(send)
        await self.app(scope, receive, send)


class _OutcomeSender:
    """Sends an answer on; a problem is held back until its body is there."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_outcome(self._start)

    async def _send_outcome(self, start: Message) -> None:
        problem = Problem.model_validate_json(self._body)
        code = CODES.get(problem.status, "processing")
        content = json.dumps(operation_outcome(problem.detail or problem.title, code)).encode()
        headers = MutableHeaders(scope=start)
        headers["content-type"], headers["content-length"] = MEDIA_TYPE, str(len(content))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": content})


def _is_problem(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "") == problems.MEDIA_TYPE
