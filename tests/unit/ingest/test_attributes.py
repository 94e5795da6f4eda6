"""Attributes in real character sets, and odd ones."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_charset_files
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DigitalXRayImageStorageForProcessing

from ingest.dicom.header import read_header
from readfirst.domain import Header
from readfirst.errors import Refused
from readfirst.formatting import readable_name
from tests.support.files import a_dataset, a_dicom_file, a_gradient, dicom_bytes

#: pydicom's files with the examples of PS3.5 annexes H to K, and others made by devices.
NAMES = {
    "chrArab.dcm": "قباني^لنزار",
    "chrFren.dcm": "Buc^Jérôme",
    "chrFrenMulti.dcm": "Buc^Jérôme",
    "chrGerm.dcm": "Äneas^Rüdiger",
    "chrGreek.dcm": "Διονυσιος",
    "chrH31.dcm": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "chrH32.dcm": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "chrHbrw.dcm": "שרון^דבורה",
    "chrI2.dcm": "Hong^Gildong=洪^吉洞=홍^길동",
    "chrRuss.dcm": "Люкceмбypг",
    "chrX1.dcm": "Wang^XiaoDong=王^小東",
    "chrX2.dcm": "Wang^XiaoDong=王^小东",
}


def header_of(path: Path, **attributes: Any) -> Header:
    return read_header(a_dicom_file(path / "film", **attributes))


@pytest.mark.parametrize("name", NAMES)
def test_names_are_read_in_the_character_sets_of_the_world(name: str) -> None:
    (path,) = get_charset_files(name)
    assert read_header(Path(path)).patient_name == NAMES[name]


@pytest.mark.parametrize(
    ("name", "patient", "read"),
    [
        ("chrKoreanMulti.dcm", "김희중", "김희중"),
        ("chrJapMulti.dcm", "やまだ^たろう", "やまだ, たろう"),
    ],
)
def test_several_character_sets_in_one_film(
    tmp_path: Path, name: str, patient: str, read: str
) -> None:
    """These files of devices have no pixels: their names are put into a film, byte by byte."""
    (path,) = get_charset_files(name)
    source = dcmread(path, force=True)
    film = a_dataset(a_gradient())
    del film.PatientName
    for keyword in ("SpecificCharacterSet", "PatientName"):
        film[keyword] = source.get_item(keyword)
    (tmp_path / "film").write_bytes(dicom_bytes(film))
    header = read_header(tmp_path / "film")
    assert header.patient_name == patient
    assert readable_name(header.patient_name) == read


@pytest.mark.parametrize(
    ("character_set", "written", "read"),
    [
        (b"ISO_IR 999", b"M\xfcller^Jo", "Müller^Jo"),
        (b"ISO_IR 192", b"M\xfcller^Jo", "M\ufffdller^Jo"),
        (b"ISO 2022 IR 87", b"Yamada^T=\x1b$B;", None),
        (b"\xff\xfe\xfd", b"Doe^Jane", "Doe^Jane"),
        (b"\\" * 12, b"Doe^Jane", "Doe^Jane"),
        (b"ISO_IR 100", b"Doe^\x1b[2JJane", "Doe^[2JJane"),
    ],
)
def test_a_broken_character_set_never_refuses_a_film(
    tmp_path: Path, character_set: bytes, written: bytes, read: str | None
) -> None:
    placeholders = (b"X" * 12, b"Y" * len(written))
    film = a_dicom_file(
        tmp_path / "film", SpecificCharacterSet="ISO_IR 100", PatientName=placeholders[1].decode()
    )
    content = film.read_bytes().replace(b"ISO_IR 100", character_set.ljust(10)[:10])
    film.write_bytes(content.replace(placeholders[1], written))
    header = read_header(film)
    assert header.study_instance_uid
    if read is not None:
        assert header.patient_name == read
    assert "\x1b" not in (header.patient_name or "")


def test_a_film_says_by_what_it_was_acquired(tmp_path: Path) -> None:
    header = header_of(
        tmp_path,
        Manufacturer="Northlight ",
        ManufacturerModelName="DR 300",
        StationName="ROOM-1",
        Exposure="2",
        ExposureInuAs="1600",
        ExposureIndex="412",
        DeviationIndex="-1.3",
    )
    scanner = (header.manufacturer, header.manufacturer_model_name, header.station_name)
    assert scanner == ("Northlight", "DR 300", "ROOM-1")
    assert (header.exposure, header.exposure_index, header.deviation_index) == (1.6, 412.0, -1.3)


def test_numbers_that_are_none_are_left_out(tmp_path: Path) -> None:
    film = a_dataset(a_gradient())
    for keyword, value in (("ExposureIndex", "inf"), ("DeviationIndex", "n/a")):
        film.add_new(keyword, "LO", value)
    (tmp_path / "film").write_bytes(dicom_bytes(film))
    header = read_header(tmp_path / "film")
    assert (header.exposure, header.exposure_index, header.deviation_index) == (None, None, None)


def test_an_order_is_read_with_its_physician_and_institution(tmp_path: Path) -> None:
    header = header_of(
        tmp_path,
        ReferringPhysicianName="Kuczynski^Ada",
        InstitutionName="Invented　Hospital",
        SpecificCharacterSet="ISO_IR 192",
        IssuerOfPatientID="NORTH",
        ImageType=["DERIVED", "PRIMARY", ""],
        Laterality="U",
        BurnedInAnnotation="NO",
        PresentationIntentType="FOR PRESENTATION",
    )
    assert header.referring_physician_name == "Kuczynski^Ada"
    assert header.institution_name == "Invented Hospital"
    assert header.issuer_of_patient_id == "NORTH"
    assert header.image_type == ("DERIVED", "PRIMARY")
    assert (header.laterality, header.burned_in_annotation) == ("U", "NO")
    assert header.presentation_intent_type == "FOR PRESENTATION"


def test_times_have_the_zone_that_the_file_names(tmp_path: Path) -> None:
    header = header_of(
        tmp_path,
        StudyDate="20260112",
        StudyTime="071500.5",
        AcquisitionDate="20260112",
        AcquisitionTime="0720",
        TimezoneOffsetFromUTC="-0330",
    )
    zone = timezone(-timedelta(hours=3, minutes=30))
    assert header.study_datetime == datetime(2026, 1, 12, 7, 15, tzinfo=zone)
    assert header.acquisition_datetime == datetime(2026, 1, 12, 10, 50, tzinfo=UTC)


@pytest.mark.parametrize("offset", ["+9900", "0100", "+01", "abc"])
def test_a_broken_zone_is_none(tmp_path: Path, offset: str) -> None:
    header = header_of(
        tmp_path, StudyDate="20260112", StudyTime="0715", TimezoneOffsetFromUTC=offset
    )
    assert header.study_datetime == datetime(2026, 1, 12, 7, 15)


def test_an_acquisition_datetime_brings_its_own_zone(tmp_path: Path) -> None:
    header = header_of(
        tmp_path,
        AcquisitionDateTime="20260112072000.000000+0100",
        AcquisitionDate="19990101",
        TimezoneOffsetFromUTC="+0900",
    )
    assert header.acquisition_datetime == datetime(2026, 1, 12, 6, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [("4Y", "004Y"), ("011m", "011M"), ("four", None), ("", None), ("-4Y", None)],
)
def test_ages_are_read_as_devices_write_them(
    tmp_path: Path, written: str, read: str | None
) -> None:
    film = a_dicom_file(tmp_path / "film", PatientAge="999Y")
    film.write_bytes(film.read_bytes().replace(b"999Y", written.ljust(4).encode()))
    assert read_header(film).patient_age == read


def test_view_and_region_may_be_named_by_codes_alone(tmp_path: Path) -> None:
    header = header_of(
        tmp_path,
        ViewPosition=None,
        ViewCodeSequence=Sequence([a_code("left lateral")]),
        AnatomicRegionSequence=Sequence([a_code("Chest")]),
    )
    assert (header.view_position, header.body_part_examined) == ("left lateral", "Chest")


def test_the_storage_class_says_that_a_film_is_raw(tmp_path: Path) -> None:
    header = header_of(tmp_path, SOPClassUID=DigitalXRayImageStorageForProcessing)
    assert header.presentation_intent_type == "FOR PROCESSING"


@pytest.mark.parametrize(
    "attributes",
    [
        {"RequestedProcedurePriority": "STAT"},
        {"RequestedProcedurePriority": "high"},
        {"StudyPriorityID": "HIGH"},
        {"ReportingPriority": "STAT"},
        {"RequestAttributesSequence": [("RequestedProcedurePriority", "STAT")]},
    ],
)
def test_stat_is_read_wherever_an_order_says_it(tmp_path: Path, attributes: dict[str, Any]) -> None:
    order = {
        name: Sequence([an_item(value)]) if isinstance(value, list) else value
        for name, value in attributes.items()
    }
    assert header_of(tmp_path, **order).stat
    assert not header_of(tmp_path, RequestedProcedurePriority="ROUTINE").stat


def test_a_broken_sequence_is_left_out(tmp_path: Path) -> None:
    film = a_dicom_file(tmp_path / "film", ViewCodeSequence=Sequence([a_code("LATERALIS")]))
    content = film.read_bytes()
    at = content.index(b"LATERALIS") - 8
    film.write_bytes(content[:at] + b"\xff" * 8 + content[at + 8 :])
    try:
        assert read_header(film).view_position == "AP"
    except Refused as refusal:
        pytest.fail(f"refused: {refusal}")


def test_dates_and_times_are_read_in_their_old_forms_too(tmp_path: Path) -> None:
    """ACR-NEMA's, which PS3.5 6.2 lets readers accept: 1993.04.22 and 07:15."""
    film = a_dicom_file(
        tmp_path / "film", StudyDate="20260112", StudyTime="071500", PatientBirthDate="20220314"
    )
    content = film.read_bytes().replace(b"\x08\x0020260112", b"\x0a\x002026.01.12")
    film.write_bytes(content.replace(b"071500", b"07:15 "))
    header = read_header(film)
    assert header.study_datetime == datetime(2026, 1, 12, 7, 15)
    assert header.patient_birth_date == date(2022, 3, 14)


def a_code(meaning: str) -> Dataset:
    return an_item([("CodeValue", "R-1"), ("CodeMeaning", meaning)])


def an_item(values: list[tuple[str, str]]) -> Dataset:
    item = Dataset()
    for keyword, value in values:
        setattr(item, keyword, value)
    return item


def test_what_was_ordered_and_why_is_read_and_cleaned(tmp_path: Path) -> None:
    order = Dataset()
    order.ReasonForTheRequestedProcedure = "cough,\x1b[31m fever\r\n"
    order.RequestedProcedureDescription = "Chest frontal"
    header = header_of(
        tmp_path,
        StudyDescription=" XR Chest ",
        AdditionalPatientHistory="asthma\nsince 2020 " + "x" * 2000,
        RequestAttributesSequence=[order],
    )
    assert header.study_description == "XR Chest"
    assert header.requested_procedure_description == "Chest frontal"
    assert header.reason_for_the_requested_procedure == "cough,[31m fever"
    history = header.additional_patient_history or ""
    assert history.startswith("asthma since 2020 x")
    assert len(history) <= 512
