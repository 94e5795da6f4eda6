"""Orthanc, a PACS of others, on loopback and with a folder of its own (Debian package orthanc)."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.support.ports import free_ports
from tests.support.requirements import require
from tests.support.waiting import wait_until

ORTHANC = "Orthanc"
DICOMWEB_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


class Orthanc:
    """A server that runs, by its REST API. dicom_port: of its listener; AE title ORTHANC."""

    def __init__(self, http_port: int, dicom_port: int) -> None:
        self.http_port = http_port
        self.dicom_port = dicom_port
        self._client = httpx2.Client(base_url=f"http://127.0.0.1:{http_port}", timeout=60)

    def is_up(self) -> bool:
        try:
            return self._client.get("/system").is_success
        except httpx2.TransportError:
            return False

    def store(self, path: Path) -> dict[str, Any]:
        answer = self._client.post("/instances", content=path.read_bytes())
        assert answer.is_success, answer.text
        return dict(answer.json())

    def find(self, level: str, **query: str) -> dict[str, Any]:
        """The only resource that matches, with its tags."""
        answer = self._client.post(
            "/tools/find", json={"Level": level, "Query": query, "Expand": True}
        )
        (resource,) = answer.json()
        return dict(resource)

    def instances(self, study: str) -> dict[str, str]:
        """SOP Class UIDs of a study's instances, by their SOP Instance UIDs."""
        answer = self._client.get(f"/studies/{study}/instances")
        classes = {}
        for instance in answer.json():
            tags = self._client.get(f"/instances/{instance['ID']}/simplified-tags").json()
            classes[tags["SOPInstanceUID"]] = tags["SOPClassUID"]
        return classes

    def close(self) -> None:
        self._client.close()


def with_dicomweb() -> dict[str, Any]:
    """The settings of DICOMweb at `/dicom-web`. Skips the test where there is none."""
    require("orthanc dicomweb", DICOMWEB_PLUGIN.is_file())
    return {
        "Plugins": [str(DICOMWEB_PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }


@contextmanager
def an_orthanc(folder: Path, config: Mapping[str, Any] | None = None) -> Iterator[Orthanc]:
    """Start a server, and end it. Skips the test where it is not installed.

    config: what it does besides.
    """
    program = shutil.which(ORTHANC) or shutil.which(ORTHANC, path="/usr/sbin")
    require("orthanc", program is not None)
    http_port, dicom_port = free_ports(2)
    path = folder / "orthanc.json"
    path.write_text(
        json.dumps(
            {
                "Name": "ORTHANC",
                "StorageDirectory": str(folder / "storage"),
                "IndexDirectory": str(folder / "storage"),
                "Plugins": [],
                "HttpPort": http_port,
                "DicomPort": dicom_port,
                "DicomAet": "ORTHANC",
                "RemoteAccessAllowed": False,
                "HttpBindAddresses": ["127.0.0.1"],
                "AuthenticationEnabled": False,
                "DefaultEncoding": "Utf8",
                "DicomAlwaysAllowEcho": True,
                "DicomAlwaysAllowStore": True,
                **(config or {}),
            }
        )
    )
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([str(program), path], stdout=log, stderr=log)
        server = Orthanc(http_port, dicom_port)
        try:
            wait_until(server.is_up)
            yield server
        finally:
            server.close()
            # Nobody reads its folder again, and to end takes it several seconds.
            process.kill()
            process.wait(60)
