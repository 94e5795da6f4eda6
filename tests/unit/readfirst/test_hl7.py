"""ORU^R01: what a message says and never says, its encoding, and templates of a site."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from hypothesis import given
from hypothesis import strategies as st

from readfirst import DISCLAIMER
from readfirst.errors import Misconfigured
from readfirst.results.hl7.check import check_template, sample_result
from readfirst.results.hl7.encoding import escaped, person_name
from readfirst.results.hl7.fields import MessageHeader
from readfirst.results.hl7.oru import (
    MOST_BYTES,
    OruMessage,
    OruTemplate,
    default_template,
    oru_message,
    read_template,
)
from readfirst.results.values import AiResult, OrderReference
from readfirst.results.words import NOT_FLAGGED, in_words
from tests.support.results import ADULT, DISAGREE, UNLIKE, a_result, a_study, an_image_result

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "hl7.md"
HEADER = MessageHeader("READFIRST", "RAD", "RIS", "HOSP")
SECRET = "Secretname"


def made(result: AiResult | None = None, template: OruTemplate | None = None) -> OruMessage:
    return oru_message(result or a_result(), template or default_template(), HEADER)


def segments(message: OruMessage, name: str) -> list[list[str]]:
    lines = message.text.split("\r")
    return [line.split("|") for line in lines if line.startswith(f"{name}|")]


def strict(message: OruMessage) -> Any:
    """The message as hl7apy reads it; it raises for whatever the standard forbids."""
    parsed = parse_message(message.text, validation_level=VALIDATION_LEVEL.STRICT)
    assert parsed.validate()
    return parsed


def test_a_flagged_study_is_present_abnormal_and_as_soon_as_possible() -> None:
    message = made()
    parsed = strict(message)
    assert parsed.msh.msh_9.to_er7() == "ORU^R01^ORU_R01"
    assert parsed.msh.msh_18.to_er7() == "UNICODE UTF-8"
    (priority,) = segments(message, "TQ1")
    assert priority[9] == "A^ASAP^HL70485"
    study, finding, probability, parameters, comment = segments(message, "OBX")
    assert study[3:6] == ["113014^DICOM Study^DCM", "", "1.2.826.1"]
    assert finding[3] == "RID5350^pneumonia^RADLEX^233604007^Pneumonia^SCT"
    assert (finding[5], finding[8], finding[11]) == ("52101004^Present^SCT", "A", "P")
    assert finding[15].startswith("RID49481^")
    assert (probability[3], probability[5]) == ("122157^Probability^DCM", "0.9")
    for each in ("threshold = 0.5", "prevalence = 0.2", "ab" * 32):
        assert each in parameters[5]
    assert in_words(a_result().images[0]) in comment[5]
    assert DISCLAIMER in comment[5]


def test_whom_and_which_order_it_is_of() -> None:
    study = a_study(utc_offset="+0100", issuer_of_patient_id="HOSP")
    parsed = strict(made(a_result(study=study)))
    assert parsed.msh.msh_7.to_er7() == "20260301080500+0100"
    group = parsed.oru_r01_patient_result
    patient = group.oru_r01_patient.pid
    assert patient.pid_3.to_er7() == "P-1^^^HOSP^MR"
    assert patient.pid_5.to_er7() == "Ejemplo^Lucia"
    assert (patient.pid_7.to_er7(), patient.pid_8.to_er7()) == ("20220314", "F")
    request = group.oru_r01_order_observation.obr
    assert (request.obr_2.to_er7(), request.obr_3.to_er7()) == ("O-1", "A-1")
    assert (request.obr_7.to_er7(), request.obr_18.to_er7()) == ("20260301080000+0100", "A-1")
    assert request.obr_25.to_er7() == "P"
    assert (parsed.msh.msh_3.to_er7(), parsed.msh.msh_6.to_er7()) == ("READFIRST", "HOSP")


def test_a_study_that_is_not_flagged_has_no_finding_and_no_priority() -> None:
    message = made(a_result(images=(an_image_result(probability=0.1),)))
    strict(message)
    assert not segments(message, "TQ1")
    codes = {each[3].split("^")[0] for each in segments(message, "OBX")}
    assert codes == {"113014", "122157", "111002", "121106"}
    assert NOT_FLAGGED in message.text
    for word in ("52101004", "272519000", "bsent", "|A|", "ASAP", "STAT"):
        assert word not in message.text


def test_each_film_has_its_probability_and_a_mark_is_told() -> None:
    films = (an_image_result(1, 0.93), an_image_result(2, 0.123456789, marks=(ADULT,)))
    message = made(a_result(images=films))
    strict(message)
    numbers = [each[1] for each in segments(message, "OBX")]
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    by_film = {each[4]: each[5] for each in segments(message, "OBX") if "122157" in each[3]}
    assert by_film == {"1": "0.93", "2": "0.123457"}
    (validity,) = (each for each in segments(message, "OBX") if "VALIDITY" in each[3])
    assert (validity[4], validity[5]) == ("2", "NOT_VALIDATED^Not validated^99READFIRST")
    assert ADULT[1] in message.text


@pytest.mark.parametrize(
    ("marks", "value", "leads"),
    [
        ((DISAGREE,), "IN_DOUBT^Networks disagree^99READFIRST", {"In doubt"}),
        (
            (UNLIKE, DISAGREE),
            "NOT_VALIDATED^Not validated^99READFIRST",
            {"Not validated", "In doubt"},
        ),
    ],
)
def test_what_a_score_says_against_itself_is_told(
    marks: tuple[tuple[str, str], ...], value: str, leads: set[str]
) -> None:
    message = made(a_result(images=(an_image_result(1, 0.2, marks=marks),)))
    strict(message)
    (validity,) = (each for each in segments(message, "OBX") if "VALIDITY" in each[3])
    assert validity[5] == value
    assert all(f"{lead}: The" in message.text for lead in leads)


def test_a_film_that_says_little_has_a_valid_message() -> None:
    nothing = dict.fromkeys(
        (
            "study_id", "study_datetime", "accession_number", "study_description",
            "referring_physician_name", "patient_name", "patient_birth_date", "patient_sex",
        )
    )  # fmt: skip
    message = made(a_result(study=a_study(**nothing, orders=())))
    strict(message)
    assert "PID|||P-1^^^^MR||^^^^^^U||" in message.text


def test_the_same_twice_has_the_same_bytes_and_another_result_another_number() -> None:
    message = made()
    assert made().content == message.content
    assert len(message.control_id) <= 20
    others = [
        made(a_result(images=(an_image_result(probability=0.91),))),
        made(a_result(study=a_study(study_instance_uid="1.2.826.2"))),
        made(template=OruTemplate("site", default_template().text + "{# changed #}")),
        oru_message(a_result(), default_template(), MessageHeader()),
    ]
    assert len({each.control_id for each in [message, *others]}) == 5
    corrected = made(a_result(study=a_study(patient_name="Ejemplo^Lucía")))
    assert corrected.control_id == message.control_id


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Roe", "Roe"),
        ("Ejemplo^Lucia^Ana^Dr.^PhD", "Ejemplo^Lucia^Ana^PhD^Dr."),
        ("Yamada^Tarou=山田^太郎", "Yamada^Tarou^^^^^L^A~山田^太郎^^^^^L^I"),
        ("=山田^太郎=やまだ^たろう", "山田^太郎^^^^^L^I~やまだ^たろう^^^^^L^P"),
        ("Иванов^Пётр", "Иванов^Пётр"),
        ("O|Neil^A&B", r"O\F\Neil^A\T\B"),
        ("^^^^", ""),
        (None, ""),
    ],
)
def test_a_name_is_one_of_hl7(name: str | None, field: str) -> None:
    assert person_name(name) == field
    message = made(a_result(study=a_study(patient_name=name)))
    strict(message)
    assert message.content.decode() == message.text


@given(st.text(max_size=200))
def test_no_value_ends_a_field_a_segment_or_a_block(text: str) -> None:
    field = escaped(text)
    for delimiter in ("|", "^", "~", "&", "\r", "\n", "\x0b", "\x1c", "\x00", "\u2028"):
        assert delimiter not in field
    assert field.encode().decode() == field
    inner = hl7.parse(f"MSH|^~\\&|A\rPID|||{field}\r")
    assert len(inner) == 2


@given(st.text(alphabet="|^~\\&\r\n\x1c\x0bäA{}% ", max_size=40))
def test_hostile_values_leave_the_message_what_it_is(text: str) -> None:
    study = a_study(
        patient_id=f"P{text}",
        patient_name=text,
        accession_number=text,
        issuer_of_patient_id=text,
        orders=(OrderReference(placer_order_number=text, filler_order_number=text),),
    )
    hostile, plain = made(a_result(study=study)), made()
    assert [s[:3] for s in hostile.text.split("\r")] == [s[:3] for s in plain.text.split("\r")]
    for name in ("PID", "OBR", "ORC"):
        assert len(segments(hostile, name)[0]) == len(segments(plain, name)[0])


def of_site(changed: str, instead: str) -> OruTemplate:
    """The default with something else in it."""
    text = default_template().text
    assert changed in text
    return OruTemplate("site.jinja", text.replace(changed, instead))


def test_a_site_changes_fields_and_adds_its_own_segment() -> None:
    template = of_site(
        "OBX||ST|113014",
        "{% macro pair(a, b) %}{{ a }}^{{ b }}{% endmacro %}"
        "ZDS|{{ study.uid }}|{{ pair(patient.id, 'a|b') }}\nOBX||ST|113014",
    )
    message = made(template=template)
    assert segments(message, "ZDS") == [["ZDS", "1.2.826.1", r"P-1^a\F\b"]]
    assert made(template=of_site("A^ASAP^HL70485", "S^STAT^HL70485")).text.count("S^STAT") == 1
    local = made(template=of_site("A^ASAP^HL70485", "2^Dringend^99RIS"))
    assert "2^Dringend^99RIS" in local.text


@pytest.mark.parametrize(
    ("changed", "instead", "sentence"),
    [
        ("{{ study.uid }}", "{{ study.uuid }}", "there is no uuid"),
        ("{% endfor %}", "", "line 22: Unexpected end of template"),
        ("{{ study.uid }}", "{{ 1 // 0 }}", "line 10: ZeroDivisionError"),
        ("{{ study.uid }}", "{{ ''.__class__.__mro__ }}", "there is no __class__, or a template"),
        ("{{ study.uid }}", "{{ patient.name.nothing() }}", "nothing"),
        ("MSH|", "MSA|", "must begin with MSH|"),
        ("ORC|RE", "Order: RE", "Line 3 of the message is no segment"),
        ("{{ message.control_id }}", "1", "MSH-10 must be {{ message.control_id }}"),
        ("UNICODE UTF-8", "8859/1", "MSH-18 must be UNICODE UTF-8"),
        ("ORU^R01^ORU_R01", "ORM^O01", "MSH-9 must be ORU^R01^ORU_R01"),
        ("|2.5.1|", "|2.3|", "MSH-12 must be 2.5.1"),
        ("PID|", "ZID|", "must have one PID segment; it has 0"),
        ("{{ patient.identifier }}", "", "PID-3"),
        ("30745-4^XR Chest Views^LN", "", "OBR-4"),
        ("OBX|", "NTE|", "no OBX segment"),
        ("{% if result.flagged %}", "{% if true %}", "TQ1-9 names a priority for a study that"),
        ("A^ASAP^HL70485", "R^Routine^HL70485", "TQ1-9 must be one of S, A, STAT, ASAP"),
        ("A^ASAP^HL70485", "R", "TQ1-9 must be one of"),
        ("|RAD|P", "|RAD|P||^^^^^S", "OBR-27.6 names a priority for a study that is not flagged"),
        ("LN|||{{", "LN|S||{{", "OBR-5 names a priority"),
        ("{{ order.filler_number }}\nOBR", "1||||^^^^^R\nOBR", "ORC-7.6"),
        ("{% for film in", "{{ 'x' * 2000000 }}{% for film in", "more than 1000000 characters"),
    ],
)  # fmt: skip
def test_a_template_that_makes_no_message_or_lowers_is_refused(
    changed: str, instead: str, sentence: str
) -> None:
    with pytest.raises(Misconfigured) as refused:
        check_template(of_site(changed, instead))
    assert sentence in str(refused.value)
    assert "site.jinja" in str(refused.value)


@pytest.mark.parametrize(
    "expression",
    ["{{ patient.name + 1 }}", "{{ patient.id | int / 0 }}", "{{ patient[patient.id] }}"],
)
def test_no_fault_of_a_template_tells_of_the_patient(expression: str) -> None:
    study = a_study(patient_name=SECRET, patient_id=SECRET)
    with pytest.raises(Misconfigured) as refused:
        made(a_result(study=study), of_site("{{ study.uid }}", expression))
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_file_that_is_no_template_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "oru.jinja"
    with pytest.raises(Misconfigured, match="cannot be read"):
        read_template(file)
    file.write_bytes(b"MSH|\xff")
    with pytest.raises(Misconfigured, match="UTF-8"):
        read_template(file)
    file.write_bytes(b"x" * (MOST_BYTES + 1))
    with pytest.raises(Misconfigured, match="256 KiB"):
        read_template(file)
    file.write_text(default_template().text)
    assert made(template=read_template(file)).text.count("\r") == made().text.count("\r")
    assert read_template(None) is default_template()


def test_the_samples_are_valid_by_the_standard() -> None:
    for message in check_template(default_template(), HEADER):
        strict(message)


def test_the_page_has_the_message_as_it_is_made() -> None:
    (example,) = re.findall(r"```hl7\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert example == made(sample_result(flagged=True)).text.replace("\r", "\n")


def test_the_page_names_every_field_that_a_template_has() -> None:
    from readfirst.results.hl7.fields import template_fields

    text = PAGE.read_text()
    for group, value in template_fields(a_result(), HEADER, "RF1").items():
        for field in value.__dataclass_fields__:  # type: ignore[attr-defined]
            assert f"`{group}.{field}`" in text
    for field in ("number", "uid", "probability", "threshold", "flagged", "validated"):
        assert f"`film.{field}`" in text


def test_a_time_without_an_offset_names_none() -> None:
    at = datetime(2026, 3, 1, 23, 59, 1)
    assert segments(made(replace(a_result(), at=at)), "MSH")[0][6] == "20260301235901"
