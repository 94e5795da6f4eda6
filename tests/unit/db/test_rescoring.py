from datetime import timedelta

import pytest

from db.ensembles.versions import EnsembleFacts, promote, register
from db.lifecycle.rescoring import make_ready_again, rank_again
from db.lifecycle.work import claim_ready
from db.session import Database
from db.tables import EnsembleVersion, Image
from db.worklist.queries import reading_order, study_detail
from readfirst.domain import ImageState
from readfirst.errors import Misconfigured
from tests.support.studies import (
    AS_STORED,
    NOW,
    a_ready_image,
    a_scored_image,
    lifecycle,
    score_ready,
    unit_at,
)

NIGHT = NOW + timedelta(hours=18)


def a_second_version(database: Database, preprocessing: str = "1") -> EnsembleVersion:
    with database.write() as session:
        register(session, EnsembleFacts("2", 0.5, preprocessing), NIGHT)
        return promote(session, "2", NIGHT)


def test_the_night_adds_scores_and_the_rank_follows_the_new_version(database: Database) -> None:
    with database.write() as session:
        first = a_scored_image(session, NOW, probability=0.1, study="1.1")
        second = a_scored_image(session, NOW, probability=0.9, study="1.2")
    ensemble = a_second_version(database)
    with database.write() as session:
        newest_first = [second.id, first.id]
        assert make_ready_again(unit_at(session, NIGHT), ensemble, limit=10) == newest_first
    with database.write() as session:
        score_ready(session, NIGHT, {first.id: 0.8, second.id: 0.2}, version="2")
    with database.read() as session:
        rows = reading_order(session, limit=10, display=AS_STORED)
        detail = study_detail(session, "1.1", display=AS_STORED)
    assert [row.study_instance_uid for row in rows] == ["1.1", "1.2"]
    assert [row.flagged for row in rows] == [True, False]
    assert detail is not None
    assert [(score.ensemble_version, score.probability) for score in detail.scores] == [
        ("1", 0.1),
        ("2", 0.8),
    ]


def test_a_second_run_the_same_night_does_nothing(database: Database) -> None:
    with database.write() as session:
        image = a_scored_image(session, probability=0.1)
    ensemble = a_second_version(database)
    with database.write() as session:
        assert make_ready_again(unit_at(session, NIGHT), ensemble, limit=10) == [image.id]
    with database.write() as session:
        assert make_ready_again(unit_at(session, NIGHT), ensemble, limit=10) == []
        score_ready(session, NIGHT, {image.id: 0.3}, version="2")
    with database.write() as session:
        assert make_ready_again(unit_at(session, NIGHT), ensemble, limit=10) == []


def test_live_arrivals_overtake_the_night(database: Database) -> None:
    with database.write() as session:
        old = a_scored_image(session, probability=0.1)
    ensemble = a_second_version(database)
    with database.write() as session:
        make_ready_again(unit_at(session, NIGHT), ensemble, limit=10)
        session.flush()
        live = a_ready_image(session, NIGHT)
    for image in (live, old):
        # They share no batch, so that a film never waits for more than the one in work.
        with database.write() as session:
            claims = claim_ready(unit_at(session, NIGHT), 10, "1")
        assert [claimed.image_id for claimed in claims] == [image.id]


def test_a_new_preprocessing_sends_images_back_to_be_prepared(database: Database) -> None:
    with database.write() as session:
        image = a_scored_image(session, probability=0.1)
    ensemble = a_second_version(database, preprocessing="2")
    with database.write() as session:
        make_ready_again(unit_at(session, NIGHT), ensemble, limit=10)
    with database.read() as session:
        assert session.get_one(Image, image.id).state is ImageState.RECEIVED


def test_scoring_again_with_the_same_version_confirms_and_changes_nothing(
    database: Database,
) -> None:
    with database.write() as session:
        image = a_scored_image(session, probability=0.1, study="1.1")
        ensemble = session.get_one(EnsembleVersion, "1")
    with database.write() as session:
        assert make_ready_again(unit_at(session, NIGHT), ensemble, limit=10) == []
        make_ready_again(unit_at(session, NIGHT), ensemble, limit=10, again=True)
        session.flush()
        score_ready(session, NIGHT, {image.id: 0.6})
    with database.read() as session:
        detail = study_detail(session, "1.1", display=AS_STORED)
    assert detail is not None
    assert [score.probability for score in detail.scores] == [0.1]
    assert detail.events[-1].action == "score_not_reproduced"


def test_roll_back_brings_the_old_rank_back(database: Database) -> None:
    with database.write() as session:
        image = a_scored_image(session, probability=0.1, study="1.1")
    ensemble = a_second_version(database)
    with database.write() as session:
        make_ready_again(unit_at(session, NIGHT), ensemble, limit=10)
        session.flush()
        score_ready(session, NIGHT, {image.id: 0.9}, version="2")
    with database.write() as session:
        first = promote(session, "1", NIGHT)
        assert len(rank_again(unit_at(session, NIGHT), first, limit=10)) == 1
    with database.read() as session:
        (row,) = reading_order(session, limit=10, display=AS_STORED)
    assert (row.flagged, row.probability) == (False, 0.1)


@pytest.mark.parametrize(
    ("first", "second", "action"), [(0.9, 0.1, "flagged"), (0.1, 0.9, "flag_withdrawn")]
)
def test_a_roll_back_says_why_a_flag_comes_or_goes(
    database: Database, first: float, second: float, action: str
) -> None:
    with database.write() as session:
        image = a_scored_image(session, probability=first, study="1.1")
    ensemble = a_second_version(database)
    with lifecycle(database, NIGHT) as unit:
        make_ready_again(unit, ensemble, limit=10)
        score_ready(unit, NIGHT, {image.id: second}, version="2")
    with lifecycle(database, NIGHT) as unit:
        rank_again(unit, promote(unit.session, "1", NIGHT), limit=10)
    with database.read() as session:
        detail = study_detail(session, "1.1", display=AS_STORED)
    assert detail is not None
    last = detail.events[-1]
    assert (last.action, last.cause, last.detail["ensemble"]) == (action, "rollback", "1")
    assert (detail.study.flagged, detail.study.probability) == (action == "flagged", first)


def test_a_study_says_one_score_while_versions_disagree(database: Database) -> None:
    """Flagged by one version at 0.40 of 0.30, and below the threshold of the other at 0.55."""
    with database.write() as session:
        register(session, EnsembleFacts("1", 0.6, "1"), NOW)
        flagged = a_scored_image(session, probability=0.55, study="1.1")
        a_scored_image(session, probability=0.55, study="1.1")
        register(session, EnsembleFacts("2", 0.3, "1"), NIGHT)
        promote(session, "2", NIGHT)
    with lifecycle(database, NIGHT) as unit:
        ensemble = unit.session.get_one(EnsembleVersion, "2")
        make_ready_again(unit, ensemble, limit=1, before_id=flagged.id + 1)
        score_ready(unit, NIGHT, {flagged.id: 0.4}, version="2")
    with database.read() as session:
        (row,) = reading_order(session, limit=9, display=AS_STORED)
    assert (row.flagged, row.probability, row.threshold) == (True, 0.4, 0.3)
    assert row.why == "Re-scored. AI 40 % (threshold 30 %)."
    assert row.deciding_image == flagged.sha256


def test_a_version_names_one_ensemble_for_ever(database: Database) -> None:
    with database.write() as session:
        register(session, EnsembleFacts("1", 0.5, "1"), NOW)
    with pytest.raises(Misconfigured, match="version of its own"), database.write() as session:
        register(session, EnsembleFacts("1", 0.6, "1"), NOW)
