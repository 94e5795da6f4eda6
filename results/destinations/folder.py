"""Destinations of the kind `folder`: files, which a gateway or a script takes from there."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from pydantic import Field

from readfirst.destinations.forms import Form
from readfirst.files.folders import os_fault
from readfirst.language.texts import gettext
from results.destinations.kind import AbsolutePath, Address, DestinationKind, SendingFailed
from results.destinations.outgoing import DICOM_FORMS, MESSAGE_FORMS, OutgoingObject
from results.folder import write_result


class FolderAddress(Address):
    """The address of a folder of this machine, or of a share that is mounted."""

    path: AbsolutePath = Field(
        description="Folder, which must be there: each object is a file `STUDY/FORM-UID.dcm`, each "
        "message one of `.hl7` or `.json`."
    )


class FolderConnection:
    """A folder that is there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, objects: Sequence[OutgoingObject]) -> None:
        """Write the objects, each whole or not at all; the same again takes its own place."""
        try:
            for each in objects:
                write_result(each.content, self._path)
        except OSError as error:
            raise SendingFailed(_fault(error, self._path)) from error


@contextmanager
def connect(address: FolderAddress) -> Iterator[FolderConnection]:
    """Reach a folder. It is never made: a share that is not mounted would be written beside."""
    if not address.path.is_dir():
        raise SendingFailed(
            f"The folder {address.path} is not there. Make it, or mount the share it is on."
        )
    yield FolderConnection(address.path)


def test(address: FolderAddress, forms: Sequence[Form]) -> str:  # noqa: ARG001 - it takes all
    """Write a file into the folder, and remove it."""
    with connect(address):
        try:
            with NamedTemporaryFile(dir=address.path, prefix=".readfirst-test-") as file:
                file.write(b"ReadFirst")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SendingFailed(_fault(error, address.path)) from error
    return gettext("A file can be written into {folder}.").format(folder=address.path)


def _fault(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"There is no room left at {folder}. Make room; the rest is sent by itself."
    return os_fault(error) if error.filename else f"{folder} cannot be written: {error.strerror}."


FOLDER = DestinationKind(
    name="folder",
    title="Folder",
    address=FolderAddress,
    forms=DICOM_FORMS + MESSAGE_FORMS,
    connect=connect,
    test=test,
)
