"""Whom to let in: decided from a request's secrets and the database, before anything runs."""

from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request

from db.accounts import any_account, by_token
from db.audit import Action, Actor, note
from db.login_attempts import begin
from db.login_sessions import logged_in, note_use
from db.session import Database
from readfirst.credentials import digest
from readfirst.roles import Role
from worklist.security.hosts import is_called_rightly
from worklist.security.terms import AccessTerms
from worklist.security.visitor import Visitor, address_of, cookie_name, form_token


@dataclass(slots=True)
class Gate:
    """The decisions of one server."""

    database: Database
    terms: AccessTerms
    #: Accounts are never removed: once there is one, a log-in is wanted for ever.
    _accounts_exist: bool = False

    def open_to_all(self) -> bool:
        """Whether nobody has to log in: on loopback, while there is no account."""
        if self.terms.always or self._accounts_exist:
            return False
        with self.database.read() as session:
            self._accounts_exist = any_account(session)
        return not self._accounts_exist

    def is_called_rightly(self, host: str | None) -> bool:
        """Whether a Host header names this server."""
        names = self.terms.hosts
        return is_called_rightly(host, names, open_to_all=self.open_to_all())

    def visitor(self, request: Request, *, attended: bool) -> Visitor | None:
        """Who asks; None for somebody who is not logged in.

        attended: whether the request shows that a person is there, and keeps the session alive.
        """
        address = address_of(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        # Any other scheme is between the browser and a proxy.
        if scheme.lower() == "bearer":
            return self._program(token.strip(), address)
        if self.open_to_all():
            return Visitor(account=None, role=Role.ADMIN, address=address)
        secret = request.cookies.get(cookie_name(request))
        return self._person(secret, address, attended=attended) if secret else None

    def note_denied(self, who: Visitor, route: str) -> None:
        """Note that somebody asked for what their role may not."""
        with self.database.write() as session:
            note(session, who.actor, Action.DENIED, datetime.now(UTC), route=route)

    def _person(self, secret: str, address: str, *, attended: bool) -> Visitor | None:
        now, kept = datetime.now(UTC), digest(secret)
        with self.database.read() as session:
            found = logged_in(session, kept, now, self.terms.lifetimes)
        if found is None:
            return None
        if found.stale and attended:
            with self.database.write() as session:
                note_use(session, kept, now)
        return Visitor(
            account=found.account, role=found.role, address=address, form_token=form_token(secret)
        )

    def _program(self, token: str, address: str) -> Visitor | None:
        with self.database.read() as session:
            name = by_token(session, digest(token))
        if name is not None:
            return Visitor(account=name, role=Role.SERVICE, address=address)
        self._note_refused_token(address)
        return None

    def _note_refused_token(self, address: str) -> None:
        """A token cannot be guessed; the limit is for the log, which must not be flooded."""
        now = datetime.now(UTC)
        with self.database.write() as session:
            if begin(session, f"token:{address}", now, self.terms.account_limit):
                note(session, Actor(None, address), Action.TOKEN_REFUSED, now)
