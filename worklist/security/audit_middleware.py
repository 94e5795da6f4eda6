"""The audit log of what is sent: whatever an answer shows is noted before its bytes are sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.types import Message, Receive, Send

from db.access.audit import Actor, AuditAction, known_study, note
from db.disclosures import Disclosures
from db.session import Database
from readfirst.access.credentials import digest
from worklist.security.noted_of_late import NotedOfLate, Viewer
from worklist.security.policy import Policy
from worklist.security.responses import unavailable

#: By which searches are told from studies among what was noted of late.
SEARCH = "search:"


@dataclass(frozen=True, slots=True)
class AuditRules:
    """The route's part of an entry. viewer: whose session. parameters: of the path."""

    actor: Actor
    viewer: Viewer
    policy: Policy
    parameters: Mapping[str, str]

    @property
    def action(self) -> AuditAction:
        """A route that names none, and shows patients' data all the same, is noted so too."""
        return self.policy.audit or AuditAction.RECORDS_SHOWN


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """An entry to be written. studies: all that are shown. new: those not noted of late."""

    studies: tuple[str, ...]
    new: tuple[str, ...]
    searches: tuple[str, ...]


class AuditMiddleware:
    """Sends an answer on, once it is noted who gets it; what cannot be noted is not shown.

    disclosures: what the request is given, as it is given. Each message is held back until all
    that was given before it is noted, so a stream is noted as it goes.
    """

    def __init__(
        self,
        database: Database,
        noted_of_late: NotedOfLate,
        rules: AuditRules,
        disclosures: Disclosures,
        request: Request,
        receive: Receive,
        send: Send,
    ) -> None:
        self._database = database
        self._noted_of_late = noted_of_late
        self._rules = rules
        self._disclosures = disclosures
        self._scope = request.scope
        self._receive = receive
        self._send = send
        self._withheld = False

    async def __call__(self, message: Message) -> None:
        """Pass one message of an answer on."""
        if self._withheld:
            return
        # `http.response.debug` goes before an answer, to clients of tests alone.
        is_sent = message["type"] != "http.response.debug"
        entry = self._pending(message) if is_sent else None
        if entry is None or await self._is_noted(entry):
            await self._send(message)
        else:
            self._withheld = True
            await self._withhold(message)

    def _pending(self, message: Message) -> PendingEntry | None:
        """The entry that is due before a message; None where there is none."""
        disclosed, rules = self._disclosures.take(), self._rules
        if disclosed.noted:
            return None
        begins = message["type"] == "http.response.start" and message["status"] < 400
        policy = rules.policy
        new = self._new(disclosed.studies)
        searches = tuple(SEARCH + digest(text) for text in sorted(disclosed.searches))
        if policy.each_time:
            # An error shows what was read for it, as a page does that refuses a verdict.
            is_due = bool(disclosed) or (begins and policy.audit is not None)
        else:
            is_due = bool(new or self._new(searches) or disclosed.files)
        return PendingEntry(tuple(disclosed.studies), tuple(new), searches) if is_due else None

    def _new(self, things: Iterable[str]) -> list[str]:
        return self._noted_of_late.new(self._rules.viewer, self._rules.action, things)

    async def _is_noted(self, entry: PendingEntry) -> bool:
        try:
            await run_in_threadpool(self._note, entry)
        except DBAPIError:
            return False
        things = (*entry.studies, *entry.searches)
        self._noted_of_late.add(self._rules.viewer, self._rules.action, things)
        return True

    def _note(self, entry: PendingEntry) -> None:
        rules = self._rules
        with self._database.write() as session:
            uid = _study_of_the_path(session, rules.parameters, entry.studies)
            detail: dict[str, Any] = {"search": True} if entry.searches else {}
            if listed := [study for study in entry.new if study != uid]:
                detail["studies"] = listed
            now = datetime.now(UTC)
            note(session, rules.actor, rules.action, now, study_instance_uid=uid, **detail)

    async def _withhold(self, message: Message) -> None:
        """Answer 503; of an answer that has begun, send no more."""
        if message["type"] == "http.response.start":
            await unavailable()(self._scope, self._receive, self._send)
        else:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _study_of_the_path(
    session: Session, parameters: Mapping[str, str], studies: tuple[str, ...]
) -> str | None:
    """The study that a path names, by what was shown of it, or else by the database."""
    if not parameters:
        return None
    if (uid := parameters.get("study_instance_uid")) in studies:
        return uid
    if "sha256" in parameters and len(studies) == 1:
        return studies[0]
    return known_study(session, parameters)
