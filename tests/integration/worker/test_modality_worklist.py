"""The Modality Worklist is asked for orders that no message brought: DCMTK's wlmscpfs."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from sqlalchemy import select

from db.session import Database
from db.tables import OrderQuery, OrderRow, Study
from ingest.pacs.modality_worklist import (
    MODALITY_WORKLIST,
    WorklistPeer,
    find_orders,
    worklist_order,
    worklist_peer,
)
from readfirst.errors import SourceUnavailable
from readfirst.settings import Settings
from tests.support.dcmtk import needs_dcmtk, tool
from tests.support.hl7 import an_order_message, services
from tests.support.ports import free_port
from tests.support.studies import a_header, an_image
from tests.support.waiting import TIMEOUT, wait_until
from worker.ris.ask_worklist import ask_next
from worker.ris.take_message import take_message

TITLE = "WORKLIST"
NOW = datetime.now(UTC)


def an_entry(accession: str, **attributes: str) -> Dataset:
    """An entry of a worklist."""
    step = Dataset()
    step.Modality, step.ScheduledStationAETitle = "DX", "ROOM-1"
    step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime = "20260301", "0800"
    entry = Dataset()
    entry.SpecificCharacterSet = "ISO_IR 192"
    entry.AccessionNumber = accession
    entry.PatientID, entry.PatientName = "P1", "Núñez^Ana"
    entry.PatientBirthDate, entry.PatientSex = "19800101", "F"
    entry.StudyInstanceUID, entry.RequestedProcedureID = "1.2.3", "RP1"
    entry.RequestedProcedureDescription = "Chest 2 views"
    entry.ReasonForTheRequestedProcedure = "Cough"
    entry.CurrentPatientLocation = "ICU"
    entry.RequestedProcedurePriority = "STAT"
    entry.ScheduledProcedureStepSequence = [step]
    for keyword, value in attributes.items():
        setattr(entry, keyword, value)
    return entry


def write(folder: Path, number: int, entry: Dataset) -> None:
    entry.file_meta = FileMetaDataset()
    entry.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    entry.file_meta.MediaStorageSOPClassUID = MODALITY_WORKLIST
    entry.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.{number}")
    entry.save_as(folder / f"{number}.wl", enforce_file_format=True)


@contextmanager
def a_worklist(folder: Path, port: int, *entries: Dataset) -> Iterator[None]:
    """DCMTK's Modality Worklist SCP, which serves files of a folder."""
    files = folder / TITLE
    files.mkdir(parents=True, exist_ok=True)
    (files / "lockfile").touch()
    for number, entry in enumerate(entries):
        write(files, number, entry)
    command = [tool("wlmscpfs"), "-dfr", "-csk", "-dfp", str(folder), str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(port))
        yield
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.fixture
def peer() -> WorklistPeer:
    return WorklistPeer(
        host="127.0.0.1", port=free_port(), ae_title=TITLE, calling_ae_title="READFIRST"
    )


def film(database: Database, accession: str | None, patient_id: str = "P1") -> None:
    header = a_header(accession_number=accession, patient_id=patient_id)
    with database.write() as session:
        an_image(session, NOW, study=f"1.{(accession or 'A0')[1:]}", header=header)


def ask(database: Database, peer: WorklistPeer, at: datetime = NOW) -> bool:
    return ask_next(services(database).units, peer, at)


def stat(database: Database) -> dict[str, bool]:
    with database.read() as session:
        return {row.study_instance_uid: row.stat for row in session.scalars(select(Study))}


@needs_dcmtk
def test_an_entry_is_found_by_its_accession_number(peer: WorklistPeer, tmp_path: Path) -> None:
    others = [an_entry(f"B{number}") for number in range(3)]
    with a_worklist(tmp_path, peer.port, an_entry("A1"), *others):
        (order,) = find_orders(peer, "A1")
        assert find_orders(peer, "A2") == []
    assert (order.priority, order.is_urgent) == ("STAT", True)
    assert (order.indication, order.ward) == ("Cough", "ICU")
    assert (order.patient.patient_id, order.patient.patient_name) == ("P1", "Núñez^Ana")


@needs_dcmtk
def test_a_new_study_without_an_order_is_asked_for_once(
    database: Database, peer: WorklistPeer, tmp_path: Path
) -> None:
    for accession in ("A1", "A2", "A3", None):
        film(database, accession)
    take_message(services(database), an_order_message("A3", pid="PID|1||P1"))
    with a_worklist(tmp_path, peer.port, an_entry("A1")):
        queries = [ask(database, peer) for _ in range(4)]
    assert queries == [True, True, False, False], "A3 has an order, and one has no number"
    assert stat(database) == {"1.1": True, "1.2": False, "1.3": False, "1.0": False}
    with database.read() as session:
        assert session.scalars(select(OrderRow.ward).where(OrderRow.accession_number == "A1")).all()


@needs_dcmtk
def test_the_entry_of_another_patient_changes_nothing(
    database: Database, peer: WorklistPeer, tmp_path: Path
) -> None:
    film(database, "A1", patient_id="P2")
    with a_worklist(tmp_path, peer.port, an_entry("A1")):
        assert ask(database, peer)
    assert stat(database) == {"1.1": False}
    assert not ask(database, peer)


@needs_dcmtk
def test_a_worklist_that_is_down_stops_nothing_and_is_asked_again(
    database: Database, peer: WorklistPeer, tmp_path: Path
) -> None:
    film(database, "A1")
    film(database, "A2")
    assert ask(database, peer)
    assert not ask(database, peer), "while it is down, it is not asked for the next one"
    with database.read() as session:
        row = session.scalars(select(OrderQuery)).one()
    assert "nothing listens" in (row.last_error or "")
    later = NOW + timedelta(hours=1)
    with a_worklist(tmp_path, peer.port, an_entry("A1")):
        assert [ask(database, peer, later) for _ in range(3)] == [True, True, False]
    assert stat(database) == {"1.1": True, "1.2": False}


def test_a_study_of_long_ago_is_not_asked_for(database: Database, peer: WorklistPeer) -> None:
    film(database, "A1")
    assert not ask(database, peer, NOW + timedelta(days=2))


def test_where_nothing_listens_it_says_so(peer: WorklistPeer) -> None:
    with pytest.raises(SourceUnavailable, match="nothing listens at this port"):
        find_orders(peer, "A1")


@pytest.mark.parametrize(
    ("priority", "urgent"), [("STAT", True), ("HIGH", True), ("ROUTINE", False), ("", False)]
)
def test_the_priorities_of_dicom_are_known(priority: str, urgent: bool) -> None:
    entry = an_entry("A1", RequestedProcedurePriority=priority)
    order = worklist_order(entry, "A1", ())
    assert order is not None
    assert order.is_urgent is urgent
    assert worklist_order(entry, "A2", ()) is None


def test_without_a_host_none_is_asked() -> None:
    assert worklist_peer(Settings()) is None
    peer = worklist_peer(Settings(mwl_host="ris.example", hl7_urgent=("x",)))
    assert peer is not None
    assert replace(peer, urgent=frozenset()) == WorklistPeer(
        host="ris.example", port=104, ae_title="WORKLIST", calling_ae_title="READFIRST"
    )
    assert peer.urgent == {"X"}
