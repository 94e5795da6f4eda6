"""Scores that say something against themselves: kept or worked out, and shown with the score."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from cli.common.worklist_table import short_reason
from db.ensembles.acceptance import labelled_studies
from db.ensembles.thresholds import NewThreshold, activate_new
from db.ensembles.versions import promote
from db.lifecycle.rescoring import make_ready_again, rank_by_threshold
from db.lifecycle.scoring import record
from db.lifecycle.verdicts import VerdictInput
from db.lifecycle.work import claim_ready
from db.read_models import StudyRecord
from db.session import Database
from db.tables import EnsembleVersion, Score, Study
from db.worklist.patients import other_studies
from db.worklist.queries import image_detail, reading_order, study_detail
from readfirst.domain import ImageScore
from readfirst.statistics.threshold_methods import ThresholdMethod
from readfirst.studies.display import DisplayContext
from readfirst.studies.findings import Finding
from readfirst.studies.marks import MarkCode, Validity, mark
from tests.support.studies import (
    AS_STORED,
    NOW,
    a_doubtful_image,
    a_header,
    a_scored_image,
    an_ensemble,
    an_image,
    give_verdict,
    lifecycle,
)

HOUR = timedelta(hours=1)
DISAGREE, UNLIKE = MarkCode.MEMBERS_DISAGREE, MarkCode.UNLIKE_VALIDATED


def row(database: Database, uid: str, display: DisplayContext = AS_STORED) -> StudyRecord:
    with database.read() as session:
        detail = study_detail(session, uid, display=display)
    assert detail is not None
    return detail.study


def codes(study: StudyRecord) -> list[MarkCode]:
    return [each.code for each in study.marks]


@pytest.mark.parametrize("unlike", [None, False, True])
def test_what_an_ensemble_says_of_a_film_is_kept_with_the_score(
    database: Database, unlike: bool | None
) -> None:
    with database.write() as session:
        a_doubtful_image(session, members=[0.1, 0.2], unlike=unlike, study="1.1")
    with database.read() as session:
        assert session.scalars(select(Score)).one().unlike is unlike
        detail = study_detail(session, "1.1", display=AS_STORED)
    assert detail is not None
    (score,) = detail.scores
    assert score.unlike is unlike
    assert [each.code for each in score.marks] == ([UNLIKE] if unlike else [])


def test_a_doubtful_score_is_never_shown_as_low(database: Database) -> None:
    with database.write() as session:
        a_doubtful_image(session, members=[0.78, 0.04, 0.02], study="1.1")
        a_doubtful_image(session, members=[0.02, 0.04], unlike=True, study="1.2")
        a_doubtful_image(session, members=[0.02, 0.04], unlike=False, study="1.3")
    with database.read() as session:
        rows = reading_order(session, limit=9, display=AS_STORED)
    doubtful, unlike, low = sorted(rows, key=lambda each: each.study_instance_uid)
    assert [each.validity for each in (doubtful, unlike, low)] == [
        Validity.IN_DOUBT,
        Validity.NOT_VALIDATED,
        Validity.VALIDATED,
    ]
    assert doubtful.why.endswith("Score 28 % in doubt: networks disagree.")
    assert doubtful.marks == doubtful.images[0].marks
    assert doubtful.marks[0].reason.endswith("(78 %, 4 %, 2 %)")
    assert short_reason(doubtful) == "networks disagree"
    assert short_reason(unlike) == "not valid: unlike validated"
    assert unlike.why.endswith("Score 3 % not valid: unlike validated films.")
    assert low.why.endswith("AI 3 % (threshold 50 %).")


def test_a_mark_never_lowers_rank_or_flag(database: Database) -> None:
    """The order is that of the same scores without a mark."""
    scores = [[0.9, 0.9], [0.2, 0.2], [0.99, 0.51], [0.1, 0.7], [0.95, 0.2], [0.3, 0.3]]
    orders = []
    for marked in (False, True):
        uids = [f"{1 + marked}.{number}" for number, _ in enumerate(scores)]
        with database.write() as session:
            for number, (uid, members) in enumerate(zip(uids, scores, strict=True)):
                mean = sum(members) / 2
                by_each = members if marked else [mean, mean]
                at = NOW + number * HOUR
                a_doubtful_image(session, at, members=by_each, unlike=marked, study=uid)
        with database.read() as session:
            order = reading_order(session, limit=99, display=AS_STORED)
        own = [each for each in order if each.study_instance_uid in uids]
        orders.append([(each.study_instance_uid[2:], each.flagged) for each in own])
    assert orders[0] == orders[1]


def test_a_study_has_the_marks_of_all_its_films_each_once(database: Database) -> None:
    with database.write() as session:
        a_doubtful_image(session, members=[0.04, 0.7], study="1.1")
        adult = a_doubtful_image(session, members=[0.3, 0.4], unlike=True, study="1.1")
        adult.marks = (mark(MarkCode.ADULT, "40 y"),)
        a_doubtful_image(session, members=[0.1, 0.6], study="1.1")
        an_image(session, study="1.1")
    study = row(database, "1.1")
    assert codes(study) == [MarkCode.ADULT, UNLIKE, DISAGREE]
    assert [len(image.marks) for image in study.images] == [1, 2, 1, 0]
    assert study.validity is Validity.NOT_VALIDATED


def test_a_doubt_follows_the_threshold_under_which_the_study_is_shown(
    database: Database,
) -> None:
    def change(value: float) -> None:
        with lifecycle(database) as unit:
            new = NewThreshold(
                ensemble_version="1",
                value=value,
                method=ThresholdMethod.VALUE,
                evidence={},
                chosen_by="ann",
            )
            activate_new(unit.session, new, NOW)
            rank_by_threshold(unit, unit.session.get_one(EnsembleVersion, "1"), limit=9)

    with database.write() as session:
        a_doubtful_image(session, members=[0.3, 0.4], study="1.1")
    assert codes(row(database, "1.1")) == []
    change(0.35)
    assert codes(row(database, "1.1")) == [DISAGREE]
    assert row(database, "1.1").flagged
    change(0.2)
    assert codes(row(database, "1.1")) == []


def test_the_marks_are_those_of_the_score_that_counts(database: Database) -> None:
    """Another ensemble's word of the same film stays with that ensemble's score."""
    with database.write() as session:
        a_doubtful_image(session, members=[0.1, 0.7], unlike=True, study="1.1")
        an_ensemble(session, "2")
        promote(session, "2", NOW)
    with lifecycle(database) as unit:
        make_ready_again(unit, unit.session.get_one(EnsembleVersion, "2"), limit=9)
        (claimed,) = claim_ready(unit, 1, "1")
        ensemble = unit.session.get_one(EnsembleVersion, "2")
        record(unit, [(claimed, ImageScore(0.2, {"a": 0.2, "b": 0.3}, unlike=False))], ensemble)
    with database.read() as session:
        detail = study_detail(session, "1.1", display=AS_STORED)
    assert detail is not None
    assert detail.study.ensemble_version == "2"
    assert detail.study.marks == ()
    earlier, later = detail.scores
    assert [each.code for each in earlier.marks] == [UNLIKE, DISAGREE]
    assert (later.marks, later.unlike) == ((), False)


def test_what_the_ai_says_against_itself_is_hidden_with_it(database: Database) -> None:
    hiding = replace(AS_STORED, hides_ai=True)
    with database.write() as session:
        image = a_doubtful_image(session, members=[0.1, 0.7], unlike=True, study="1.1")
        image.marks = (mark(MarkCode.AGE_UNKNOWN),)
        digest = image.sha256

    def of_image(display: DisplayContext | None) -> list[MarkCode]:
        with database.read() as session:
            detail = image_detail(session, digest, display)
        assert detail is not None
        return [each.code for each in detail.image.marks]

    hidden = row(database, "1.1", hiding)
    assert codes(hidden) == [each.code for each in hidden.images[0].marks] == [MarkCode.AGE_UNKNOWN]
    assert of_image(hiding) == of_image(None) == [MarkCode.AGE_UNKNOWN]
    assert of_image(AS_STORED) == [MarkCode.AGE_UNKNOWN, UNLIKE, DISAGREE]
    with database.write() as session:
        give_verdict(session, "1.1", VerdictInput(finding=Finding.NO_PNEUMONIA))
    everything = [MarkCode.AGE_UNKNOWN, UNLIKE, DISAGREE]
    assert codes(row(database, "1.1", hiding)) == of_image(hiding) == everything


def test_another_study_of_the_patient_says_how_far_its_score_holds(database: Database) -> None:
    header = a_header(patient_id="P1")
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.2, study="1.1", header=header)
        a_doubtful_image(session, members=[0.1, 0.6], study="1.2", header=header)
        a_doubtful_image(session, members=[0.1], unlike=True, study="1.3", header=header)
    with database.read() as session:
        others = other_studies(session, "1.1", display=AS_STORED)
        hidden = other_studies(session, "1.1", display=replace(AS_STORED, hides_ai=True))
    assert {each.study_instance_uid: (each.marked, each.validity) for each in others} == {
        "1.2": (True, Validity.IN_DOUBT),
        "1.3": (True, Validity.NOT_VALIDATED),
    }
    assert not any(each.marked for each in hidden)


def test_an_acceptance_counts_a_doubtful_film_as_validated_and_an_unlike_one_not(
    database: Database,
) -> None:
    """Without the films in doubt, which are the hardest, every ensemble would look better."""
    with database.write() as session:
        a_doubtful_image(session, members=[0.1, 0.6], study="1.1")
        a_doubtful_image(session, members=[0.2, 0.3], unlike=True, study="1.2")
        labels = {study.id: True for study in session.scalars(select(Study))}
    with database.read() as session:
        studies = labelled_studies(session, "1", labels)
    assert {each.probability: each.validated for each in studies} == {0.35: True, 0.25: False}
