"""All routes of the administrator: pages, and the same in the API."""

from fastapi import APIRouter, Depends

from worklist.admin import (
    accounts,
    audit,
    comparison,
    destinations,
    ensembles,
    rules,
    settings,
    status,
)
from worklist.admin.lead import acceptance, thresholds
from worklist.admin.ris import messages
from worklist.api import PREFIX
from worklist.http.problems import DOCUMENTED
from worklist.http.query_names import check_query_names

MODULES = (
    status,
    accounts,
    audit,
    rules,
    ensembles,
    comparison,
    thresholds,
    acceptance,
    destinations,
    messages,
    settings,
)


def _api() -> APIRouter:
    return APIRouter(
        prefix=f"{PREFIX}/admin",
        tags=["administration"],
        responses=DOCUMENTED,
        dependencies=[Depends(check_query_names)],
    )


pages, api, film_api = APIRouter(include_in_schema=False), _api(), _api()
for module in MODULES:
    pages.include_router(module.page)
    api.include_router(module.api)

router = APIRouter()
router.include_router(pages)
router.include_router(api)

#: The routes that take a film.
films = APIRouter()
films.include_router(rules.film_page, include_in_schema=False)
film_api.include_router(rules.film_api)
films.include_router(film_api)
