"""Each message is taken once; what cannot be read is kept, answered and tried again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import hl7
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from db.lifecycle.unit_of_work import UnitOfWork
from db.ris import messages
from db.ris.messages import forget_messages, kept_content, kept_messages
from db.session import Database
from db.tables import Hl7Message, OrderRow, Study
from readfirst.ris.codes import MESSAGE_SENTENCES, MessageCode
from tests.support.hl7 import (
    PID,
    RULES,
    Acknowledged,
    a_message,
    an_order_message,
    read_answer,
    services,
)
from tests.support.studies import NOW, a_header, an_image
from worker.ris import take_message as taking
from worker.ris.retry import retry
from worker.ris.take_message import NOT_NOW, TOO_MANY, RisServices, take_message


@pytest.fixture
def ris(database: Database) -> RisServices:
    return services(database)


def take(ris: RisServices, raw: bytes) -> Acknowledged:
    return read_answer(take_message(ris, raw))


def count(database: Database, of: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(of)) or 0


def codes(database: Database) -> list[MessageCode]:
    with database.read() as session:
        return [each.code for each in kept_messages(session, limit=100)]


def test_an_order_is_taken_and_answered(ris: RisServices, database: Database) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.1", header=a_header(accession_number="A1"))
    assert take(ris, an_order_message(priority="S")) == Acknowledged("AA", "C1", "")
    with database.read() as session:
        assert session.scalars(select(Study)).one().stat
        row = session.scalars(select(Hl7Message)).one()
        assert (row.message_type, row.code, row.content) == ("ORM^O01", None, None)
        assert row.taken_at is not None


def test_the_same_message_twice_is_once(ris: RisServices, database: Database) -> None:
    for _ in range(2):
        assert take(ris, an_order_message(priority="S")).code == "AA"
    assert (count(database, Hl7Message), count(database, OrderRow)) == (1, 1)
    take(ris, an_order_message(priority="R", control_id="C2"))
    take(ris, an_order_message(priority="S"))
    with database.read() as session:
        assert session.scalars(select(OrderRow.priority)).one() == "R", "the repeat says nothing"


def test_a_control_id_that_begins_anew_loses_no_message(
    ris: RisServices, database: Database
) -> None:
    take(ris, an_order_message("A1"))
    take(ris, an_order_message("A2"))
    assert count(database, OrderRow) == 2


@pytest.mark.parametrize(
    ("raw", "answer", "code"),
    [
        (b"nonsense", "AR", MessageCode.NOT_HL7),
        (a_message("SIU^S12"), "AR", MessageCode.MESSAGE_TYPE_NOT_USED),
        (an_order_message(accession=""), "AE", MessageCode.NO_ACCESSION_NUMBER),
    ],
)
def test_what_cannot_be_read_is_kept_and_answered(
    ris: RisServices, database: Database, raw: bytes, answer: str, code: MessageCode
) -> None:
    for _ in range(2):
        acknowledged = take(ris, raw)
        assert acknowledged.code == answer
        assert acknowledged.text.startswith(MESSAGE_SENTENCES[code])
    with database.read() as session:
        (kept,) = kept_messages(session, limit=10)
        assert kept_content(session, kept.number) == raw
    assert kept.code is code


def test_one_order_that_cannot_be_read_leaves_the_whole_message_undone(
    ris: RisServices, database: Database
) -> None:
    groups = ("ORC|NW|1", "OBR|1|1||CXR||||||||||||||A1", "ORC|NW|2", "OBR|2|2||CXR")
    assert take(ris, a_message("ORM^O01", PID, *groups)).code == "AE"
    assert (count(database, OrderRow), count(database, Hl7Message)) == (0, 1)


def test_a_kept_message_is_tried_again(ris: RisServices, database: Database) -> None:
    take(ris, an_order_message(accession=""))
    take(ris, a_message("SIU^S12", control_id="C2"))
    with database.read() as session:
        numbers = [each.number for each in kept_messages(session, limit=10)]
    by_placer = services(database, rules=replace(RULES, accession="placer"))
    tried = {each.number: each.reason for each in retry(by_placer, [*numbers, 999])}
    assert sorted(tried.values(), key=str) == sorted(
        [None, f"{MESSAGE_SENTENCES[MessageCode.MESSAGE_TYPE_NOT_USED]} (SIU^S12)"], key=str
    )
    assert codes(database) == [MessageCode.MESSAGE_TYPE_NOT_USED]
    with database.read() as session:
        assert session.scalars(select(OrderRow.accession_number)).all() == ["P1"]


def test_the_order_of_another_patient_is_kept_until_somebody_has_looked(
    ris: RisServices, database: Database
) -> None:
    header = a_header(accession_number="A1", patient_id="P2")
    with database.write() as session:
        an_image(session, NOW, study="1.1", header=header)
    answer = take(ris, an_order_message(priority="S"))
    assert (answer.code, codes(database)) == ("AE", [MessageCode.PATIENT_DIFFERS])
    with database.read() as session:
        assert not session.scalars(select(Study)).one().stat


def test_what_fails_here_is_kept_and_named_as_our_fault(
    ris: RisServices, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(taking, "take_order", fail)
    answer = take(ris, an_order_message())
    assert answer.text == MESSAGE_SENTENCES[MessageCode.PROCESSING_FAILED]
    monkeypatch.undo()
    assert take(ris, an_order_message()).code == "AA", "a repeat is tried again"
    assert codes(database) == []


def test_without_the_database_the_sender_keeps_the_message(
    ris: RisServices, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(UnitOfWork, "write", away)
    assert take(ris, an_order_message()) == Acknowledged("AE", "C1", NOT_NOW.text)
    monkeypatch.undo()
    assert count(database, Hl7Message) == 0
    assert take(ris, an_order_message()).code == "AA"


def test_no_more_messages_are_kept_than_may_be(
    ris: RisServices, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MOST_KEPT", 1)
    assert take(ris, b"nonsense").code == "AR"
    assert take(ris, b"more nonsense") == Acknowledged("AE", "", TOO_MANY.text)
    assert take(ris, b"nonsense").code == "AR", "which is kept already"
    assert count(database, Hl7Message) == 1


def test_messages_are_kept_for_a_time(ris: RisServices, database: Database) -> None:
    take(ris, an_order_message())
    take(ris, b"nonsense")
    now = datetime.now(UTC)
    with database.write() as session:
        assert forget_messages(session, now - timedelta(days=1)) == 0
        assert forget_messages(session, now + timedelta(days=1)) == 1
    assert count(database, Hl7Message) == 0


def test_the_beginning_of_a_message_that_is_too_large_is_answered(ris: RisServices) -> None:
    answer = read_answer(take_message(ris, an_order_message()[:100], is_whole=False))
    assert (answer.code, answer.control_id) == ("AR", "C1")
    assert "READFIRST_HL7_KILOBYTES" in answer.text


def test_the_log_tells_nothing_of_the_patient(ris: RisServices) -> None:
    with capture_logs() as lines:
        take(ris, an_order_message())
        take(ris, an_order_message(accession=""))
    assert len(lines) == 2
    assert not any(word in str(lines) for word in ("Ejemplo", "P1^", "19800101", "Cough"))


whatever = st.one_of(
    st.binary(max_size=300),
    st.tuples(st.integers(0, 330), st.binary(max_size=8)).map(
        lambda cut: an_order_message()[: cut[0]] + cut[1] + an_order_message()[cut[0] + 1 :]
    ),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=whatever)
def test_whatever_comes_in_is_answered_and_taken_or_kept(
    ris: RisServices, database: Database, raw: bytes
) -> None:
    answer = take_message(ris, raw)
    code = str(hl7.parse(answer.decode()).segment("MSA")[1])
    with database.read() as session:
        last = session.scalars(select(Hl7Message).order_by(Hl7Message.id.desc())).first()
        kept = session.scalars(select(Hl7Message).where(Hl7Message.content == raw)).first()
    assert last is not None
    assert (code == "AA") == (kept is None)
