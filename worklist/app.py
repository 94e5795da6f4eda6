"""The page and the API of one ReadFirst: a FastAPI application over the database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.datastructures import State

from db.lifecycle.unit_of_work import site_policy
from db.migrate import upgrade
from db.session import open_database
from readfirst import DISCLAIMER, __version__
from readfirst.derived_images import DerivedImages
from readfirst.files.folders import make_home
from readfirst.settings import Settings
from worklist.admin import router as admin
from worklist.admin.explained_files import clear_explained
from worklist.admin.live_checks import Check, LiveChecks
from worklist.api import router as api
from worklist.api_document import document
from worklist.api_document import page as api_docs
from worklist.dicomweb import router as dicomweb
from worklist.dicomweb.study_objects import StudyObjects
from worklist.fhir import router as fhir
from worklist.http.language import LanguageMiddleware
from worklist.http.problems import add_problems
from worklist.http.static_files import STATIC, VersionedFiles
from worklist.observability import health, metrics
from worklist.pages import router as pages
from worklist.pages import thumbnails
from worklist.pages.account import account, language, login
from worklist.pages.problem_page import problem_page
from worklist.security.access_policy import access_policy
from worklist.security.authenticator import Authenticator
from worklist.security.policy import public
from worklist.security.protected_app import ProtectedApp, add_auth_middleware
from worklist.services.dependencies import Notifier
from worklist.services.originals import Originals
from worklist.services.renderer import Renderer
from worklist.services.streams import Streams
from worklist.upload_endpoints import form, stow
from worklist.upload_endpoints.endpoints import UploadEndpoints

#: Longest body of a request, in bytes, but for those that bring images.
SMALL_BODY = 64 * 1024


def make_app(
    settings: Settings, notify: Notifier = lambda _: None, checks: Sequence[Check] = ()
) -> FastAPI:
    """The application; the database is opened when it starts.

    notify: tells the workers that there is work; else they find it in their next sweep.
    checks: those of `readfirst doctor`, for the administrator's page.
    """
    app = ProtectedApp(
        title="ReadFirst",
        version=__version__,
        description=DISCLAIMER,
        lifespan=_lifespan,
        # The document is a route like any other, with its policy (`worklist.api_document`).
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        max_body_size=SMALL_BODY,
    )
    _fill_state(app.state, settings, notify)
    app.state.live_checks = LiveChecks(settings, checks)
    app.add_middleware(LanguageMiddleware)
    add_problems(app)
    _add_routes(app)
    document.add_document(app)
    add_auth_middleware(app, app.state.authenticator, settings, problem_page)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    settings: Settings = state.settings
    make_home(settings.home_path, to_write=settings.database_url is None)
    upgrade(state.database)
    clear_explained(settings.home_path)
    with state.upload_endpoints.opened():
        yield
    state.streams.close()
    state.renderer.close()
    state.dicomweb.close()
    state.database.dispose()


def _fill_state(state: State, settings: Settings, notify: Notifier) -> None:
    """Make the collaborators of routes, by the names of `worklist.services.dependencies`."""
    database, endpoints = open_database(settings.database), UploadEndpoints(settings)
    state.settings = settings
    state.notify = notify
    state.database = database
    state.lifecycle = site_policy(settings)
    state.authenticator = Authenticator(database, access_policy(settings))
    state.originals = Originals(database, settings)
    state.prepared = DerivedImages(settings.prepared_path)
    state.renderer = Renderer(settings)
    state.dicomweb = StudyObjects(database, settings)
    # For the server too, which ends them before it waits for the connections.
    state.streams = Streams(database, silent=settings.is_silent)
    state.upload_endpoints = endpoints
    state.upload_writer, state.dicomweb_writer = endpoints.upload, endpoints.dicomweb
    state.header_reader = endpoints.reader
    # Of the pages that links lead to, by their paths: `worklist.security.routes` fills it.
    state.page_policies = {}


def _add_routes(app: FastAPI) -> None:
    """Add every route, in the order in which they are tried and documented."""
    app.include_router(document.router)
    app.include_router(api_docs.router)
    app.mount("/static", public(VersionedFiles(directory=STATIC)), name="static")
    for module in (pages, api, dicomweb, fhir, admin, health, metrics):
        app.include_router(module.router)
    for module in (form, stow):
        app.include_router(module.router, max_body_size=app.state.upload_endpoints.most_bytes)
    app.include_router(admin.films, max_body_size=app.state.upload_endpoints.most_bytes)
    for module in (thumbnails, login, account, language):
        app.include_router(module.router)
