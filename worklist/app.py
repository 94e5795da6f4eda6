"""The page and the API of one ReadFirst: a FastAPI application over the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from db.migrate import upgrade
from db.session import open_database
from readfirst import DISCLAIMER, __version__
from readfirst.prepared import PreparedImages
from readfirst.settings import Settings
from worklist.api import PREFIX, add_api
from worklist.api.document import add_document
from worklist.api.events import Streams
from worklist.api.heat_maps import Ring
from worklist.api.images import Renderer
from worklist.api.problems import add_problems
from worklist.images import add_images
from worklist.metrics import add_metrics
from worklist.operation import add_operation
from worklist.pages import add_pages
from worklist.security.access import GuardedApp, add_access
from worklist.ways_in import WaysIn

STATIC = Path(__file__).parent / "static"
#: Longest body of a request, in bytes, but for those that bring images.
SMALL_BODY = 64 * 1024


def make_app(settings: Settings, ring: Ring = lambda: None) -> FastAPI:
    """The application; the database is opened when it starts.

    ring: tells the workers that a heat map is wanted. Without it they find it in their next sweep.
    """
    database = open_database(settings.database)
    ways_in, renderer, streams = WaysIn(settings), Renderer(settings), Streams(database)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        settings.home_path.mkdir(parents=True, exist_ok=True)
        upgrade(database)
        with ways_in.opened():
            yield
        streams.close()
        renderer.close()
        database.dispose()

    app = GuardedApp(
        title="ReadFirst",
        version=__version__,
        description=DISCLAIMER,
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        max_body_size=SMALL_BODY,
    )
    add_problems(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    add_pages(app, database, settings, renderer)
    add_api(app, database, settings, renderer, streams, ring)
    add_operation(app, database, settings)
    add_metrics(app, database, settings)
    ways_in.add_to(app)
    add_images(app, PreparedImages(settings.prepared_path))
    add_document(app)
    add_access(app, database, settings)
    # For the server, which ends them before it waits for the connections.
    app.state.streams = streams
    return app
