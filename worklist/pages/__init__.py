"""What people look at in a browser: HTML, by the same queries as the API."""

from fastapi import FastAPI

from db.session import Database
from readfirst.settings import Settings
from worklist.api.images import Renderer
from worklist.pages.attributes import add_attributes_page
from worklist.pages.film import add_film_page
from worklist.pages.refused import add_refused_page
from worklist.pages.study import add_study_page
from worklist.pages.watching import add_watching_page
from worklist.pages.worklist import add_worklist_page


def add_pages(app: FastAPI, database: Database, settings: Settings, renderer: Renderer) -> None:
    """Add every page."""
    add_worklist_page(app, database, settings)
    add_refused_page(app, database, settings)
    add_film_page(app, database)
    add_study_page(app, database, settings)
    add_attributes_page(app, database, settings, renderer)
    add_watching_page(app, database, settings)
