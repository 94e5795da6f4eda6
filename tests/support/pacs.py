"""Archives of others that films are fetched from, on loopback: DCMTK's dcmqrscp, and Orthanc."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.uid import generate_uid
from pynetdicom import AE
from pynetdicom.presentation import build_context

from db.session import Database
from ingest.inbox.inbox_writer import InboxWriter
from ingest.pacs.client import ClientConfig, PacsClient
from ingest.pacs.open_client import open_client
from ingest.receivers.listener import listening
from ingest.receivers.listener_config import ListenerConfig
from readfirst.pacs.source import PacsSource, Retrieval
from tests.support.dcmtk import tool
from tests.support.files import a_dataset, a_gradient, dicom_bytes
from tests.support.orthanc import an_orthanc, with_dicomweb
from tests.support.ports import free_port, listens
from tests.support.requirements import require
from tests.support.waiting import TIMEOUT, wait_until
from worker.pacs.services import FetchServices

MEGABYTE = 1024 * 1024
TITLE = "READFIRST"


def a_film(**attributes: Any) -> bytes:
    """The file of a film, as small as one can be that is a film."""
    dataset = a_dataset(a_gradient(), **attributes)
    return dicom_bytes(dataset)


def store(port: int, title: str, path: Path) -> None:
    """Send a file to a PACS (C-STORE)."""
    dataset = dcmread(path)
    ae = AE("MODALITY")
    syntax = dataset.file_meta.TransferSyntaxUID
    contexts = [build_context(dataset.SOPClassUID, syntax)]
    association = ae.associate("127.0.0.1", port, contexts, title)
    assert association.is_established
    assert association.send_c_store(dataset).Status == 0
    association.release()


@dataclass
class Pacs:
    """A PACS that can be switched off and on.

    source: how ReadFirst reaches it. store: gives it a film.
    """

    source: PacsSource
    store: Callable[[Path], object]
    start: Callable[[], None] = field(default=lambda: None)
    stop: Callable[[], None] = field(default=lambda: None)

    def add_film(self, folder: Path, **attributes: Any) -> str:
        """Let it have one more film, which lies in a folder on its way; its study."""
        study = str(attributes.setdefault("StudyInstanceUID", generate_uid()))
        path = folder / "film.dcm"
        path.write_bytes(a_film(**{"StudyID": "1"} | attributes))
        self.store(path)
        return study


class Dcmqrscp:
    """DCMTK's archive of files and an index: a process for each association."""

    def __init__(self, folder: Path, listener_port: int) -> None:
        require("dcmtk", tool("dcmqrscp") != "dcmqrscp")
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "dcmqrscp.log"
        self._config = folder / "dcmqrscp.cfg"
        storage = folder / "storage"
        storage.mkdir()
        self._config.write_text(
            f"NetworkTCPPort = {self.port}\n"
            "MaxPDUSize = 16384\n"
            "MaxAssociations = 16\n"
            "HostTable BEGIN\n"
            f"readfirst = ({TITLE}, 127.0.0.1, {listener_port})\n"
            "HostTable END\n"
            "VendorTable BEGIN\nVendorTable END\n"
            f"AETable BEGIN\nPACS {storage} RW (1000, 1024mb) ANY\nAETable END\n"
        )

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [tool("dcmqrscp"), "-c", str(self._config)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(lambda: listens(self.port))

    def stop(self) -> None:
        """Switch it off, as a power cut does."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(TIMEOUT)
            self._process = None


@contextmanager
def a_dcmqrscp(folder: Path, retrieval: Retrieval, listener_port: int) -> Iterator[Pacs]:
    """An archive of DCMTK, by C-GET or C-MOVE."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Dcmqrscp(folder, listener_port)
    source = PacsSource(
        name="archive", retrieval=retrieval, host="127.0.0.1", port=server.port, ae_title="PACS"
    )
    server.start()
    try:
        yield Pacs(source, lambda path: store(server.port, "PACS", path), server.start, server.stop)
    finally:
        server.stop()


@contextmanager
def an_orthanc_pacs(folder: Path, retrieval: Retrieval, listener_port: int) -> Iterator[Pacs]:
    """An Orthanc, by DIMSE or DICOMweb."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        **with_dicomweb(),
        "DicomModalities": {"readfirst": [TITLE, "127.0.0.1", listener_port]},
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowMove": True,
        "SynchronousCMove": True,
    }
    with an_orthanc(folder, config) as server:
        if retrieval is Retrieval.DICOMWEB:
            url = f"http://127.0.0.1:{server.http_port}/dicom-web"
            source = PacsSource(name="orthanc", retrieval=retrieval, url=url)
        else:
            source = PacsSource(
                name="orthanc",
                retrieval=retrieval,
                host="127.0.0.1",
                port=server.dicom_port,
                ae_title="ORTHANC",
            )
        yield Pacs(source, server.store)


OpenPacs = Callable[[Path, Retrieval, int], AbstractContextManager[Pacs]]
#: Each kind of archive by each way in which its films come.
KINDS: dict[str, tuple[OpenPacs, Retrieval]] = {
    "dcmqrscp-get": (a_dcmqrscp, Retrieval.C_GET),
    "dcmqrscp-move": (a_dcmqrscp, Retrieval.C_MOVE),
    "orthanc-get": (an_orthanc_pacs, Retrieval.C_GET),
    "orthanc-move": (an_orthanc_pacs, Retrieval.C_MOVE),
    "orthanc-web": (an_orthanc_pacs, Retrieval.DICOMWEB),
}


@contextmanager
def a_listener_of(inbox: Path) -> Iterator[int]:
    """Our listener, to which C-MOVE sends; its port."""
    config = ListenerConfig(
        host="127.0.0.1",
        port=0,
        ae_title=TITLE,
        calling=(),
        peers=(),
        associations=8,
        most_bytes=100 * MEGABYTE,
    )
    with listening(config, InboxWriter(inbox, "dicom", lambda: True)) as listener:
        yield listener.port


def a_config(inbox: Path, *, has_room: bool = True) -> ClientConfig:
    """The site's side, into an inbox of its own."""
    writer = InboxWriter(inbox, "pacs", lambda: has_room)
    writer.prepare()
    return ClientConfig(ae_title=TITLE, most_bytes=100 * MEGABYTE, inbox_writer=writer)


def fetch_services(database: Database, inbox: Path, **changes: Any) -> FetchServices:
    """The needs of whoever fetches films, into an inbox of its own."""
    config = a_config(inbox)

    def opened(source: PacsSource, stop: threading.Event) -> PacsClient:
        return open_client(source, config, stop)

    return FetchServices(database=database, open_client=opened, **changes)


def in_inbox(inbox: Path) -> list[str]:
    """The SOP Instance UIDs of what lies in the inbox, each as often as it does, in order."""
    paths = (path for path in inbox.glob("*/*") if not path.parent.name.startswith("."))
    return sorted(str(dcmread(path).SOPInstanceUID) for path in paths)
