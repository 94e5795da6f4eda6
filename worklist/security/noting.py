"""Who is shown what is noted before it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.types import Message, Receive, Send

from db.audit import Action, Actor, known_study, note
from db.session import Database
from worklist.security.answers import unavailable


@dataclass(frozen=True, slots=True)
class View:
    """What is to be noted. parameters: of the path, which may name a study."""

    actor: Actor
    action: Action
    parameters: Mapping[str, str]


class Noting:
    """Sends an answer on, once it is noted who gets it; what cannot be noted is not shown."""

    def __init__(
        self, database: Database, view: View, request: Request, receive: Receive, send: Send
    ) -> None:
        self._database = database
        self._view = view
        self._scope = request.scope
        self._receive = receive
        self._send = send
        self._withheld = False

    async def __call__(self, message: Message) -> None:
        """Pass one message of an answer on."""
        if message["type"] == "http.response.start" and message["status"] < 400:
            await self._note_first()
        if not self._withheld:
            await self._send(message)

    async def _note_first(self) -> None:
        try:
            await run_in_threadpool(self._note)
        except DBAPIError:
            self._withheld = True
            await unavailable()(self._scope, self._receive, self._send)

    def _note(self) -> None:
        with self._database.write() as session:
            uid = known_study(session, self._view.parameters)
            now = datetime.now(UTC)
            note(session, self._view.actor, self._view.action, now, study_instance_uid=uid)
