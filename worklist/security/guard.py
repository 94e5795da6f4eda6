"""The guard before every route: who asks, whether they may, and what is noted of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from worklist.api.problems import problem
from worklist.security.answers import forbidden, not_logged_in, unavailable
from worklist.security.foreign import SAFE_METHODS, is_own_page, names_no_page
from worklist.security.gate import Gate
from worklist.security.lasting import Lasting
from worklist.security.noting import Noting, View
from worklist.security.routes import KnownRoute, meant, routes_of
from worklist.security.rules import RULES, Rule
from worklist.security.visitor import Visitor, same


@dataclass(frozen=True, slots=True)
class Passage:
    """Somebody on the way to a route. who: None where everybody may go."""

    rule: Rule | None
    who: Visitor | None
    parameters: Mapping[str, str]


class Guard:
    """Middleware, outside the application's router."""

    def __init__(self, app: ASGIApp, application: FastAPI, gate: Gate) -> None:
        self.app = app
        self._application = application
        self._gate = gate
        self._routes: list[KnownRoute] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        try:
            outcome = await self._let_in(request)
        except DBAPIError:
            outcome = unavailable()
        if isinstance(outcome, Response):
            await outcome(scope, receive, send)
            return
        request.state.visitor = outcome.who
        if outcome.who is not None and outcome.rule is not None and outcome.rule.noted:
            view = View(outcome.who.actor, outcome.rule.noted, outcome.parameters)
            send = Noting(self._gate.database, view, request, receive, send)
        if outcome.who is not None:
            send = Lasting(send, partial(self._still_in, request, outcome.who))
        await self.app(scope, receive, send)

    def _asked_by(self, request: Request, *, attended: bool) -> Visitor | Response:
        """Who asks, or why nobody who asks like this is let in."""
        if not self._gate.is_called_rightly(request.headers.get("host")):
            return problem(421, "This server is not called so; see READFIRST_HOSTS.")
        return self._gate.visitor(request, attended=attended) or not_logged_in(request)

    async def _still_in(self, request: Request, who: Visitor) -> bool:
        try:
            now = await run_in_threadpool(self._gate.visitor, request, attended=False)
        except DBAPIError:
            return False
        return now is not None and (now.account, now.role) == (who.account, who.role)

    async def _let_in(self, request: Request) -> Passage | Response:
        """Somebody on their way, or what they are told instead."""
        if request.method not in SAFE_METHODS and not is_own_page(request.headers):
            return forbidden("A page of another site may not send this.")
        self._routes = self._routes or routes_of(self._application)
        route = meant(self._routes, request.method, request.scope["path"])
        rule = RULES.get(route.name) if route else None
        if rule is not None and rule.least is None:
            return Passage(rule, None, route.parameters if route else {})
        attended = rule is not None and rule.attended
        who = await run_in_threadpool(self._asked_by, request, attended=attended)
        if isinstance(who, Response):
            return who
        if route is not None and not _may(who, rule):
            await run_in_threadpool(self._gate.note_denied, who, route.name)
            return forbidden(f"This is not for the role {who.role}.")
        if who.form_token and not _meant_it(request, who):
            return forbidden("This came from no page of this server (X-Form-Token).")
        return Passage(rule, who, route.parameters if route else {})


def _may(who: Visitor, rule: Rule | None) -> bool:
    """Whether a role is enough. A route without a rule is for nobody."""
    return rule is not None and rule.least is not None and who.role.may(rule.least)


def _meant_it(request: Request, who: Visitor) -> bool:
    """Where the browser does not say which page sent this, the page's own token must."""
    if request.method in SAFE_METHODS or not names_no_page(request.headers):
        return True
    return same(request.headers.get("x-form-token", ""), who.form_token)
