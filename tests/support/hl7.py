"""HL7 messages and a sender of them, for tests."""

import socket
import ssl
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import hl7

from db.lifecycle.unit_of_work import UnitOfWorkFactory
from db.session import Database
from ingest.hl7.orders import OrderRules
from readfirst.testing import RecordingNotifier
from tests.support.studies import POLICY
from tests.support.waiting import TIMEOUT
from worker.ris.take_message import RisServices

RULES = OrderRules(
    accession="accession",
    urgent=frozenset({"S", "STAT", "A", "ASAP"}),
    zone=ZoneInfo("Europe/Madrid"),
)
START, END = b"\x0b", b"\x1c\r"
PID = "PID|1||P1^^^HOSP&1.2.3&ISO^MR||Ejemplo^Lucia^^^Dr||19800101|F"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The content of an answer."""

    code: str
    control_id: str
    text: str


def a_message(kind: str, *segments: str, control_id: str = "C1") -> bytes:
    header = f"MSH|^~\\&|RIS|HOSP|READFIRST|RAD|20260301080000||{kind}|{control_id}|P|2.5.1"
    return "".join(f"{segment}\r" for segment in (header, *segments)).encode()


def an_order_message(
    accession: str = "A1",
    priority: str = "",
    *,
    control_id: str = "C1",
    control: str = "NW",
    pid: str = PID,
    indication: str = "R05^Cough",
) -> bytes:
    return a_message(
        "ORM^O01",
        pid,
        "PV1|1|I|ICU^2^1",
        f"ORC|{control}|P1|F1||||^^^^^{priority}",
        f"OBR|1|P1|F1|CXR^Chest 2 views||||||||||||||{accession}|||||||||^^^^^{priority}"
        f"||||{indication}",
        control_id=control_id,
    )


def a_report_message(
    accession: str = "A1",
    status: str = "F",
    *,
    control_id: str = "R1",
    at: str = "20260301100000+0000",
    pid: str = PID,
    results: str = "OBX|1|TX|18748-4^Report^LN||No pneumonia.||||||F",
) -> bytes:
    return a_message(
        "ORU^R01",
        pid,
        "ORC|RE|P1|F1",
        f"OBR|1|P1|F1|CXR^Chest 2 views||||||||||||||{accession}||||{at}|||{status}"
        "|||||||7&Reader&Ann",
        results,
        control_id=control_id,
    )


def a_patient_message(
    event: str = "A08", *segments: str, pid: str = PID, control_id: str = "P1"
) -> bytes:
    return a_message(f"ADT^{event}", f"EVN|{event}", pid, *segments, control_id=control_id)


def services(database: Database, rules: OrderRules = RULES, **policy: Any) -> RisServices:
    chosen = replace(POLICY, prior_after=timedelta(days=90), **policy)
    return RisServices(UnitOfWorkFactory(database, chosen, RecordingNotifier()), rules)


def read_answer(raw: bytes) -> Acknowledged:
    """Read the bytes of an answer."""
    message = hl7.parse(raw.decode())

    def field(number: int) -> str:
        return str(message.extract_field("MSA", field_num=number) or "")

    return Acknowledged(field(1), field(2), field(3))


class Sender:
    """A connection to an MLLP listener."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket = tls.wrap_socket(plain, server_hostname="127.0.0.1") if tls else plain
        self.received = b""

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, message: bytes) -> Acknowledged:
        """Send a message and wait for its answer."""
        self.socket.sendall(START + message + END)
        return self.answer()

    def answer(self) -> Acknowledged:
        """Wait for the next answer. Raises ConnectionError if the listener hangs up instead."""
        while END not in self.received:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError(f"hung up after {len(self.received)} bytes")
            self.received += more
        answer, _, self.received = self.received.partition(END)
        return read_answer(answer.removeprefix(START))

    def hangs_up(self) -> bool:
        """Tell whether the listener ends the connection without a word."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
