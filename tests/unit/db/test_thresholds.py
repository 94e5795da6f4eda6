"""Thresholds have versions: chosen from evidence, active at once, noted, and taken back."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.access.audit import Actor, entries
from db.ensembles.changes import change_threshold, roll_back_threshold
from db.ensembles.threshold_report import (
    Evidence,
    ThresholdChoice,
    choose,
    threshold_report,
    verdict_cases,
)
from db.ensembles.thresholds import NewThreshold, active_thresholds, thresholds_of
from db.ensembles.versions import active_ensemble
from db.lifecycle.rescoring import rank_by_threshold
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.tables import Score, Study, Threshold, Verdict
from db.verdicts import verdicts_of
from db.worklist.patients import other_studies
from db.worklist.queries import reading_order, study_detail
from readfirst.errors import Misconfigured
from readfirst.monitoring.reference import Binned, PixelCheckRefusals, Reference, as_data
from readfirst.statistics.operating_points import labelled
from readfirst.statistics.threshold_methods import ThresholdMethod
from readfirst.studies.findings import Finding
from tests.support.studies import (
    AS_STORED,
    NOW,
    a_header,
    a_scored_image,
    an_ensemble,
    give_verdict,
    lifecycle,
)

ANN = Actor("ann", None)
LATER = NOW + timedelta(hours=1)
BINNED = Binned(edges=(0.2, 0.5, 0.8), pneumonia=(5, 10, 25, 60), normal=(60, 25, 10, 5))
REFERENCE = Reference(
    ensemble_version="1",
    films="held-out",
    scores=BINNED,
    median_grey=BINNED,
    clipped_share=BINNED,
    refused=PixelCheckRefusals((0, 100), (0, 100)),
)


def a_threshold(database: Database, value: float, version: str = "1") -> Threshold:
    new = NewThreshold(
        ensemble_version=version,
        value=value,
        method=ThresholdMethod.VALUE,
        evidence={"target": value},
        chosen_by="ann",
    )
    with database.write() as session:
        return change_threshold(session, ANN, new, LATER)


def rank_all(database: Database, limit: int = 1) -> int:
    """Rank slice by slice, as workers do."""
    total = 0
    while True:
        with lifecycle(database, LATER) as unit:
            active = active_ensemble(unit.session)
            assert active is not None
            ranked = rank_by_threshold(unit, active, limit=limit)
        if not ranked:
            return total
        total += len(ranked)


def by_value(value: float) -> ThresholdChoice:
    return ThresholdChoice(method=ThresholdMethod.VALUE, target=value)


def test_an_ensemble_comes_with_the_threshold_of_its_manifest(database: Database) -> None:
    with database.write() as session:
        an_ensemble(session, threshold=0.4)
        (row,) = thresholds_of(session, "1")
    assert (row.version, row.value, row.active, row.population) == (1, 0.4, True, "all")
    assert row.method is ThresholdMethod.MANIFEST


def test_a_change_and_the_way_back_are_versions_and_noted(database: Database) -> None:
    with database.write() as session:
        an_ensemble(session)
        with pytest.raises(Misconfigured, match="none to go back to"):
            roll_back_threshold(session, ANN, "1", NOW)
    assert a_threshold(database, 0.7).version == 2
    assert a_threshold(database, 0.3).version == 3
    with database.write() as session:
        assert roll_back_threshold(session, ANN, "1", LATER).version == 2
        assert active_thresholds(session).by_ensemble["1"].value == 0.7
        assert roll_back_threshold(session, ANN, "1", LATER).version == 3
        log = [(entry.account, entry.action, entry.detail) for entry in entries(session, limit=9)]
        values = [(row.version, row.value, row.active) for row in thresholds_of(session, "1")]
    assert values == [(3, 0.3, True), (2, 0.7, False), (1, 0.5, False)]
    assert [action for _, action, _ in log] == [
        "threshold_rolled_back",
        "threshold_rolled_back",
        "threshold_changed",
        "threshold_changed",
    ]
    assert log[-1][2] == {
        "ensemble": "1",
        "threshold_version": 2,
        "threshold": 0.7,
        "method": "value",
    }
    with pytest.raises(Misconfigured, match="is that already"):
        a_threshold(database, 0.3)
    with pytest.raises(Misconfigured, match=r"is not known here.*`readfirst models add` brings in"):
        a_threshold(database, 0.3, version="9")


def test_unread_studies_rank_by_it_and_what_is_read_stays(database: Database) -> None:
    with database.write() as session:
        for number, probability in enumerate((0.9, 0.55, 0.4, 0.1)):
            a_scored_image(session, NOW, probability=probability, study=f"1.{number}")
        a_scored_image(session, NOW, probability=0.45, study="2.1")
        give_verdict(session, "2.1", VerdictInput(finding=Finding.PNEUMONIA))
    a_threshold(database, 0.3)
    assert rank_all(database) == 4
    assert rank_all(database) == 0
    with database.read() as session:
        rows = {r.study_instance_uid: r for r in reading_order(session, limit=9, display=AS_STORED)}
        flags = {
            uid: (row.flagged, row.threshold, row.threshold_version) for uid, row in rows.items()
        }
        detail = study_detail(session, "1.2", display=AS_STORED)
        scores = session.execute(select(Score.threshold, Score.threshold_version)).all()
    assert flags == {
        "1.0": (True, 0.3, 2),
        "1.1": (True, 0.3, 2),
        "1.2": (True, 0.3, 2),
        "1.3": (False, 0.3, 2),
        "2.1": (False, 0.5, 1),
    }
    assert rows["1.2"].why == "AI 40 % (threshold 30 %)."
    assert detail is not None
    (score,) = detail.scores
    assert (score.threshold, score.threshold_version, score.flagged) == (0.3, 2, True)
    last = detail.events[-1]
    assert (last.action, last.cause) == ("flagged", "threshold")
    assert last.detail == {
        "ensemble": "1",
        "threshold": 0.3,
        "threshold_version": 2,
        "alert": True,
    }
    assert set(scores) == {(0.5, 1)}, "a score is as it was given"


def test_a_verdict_keeps_the_threshold_of_its_time_and_an_unread_study_takes_the_new_one(
    database: Database,
) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.4, study="1.1")
        give_verdict(session, "1.1", VerdictInput(finding=Finding.PNEUMONIA))
    a_threshold(database, 0.3)
    rank_all(database)
    with database.write() as session:
        give_verdict(session, "1.1", VerdictInput(withdrawn=True), at=LATER)
    assert rank_all(database) == 1
    with database.write() as session:
        give_verdict(session, "1.1", VerdictInput(finding=Finding.PNEUMONIA), at=LATER)
    with database.read() as session:
        rows = verdicts_of(session, "1.1")
    kept = [(row.threshold, row.threshold_version, row.flagged) for row in rows]
    assert kept == [(0.5, 1, False), (0.5, 1, False), (0.3, 2, True)]


def test_new_films_are_scored_by_the_new_threshold(database: Database) -> None:
    with database.write() as session:
        an_ensemble(session)
    a_threshold(database, 0.3)
    with database.write() as session:
        a_scored_image(session, LATER, probability=0.4, study="1.1")
    assert rank_all(database) == 0, "it was ranked by it as it was scored"
    with database.read() as session:
        (row,) = reading_order(session, limit=9, display=AS_STORED)
        score = session.scalars(select(Score)).one()
    assert (row.flagged, row.threshold, row.threshold_version) == (True, 0.3, 2)
    assert (score.threshold, score.threshold_version, score.flagged) == (0.3, 2, True)


def test_other_studies_of_the_patient_are_shown_by_their_own_threshold(database: Database) -> None:
    with database.write() as session:
        for uid in ("1.1", "1.2"):
            header = a_header(patient_id="P1", study_datetime=NOW)
            a_scored_image(session, NOW, probability=0.4, study=uid, header=header)
    a_threshold(database, 0.3)
    rank_all(database)
    with database.read() as session:
        (other,) = other_studies(session, "1.1", display=AS_STORED)
    assert (other.threshold, other.flagged, other.images[0].flagged) == (0.3, True, True)


def test_the_report_says_what_would_change_and_changes_nothing(database: Database) -> None:
    with database.write() as session:
        an_ensemble(session).reference = as_data(REFERENCE)
        for number in range(8):
            # Half of them missed at 0.5.
            for probability in (0.9, 0.4):
                uid = f"1.{number}.{probability}"
                a_scored_image(session, NOW, probability=probability, study=uid)
                give_verdict(session, uid, VerdictInput(finding=Finding.PNEUMONIA))
            for probability in (0.45, 0.1):
                uid = f"2.{number}.{probability}"
                a_scored_image(session, NOW, probability=probability, study=uid)
                give_verdict(session, uid, VerdictInput(finding=Finding.NO_PNEUMONIA))
        a_scored_image(session, NOW, probability=0.35, study="3.1")
        a_scored_image(session, NOW, probability=0.6, study="3.2")
    with database.read() as session:
        report = threshold_report(session, "1", by_value(0.3), LATER)
        assert active_thresholds(session).change == 0
    assert (report.current, report.current_version, report.proposed) == (0.5, 1, 0.3)
    missed = report.verdicts.missed_then_flagged
    assert (missed.hits, missed.of) == (8, 8)
    assert missed.low is not None
    assert 0 < missed.low < 1
    begun = report.verdicts.alarms_begun
    assert (begun.hits, begun.of) == (8, 16)
    assert report.arrivals.newly_flagged.hits == 17
    assert (report.arrivals.studies, report.arrivals.flagged_now) == (34, 9)
    assert (report.unread_newly_flagged, report.unread_no_longer_flagged) == (1, 0)
    assert report.reference is not None
    assert report.reference.now.sensitivity.value == pytest.approx(0.85)


def test_thresholds_are_chosen_on_the_reference_and_on_verdicts(database: Database) -> None:
    with database.write() as session:
        an_ensemble(session).reference = as_data(REFERENCE)
        sure = ThresholdChoice(method=ThresholdMethod.SENSITIVITY, target=0.95)
        on_reference = threshold_report(session, "1", sure, NOW)
        assert 0.2 < on_reference.proposed < 0.23
        cheap = ThresholdChoice(method=ThresholdMethod.MISS_COST, target=2, prevalence=0.01)
        dear = ThresholdChoice(method=ThresholdMethod.MISS_COST, target=200, prevalence=0.01)
        values = [threshold_report(session, "1", each, NOW).proposed for each in (dear, cheap)]
        assert values[0] < values[1]
        unpriced = ThresholdChoice(method=ThresholdMethod.MISS_COST, target=2)
        with pytest.raises(Misconfigured, match="READFIRST_PREVALENCE"):
            threshold_report(session, "1", unpriced, NOW)
        few = ThresholdChoice(
            method=ThresholdMethod.SPECIFICITY, target=0.9, evidence=Evidence.VERDICTS
        )
        with pytest.raises(Misconfigured, match="too few to choose from"):
            threshold_report(session, "1", few, NOW)
    cases = labelled([0.9] * 10, [0.2] * 9 + [0.6])
    assert 0.2 < choose(few, cases) < 0.6
    with pytest.raises(Misconfigured, match="brings no reference"):
        choose(sure, None)
    with pytest.raises(Misconfigured, match="between 0 and 1"):
        choose(by_value(1.0), None)


def test_only_verdicts_that_stand_and_tell_count(database: Database) -> None:
    answers = (Finding.PNEUMONIA, Finding.NO_PNEUMONIA, Finding.CANNOT_TELL, None)
    with database.write() as session:
        for number, finding in enumerate(answers):
            a_scored_image(session, NOW, probability=0.1 * (number + 1), study=f"1.{number}")
            give_verdict(session, f"1.{number}", VerdictInput(finding=finding))
        a_scored_image(session, NOW, probability=0.9, study="2.1")
        give_verdict(session, "2.1", VerdictInput(finding=Finding.PNEUMONIA))
        give_verdict(session, "2.1", VerdictInput(withdrawn=True))
    with database.read() as session:
        cases = verdict_cases(session, "1")
        assert session.scalars(select(Study.threshold_version).distinct()).all() == [1]
        assert session.scalars(select(Verdict.threshold_version).distinct()).all() == [1]
    assert (list(cases.sick), list(cases.healthy)) == ([0.1], [0.2])
