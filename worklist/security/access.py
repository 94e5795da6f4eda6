"""Puts the guard before an application, and the log-in into it."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from db.session import Database
from readfirst.settings import Settings
from worklist.security.account import add_account
from worklist.security.gate import Gate
from worklist.security.guard import Guard
from worklist.security.headers import SecurityHeaders
from worklist.security.login import add_login
from worklist.security.terms import access_terms


class GuardedApp(FastAPI):
    """An application with something before all of it, its own limits and error pages too."""

    before: Callable[[ASGIApp], ASGIApp] | None = None

    def build_middleware_stack(self) -> ASGIApp:
        """What answers a request."""
        inner = super().build_middleware_stack()
        return self.before(inner) if self.before else inner


def add_access(app: GuardedApp, database: Database, settings: Settings) -> None:
    """Add log-in, log-out and the own account, and what stands before every route."""
    gate = Gate(database, access_terms(settings))
    add_login(app, gate)
    add_account(app, gate)

    def before(inner: ASGIApp) -> ASGIApp:
        outer: ASGIApp = SecurityHeaders(Guard(inner, app, gate))
        if settings.trusted_proxies:
            # Its types are uvicorn's own spelling of the same protocol.
            return ProxyHeadersMiddleware(outer, list(settings.trusted_proxies))  # type: ignore
        return outer

    app.before = before
