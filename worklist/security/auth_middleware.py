"""The middleware before every route: authentication, authorization and audit."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from db.access.audit import Actor
from db.disclosures import collecting
from readfirst.language.texts import gettext, speaking
from worklist.http.language import request_language
from worklist.http.problems import problem
from worklist.security.audit_middleware import AuditMiddleware, AuditRules
from worklist.security.authenticator import Authenticator
from worklist.security.csrf import SAFE_METHODS, is_own_page, names_no_page
from worklist.security.hosts import forwarding_header
from worklist.security.noted_of_late import NotedOfLate
from worklist.security.policy import PUBLIC, Policy
from worklist.security.principal import Principal, address_of, same
from worklist.security.responses import forbidden, not_logged_in, unavailable
from worklist.security.routes import matched_route
from worklist.security.session_expiry import SessionExpiry

NOT_CALLED_SO = (
    "This server is not called so. Whoever runs it can name it in READFIRST_HOSTS; and by "
    "`readfirst accounts add NAME --role admin` everybody has to log in."
)
BEHIND_A_PROXY = (
    "This came through a proxy (header {header}), and without an account only this machine may "
    "look. Make an account first: `readfirst accounts add NAME --role admin`."
)
NO_ACCESS = "Your role ({role}) has no access to this."


@dataclass(frozen=True, slots=True)
class Authorized:
    """A request that may go to its route. principal: None where everybody may."""

    policy: Policy | None
    principal: Principal | None
    parameters: Mapping[str, str]


class AuthMiddleware:
    """Middleware, outside the application's router."""

    def __init__(self, app: ASGIApp, application: FastAPI, authenticator: Authenticator) -> None:
        self.app = app
        self._application = application
        self._authenticator = authenticator
        self._noted_of_late = NotedOfLate()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        try:
            result = await self._authorize(request)
        except DBAPIError:
            result = unavailable()
        if isinstance(result, Response):
            await result(scope, receive, send)
            return
        request.state.principal = result.principal
        with collecting() as disclosures:
            request.state.disclosures = disclosures
            send = AuditMiddleware(
                self._authenticator.database,
                self._noted_of_late,
                _audit_rules(request, result),
                disclosures,
                request,
                receive,
                send,
            )
            if result.principal is not None:
                send = SessionExpiry(send, partial(self._is_still_valid, request, result.principal))
            await self.app(scope, receive, send)

    def _authenticate(self, request: Request, *, attended: bool) -> Principal | Response:
        """Return who sends a request, or the answer for somebody who is not let in."""
        # Asked once: it is a look into the database while there is no account.
        open_to_all = self._authenticator.open_to_all()
        host = request.headers.get("host")
        if not self._authenticator.is_called_rightly(host, open_to_all=open_to_all):
            return problem(421, NOT_CALLED_SO)
        if open_to_all and (proxy := forwarding_header(request.headers.keys())):
            return _denied(request, BEHIND_A_PROXY, header=proxy)
        principal = self._authenticator.authenticate(
            request, attended=attended, open_to_all=open_to_all
        )
        return principal or not_logged_in(request)

    async def _is_still_valid(self, request: Request, principal: Principal) -> bool:
        try:
            now = await run_in_threadpool(self._authenticator.authenticate, request, attended=False)
        except DBAPIError:
            return False
        before = (principal.account, principal.role)
        return now is not None and (now.account, now.role) == before

    async def _authorize(self, request: Request) -> Authorized | Response:
        """Return the leave to go to a route, or the answer for who has none."""
        if request.method not in SAFE_METHODS and not is_own_page(request.headers):
            return forbidden("A page of another site may not send this.")
        route = matched_route(self._application, request.scope)
        policy = route.policy if route else None
        parameters = route.parameters if route else {}
        if policy is not None and policy.least is None:
            return Authorized(policy, None, parameters)
        attended = policy is not None and policy.attended
        principal = await run_in_threadpool(self._authenticate, request, attended=attended)
        if isinstance(principal, Response):
            return principal
        # The page of an error shows who is logged in.
        request.state.principal = principal
        if route is not None and not (policy is not None and policy.allows(principal.role)):
            await run_in_threadpool(self._authenticator.note_denied, principal, route.name)
            return _denied(request, NO_ACCESS, role=principal.role)
        if principal.form_token and not _has_form_token(request, principal):
            return forbidden("This came from no page of this server (X-Form-Token).")
        return Authorized(policy, principal, parameters)


def _denied(request: Request, sentence: str, **values: str) -> Response:
    """Answer 403 with a sentence, in the language of whoever asked."""
    with speaking(request_language(request)):
        return forbidden(gettext(sentence).format(**values))


def _audit_rules(request: Request, authorized: Authorized) -> AuditRules:
    """Name who is noted, and as what. What is open to everybody is noted by its address."""
    policy, principal = authorized.policy or PUBLIC, authorized.principal
    if principal is None:
        address = address_of(request)
        return AuditRules(Actor(None, address), (address,), policy, authorized.parameters)
    return AuditRules(principal.actor, principal.viewer, policy, authorized.parameters)


def _has_form_token(request: Request, principal: Principal) -> bool:
    """Check the page's own token, where the browser does not say which page sent a request."""
    if request.method in SAFE_METHODS or not names_no_page(request.headers):
        return True
    return same(request.headers.get("x-form-token", ""), principal.form_token)
