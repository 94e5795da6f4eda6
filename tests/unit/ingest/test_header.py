from datetime import date, datetime
from pathlib import Path

import pytest
from pydicom.uid import (
    MPEG2MPML,
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from ingest.dicom.header import read_header
from ingest.scope.scope import check_scope
from ingest.scope.scope_rules import default_rules
from readfirst.domain import Ages, FileKind, Header
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.samples import sample_files
from tests.support.files import (
    a_big_endian_file,
    a_dataset,
    a_dicom_file,
    a_gradient,
    dicom_bytes,
)

AGES = Ages(1, 5)
SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
]


def refusal_of(path: Path) -> RefusalCode:
    with pytest.raises(Refused) as caught:
        read_header(path)
    return caught.value.code


def test_a_header_is_read_with_its_patient_and_order(tmp_path: Path) -> None:
    path = a_dicom_file(
        tmp_path / "film",
        PatientName="Díaz^Lucía",
        SpecificCharacterSet="ISO_IR 192",
        PatientBirthDate="20220314",
        StudyDate="20260112",
        StudyTime="0715",
        AccessionNumber="A1",
        RequestedProcedurePriority="STAT",
    )
    header = read_header(path)
    assert header.kind is FileKind.DICOM
    assert (header.rows, header.columns) == (48, 64)
    assert header.patient_name == "Díaz^Lucía"
    assert header.patient_birth_date == date(2022, 3, 14)
    assert header.study_datetime == datetime(2026, 1, 12, 7, 15)
    assert header.accession_number == "A1"
    assert header.stat


def test_broken_optional_attributes_are_left_out_and_do_not_refuse(tmp_path: Path) -> None:
    broken = a_dicom_file(tmp_path / "film", StudyTime="121314", StudyDate="20260112")
    content = broken.read_bytes()
    broken.write_bytes(content.replace(b"121314", b"9x!:-)").replace(b"20260112", b"20269912"))
    header = read_header(broken)
    assert header.study_datetime is None
    assert header.study_instance_uid


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, syntax: str) -> None:
    whole = dicom_bytes(a_dataset(a_gradient()), syntax)
    path = tmp_path / "film.dcm"
    for cut in (133, 200, 400, len(whole) // 2, len(whole) - 600, len(whole) - 20):
        path.write_bytes(whole[:cut])
        assert refusal_of(path) in (RefusalCode.TRUNCATED, RefusalCode.DICOM_UNREADABLE), cut


@pytest.mark.parametrize("sample", sample_files(), ids=lambda path: path.name)
def test_a_sample_that_lost_its_end_is_truncated(sample: Path, tmp_path: Path) -> None:
    assert read_header(sample)
    cut = tmp_path / sample.name
    cut.write_bytes(sample.read_bytes()[: sample.stat().st_size * 2 // 3])
    assert refusal_of(cut) is RefusalCode.TRUNCATED


def test_text_named_dcm_is_not_an_image(tmp_path: Path) -> None:
    path = tmp_path / "notes.dcm"
    path.write_text("Dear colleague, please find enclosed the film of last week.\n" * 9)
    assert refusal_of(path) is RefusalCode.NOT_AN_IMAGE


def test_zero_bytes_are_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "film.dcm"
    path.touch()
    assert refusal_of(path) is RefusalCode.EMPTY_FILE


def test_dicom_is_known_by_its_content_without_preamble_or_extension(tmp_path: Path) -> None:
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        whole = dicom_bytes(a_dataset(a_gradient()), syntax)
        path = tmp_path / "film"
        path.write_bytes(whole[132:])
        header = read_header(path)
        assert header.kind is FileKind.DICOM
        assert header.transfer_syntax_uid == syntax


def test_big_endian_is_read(tmp_path: Path) -> None:
    path = a_big_endian_file(tmp_path / "film.dcm", a_gradient(bits=12))
    assert read_header(path).transfer_syntax_uid == ExplicitVRBigEndian


def test_video_is_refused_by_its_syntax(tmp_path: Path) -> None:
    path = a_dicom_file(tmp_path / "film.dcm")
    path.write_bytes(rename_syntax(path.read_bytes(), MPEG2MPML))
    assert refusal_of(path) is RefusalCode.TRANSFER_SYNTAX_UNSUPPORTED


def rename_syntax(file: bytes, syntax: str) -> bytes:
    """Put another transfer syntax into the file meta, with the lengths set right."""
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    old = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\x00"
    assert old in file
    new = b"\x02\x00\x10\x00UI" + len(value).to_bytes(2, "little") + value
    grown = int.from_bytes(file[140:144], "little") + len(new) - len(old)
    return file[:140] + grown.to_bytes(4, "little") + file[144:].replace(old, new)


def test_a_gigapixel_header_is_refused_by_its_size(tmp_path: Path) -> None:
    path = a_dicom_file(tmp_path / "film.dcm", Rows=60000, Columns=60000)
    assert refusal_of(path) is RefusalCode.TOO_LARGE


def test_an_object_without_pixels_says_so(tmp_path: Path) -> None:
    dataset = a_dataset(a_gradient())
    del dataset.PixelData, dataset.Rows, dataset.Columns
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"  # Basic Text SR
    path = tmp_path / "report.dcm"
    dataset.save_as(path, enforce_file_format=False)
    assert refusal_of(path) is RefusalCode.NO_PIXEL_DATA


def test_tricks_in_uids_are_not_taken_over(tmp_path: Path) -> None:
    path = a_dicom_file(tmp_path / "film.dcm")
    evil = path.read_bytes()
    uid = read_header(path).study_instance_uid
    assert uid is not None
    path.write_bytes(evil.replace(uid.encode(), (b"../" * 30)[: len(uid)]))
    assert read_header(path).study_instance_uid is None


@pytest.mark.parametrize("modality", ["CR", "DX", "RG", "SC", "OT", None])
@pytest.mark.parametrize("view", ["AP", "PA", "", None])
def test_frontal_radiographs_are_in_scope(modality: str | None, view: str | None) -> None:
    header = Header(kind=FileKind.DICOM, rows=9, columns=9, modality=modality, view_position=view)
    check_scope(header, default_rules(), AGES)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"modality": "CT", "sop_class_uid": CTImageStorage}, RefusalCode.MODALITY_NOT_RADIOGRAPHY),
        ({"view_position": "LL"}, RefusalCode.VIEW_NOT_FRONTAL),
        ({"view_position": "lateral"}, RefusalCode.VIEW_NOT_FRONTAL),
        ({"number_of_frames": 12}, RefusalCode.MULTI_FRAME),
    ],
)
def test_what_the_networks_do_not_know_is_out_of_scope(
    attributes: dict[str, str], code: RefusalCode
) -> None:
    header = Header(kind=FileKind.DICOM, rows=9, columns=9, **attributes)  # type: ignore[arg-type]
    with pytest.raises(Refused) as caught:
        check_scope(header, default_rules(), AGES)
    assert caught.value.code is code
