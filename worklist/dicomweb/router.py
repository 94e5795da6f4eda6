"""All routes of the read side of DICOMweb, beside those of STOW-RS."""

from fastapi import APIRouter

from worklist.dicomweb import pixels, retrieve, search, search_all
from worklist.dicomweb.documents import COMMON
from worklist.http import DICOMWEB_ROOT
from worklist.http.problems import DOCUMENTED

router = APIRouter(prefix=DICOMWEB_ROOT, tags=["DICOMweb"], responses=DOCUMENTED | COMMON)
for module in (search, search_all, retrieve, pixels):
    router.include_router(module.router)
