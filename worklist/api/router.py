"""All routes of the API, in the order in which its document names them."""

from fastapi import APIRouter, Depends

from worklist.api import (
    PREFIX,
    events,
    heat_maps,
    images,
    inbox,
    model_cards,
    monitoring,
    nights,
    refusals,
    studies,
    verdicts,
    worklist,
)
from worklist.http.problems import DOCUMENTED
from worklist.http.query_names import check_query_names

MODULES = (
    worklist,
    studies,
    images,
    heat_maps,
    model_cards,
    verdicts,
    refusals,
    inbox,
    monitoring,
    nights,
    events,
)

router = APIRouter(prefix=PREFIX, responses=DOCUMENTED, dependencies=[Depends(check_query_names)])
for module in MODULES:
    router.include_router(module.router)
