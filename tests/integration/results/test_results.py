"""DICOM results from real films in the database and the store."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from cli.common.database import TERMINAL
from db.ensembles.changes import change_threshold
from db.ensembles.thresholds import NewThreshold
from db.ensembles.versions import active_ensemble
from db.lifecycle.rescoring import rank_by_threshold
from db.lifecycle.verdicts import VerdictInput
from db.tables import EnsembleVersion
from ingest.inbox.claim import Claim
from models.manifest import shipped_version
from readfirst.results.reasons import NoResultCode
from readfirst.results.values import DICOM_KINDS, ResultKind
from readfirst.samples import FOLDER
from readfirst.statistics.threshold_methods import ThresholdMethod
from readfirst.studies.findings import Finding
from readfirst.testing import FixedEnsemble
from results.make import ResultObject, make_results
from tests.support.results import dciodvfy_errors, saved
from tests.support.scored_results import (
    a_film,
    by_a_new_version,
    codes_of,
    scored,
    services_of,
    studies,
)
from tests.support.studies import give_verdict, lifecycle
from tests.support.workers import Worker

Drop = Callable[..., Claim]
EVERY = DICOM_KINDS


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The one query of its own has a test on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def test_a_flagged_study_of_several_films_has_a_report_and_a_flag(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    more = a_film(tmp_path, SOPInstanceUID="1.2.826.77", InstanceNumber=2)
    uid = scored(worker, drop, FOLDER / "study-02.dcm", more)
    results = make_results(services_of(worker), uid)
    assert not results.missing
    report, flag = (each.dataset for each in results.objects)
    film = dcmread(FOLDER / "study-02.dcm", stop_before_pixels=True)
    assert report.StudyInstanceUID == film.StudyInstanceUID == uid
    assert (report.PatientID, report.StudyID) == (film.PatientID, film.StudyID)
    assert (report.StudyDate, report.StudyTime) == (film.StudyDate, film.StudyTime)
    references = referenced(report)
    assert references == {film.SOPInstanceUID, "1.2.826.77"}
    assert referenced(flag) < references, "only the film that reaches the threshold"
    again = make_results(services_of(worker), uid)
    assert [each.sop_instance_uid for each in again.objects] == [
        each.sop_instance_uid for each in results.objects
    ]
    assert [each.dataset for each in again.objects] == [each.dataset for each in results.objects]


def referenced(dataset: Dataset) -> set[str]:
    return {
        instance.ReferencedSOPInstanceUID
        for study in dataset.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {"PatientName": "山田^太郎", "SpecificCharacterSet": ["", "ISO 2022 IR 87"]},
        {"PatientName": "Müller^Jürgen", "SpecificCharacterSet": "ISO_IR 100"},
        {"PatientName": "Люкceмбypг", "SpecificCharacterSet": "ISO_IR 144"},
        {"PatientName": "Wang^XiaoDong=王^小东", "SpecificCharacterSet": "GB18030"},
        {"PatientName": "قباني^لنزار", "SpecificCharacterSet": "ISO_IR 127"},
    ],
)
def test_a_name_in_another_character_set_comes_out_in_utf_8(
    worker: Worker, drop: Drop, tmp_path: Path, attributes: dict[str, Any]
) -> None:
    uid = scored(worker, drop, a_film(tmp_path, **attributes))
    for made in make_results(services_of(worker), uid).objects:
        path = saved(made.dataset, tmp_path / "result.dcm")
        assert str(dcmread(path).PatientName) == attributes["PatientName"]
        assert dciodvfy_errors(path) == []


@pytest.mark.parametrize(
    "attributes",
    [
        {"StudyDate": None, "StudyTime": None, "StudyID": None, "AccessionNumber": None},
        {"PatientOrientation": ["", ""], "Laterality": "", "PatientID": None, "PatientName": None},
        {"PatientOrientation": "SIDEWAYS", "ImageLaterality": "B", "PatientSex": "X"},
        {"TimezoneOffsetFromUTC": "+0930", "StudyTime": "2359"},
        {"StudyDescription": "x" * 64, "Modality": "CR", "RequestAttributesSequence": [Dataset()]},
    ],
)
def test_a_film_that_says_little_or_oddly_has_clean_results(
    worker: Worker, drop: Drop, tmp_path: Path, attributes: dict[str, Any]
) -> None:
    uid = scored(worker, drop, a_film(tmp_path, **attributes))
    results = make_results(services_of(worker), uid)
    assert len(results.objects) == 2
    for made in results.objects:
        assert dciodvfy_errors(saved(made.dataset, tmp_path / "result.dcm")) == []


def test_the_times_are_those_of_the_clock_of_the_film(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    film = a_film(tmp_path, TimezoneOffsetFromUTC="+0930", StudyDate="20260112", StudyTime="2359")
    uid = scored(worker, drop, film)
    report = make_results(services_of(worker), uid).objects[0].dataset
    assert (report.StudyDate, report.StudyTime) == ("20260112", "235900")
    assert report.TimezoneOffsetFromUTC == "+0930"
    at = datetime.strptime(f"{report.ContentDate}{report.ContentTime}+0930", "%Y%m%d%H%M%S%z")
    assert abs((datetime.now(UTC) - at).total_seconds()) < 3600


def test_the_order_of_a_film_is_referred_to(worker: Worker, drop: Drop, tmp_path: Path) -> None:
    order = Dataset()
    order.RequestedProcedureID, order.RequestedProcedureDescription = "RP-9", "Chest"
    uid = scored(worker, drop, a_film(tmp_path, RequestAttributesSequence=[order]))
    for made in make_results(services_of(worker), uid).objects:
        (item,) = made.dataset.ReferencedRequestSequence
        assert (item.RequestedProcedureID, item.StudyInstanceUID) == ("RP-9", uid)


def test_a_picture_has_no_result(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "film-02.jpg")
    results = make_results(services_of(worker), uid)
    assert not results.objects
    assert codes_of(results) == [(None, NoResultCode.PICTURE)]
    assert "DICOM header" in results.missing[0].reason


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"StudyInstanceUID": None}, NoResultCode.STUDY_UID_MADE_HERE),
        ({"SOPInstanceUID": None}, NoResultCode.IMAGE_UID_MADE_HERE),
        ({"SeriesInstanceUID": None}, NoResultCode.HEADER_INCOMPLETE),
        ({"SOPClassUID": None}, NoResultCode.HEADER_INCOMPLETE),
    ],
)
def test_what_no_pacs_can_find_has_no_result(
    worker: Worker, drop: Drop, tmp_path: Path, attributes: dict[str, Any], code: NoResultCode
) -> None:
    uid = scored(worker, drop, a_film(tmp_path, **attributes))
    assert codes_of(make_results(services_of(worker), uid)) == [(None, code)]


def test_two_patients_under_one_uid_have_no_result(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    worker.take_in(drop(FOLDER / "study-02.dcm"))
    other = {"PatientID": "OTHER", "PatientName": "Roe^Jan", "PatientBirthDate": "20200101"}
    worker.take_in(drop(a_film(tmp_path, SOPInstanceUID="1.2.826.78", **other)))
    worker.score_all()
    assert len(studies(worker)) == 2
    for study in studies(worker):
        results = make_results(services_of(worker), study.study_instance_uid)
        assert codes_of(results) == [(None, NoResultCode.STUDY_UID_SHARED)]


def test_what_is_in_work_or_gone_or_hidden_has_no_result(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    hidden = services_of(worker, hide_ai_until_verdict=True)
    assert codes_of(make_results(hidden, uid)) == [(None, NoResultCode.AI_HIDDEN)]
    worker.take_in(drop(a_film(tmp_path, SOPInstanceUID="1.2.826.79")))
    assert codes_of(make_results(services_of(worker), uid)) == [(None, NoResultCode.IN_WORK)]
    worker.score_all()
    (study,) = studies(worker)
    worker.store.path(study.images[0].sha256).unlink()
    assert codes_of(make_results(services_of(worker), uid)) == [
        (None, NoResultCode.ORIGINAL_REMOVED)
    ]


def test_a_newer_version_follows_the_report_before_it(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    before = make_results(services_of(worker), uid).objects[0]
    newer = by_a_new_version(worker, "9.0", 0.97)
    after = make_results(services_of(newer), uid).objects[0].dataset
    (study,) = after.PredecessorDocumentsSequence
    (document,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert document.ReferencedSOPInstanceUID == before.sop_instance_uid
    assert after.SOPInstanceUID != before.sop_instance_uid
    assert (after.InstanceNumber, after.SoftwareVersions) == (2, "9.0")


def test_a_newer_version_takes_no_flag_back(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    newer = by_a_new_version(worker, "9.0", 0.2)
    results = make_results(services_of(newer), uid)
    assert not results.objects
    assert codes_of(results) == [
        (ResultKind.SR, NoResultCode.WOULD_LOWER),
        (ResultKind.KOS, NoResultCode.WOULD_LOWER),
    ]


def test_a_higher_threshold_takes_no_flag_back(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    assert make_results(services_of(worker), uid).objects
    new = NewThreshold(
        ensemble_version=shipped_version(), value=0.99, method=ThresholdMethod.VALUE,
        evidence={"target": 0.99}, chosen_by="lead",
    )  # fmt: skip
    with lifecycle(worker.database, datetime.now(UTC)) as unit:
        change_threshold(unit.session, TERMINAL, new, unit.at)
        active = active_ensemble(unit.session)
        assert active is not None
        assert rank_by_threshold(unit, active, limit=9)
    (study,) = studies(worker)
    assert not study.flagged
    assert {code for _, code in codes_of(make_results(services_of(worker), uid))} == {
        NoResultCode.WOULD_LOWER
    }


def test_a_version_that_was_never_active_says_nothing(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    newer = by_a_new_version(worker, "9.0", 0.97)
    with worker.database.write() as session:
        session.get_one(EnsembleVersion, shipped_version()).activated_at = None
    report = make_results(services_of(newer), uid).objects[0].dataset
    assert "PredecessorDocumentsSequence" not in report


def test_a_film_that_is_not_flagged_has_a_report_and_nothing_else(
    worker: Worker, drop: Drop
) -> None:
    worker = worker.with_ensemble(FixedEnsemble([0.1], version=shipped_version()))
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    results = make_results(services_of(worker), uid, EVERY)
    assert [each.kind for each in results.objects] == [ResultKind.SR]
    assert codes_of(results) == [
        (ResultKind.KOS, NoResultCode.NOT_FLAGGED),
        (ResultKind.SC, NoResultCode.NOT_FLAGGED),
        (ResultKind.GSPS, NoResultCode.NOT_FLAGGED),
        (ResultKind.VERDICT, NoResultCode.NO_VERDICT),
    ]


@pytest.mark.parametrize(
    ("probability", "finding", "word"),
    [
        (0.99, Finding.PNEUMONIA, "ACCEPTED"),
        (0.99, Finding.NO_PNEUMONIA, "REJECTED"),
        (0.1, Finding.PNEUMONIA, "MODIFIED"),
        (0.1, Finding.NO_PNEUMONIA, "ACCEPTED"),
        (0.99, Finding.CANNOT_TELL, None),
        (0.99, None, None),
    ],
)
def test_a_verdict_accepts_modifies_or_rejects(
    worker: Worker, drop: Drop, probability: float, finding: Finding | None, word: str | None
) -> None:
    worker = worker.with_ensemble(FixedEnsemble([probability], version=shipped_version()))
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    with worker.database.write() as session:
        give_verdict(session, uid, VerdictInput(finding=finding))
    results = make_results(services_of(worker), uid, [ResultKind.VERDICT, ResultKind.SR])
    if word is None:
        assert codes_of(results) == [(ResultKind.VERDICT, NoResultCode.NO_VERDICT)]
        return
    report, verdict = (each.dataset for each in results.objects)
    values = {str(element.value) for element in verdict.iterall() if element.VR != "SQ"}
    assert word in values
    assert report.SOPInstanceUID in values


def test_a_second_verdict_follows_the_first(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    made: list[ResultObject] = []
    for finding in (Finding.PNEUMONIA, Finding.NO_PNEUMONIA):
        with worker.database.write() as session:
            give_verdict(session, uid, VerdictInput(finding=finding))
        made += make_results(services_of(worker), uid, [ResultKind.VERDICT]).objects
    first, second = made
    predecessors = {
        instance.ReferencedSOPInstanceUID
        for study in second.dataset.PredecessorDocumentsSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }
    assert first.sop_instance_uid in predecessors
    with worker.database.write() as session:
        give_verdict(session, uid, VerdictInput(withdrawn=True))
    withdrawn = make_results(services_of(worker), uid, [ResultKind.VERDICT])
    assert codes_of(withdrawn) == [(ResultKind.VERDICT, NoResultCode.NO_VERDICT)]


def test_the_codes_of_a_site_are_written(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    chosen = services_of(worker, result_finding_codes=("233604007^Pneumonia^SCT",))
    report = make_results(chosen, uid).objects[0].dataset
    assert "RADLEX" not in {str(element.value) for element in report.iterall()}
