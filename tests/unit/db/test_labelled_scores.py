"""Studies with a verdict, as an ensemble version scores them, on both databases."""

from datetime import timedelta

from db.ensembles.versions import promote
from db.feedback.labelled_scores import labelled_scores
from db.lifecycle.verdicts import ExpectedVersion, VerdictInput
from db.session import Database
from db.tables import Image
from readfirst.domain import ImageState
from readfirst.refusals import RefusalCode
from readfirst.studies.findings import Finding
from tests.support.studies import (
    NOW,
    a_header,
    a_scored_image,
    an_ensemble,
    give_verdict,
    score_ready,
)

PNEUMONIA, NORMAL = (
    VerdictInput(finding=Finding.PNEUMONIA),
    VerdictInput(finding=Finding.NO_PNEUMONIA),
)
LATER = NOW + timedelta(hours=1)


def test_each_study_counts_once_by_its_most_suspicious_film(database: Database) -> None:
    with database.write() as session:
        header = a_header(patient_id="P-1")
        a_scored_image(session, probability=0.2, study="1.1", header=header)
        a_scored_image(session, probability=0.7, study="1.1", header=header)
        a_scored_image(session, probability=0.4, study="1.2")
        a_scored_image(session, probability=0.9, study="1.3")
        late = a_scored_image(session, probability=0.8, study="1.2")
        give_verdict(session, "1.1", NORMAL, at=LATER)
        give_verdict(session, "1.1", PNEUMONIA, at=LATER)
        blind = ExpectedVersion(verdicts=0, images=2, ai_hidden=True)
        give_verdict(session, "1.2", NORMAL, at=LATER, expected=blind)
        give_verdict(session, "1.3", VerdictInput(), at=LATER)
        late.received_at = LATER + timedelta(seconds=1)
    with database.read() as session:
        first, second = labelled_scores(session, "1")
    assert (first.study_instance_uid, first.patient_id, first.probability) == ("1.1", "P-1", 0.7)
    assert (first.sick, first.blind, first.influenced) == (True, False, True)
    assert (second.probability, second.sick, second.blind) == (0.4, False, True)
    assert not second.influenced


def test_a_newer_version_is_held_against_verdicts_of_before(database: Database) -> None:
    with database.write() as session:
        image = a_scored_image(session, probability=0.9, study="1.1")
        give_verdict(session, "1.1", PNEUMONIA, at=LATER)
        an_ensemble(session, "2")
        promote(session, "2", LATER)
        again = session.get_one(Image, image.id)
        again.state = ImageState.READY
        score_ready(session, LATER, {image.id: 0.6}, version="2")
    with database.read() as session:
        (old,), (new,) = labelled_scores(session, "1"), labelled_scores(session, "2")
        assert labelled_scores(session, "3") == []
    assert (old.probability, old.influenced) == (0.9, True)
    assert (new.probability, new.influenced) == (0.6, False)


def test_the_score_of_a_part_is_not_that_of_the_film(database: Database) -> None:
    with database.write() as session:
        part = a_scored_image(session, probability=0.9, study="1.1")
        a_scored_image(session, probability=0.3, study="1.1")
        give_verdict(session, "1.1", NORMAL, at=LATER)
        row = session.get_one(Image, part.id)
        row.state, row.code = ImageState.REFUSED, RefusalCode.REPLACED_BY_WHOLE
    with database.read() as session:
        (record,) = labelled_scores(session, "1")
    assert record.probability == 0.3
