"""All routes of the read side of DICOMweb, beside those of STOW-RS."""

from fastapi import APIRouter

from worklist.dicomweb import pixels, retrieve, search
from worklist.dicomweb.documents import COMMON
from worklist.http.problems import DOCUMENTED

#: As that of STOW-RS, so that a client needs one address.
PREFIX = "/dicom-web"

router = APIRouter(prefix=PREFIX, tags=["DICOMweb"], responses=DOCUMENTED | COMMON)
for module in (search, retrieve, pixels):
    router.include_router(module.router)
