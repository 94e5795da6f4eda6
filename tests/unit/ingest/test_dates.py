"""Dates, times, ages and UIDs of a header: their forms are checked, and nothing is guessed."""

from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import generate_uid

from ingest.dicom.dates import (
    EARLIEST_BIRTH,
    read_age,
    read_datetime,
    read_day,
    read_offset,
    read_time,
)
from ingest.dicom.header import read_header
from ingest.scope.scope import check_scope
from ingest.scope.scope_rules import default_rules
from readfirst.domain import Ages, Header
from readfirst.errors import Refused
from tests.support.files import a_dicom_file
from tests.support.raw_values import with_raw_value

#: A child of four.
DATES = {"StudyDate": "20260112", "PatientBirthDate": "20211005"}


def header_of(folder: Path, keyword: str, written: bytes, **others: Any) -> Header:
    """The header of a film in which an attribute stands just so, whatever its VR allows."""
    path = a_dicom_file(folder / "film", **others)
    path.write_bytes(with_raw_value(path.read_bytes(), keyword, written))
    return read_header(path)


@pytest.mark.parametrize(
    "written",
    ["202512", "201911", "2019.11", "1993.1.12", "1993.01.1", "2025", "2025-10-05", "05102025",
     "2025105", "202510051", "20251005120000", "2025W051", "2025-W05-1", "20250230", "20251300",
     "20250010", "00010101", "00000000", "２０２５１００５", "2025_005", "+2025105", "2025 105",
     "2025.10.5", "2025.1005", "20.25.10.05", "19900101\\20211005", "17000101", "99991231", ""],
)  # fmt: skip
def test_a_date_of_another_form_is_none(tmp_path: Path, written: str) -> None:
    assert read_day(written, EARLIEST_BIRTH) is None
    film = header_of(tmp_path, "PatientBirthDate", written.encode(), **DATES)
    assert film.patient_birth_date is None
    (mark,) = check_scope(film, default_rules(), Ages(1, 5))
    assert mark.code == "age_unknown"


@pytest.mark.parametrize(
    "written", ["20211005", "2021.10.05", "20211005 ", " 20211005", "20211005\0"]
)
def test_a_date_is_read_in_both_its_forms(tmp_path: Path, written: str) -> None:
    film = header_of(tmp_path, "PatientBirthDate", written.encode(), **DATES)
    assert film.patient_birth_date == date(2021, 10, 5)
    assert check_scope(film, default_rules(), Ages(1, 5)) == ()


def test_a_birth_date_may_be_older_than_any_study() -> None:
    assert read_day("18991230", EARLIEST_BIRTH) == date(1899, 12, 30)
    assert read_day("18991230") is None


@given(st.text(max_size=12))
def test_whatever_is_read_as_a_day_stands_there(written: str) -> None:
    day = read_day(written)
    if day is not None:
        assert written in (f"{day:%Y%m%d}", f"{day:%Y.%m.%d}")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("07", time(7)), ("0715", time(7, 15)), ("071530", time(7, 15, 30)),
        ("071530.123456", time(7, 15, 30)), ("07:15", time(7, 15)), ("07:15:30", time(7, 15, 30)),
        ("235960", time(23, 59, 59)), ("7", None), ("081", None), ("07153", None), ("7:15", None),
        ("0760", None), ("24", None), ("071530.", None), ("0715.5", None), ("07_5", None),
        ("07:1530", None), ("٠٧", None), ("", None),
    ],
)  # fmt: skip
def test_times(written: str, read: time | None) -> None:
    assert read_time(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("20260112", (datetime(2026, 1, 12), "")),
        ("2026011207", (datetime(2026, 1, 12, 7), "")),
        ("202601120715+0100", (datetime(2026, 1, 12, 7, 15), "+0100")),
        ("20260112071500.5-0330", (datetime(2026, 1, 12, 7, 15), "-0330")),
        ("202601", None), ("202601121", None), ("20260112071", None), ("20260112071500.", None),
        ("20260112.5", None), ("2026011225", None), ("20260230", None), ("2026-01-12T07:15", None),
    ],
)  # fmt: skip
def test_moments(written: str, read: tuple[datetime, str] | None) -> None:
    assert read_datetime(written) == read


def test_a_moment_that_is_none_leaves_the_date_and_time_beside_it(tmp_path: Path) -> None:
    film = a_dicom_file(
        tmp_path / "film",
        AcquisitionDateTime="202601",
        AcquisitionDate="20260112",
        AcquisitionTime="0720",
    )
    assert read_header(film).acquisition_datetime == datetime(2026, 1, 12, 7, 20)


def test_a_time_that_is_none_is_the_beginning_of_its_day(tmp_path: Path) -> None:
    film = header_of(tmp_path, "StudyTime", b"081", **DATES, StudyTime="0715")
    assert film.study_datetime == datetime(2026, 1, 12)


@pytest.mark.parametrize(
    ("written", "hours"), [("+1400", 14), ("-1200", -12), ("+1401", None), ("-1300", None)]
)
def test_offsets_are_those_of_the_world(written: str, hours: int | None) -> None:
    assert read_offset(written) == (None if hours is None else timezone(timedelta(hours=hours)))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("062Y", ("062Y", False)), ("62Y", ("062Y", False)), ("62 Y", ("062Y", False)),
        ("0062Y", ("062Y", False)), ("62y", ("062Y", False)), ("0Y", ("000Y", False)),
        ("000D", ("000D", False)), ("011m", ("011M", False)), ("999Y", ("999Y", False)),
        ("62", ("062Y", True)), ("062", ("062Y", True)), ("0", ("000Y", True)),
        ("0062", ("062Y", True)), ("1000Y", None), ("Y", None), ("Y62", None), ("6 2Y", None),
        ("6_2Y", None), ("-4Y", None), ("+4Y", None), ("4.5Y", None), ("62.0", None), ("٤Y", None),
        ("4Ｙ", None), ("4 years", None), ("4X", None), ("", None),
    ],
)  # fmt: skip
def test_ages(written: str, read: tuple[str, bool] | None) -> None:
    assert read_age(written) == read


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"62", "adult"), (b"062", "adult"), (b"62Y ", "adult"), (b"62 Y", "adult"),
        (b"62y", "adult"), (b"62Y\0", "adult"), (b"4", "age_without_unit"),
        (b"004", "age_without_unit"), (b"0Y", "child_outside_population"),
        (b"999Y", "age_unknown"), (b"150Y", "age_unknown"), (b"6\x002Y", "age_unknown"),
        (b"4Y\\62Y", "age_unknown"), (b"4Y\\4Y", "age_unknown"),
    ],
)  # fmt: skip
def test_an_age_in_a_file_is_never_a_guess(tmp_path: Path, written: bytes, expected: str) -> None:
    film = header_of(tmp_path, "PatientAge", written, PatientAge="004Y")
    try:
        codes = [str(mark.code) for mark in check_scope(film, default_rules(), Ages(1, 5))]
    except Refused as refusal:
        codes = [str(refusal.code)]
    assert codes == [expected]


@pytest.mark.parametrize(
    ("written", "uid", "invalid"),
    [
        (b"1.2.3", "1.2.3", None), (b"1.2.3\0", "1.2.3", None), (b"1.2.3 ", "1.2.3", None),
        (b" 1.2.3", "1.2.3", None), (b"1.2.3\0\0 ", "1.2.3", None), (b"1.2.003", "1.2.003", None),
        (b"1.2." + b"3" * 60, "1.2." + "3" * 60, None),
        (b"1.2." + b"3" * 64, None, "1.2." + "3" * 64), (b"1.2.A1B2", None, "1.2.A1B2"),
        (b"1.2..3", None, "1.2..3"), (b"1.2.3.", None, "1.2.3."), (b".1.2", None, ".1.2"),
        (b"1.2 .3", None, "1.2 .3"), (b"1.2\0.3", None, "1.2.3"), (b"1.2_3", None, "1.2_3"),
        ("1.٢".encode(), None, "1.٢"), (b"1.2\\3.4", None, "1.2\\3.4"), (b"", None, None),
        (b"  ", None, None),
    ],
)  # fmt: skip
def test_a_study_instance_uid_is_one_or_is_kept_as_it_stands(
    tmp_path: Path, written: bytes, uid: str | None, invalid: str | None
) -> None:
    film = header_of(
        tmp_path, "StudyInstanceUID", written, SpecificCharacterSet="ISO_IR 192",
        SeriesInstanceUID="1.9", SOPInstanceUID=generate_uid(),
    )  # fmt: skip
    assert film.study_instance_uid == uid
    if "٢" not in (invalid or ""):
        assert film.invalid_study_instance_uid == invalid
    else:
        assert film.invalid_study_instance_uid


@pytest.mark.parametrize(
    "written", [b"1_0", b"infinity", b"nan", b"0x10", b"1e999", "１２".encode()]
)
def test_a_decimal_string_of_another_form_is_none(tmp_path: Path, written: bytes) -> None:
    film = header_of(tmp_path, "ExposureIndex", written, ExposureIndex="412")
    assert film.exposure_index is None
