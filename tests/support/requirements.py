"""The needs of some tests beyond the Python packages.

A test calls `require("chromium", is_here)`. Where the thing is missing it is skipped, and the
reason says what to install. With READFIRST_STRICT=1, as in CI, it fails instead: so nothing is
green because it did not run. That goes for every other skip too.

Two things may be missing even then. The training data are large and not in the repository, so a
fresh clone has none. The queue of file events that some kernels have is too long to be filled by
a test.
"""

import os
from typing import Final, NoReturn

import pytest

REASONS: Final = {
    "chromium": "no Chromium here (Debian package chromium-headless-shell, or chromium)",
    "whole chromium": "no Chromium here that notifies people (Debian package chromium)",
    "dcmtk": "DCMTK's tools are not here (Debian package dcmtk)",
    "dicom tools": "dciodvfy and tid1500reader are not here (packages dicom3tools and dcmqi)",
    "ohif": "OHIF is not here (`make node_modules/.ohif/ready`, from the npm registry)",
    "orthanc": "Orthanc is not here (Debian package orthanc)",
    "orthanc dicomweb": "Orthanc's DICOMweb is not here (Debian package orthanc-dicomweb)",
    "devices": "only root makes devices, and not everywhere",
    "another user": "only root gives files to another user, and acts as one",
    "mounts": "no file system can be mounted here: only root may, and not everywhere",
    "root": "only root may act as another user",
    "training data": "the training data are not here; READFIRST_TRAINING_DATA names their folder",
    "short event queue": "this kernel holds too many events to be filled quickly",
}
#: Things that no machine is promised to have.
MAY_BE_MISSING: Final = ("training data", "short event queue")


def is_strict() -> bool:
    """Say whether a skip is a failure."""
    return os.environ.get("READFIRST_STRICT") == "1"


def require(thing: str, is_here: bool) -> None:
    """Skip the test if a thing is not here. When strict, fail unless it may be missing."""
    if not is_here:
        _give_up(thing)


def _give_up(thing: str) -> NoReturn:
    pytest.skip(REASONS[thing])


def as_failure(reason: str) -> str | None:
    """Return why a skip is a failure now; None if it is none.

    >>> as_failure("Skipped: " + REASONS["training data"]) is None
    True
    """
    if not is_strict() or any(REASONS[thing] in reason for thing in MAY_BE_MISSING):
        return None
    return f"skipped, which READFIRST_STRICT=1 forbids: {reason.removeprefix('Skipped: ')}"
