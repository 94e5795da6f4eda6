"""All routes of the administrator: pages, and the same in the API."""

from fastapi import APIRouter, Depends

from worklist.admin import accounts, audit, settings, status
from worklist.api import PREFIX
from worklist.http.problems import DOCUMENTED
from worklist.http.query_names import check_query_names

MODULES = (status, accounts, audit, settings)

pages = APIRouter(include_in_schema=False)
api = APIRouter(
    prefix=f"{PREFIX}/admin",
    tags=["administration"],
    responses=DOCUMENTED,
    dependencies=[Depends(check_query_names)],
)
for module in MODULES:
    pages.include_router(module.page)
    api.include_router(module.api)

router = APIRouter()
router.include_router(pages)
router.include_router(api)
