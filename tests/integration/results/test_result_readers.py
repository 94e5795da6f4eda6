"""DICOM results as others read them: dciodvfy, dcmqi, DCMTK and Orthanc."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from readfirst.results.heat_maps import presentation_state
from readfirst.results.key_objects import key_objects
from readfirst.results.report import structured_report
from readfirst.results.values import DICOM_KINDS, AiResult, ResultKind
from tests.support.files import a_dicom_file, a_gradient
from tests.support.orthanc import Orthanc, an_orthanc
from tests.support.results import (
    ADULT,
    MAKERS,
    a_heat_map,
    a_result,
    a_source,
    a_study,
    an_image_result,
    dciodvfy_errors,
    dcmtk,
    of_wheel,
    output_of,
    saved,
)

KINDS = pytest.mark.parametrize("kind", DICOM_KINDS)
BARE = a_study(
    **dict.fromkeys(
        (
            "study_id", "study_datetime", "accession_number", "study_description",
            "referring_physician_name", "patient_id", "patient_name", "patient_birth_date",
            "patient_sex",
        )
    ),
    orders=(),
)  # fmt: skip
RESULTS = {
    "as most": a_result(),
    "several films, one not validated, one not flagged": a_result(
        images=(
            an_image_result(1),
            an_image_result(2, 0.7, marks=(ADULT,)),
            an_image_result(3, 0.02),
        ),
        number=2,
    ),
    "oriented": a_result(
        images=(an_image_result(image=a_source(laterality="L", patient_orientation=("L", "F"))),)
    ),
    "of nobody, without any orientation, spacing or laterality": a_result(study=BARE),
    "in many alphabets": a_result(
        study=a_study(
            patient_name="Yamada^Tarou=山田^太郎=やまだ^たろう",
            referring_physician_name="Иванов^Пётр",
            study_description="Röntgen Thorax – 胸部",
            utc_offset="+0900",
            issuer_of_patient_id="医院",
        )
    ),
}
CASES = pytest.mark.parametrize("case", RESULTS)


@KINDS
@CASES
def test_dciodvfy_finds_no_error(kind: ResultKind, case: str, tmp_path: Path) -> None:
    assert dciodvfy_errors(saved(MAKERS[kind](RESULTS[case]), tmp_path / "result.dcm")) == []


def test_dciodvfy_finds_an_error_where_there_is_one(tmp_path: Path) -> None:
    dataset = key_objects(a_result())
    del dataset.SOPInstanceUID
    path = tmp_path / "result.dcm"
    dataset.save_as(path)
    assert dciodvfy_errors(path)


@pytest.mark.parametrize("kind", [ResultKind.SR, ResultKind.VERDICT])
@CASES
def test_dcmqi_reads_the_reports(kind: ResultKind, case: str, tmp_path: Path) -> None:
    result = RESULTS[case]
    path, metadata = saved(MAKERS[kind](result), tmp_path / "result.dcm"), tmp_path / "read.json"
    output_of(of_wheel("tid1500reader"), "--inputDICOM", path, "--outputMetadata", metadata)
    groups = json.loads(metadata.read_text())["Measurements"]
    assert len(groups) == len(result.images)
    for group, image in zip(groups, result.images, strict=True):
        assert group["Finding"]["CodeValue"] == "RID5350"
        if kind is ResultKind.SR:
            (item,) = group["measurementItems"]
            assert float(item["value"]) == image.probability
            assert item["measurementAlgorithmIdentification"]["AlgorithmVersion"] == "2.0"
            present = [
                each for each in group["qualitativeEvaluations"]
                if each["conceptCode"]["CodeValue"] == "RID5350"
            ]  # fmt: skip
            assert bool(present) == image.flagged


@pytest.mark.parametrize("kind", [ResultKind.SR, ResultKind.KOS, ResultKind.VERDICT])
@CASES
def test_dcmtk_reads_the_documents(kind: ResultKind, case: str, tmp_path: Path) -> None:
    path = saved(MAKERS[kind](RESULTS[case]), tmp_path / "result.dcm")
    text = dcmtk("dsrdump", "+Pu", path)
    title = "Of Interest" if kind is ResultKind.KOS else "Imaging Measurement Report"
    assert title in text
    assert "dsrdump: error" not in text
    warnings = [line for line in text.splitlines() if line.startswith("W: ")]
    assert not [line for line in warnings if "support" not in line]


@KINDS
def test_dcmtk_dumps_every_kind(kind: ResultKind, tmp_path: Path) -> None:
    text = dcmtk("dcmdump", saved(MAKERS[kind](a_result()), tmp_path / "result.dcm"))
    assert "ReadFirst" in text


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_dcmtk_shows_the_film_under_the_outlines_as_it_is_by_itself(
    photometric: str, tmp_path: Path
) -> None:
    window: dict[str, Any] = {
        "PhotometricInterpretation": photometric,
        "WindowCenter": 100,
        "WindowWidth": 90,
    }
    film = a_dicom_file(
        tmp_path / "film.dcm",
        a_gradient(120, 100),
        StudyInstanceUID="1.2.826.1",
        SeriesInstanceUID="1.2.826.1.1",
        SOPInstanceUID="1.2.826.1.1.1",
        **window,
    )
    heat = a_heat_map(BitsAllocated=8, BitsStored=8, **window)
    state = saved(presentation_state(a_result(), heat), tmp_path / "state.dcm")
    assert "Test passed" in dcmtk("dcmpschk", state)
    plain, under = tmp_path / "plain.pgm", tmp_path / "under.pgm"
    dcmtk("dcmp2pgm", film, plain)
    dcmtk("dcmp2pgm", "-p", state, film, under)
    assert under.read_bytes() == plain.read_bytes()


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with an_orthanc(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@CASES
def test_orthanc_stores_and_returns_every_kind(orthanc: Orthanc, case: str, tmp_path: Path) -> None:
    result = of_a_study_of_its_own(RESULTS[case], case)
    sent = {kind: make(result) for kind, make in MAKERS.items()}
    for kind, dataset in sent.items():
        answer = orthanc.store(saved(dataset, tmp_path / f"{kind}.dcm"))
        assert answer["Status"] == "Success"
    study = orthanc.find("Study", StudyInstanceUID=result.study.study_instance_uid)
    assert study["PatientMainDicomTags"]["PatientName"] == (result.study.patient_name or "")
    stored = orthanc.instances(study["ID"])
    assert stored == {dataset.SOPInstanceUID: dataset.SOPClassUID for dataset in sent.values()}
    series = orthanc.find("Series", StudyInstanceUID=study_uid(result), SeriesNumber="9101")
    assert series["MainDicomTags"]["Modality"] == "SR"


def test_the_same_twice_is_once_in_orthanc(orthanc: Orthanc, tmp_path: Path) -> None:
    result = of_a_study_of_its_own(a_result(), "twice")
    path = saved(structured_report(result), tmp_path / "result.dcm")
    assert orthanc.store(path)["Status"] == "Success"
    again = saved(structured_report(result), tmp_path / "again.dcm")
    assert orthanc.store(again)["Status"] == "AlreadyStored"


def of_a_study_of_its_own(result: AiResult, name: str) -> AiResult:
    """The same in another study, so that no test sees what another has stored."""
    uid = f"1.2.826.9.{int.from_bytes(name.encode()) % 10**9}"
    return replace(result, study=replace(result.study, study_instance_uid=uid))


def study_uid(result: AiResult) -> str:
    return result.study.study_instance_uid
