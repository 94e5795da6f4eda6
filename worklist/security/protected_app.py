"""An application with the authentication middleware before all of it."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from readfirst.settings import Settings
from worklist.http import DICOMWEB_ROOT
from worklist.http.charsets import KnownCharsets
from worklist.http.cors import CrossOrigin
from worklist.http.fhir_outcomes import FhirOutcomes
from worklist.http.head import HeadAsGet
from worklist.http.problem_pages import ProblemPages, Renderer
from worklist.security.auth_middleware import AuthMiddleware
from worklist.security.authenticator import Authenticator
from worklist.security.headers import SecurityHeaders


class ProtectedApp(FastAPI):
    """An application with something before all of it, its own limits and error pages too."""

    before: Callable[[ASGIApp], ASGIApp] | None = None

    def build_middleware_stack(self) -> ASGIApp:
        """Return the application that answers a request."""
        inner = super().build_middleware_stack()
        return self.before(inner) if self.before else inner


def add_auth_middleware(
    app: ProtectedApp, authenticator: Authenticator, settings: Settings, problem_page: Renderer
) -> None:
    """Put authentication and the security headers before every route.

    problem_page: makes the page of an error, for people.
    """

    def before(inner: ASGIApp) -> ASGIApp:
        authenticated = KnownCharsets(AuthMiddleware(inner, app, authenticator))
        guarded = SecurityHeaders(ProblemPages(FhirOutcomes(authenticated), problem_page))
        outer: ASGIApp = HeadAsGet(guarded)
        if settings.dicomweb_origins:
            # Pages of other origins may read these paths, where the site names them.
            outer = CrossOrigin(outer, f"{DICOMWEB_ROOT}/", settings.dicomweb_origins)
        if settings.trusted_proxies:
            # Its types are uvicorn's own spelling of the same protocol.
            return ProxyHeadersMiddleware(outer, list(settings.trusted_proxies))  # type: ignore
        return outer

    app.before = before
