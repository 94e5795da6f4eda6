"""The API, version 1: the same queries as the page and the command line, for programs."""

from fastapi import APIRouter, FastAPI

from db.session import Database
from readfirst.prepared import PreparedImages
from readfirst.settings import Settings
from worklist.api.events import Streams, add_events
from worklist.api.heat_maps import Ring, add_heat_maps
from worklist.api.images import Renderer, add_api_images
from worklist.api.inbox import add_inbox
from worklist.api.problems import DOCUMENTED
from worklist.api.refusals import add_refusals
from worklist.api.studies import add_studies
from worklist.api.verdicts import add_verdicts
from worklist.api.watching import add_watching
from worklist.api.worklist import add_worklist

#: Whatever changes in a way that breaks a program gets another prefix.
PREFIX = "/api/v1"


def add_api(
    app: FastAPI,
    database: Database,
    settings: Settings,
    renderer: Renderer,
    streams: Streams,
    ring: Ring,
) -> None:
    """Add the routes of the API to the application. ring: as in `worklist.app.make_app`."""
    router = APIRouter(prefix=PREFIX, responses=DOCUMENTED)
    add_worklist(router, database, settings)
    add_studies(router, database, settings)
    add_api_images(router, database, settings, renderer)
    add_heat_maps(router, database, PreparedImages(settings.prepared_path), ring)
    add_verdicts(router, database, settings)
    add_refusals(router, database)
    add_inbox(router, database)
    add_watching(router, database, settings)
    add_events(router, streams)
    app.include_router(router)
