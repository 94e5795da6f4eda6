"""DICOM results from real films in the database and the store, and into folders."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from typer.testing import CliRunner

from cli import app
from cli.common.database import TERMINAL
from db.access.audit import entries
from db.ensembles.changes import change_threshold
from db.ensembles.thresholds import NewThreshold
from db.ensembles.versions import active_ensemble
from db.images import image_with_content
from db.lifecycle.heat_maps import want
from db.lifecycle.rescoring import rank_by_threshold
from db.lifecycle.verdicts import VerdictInput
from db.read_models import StudyRecord
from db.tables import EnsembleVersion
from db.worklist.queries import reading_order
from ingest.inbox.claim import Claim
from models.ensemble import NetworkEnsemble
from models.manifest import SHIPPED, EnsembleMember, find_ensembles, load_manifest, shipped_version
from readfirst.errors import ReadFirstError
from readfirst.heat_maps import Area, HeatMethod
from readfirst.results.reasons import NO_RESULT_SENTENCES, NoResultCode
from readfirst.results.values import DICOM_KINDS, ResultKind
from readfirst.samples import FOLDER
from readfirst.statistics.operating_points import ThresholdMethod
from readfirst.studies.findings import Finding
from readfirst.testing import FixedEnsemble
from results.folder import write_results
from results.heat_maps import outlines_of, painted_film
from results.make import ResultObject, StudyResults, make_results
from results.services import ResultServices, result_services
from tests.support.networks import finder
from tests.support.results import dciodvfy_errors, saved
from tests.support.studies import AS_STORED, give_verdict, lifecycle
from tests.support.workers import Worker
from worker.scoring.ensemble_changes import make_active

Drop = Callable[..., Claim]
EVERY = DICOM_KINDS
SHIPPED_FOLDER = find_ensembles([SHIPPED])[shipped_version()]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The one query of its own has a test on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def services_of(worker: Worker, **settings: Any) -> ResultServices:
    changed = worker.settings.model_copy(update=settings)
    return result_services(changed, worker.database, worker.reader)


def a_film(folder: Path, name: str = "film.dcm", **attributes: Any) -> Path:
    """A film of the samples with these attributes; None removes one."""
    dataset = dcmread(FOLDER / "study-02.dcm")
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return saved(dataset, folder / name)


def studies(worker: Worker) -> list[StudyRecord]:
    with worker.database.read() as session:
        return reading_order(session, limit=20, display=AS_STORED)


def scored(worker: Worker, drop: Drop, *films: Path) -> str:
    """The UID of the study of films that are taken in and scored: the first one by 0.95."""
    for film in films:
        worker.take_in(drop(film))
    worker.score_all()
    (study,) = studies(worker)
    return study.study_instance_uid


def codes_of(results: StudyResults) -> list[tuple[ResultKind | None, NoResultCode]]:
    return [(each.kind, each.code) for each in results.missing]


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


def by_a_new_version(worker: Worker, version: str, probability: float) -> Worker:
    """The worker once all is scored again by a version that says this of each film."""
    folder = worker.settings.ensembles_path / version
    shutil.copytree(SHIPPED_FOLDER, folder)
    manifest = load_manifest(folder).model_copy(update={"version": version})
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    with worker.database.write() as session:
        make_active(session, worker.ensembles, version, TERMINAL, "root", datetime.now(UTC))
    newer = worker.with_ensemble(FixedEnsemble([probability], version=version))
    assert newer.rescore()
    newer.score_all()
    return newer


def test_a_newer_version_follows_the_report_before_it(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    before = make_results(services_of(worker), uid).objects[0]
    newer = by_a_new_version(worker, "3.0", 0.97)
    after = make_results(services_of(newer), uid).objects[0].dataset
    (study,) = after.PredecessorDocumentsSequence
    (document,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert document.ReferencedSOPInstanceUID == before.sop_instance_uid
    assert after.SOPInstanceUID != before.sop_instance_uid
    assert (after.InstanceNumber, after.SoftwareVersions) == (2, "3.0")


def test_a_newer_version_takes_no_flag_back(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    newer = by_a_new_version(worker, "3.0", 0.2)
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
        ensemble_version="2.0", value=0.99, method=ThresholdMethod.VALUE,
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
    newer = by_a_new_version(worker, "3.0", 0.97)
    with worker.database.write() as session:
        session.get_one(EnsembleVersion, "2.0").activated_at = None
    report = make_results(services_of(newer), uid).objects[0].dataset
    assert "PredecessorDocumentsSequence" not in report


def test_a_film_that_is_not_flagged_has_a_report_and_nothing_else(
    worker: Worker, drop: Drop
) -> None:
    worker = worker.with_ensemble(FixedEnsemble([0.1], version="2.0"))
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
    worker = worker.with_ensemble(FixedEnsemble([probability], version="2.0"))
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


@pytest.fixture
def looking(worker: Worker) -> Worker:
    """A worker whose network is quick and finds bright places, and flags every film."""
    member = EnsembleMember(
        name="finder", network="", file="none.safetensors", sha256="", input_size=64,
        parameters=0, weight=1.0,
    )  # fmt: skip
    changes = {"members": (member,), "pixel_check": None, "threshold": 0.000001}
    manifest = load_manifest(SHIPPED_FOLDER)
    ensemble = NetworkEnsemble(manifest.model_copy(update=changes), [finder(64, "pooled")])
    return worker.with_ensemble(ensemble)


def test_a_heat_map_leaves_as_a_picture_and_as_outlines(
    looking: Worker, drop: Drop, tmp_path: Path
) -> None:
    uid = scored(looking, drop, FOLDER / "study-02.dcm")
    kinds = [ResultKind.SC, ResultKind.GSPS]
    missing = make_results(services_of(looking), uid, kinds)
    assert {code for _, code in codes_of(missing)} == {NoResultCode.NO_HEAT_MAP}
    (study,) = studies(looking)
    with looking.database.write() as session:
        image = image_with_content(session, study.images[0].sha256)
        assert image is not None
        want(
            session, image.id, shipped_version(), HeatMethod.GRAD_CAM, image.received_at,
            requested=True,
        )  # fmt: skip
    while looking.explain_next():
        pass
    results = make_results(services_of(looking), uid, kinds)
    assert not results.missing
    capture, state = (each.dataset for each in results.objects)
    film = dcmread(FOLDER / "study-02.dcm")
    assert capture.Rows > film.Rows
    assert capture.Columns == film.Columns
    (annotation,) = state.GraphicAnnotationSequence
    for line in annotation.GraphicObjectSequence:
        assert max(line.GraphicData[::2]) <= film.Columns
        assert max(line.GraphicData[1::2]) <= film.Rows
    (voi,) = state.SoftcopyVOILUTSequence
    assert (voi.WindowCenter, voi.WindowWidth) == (film.WindowCenter, film.WindowWidth)
    for made in results.objects:
        assert dciodvfy_errors(saved(made.dataset, tmp_path / "result.dcm")) == []


def test_heat_lies_where_the_networks_looked() -> None:
    film = np.full((200, 100), 80, dtype=np.uint8)
    heat = np.zeros((224, 224))
    heat[:112, :112] = 1.0
    area = Area(0.5, 0.0, 1.0, 1.0)
    picture = painted_film(film, heat, area)
    is_painted = (picture != 80).any(axis=-1)
    assert not is_painted[:99].any()
    assert is_painted[105:145, 5:45].all()
    assert not is_painted[155:, :].any()
    (outline,) = outlines_of(heat, area, film.shape)
    assert np.allclose(outline.min(axis=0), (0, 100), atol=1)
    assert np.allclose(outline.max(axis=0), (50, 150), atol=1)


def test_a_large_film_is_painted_smaller() -> None:
    film = np.zeros((4000, 3000), dtype=np.uint8)
    assert painted_film(film, np.ones((224, 224)), Area(0, 0, 1, 1)).shape == (1536, 1152, 3)


def run(worker: Worker, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    url = worker.database.engine.url
    monkeypatch.setenv("READFIRST_HOME", str(worker.settings.home_path))
    monkeypatch.setenv("READFIRST_DATABASE_URL", url.render_as_string(hide_password=False))
    result = CliRunner().invoke(app, ["results", "write", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        assert isinstance(result.exception, ReadFirstError), result.exception
        return 1, result.stdout, str(result.exception)
    return result.exit_code, result.stdout, result.stderr


def test_the_command_writes_what_it_says_and_notes_it(
    worker: Worker, drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.take_in(drop(FOLDER / "study-02.dcm"))
    worker.take_in(drop(FOLDER / "study-03.dcm"))
    worker.score_all()
    target = tmp_path / "results"
    code, out, err = run(worker, monkeypatch, "--since", "1h", "--all", str(target), "--json")
    assert code == 0
    listed = json.loads(out)
    assert [each["kind"] for each in listed["written"]] == ["sr", "kos", "sr"]
    assert [each["code"] for each in listed["missing"]] == ["not_flagged"]
    for each in listed["written"]:
        dataset = dcmread(each["path"])
        assert dataset.SOPInstanceUID == each["sop_instance_uid"]
        assert Path(each["path"]).parent.name == each["study_instance_uid"]
    assert len(list(target.rglob("*"))) == 2 + 3, "nothing else lies there"
    with worker.database.read() as session:
        noted = [entry for entry in entries(session, limit=9) if entry.action == "results_written"]
    written = {each["sop_instance_uid"] for each in listed["written"]}
    assert {uid for entry in noted for _, uid in entry.detail["objects"]} == written
    assert "Research software" in err
    for name in ("Beispiel", "Jonas", "Exemple", "DEMO-0010"):
        assert name not in out + err + str(noted)


def test_only_flagged_studies_are_written_unless_all_are_wanted(
    worker: Worker, drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.take_in(drop(FOLDER / "study-02.dcm"))
    worker.take_in(drop(FOLDER / "study-03.dcm"))
    worker.score_all()
    code, out, _ = run(worker, monkeypatch, "--since", "1h", str(tmp_path / "out"), "--json")
    assert code == 0
    assert len({each["study_instance_uid"] for each in json.loads(out)["written"]}) == 1


def test_the_same_again_takes_the_place_of_itself(
    worker: Worker, drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    target = tmp_path / "results"
    contents = []
    for _ in range(2):
        assert run(worker, monkeypatch, uid, str(target))[0] == 0
        contents.append({path: path.read_bytes() for path in target.rglob("*.dcm")})
    assert contents[0] == contents[1]
    assert len(contents[0]) == 2


def test_what_cannot_be_written_is_said(
    worker: Worker, drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = scored(worker, drop, FOLDER / "film-02.jpg")
    code, _, err = run(worker, monkeypatch, uid, str(tmp_path / "out"))
    assert code == 1
    assert NO_RESULT_SENTENCES[NoResultCode.PICTURE] in err
    for arguments in (
        [str(tmp_path)],
        ["--since", "1h", "--kind", "seg", str(tmp_path)],
        [uid, "--since", "1h", str(tmp_path)],
        [uid, "--all", str(tmp_path)],
    ):
        code, _, _ = run(worker, monkeypatch, *arguments)
        assert code != 0
    assert not (tmp_path / "out").exists()


def test_it_is_noted_before_it_is_written(worker: Worker, drop: Drop, tmp_path: Path) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    with pytest.raises(OSError, match="Not a directory"):
        write_results(
            services_of(worker), TERMINAL, uid, [ResultKind.SR], in_the_way, by="somebody"
        )
    with worker.database.read() as session:
        assert entries(session, limit=1)[0].action == "results_written"


def test_the_codes_of_a_site_are_written(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    chosen = services_of(worker, result_finding_codes=("233604007^Pneumonia^SCT",))
    report = make_results(chosen, uid).objects[0].dataset
    assert "RADLEX" not in {str(element.value) for element in report.iterall()}
