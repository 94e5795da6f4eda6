"""A study's whole way through a hospital, between a modality, a PACS and a RIS of others.

An order comes in, then the film, by C-STORE; it is scored; report and flag go to the PACS
(Orthanc), a message to the RIS (`hl7`); the RIS's report closes the study. Then twice more, while
processes are killed between the steps: the HL7 listener once it has taken the order, of which no
other knows yet, and all of them after each further step. The page takes no part in it, and is not
started (`test_supervisor.py` kills it).
"""

import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pydicom
import pytest
from pydicom.uid import ComprehensiveSRStorage, KeyObjectSelectionDocumentStorage, generate_uid

from readfirst.samples import FOLDER
from tests.chaos.test_processes import sent_by_dicom
from tests.support.dcmtk import HAS_DCMTK
from tests.support.environments import clean_environment
from tests.support.hl7 import Sender, an_order_message
from tests.support.hl7_receiver import Hl7Receiver, acknowledges, an_hl7_receiver
from tests.support.orthanc import Orthanc, an_orthanc
from tests.support.requirements import require
from tests.support.small_ensemble import write_small_ensemble
from tests.support.stack import (
    part_of_stack,
    rows,
    run_here,
    running,
    selected,
    time_passes,
    wait_for,
)

pytestmark = pytest.mark.stack
#: Samples that the small ensemble flags.
FILMS = {"A-ONE": "study-07.dcm", "A-TWO": "study-08.dcm", "A-THREE": "study-07.dcm"}


@dataclass(frozen=True)
class OrderedStudy:
    """A study that is to come: its film, and its patient as a PID segment."""

    accession: str
    film: Path
    uid: str
    pid: str


@dataclass(frozen=True)
class Hospital:
    """The stack, and the systems around it."""

    environment: dict[str, str]
    home: Path
    up: psutil.Process
    orthanc: Orthanc
    ris: Hl7Receiver

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    def wait(self, what: Callable[[], bool]) -> None:
        wait_for(what, self.logs)

    def tell(self, message: bytes) -> None:
        """Send a message as the RIS does: again, until it is taken."""

        def is_taken() -> bool:
            with suppress(OSError, IndexError):
                text = (self.logs / "mllp.log").read_text()
                port = int(re.findall(r"listens on 127\.0\.0\.1:(\d+)", text)[-1])
                with Sender(port) as sender:
                    return sender.send(message).code == "AA"
            return False

        self.wait(is_taken)

    def kill(self, part: str | None = None) -> None:
        """Kill a part, or every process that runs now, but the supervisor.

        Then all leases are over, of which only what was killed can hold any.
        """
        killed: set[str] = set()
        for child in self.up.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                words = PARTS & {*child.cmdline()}
                if part is None or part in words:
                    killed |= words
                    child.kill()
        assert killed, "nothing ran"
        if part is None:
            time_passes(self.environment)

    def study(self, accession: str) -> dict[str, Any]:
        (row,) = (
            row for row in rows(self.environment, "worklist", "--all")
            if row["accession_number"] == accession
        )  # fmt: skip
        return dict(row)

    def unread(self) -> list[str]:
        """The accession numbers of the list, as it is read."""
        return [row["accession_number"] for row in rows(self.environment, "worklist")]

    def is_scored(self, accession: str) -> bool:
        query = "SELECT accession_number FROM studies WHERE probability IS NOT NULL"
        return (accession,) in selected(self.environment, query)

    def is_in_pacs(self, uid: str) -> bool:
        with suppress(Exception):
            study = self.orthanc.find("Study", StudyInstanceUID=uid)["ID"]
            return {*RESULTS} <= set(self.orthanc.instances(study).values())
        return False

    def messages(self, uid: str) -> list[str]:
        """The control IDs of the messages about a study, as they came."""
        return [str(each["MSH"][0][10]) for each in self.ris.messages if uid in str(each)]


#: What the supervisor starts, besides the broker; words of the command lines too.
PARTS = {"ingest", "receive", "mllp", "beat", "assess", "prepare"}
#: Of the samples.
NAMES = ("Example^", "Noah", "Przyklad", "DEMO-0")
RESULTS = (ComprehensiveSRStorage, KeyObjectSelectionDocumentStorage)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return clean_environment() | {
        "READFIRST_HOME": str(tmp_path / "home"),
        "READFIRST_DATABASE_URL": f"sqlite:///{tmp_path / 'home' / 'readfirst.db'}",
        "READFIRST_PORT": "0",
        "READFIRST_RECEIVE": "true",
        "READFIRST_RECEIVE_PORT": "0",
        "READFIRST_HL7_PORT": "0",
        "READFIRST_HL7_APPLICATIONS": "READFIRST|RAD|RIS|HOSP",
        "READFIRST_SCAN_SECONDS": "2",
        "READFIRST_SWEEP_SECONDS": "2",
        "READFIRST_PRIOR_AFTER_DAYS": "0",
    }


def a_study(folder: Path, accession: str) -> OrderedStudy:
    """A sample with an accession number and UIDs of its own."""
    dataset = pydicom.dcmread(FOLDER / FILMS[accession])
    # storescu sends it in whatever syntax it is kept.
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        dataset.decompress()
    dataset.AccessionNumber = accession
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    path = folder / f"{accession}.dcm"
    dataset.save_as(path)
    name, born, sex = dataset.PatientName, dataset.PatientBirthDate, dataset.PatientSex
    pid = f"PID|1||{dataset.PatientID}||{name}||{born}|{sex}"
    return OrderedStudy(accession, path, str(dataset.StudyInstanceUID), pid)


def a_final_report(accession: str, pid: str) -> bytes:
    at = time.strftime("%Y%m%d%H%M%S+0000", time.gmtime())
    return "\r".join(
        (
            f"MSH|^~\\&|RIS|HOSP|READFIRST|RAD|{at}||ORU^R01|REPORT-{accession}|P|2.5.1",
            pid,
            f"OBR|1|P1|F1|CXR^Chest||||||||||||||{accession}||||{at}|||F|||||||7&Reader&Ann",
            "OBX|1|TX|18748-4^Report^LN||Pneumonia of the right lung.||||||F",
            "",
        )
    ).encode()


def order(hospital: Hospital, study: OrderedStudy) -> None:
    accession = study.accession
    hospital.tell(an_order_message(accession, "S", control_id=f"ORDER-{accession}", pid=study.pid))


def send(hospital: Hospital, study: OrderedStudy) -> None:
    hospital.wait(lambda: sent_by_dicom(study.film, hospital.logs))


def check_scored(hospital: Hospital, study: OrderedStudy) -> None:
    hospital.wait(lambda: hospital.is_scored(study.accession))
    listed = hospital.study(study.accession)
    assert listed["stat"], "the order raised it"
    assert listed["flagged"]


def check_results(hospital: Hospital, study: OrderedStudy) -> None:
    hospital.wait(lambda: hospital.is_in_pacs(study.uid))
    hospital.wait(lambda: bool(hospital.messages(study.uid)))
    assert study.accession in hospital.unread()


def report(hospital: Hospital, study: OrderedStudy) -> None:
    hospital.tell(a_final_report(study.accession, study.pid))


def check_read(hospital: Hospital, study: OrderedStudy) -> None:
    assert study.accession not in hospital.unread(), "it is read elsewhere"
    # Whatever was sent twice is once.
    kept = hospital.orthanc.find("Study", StudyInstanceUID=study.uid)["ID"]
    classes = Counter(hospital.orthanc.instances(kept).values())
    assert {classes[each] for each in RESULTS} == {1}
    assert len({*hospital.messages(study.uid)}) == 1


def walk_amid_kills(hospital: Hospital, second: OrderedStudy, third: OrderedStudy) -> None:
    """Let two studies go the whole way, and kill after each step of it.

    One kill comes when one of them has just been scored, and the film of the other has just come.
    """
    order(hospital, second)
    hospital.kill("mllp")
    order(hospital, third)
    send(hospital, second)
    check_scored(hospital, second)
    send(hospital, third)
    hospital.kill()
    check_results(hospital, second)
    check_scored(hospital, third)
    check_results(hospital, third)
    report(hospital, second)
    report(hospital, third)
    hospital.kill()
    check_read(hospital, second)
    check_read(hospital, third)


@pytest.mark.timeout(1800)
def test_a_study_goes_its_whole_way_and_again_while_processes_are_killed(
    environment: dict[str, str], tmp_path: Path
) -> None:
    require("dcmtk", HAS_DCMTK)
    home = tmp_path / "home"
    write_small_ensemble(home / "ensembles")
    (tmp_path / "orthanc").mkdir()
    with (
        an_orthanc(tmp_path / "orthanc") as orthanc,
        an_hl7_receiver(acknowledges("AA")) as ris,
        running(part_of_stack(*PARTS), environment) as up,
    ):
        hospital = Hospital(environment, home, up, orthanc, ris)
        hospital.wait(lambda: (home / "logs" / "mllp.log").exists())
        add_destinations(hospital)
        first, second, third = (a_study(tmp_path, accession) for accession in FILMS)
        for step in (order, send, check_scored, check_results, report, check_read):
            step(hospital, first)
        walk_amid_kills(hospital, second, third)
    for log in (home / "logs").glob("*.log"):
        text = log.read_text()
        assert not [name for name in NAMES if name in text], f"a patient's data in {log.name}"


def add_destinations(hospital: Hospital) -> None:
    pacs = ("host=127.0.0.1", f"port={hospital.orthanc.dicom_port}", "ae_title=ORTHANC")
    ris = ("host=127.0.0.1", f"port={hospital.ris.port}")
    for name, kind, address in (("pacs", "dicom", pacs), ("ris", "mllp", ris)):
        parts = [word for part in address for word in ("--set", part)]
        run_here(hospital.environment, "destinations", "add", name, "--kind", kind, *parts)
        run_here(hospital.environment, "destinations", "test", name)
