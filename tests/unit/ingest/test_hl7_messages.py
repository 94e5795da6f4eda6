"""HL7 messages as values: read leniently, and answered in their own separators."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.hl7.answers import ACCEPTED, ack_message, refusal
from ingest.hl7.contents import read_contents
from ingest.hl7.envelope import read_envelope
from ingest.hl7.segments import message_text, moment
from readfirst.errors import MessageRefused
from readfirst.ris.codes import MESSAGE_SENTENCES, MessageCode
from readfirst.ris.values import (
    ImagingOrder,
    ImagingReport,
    PatientId,
    PatientMerge,
    PatientUpdate,
    ReportStatus,
)
from readfirst.studies.identity import Patient
from tests.support.hl7 import (
    PID,
    RULES,
    a_message,
    a_patient_message,
    a_report_message,
    an_order_message,
    read_answer,
)

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def the_order(raw: bytes, **rules: object) -> ImagingOrder:
    (order,) = read_contents(raw, replace(RULES, **rules))  # type: ignore[arg-type]
    assert isinstance(order, ImagingOrder)
    return order


def test_an_order_says_who_what_why_and_how_soon() -> None:
    assert the_order(an_order_message(priority="S")) == ImagingOrder(
        accession_number="A1",
        patient=Patient(
            patient_id="P1",
            issuer_of_patient_id="HOSP",
            patient_name="Ejemplo^Lucia^^Dr",
            patient_birth_date=date(1980, 1, 1),
        ),
        placer_order_number="P1",
        filler_order_number="F1",
        priority="S",
        is_urgent=True,
        indication="Cough",
        ward="ICU",
        requested_procedure="Chest 2 views",
    )


@pytest.mark.parametrize(
    ("segments", "priority", "urgent"),
    [
        (("ORC|NW|1", "OBR|1|1||CXR||||||||||||||A1"), None, False),
        (("ORC|NW|1||||| ^^^^^R", "OBR|1|1||CXR||||||||||||||A1"), "R", False),
        (("ORC|NW|1||||| ^^^^^R", "OBR|1|1||CXR||||||||||||||A1|||||||||^^^^^S"), "S", True),
        (("ORC|NW|1", "TQ1|1||||||||A^ASAP^HL70485", "OBR|1|1||CXR||||||||||||||A1"), "A", True),
        (("ORC|NW|1", "OBR|1|1||CXR|STAT|||||||||||||A1"), "STAT", True),
        (("ORC|NW|1||||| ^^^^^R~^^^^^s", "OBR|1|1||CXR||||||||||||||A1"), "s", True),
    ],
)
def test_the_priority_stands_wherever_a_system_writes_it(
    segments: tuple[str, ...], priority: str | None, urgent: bool
) -> None:
    order = the_order(a_message("OMG^O19", PID, *segments))
    assert (order.priority, order.is_urgent) == (priority, urgent)


def test_a_site_says_which_priorities_are_urgent() -> None:
    assert the_order(an_order_message(priority="T"), urgent=frozenset({"T"})).is_urgent
    assert not the_order(an_order_message(priority="S"), urgent=frozenset({"T"})).is_urgent


def test_an_imaging_order_has_its_accession_number_in_ipc() -> None:
    segments = ("ORC|NW|1", "TQ1|1||||||||S", "OBR|1|1||CXR^Chest", "IPC|A7^RIS|RP1|1.2.3")
    order = the_order(a_message("OMI^O23^OMI_O23", PID, *segments))
    assert (order.accession_number, order.is_urgent) == ("A7", True)


@pytest.mark.parametrize(("rule", "number"), [("placer", "P1"), ("filler", "F1")])
def test_a_site_says_what_stands_for_the_accession_number(rule: str, number: str) -> None:
    assert the_order(an_order_message(accession=""), accession=rule).accession_number == number


def test_a_message_may_hold_several_orders() -> None:
    groups = (
        "ORC|NW|1",
        "OBR|1|1||CXR||||||||||||||A1",
        "ORC|CA|2",
        "OBR|2|2||CXR||||||||||||||A2",
    )
    orders = read_contents(a_message("ORM^O01", PID, *groups), RULES)
    assert [(each.accession_number, each.is_cancelled) for each in orders] == [  # type: ignore[union-attr]
        ("A1", False),
        ("A2", True),
    ]


def test_the_patients_own_number_is_taken_from_many() -> None:
    pid = "PID|1||999^^^NATION^NI~P7^^^HOSP^MR~X^^^LAB||Ejemplo"
    patient = the_order(an_order_message(pid=pid)).patient
    assert (patient.patient_id, patient.issuer_of_patient_id) == ("P7", "HOSP")


def test_escapes_nulls_and_foreign_line_ends_are_read() -> None:
    raw = an_order_message(indication="R05^Cough \\T\\ fever", pid='PID|1||P1||""')
    order = the_order(raw.replace(b"\r", b"\r\n"))
    assert (order.indication, order.patient.patient_name) == ("Cough & fever", None)


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("UNICODE UTF-8", "utf-8"), ("8859/1", "latin-1"), ("8859/5", "iso8859-5"), ("", "latin-1")],
)
def test_texts_are_read_by_the_character_set_that_is_named(charset: str, codec: str) -> None:
    name = "Иванов" if codec == "iso8859-5" else "Núñez"
    text = an_order_message(pid=f"PID|1||P1||{name}").decode()
    raw = text.replace("|2.5.1\r", f"|2.5.1||||||{charset}\r", 1).encode(codec)
    assert the_order(raw).patient.patient_name == name


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", MessageCode.NOT_HL7),
        (b"MSH", MessageCode.NOT_HL7),
        (b"GET / HTTP/1.1", MessageCode.NOT_HL7),
        (b"PID|1\rMSH|^~\\&", MessageCode.NOT_HL7),
        (b"MSH|^~\\&|", MessageCode.MESSAGE_TYPE_NOT_USED),
        (a_message("SIU^S12"), MessageCode.MESSAGE_TYPE_NOT_USED),
        (a_message("ORM^O01", PID), MessageCode.NO_ACCESSION_NUMBER),
        (a_patient_message("A08", pid="PID|1||"), MessageCode.NO_PATIENT_ID),
        (a_patient_message("A40"), MessageCode.NO_PATIENT_ID),
        (a_patient_message("A40", "MRG|"), MessageCode.NO_PATIENT_ID),
        (a_patient_message("A40", "MRG|P1"), MessageCode.MERGE_WITH_ITSELF),
        (a_report_message(accession=""), MessageCode.NO_ACCESSION_NUMBER),
        (an_order_message(accession=""), MessageCode.NO_ACCESSION_NUMBER),
        (an_order_message(accession="A" * 65), MessageCode.NO_ACCESSION_NUMBER),
    ],
)
def test_what_cannot_be_read_has_a_code(raw: bytes, code: MessageCode) -> None:
    with pytest.raises(MessageRefused) as refused:
        read_contents(raw, RULES)
    assert refused.value.code is code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260301", "2026-02-28T23:00:00+00:00"),
        ("202603010915", "2026-03-01T08:15:00+00:00"),
        ("20260301091530.1234", "2026-03-01T08:15:30+00:00"),
        ("20260301091530+0000", "2026-03-01T09:15:30+00:00"),
        ("20261301", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_times_without_an_offset_are_of_the_sites_zone(text: str, expected: str | None) -> None:
    at = moment(text, ZoneInfo("Europe/Madrid"))
    assert (at.isoformat() if at else None) == expected


def test_a_message_is_the_same_at_whatever_time_it_is_sent() -> None:
    first = read_envelope(an_order_message())
    later = read_envelope(an_order_message().replace(b"20260301080000", b"20260301090000"))
    assert first.digest == later.digest
    assert first.digest != read_envelope(an_order_message(priority="S")).digest
    assert (first.sender_name, first.control_id) == ("RIS^HOSP", "C1")


def test_an_answer_has_the_separators_of_the_message() -> None:
    raw = b"MSH#*~\\&#RIS#HOSP#RF#RAD#20260301##ORM*O01#7\\T\\8#P#2.3\rPID#1"
    answer = ack_message(read_envelope(raw), ACCEPTED, NOW)
    assert answer.startswith(b"MSH#*~\\&#RF#RAD#RIS#HOSP#20260301080000+0000##ACK*O01*ACK#")
    assert answer.endswith(b"\rMSA#AA#7\\T\\8\r")


def test_an_answer_says_why_a_message_was_not_taken() -> None:
    envelope = read_envelope(a_message("SIU^S12", control_id="C9"))
    code = MessageCode.MESSAGE_TYPE_NOT_USED
    raw = ack_message(envelope, refusal(code, MESSAGE_SENTENCES[code]), NOW)
    answer = read_answer(raw)
    assert (answer.code, answer.control_id) == ("AR", "C9")
    assert answer.text == MESSAGE_SENTENCES[code]
    message = hl7.parse(raw.decode())
    assert message.extract_field("ERR", field_num=3, component_num=1) == "200"
    assert message.extract_field("ERR", field_num=8) == answer.text
    code = MessageCode.NO_ACCESSION_NUMBER
    assert read_answer(ack_message(envelope, refusal(code, "x"), NOW)).code == "AE"


def the_report(raw: bytes) -> ImagingReport:
    (report,) = read_contents(raw, RULES)
    assert isinstance(report, ImagingReport)
    return report


def test_a_final_report_says_who_read_what_and_when() -> None:
    report = the_report(a_report_message())
    assert report.patient.patient_id == "P1"
    assert replace(report, patient=Patient()) == ImagingReport(
        accession_number="A1",
        study_instance_uid=None,
        patient=Patient(),
        status=ReportStatus.FINAL,
        at=datetime(2026, 3, 1, 10, 0, tzinfo=UTC),
        by="Ann Reader",
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("F", [ReportStatus.FINAL]),
        ("C", [ReportStatus.CORRECTED]),
        ("X", [ReportStatus.WITHDRAWN]),
        ("P", []),
        ("R", []),
        ("", []),
    ],
)
def test_only_some_states_of_a_report_say_anything(
    status: str, expected: list[ReportStatus]
) -> None:
    contents = read_contents(a_report_message(status=status), RULES)
    assert [each.status for each in contents if isinstance(each, ImagingReport)] == expected


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ("OBX|1|TX|1||No.||||||W\rOBX|2|TX|1||No.||||||D", ReportStatus.WITHDRAWN),
        ("OBX|1|TX|1||No.||||||W\rOBX|2|TX|1||Yes.||||||C", ReportStatus.FINAL),
        ("OBX|1|ST|113014^DICOM Study^DCM||1.2.3||||||O", ReportStatus.FINAL),
    ],
)
def test_a_report_whose_results_are_all_taken_back_is_withdrawn(
    results: str, expected: ReportStatus
) -> None:
    assert the_report(a_report_message(results=results)).status is expected


@pytest.mark.parametrize(
    ("last", "uid"),
    [
        ("OBX|1|ST|113014^DICOM Study^DCM||1.2.3||||||O", "1.2.3"),
        ("ZDS|1.2.4^VENDOR^Application^DICOM", "1.2.4"),
    ],
)
def test_a_report_may_name_its_study_by_uid(last: str, uid: str) -> None:
    report = the_report(a_report_message(accession="", results=last))
    assert (report.accession_number, report.study_instance_uid) == (None, uid)


@pytest.mark.parametrize(
    ("interpreter", "name"),
    [("7&Reader&Ann", "Ann Reader"), ("7^Reader^Ann", "Ann Reader"), ("7", "7"), ("", "Bob Other")],
)
def test_whoever_read_it_is_named_as_the_system_does(interpreter: str, name: str) -> None:
    raw = a_report_message(results="OBX|1|TX|1||No.||||||F|||||9^Other^Bob")
    report = the_report(raw.replace(b"7&Reader&Ann", interpreter.encode()))
    assert report.by == name


def test_an_order_that_is_completed_is_a_report() -> None:
    groups = ("ORC|SC|P1|F1||CM||||20260301100000+0000", "OBR|1|P1|F1|CXR||||||||||||||A1")
    report = the_report(a_message("ORM^O01", PID, *groups))
    assert (report.accession_number, report.status) == ("A1", ReportStatus.FINAL)
    assert report.at == datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("event", ["A08", "A31"])
def test_a_patient_is_corrected_by_id_name_birth_date_and_sex(event: str) -> None:
    (update,) = read_contents(a_patient_message(event), RULES)
    assert update == PatientUpdate(
        patient=Patient(
            patient_id="P1",
            issuer_of_patient_id="HOSP",
            patient_name="Ejemplo^Lucia^^Dr",
            patient_birth_date=date(1980, 1, 1),
        ),
        patient_sex="F",
    )


def test_a_merge_names_the_id_that_stays_and_the_one_that_goes() -> None:
    merge = PatientMerge(surviving=PatientId("P1", "HOSP"), merged=PatientId("P9", "HOSP"))
    assert read_contents(a_patient_message("A40", "MRG|P9^^^HOSP^MR"), RULES) == [merge]
    twice = a_patient_message("A40", "MRG|P9^^^HOSP^MR", PID, "MRG|P8")
    assert read_contents(twice, RULES) == [
        merge,
        PatientMerge(surviving=PatientId("P1", "HOSP"), merged=PatientId("P8")),
    ]


def test_who_comes_and_goes_is_taken_and_changes_nothing() -> None:
    assert read_contents(a_patient_message("A01"), RULES) == []


pieces = st.one_of(
    st.sampled_from(["MSH", "|", "^~\\&", "\r", "^", "~", "\\", "&", "ORM^O01", "PID|", "ORC|NW|"]),
    st.text(max_size=8),
)
broken = st.one_of(
    st.binary(max_size=200),
    st.lists(pieces, max_size=30).map(lambda parts: "".join(parts).encode()),
    st.lists(pieces, max_size=30).map(lambda parts: ("MSH|^~\\&|" + "".join(parts)).encode()),
    st.tuples(st.integers(0, 400), st.binary(max_size=6)).map(
        lambda cut: an_order_message()[: cut[0]] + cut[1] + an_order_message()[cut[0] + 1 :]
    ),
)


@given(broken)
def test_whatever_comes_in_is_read_or_refused_and_answered(raw: bytes) -> None:
    try:
        read_contents(raw, RULES)
    except MessageRefused as refused:
        answer = ack_message(read_envelope(raw), refusal(refused.code, refused.reason), NOW)
    else:
        answer = ack_message(read_envelope(raw), ACCEPTED, NOW)
    assert hl7.parse(message_text(answer)).segments("MSA")
