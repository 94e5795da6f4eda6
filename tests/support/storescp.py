"""DCMTK's storescp as a PACS that can be ended and begun again on the same port."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydicom import dcmread

from tests.support.dcmtk import tool
from tests.support.ports import listens
from tests.support.requirements import require
from tests.support.waiting import wait_until


@contextmanager
def storescp(port: int, folder: Path, *options: str | os.PathLike[str]) -> Iterator[None]:
    """Run a storescp, AE title PACS, which keeps what it gets in a folder."""
    program = tool("storescp")
    require("dcmtk", shutil.which(program) is not None)
    folder.mkdir(exist_ok=True)
    command = [program, "-aet", "PACS", "-od", folder, *options, str(port)]
    with (folder.parent / "storescp.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: listens(port))
        yield
    finally:
        process.terminate()
        process.wait(60)


def modalities(folder: Path) -> list[str]:
    """The modalities of what a PACS got, in alphabetical order."""
    return sorted(str(dcmread(path).Modality) for path in folder.iterdir() if path.is_file())
