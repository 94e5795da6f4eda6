"""Authentication: the principal of a request, by its secrets and the database."""

from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request

from db.access.accounts import Program, any_account, by_token, note_seen
from db.access.audit import Actor, AuditAction, note
from db.access.login_attempts import begin, token_key
from db.access.login_sessions import NOTED, logged_in, note_use
from db.session import Database
from readfirst.access.credentials import digest
from readfirst.access.roles import Role
from worklist.security.access_policy import AccessPolicy
from worklist.security.hosts import is_called_rightly
from worklist.security.principal import Principal, address_of, cookie_name, form_token


@dataclass(slots=True)
class Authenticator:
    """The decisions of one server."""

    database: Database
    policy: AccessPolicy
    #: Accounts are never removed: once there is one, a log-in is wanted for ever.
    _accounts_exist: bool = False

    def open_to_all(self) -> bool:
        """Return whether nobody has to log in: on loopback, while there is no account."""
        if self.policy.always or self._accounts_exist:
            return False
        with self.database.read() as session:
            self._accounts_exist = any_account(session)
        return not self._accounts_exist

    def is_called_rightly(self, host: str | None, *, open_to_all: bool) -> bool:
        """Return whether a Host header names this server."""
        return is_called_rightly(host, self.policy.hosts, open_to_all=open_to_all)

    def authenticate(
        self, request: Request, *, attended: bool, open_to_all: bool | None = None
    ) -> Principal | None:
        """Return the principal of a request; None for somebody who is not logged in.

        attended: whether the request shows that a person is there, and keeps the session alive.
        open_to_all: as `open_to_all` has said of this request; None asks it.
        """
        address = address_of(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        # Any other scheme is between the browser and a proxy.
        if scheme.lower() == "bearer":
            return self._program(token.strip(), address)
        if self.open_to_all() if open_to_all is None else open_to_all:
            return Principal(account=None, role=Role.ADMIN, address=address)
        secret = request.cookies.get(cookie_name(request))
        return self._person(secret, address, attended=attended) if secret else None

    def note_denied(self, principal: Principal, route: str) -> None:
        """Note that somebody asked for what their role may not."""
        with self.database.write() as session:
            note(session, principal.actor, AuditAction.DENIED, datetime.now(UTC), route=route)

    def _person(self, secret: str, address: str, *, attended: bool) -> Principal | None:
        now, kept = datetime.now(UTC), digest(secret)
        with self.database.read() as session:
            login = logged_in(session, kept, now, self.policy.lifetimes)
        if login is None:
            return None
        if login.stale and attended:
            with self.database.write() as session:
                note_use(session, kept, now)
                note_seen(session, login.account, now)
        return Principal(
            account=login.account,
            role=login.role,
            address=address,
            form_token=form_token(secret),
            language=login.language,
        )

    def _program(self, token: str, address: str) -> Principal | None:
        with self.database.read() as session:
            program = by_token(session, digest(token))
        if program is not None:
            self._note_seen(program)
            return Principal(account=program.name, role=Role.SERVICE, address=address)
        self._note_refused_token(address)
        return None

    def _note_seen(self, program: Program) -> None:
        """Not every request writes."""
        now = datetime.now(UTC)
        if program.last_seen_at is None or program.last_seen_at <= now - NOTED:
            with self.database.write() as session:
                note_seen(session, program.name, now)

    def _note_refused_token(self, address: str) -> None:
        """A token cannot be guessed; the limit is for the log, which must not be flooded."""
        now = datetime.now(UTC)
        with self.database.write() as session:
            if begin(session, token_key(address), now, self.policy.account_limit):
                note(session, Actor(None, address), AuditAction.TOKEN_REFUSED, now)
