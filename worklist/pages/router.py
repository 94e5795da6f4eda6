"""All routes of the pages; none of them is in the API's document."""

from fastapi import APIRouter

from worklist.pages import model_card, refused
from worklist.pages.list import page as list_page
from worklist.pages.list import saved_filters
from worklist.pages.monitoring import night as night_page
from worklist.pages.monitoring import page as monitoring_page
from worklist.pages.studies import acknowledgement, attributes, film, preview, priors, readers
from worklist.pages.studies import page as study_page

MODULES = (
    list_page,
    saved_filters,
    refused,
    film,
    preview,
    study_page,
    priors,
    readers,
    acknowledgement,
    attributes,
    monitoring_page,
    night_page,
    model_card,
)

router = APIRouter(include_in_schema=False)
for module in MODULES:
    router.include_router(module.router)
