"""Ensembles in shadow on both databases: what is queued, claimed and recorded, and what counts."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.ensembles.shadows import DELAY, SLICE, begin_shadow, end_shadow, forget_queues
from db.ensembles.versions import known_ensembles, promote, retire
from db.lifecycle.lease import LeasePolicy
from db.lifecycle.rescoring import make_ready_again, rank_again
from db.lifecycle.scoring import BatchTime
from db.lifecycle.unit_of_work import UnitOfWork
from db.monitoring.columns import TABLES
from db.monitoring.load_columns import load_columns
from db.session import Database
from db.shadow.record import record_shadow
from db.shadow.work import (
    ClaimedShadow,
    attempt_failed,
    claim_shadow,
    film_waits,
    give_up_shadows,
    give_way,
    is_any_due,
    next_shadow,
    queue_next,
    refuse_shadow,
)
from db.tables import EnsembleVersion, Event, KeptDay, Score, ShadowImage, Study
from db.worklist.patients import other_studies
from db.worklist.queries import study_detail
from readfirst.domain import ImageScore
from readfirst.ensemble_states import EnsembleState
from readfirst.errors import Misconfigured
from readfirst.monitoring.period import Period, make_period
from readfirst.studies.marks import MarkCode
from tests.support.studies import (
    AS_STORED,
    NOW,
    a_header,
    a_ready_image,
    a_scored_image,
    an_ensemble,
    lifecycle,
    score_ready,
)

LATER = NOW + DELAY
THE_DAY: Period = make_period(NOW.date(), NOW.date(), LATER, ZoneInfo("UTC"))


def versions_counted(session: Session) -> set[str]:
    """The names in what the monitoring counts of the day; versions are among them."""
    return {name for table in TABLES for name in load_columns(table, session, THE_DAY).names}


def a_shadow(database: Database, version: str = "2") -> None:
    with database.write() as session:
        for each in ("1", version):
            an_ensemble(session, each)
        begin_shadow(session, version, NOW)


def claims(
    database: Database, at: datetime = NOW, limit: int = 100, version: str = "2"
) -> list[ClaimedShadow]:
    """Images as a worker claims them whose networks are loaded; it queues what is to be queued."""
    with lifecycle(database, at) as unit:
        while queue_next(unit):
            pass
    with lifecycle(database, at) as unit:
        ensemble = unit.session.get_one(EnsembleVersion, version)
        return claim_shadow(unit, ensemble, limit)


def record(database: Database, claimed: list[ClaimedShadow], probability: float = 0.9) -> int:
    score = ImageScore(probability, {"cnn": probability}, unlike=True)
    with lifecycle(database) as unit:
        return record_shadow(
            unit, "2", [(each, score) for each in claimed], BatchTime(3.0, len(claimed) or 1)
        )


def everything_that_ranks(database: Database) -> list[object]:
    with database.read() as session:
        columns = (
            *(Study.id, Study.flagged, Study.probability, Study.ensemble_version),
            *(Study.reading_key, Study.ranked_by, Study.score_id),
        )
        return [
            *session.execute(select(*columns).order_by(Study.id)).all(),
            session.scalar(select(func.count()).select_from(Event)),
        ]


def test_a_candidate_goes_into_the_shadow_and_back(database: Database) -> None:
    def state(version: str) -> EnsembleState:
        with database.read() as session:
            return known_ensembles(session)[version].state

    with database.write() as session:
        for version in ("1", "2", "3"):
            an_ensemble(session, version)
        with pytest.raises(Misconfigured, match="it scores every film already"):
            begin_shadow(session, "1", NOW)
        with pytest.raises(Misconfigured, match="does not score in shadow"):
            end_shadow(session, "2")
        begin_shadow(session, "2", NOW)
        begin_shadow(session, "2", LATER)
        retire(session, "3", NOW)
        begin_shadow(session, "3", NOW)
    assert (state("2"), state("3")) == (EnsembleState.SHADOW, EnsembleState.SHADOW)
    with database.write() as session:
        end_shadow(session, "2")
        retire(session, "3", NOW)
    assert (state("2"), state("3")) == (EnsembleState.CANDIDATE, EnsembleState.RETIRED)
    with database.write() as session:
        begin_shadow(session, "2", NOW)
        promote(session, "2", NOW)
    assert state("2") is EnsembleState.ACTIVE
    with database.write() as session:
        promote(session, "1", NOW)
        with pytest.raises(Misconfigured, match="was active before"):
            begin_shadow(session, "2", NOW)


def test_films_of_before_and_of_after_are_scored_once_the_newest_first(database: Database) -> None:
    with database.write() as session:
        before = [a_scored_image(session, NOW, probability=0.1).id for _ in range(2)]
    a_shadow(database)
    with database.write() as session:
        after = a_scored_image(session, NOW, probability=0.1).id
    assert [each.image_id for each in claims(database)] == [after]
    assert [each.image_id for each in claims(database)] == before[::-1]
    assert claims(database) == [], "what others hold is not claimed"


def test_networks_are_loaded_for_what_is_due_and_go_on_with_all(database: Database) -> None:
    a_shadow(database)
    with lifecycle(database) as unit:
        assert not queue_next(unit)
        assert next_shadow(unit, None) is None
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1)
        assert not is_any_due(session, NOW)
        assert is_any_due(session, LATER)
    with lifecycle(database) as unit:
        assert next_shadow(unit, None) is None
        assert next_shadow(unit, "2") is not None
    with lifecycle(database, LATER) as unit:
        assert next_shadow(unit, None) is not None


def test_nothing_ranks_and_nobody_is_told_until_it_is_promoted(database: Database) -> None:
    header = a_header(patient_id="P", patient_name="A^B")
    with database.write() as session:
        image = a_scored_image(session, NOW, probability=0.1, header=header)
        uid = image.study.study_instance_uid
        other = a_scored_image(session, NOW, probability=0.2, header=header)
        other_uid = other.study.study_instance_uid
    a_shadow(database)
    before = everything_that_ranks(database)
    assert record(database, claims(database)) == 2
    with database.read() as session:
        assert everything_that_ranks(database) == before
        assert "2" not in versions_counted(session)
        detail = study_detail(session, uid, display=AS_STORED)
        assert detail is not None
        assert [score.ensemble_version for score in detail.scores] == ["1"]
        assert detail.study.marks == ()
        (beside,) = other_studies(session, other_uid, display=AS_STORED)
        assert beside.images[0].probability == pytest.approx(0.1)
        assert not beside.marked
        scores = session.scalars(select(Score).where(Score.ensemble_version == "2")).all()
        assert {(score.seconds, score.batch_size) for score in scores} == {(1.5, 2)}
        assert {score.unlike for score in scores} == {True}
        assert session.scalar(select(func.count()).select_from(ShadowImage)) == 0
    # The studies rank anew, as when another film of theirs comes in: the shadow decides nothing.
    with lifecycle(database) as unit:
        a_ready_image(unit, study=uid, header=header)
        (claimed,) = score_ready(unit, NOW, dict.fromkeys(range(1, 9), 0.15))
    with database.read() as session:
        study = session.scalars(select(Study).where(Study.study_instance_uid == uid)).one()
        assert (study.flagged, study.ensemble_version) == (False, "1")

    with database.write() as session:
        promote(session, "2", NOW)
    with lifecycle(database) as unit:
        ensemble = unit.session.get_one(EnsembleVersion, "2")
        assert len(rank_again(unit, ensemble, limit=9)) == 2
        # What it has scored counts: only the film that came in since is left.
        assert make_ready_again(unit, ensemble, limit=9) == [claimed.image_id]
        detail = study_detail(unit.session, uid, display=AS_STORED)
        assert detail is not None
        assert [each.code for each in detail.study.marks] == [MarkCode.UNLIKE_VALIDATED]
    with database.read() as session:
        studies = session.scalars(select(Study)).all()
        assert {(study.flagged, study.ensemble_version) for study in studies} == {(True, "2")}
        detail = study_detail(session, uid, display=AS_STORED)
        assert detail is not None
        assert "2" in [score.ensemble_version for score in detail.scores]
        assert "2" in versions_counted(session)


def test_the_days_that_monitoring_keeps_are_counted_anew_by_a_promotion(
    database: Database,
) -> None:
    with database.write() as session:
        a_scored_image(session, NOW - timedelta(days=3), probability=0.1)
    a_shadow(database)
    assert record(database, claims(database)) == 1
    with database.write() as session:
        start = NOW - timedelta(days=4)
        day = {"day": start.date(), "zone": "UTC", "starts_at": start, "ends_at": NOW}
        session.add(KeptDay(**day, totals={}, **dict.fromkeys(TABLES, b"")))
        promote(session, "2", NOW)
    with lifecycle(database) as unit:
        rank_again(unit, unit.session.get_one(EnsembleVersion, "2"), limit=9)
    with database.read() as session:
        assert session.scalars(select(KeptDay)).all() == []


def test_a_batch_that_ends_after_the_promotion_ranks_its_studies(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1)
    a_shadow(database)
    claimed = claims(database)
    with database.write() as session:
        promote(session, "2", NOW)
    with lifecycle(database) as unit:
        ensemble = unit.session.get_one(EnsembleVersion, "2")
        assert rank_again(unit, ensemble, limit=9) == []
        forget_queues(unit.session, unit.at)
    assert record(database, claimed) == 1
    with database.read() as session:
        study = session.scalars(select(Study)).one()
        assert (study.flagged, study.ensemble_version) == (True, "2")


def test_the_active_ensemble_that_was_quicker_is_not_contradicted(database: Database) -> None:
    with database.write() as session:
        image = a_scored_image(session, NOW, probability=0.1).id
    a_shadow(database)
    claimed = claims(database)
    with lifecycle(database) as unit:
        ensemble = promote(unit.session, "2", NOW)
        assert make_ready_again(unit, ensemble, limit=9) == [image]
        score_ready(unit, NOW, {image: 0.7}, version="2")
    assert record(database, claimed, 0.2) == 0
    with database.read() as session:
        query = select(Score.probability).where(Score.ensemble_version == "2")
        assert session.scalars(query).all() == [0.7]


def test_what_a_dead_worker_held_is_scored_by_another_one_and_once(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1)
    a_shadow(database)
    first = claims(database)
    later = NOW + timedelta(minutes=3)
    second = claims(database, later)
    assert [each.image_id for each in second] == [each.image_id for each in first]
    assert record(database, second) == 1
    assert record(database, first, 0.2) == 0
    with database.read() as session:
        query = select(Score.probability).where(Score.ensemble_version == "2")
        assert session.scalars(query).all() == [0.9]


@pytest.mark.parametrize("paused", [False, True])
def test_no_film_that_waits_is_kept_waiting(database: Database, paused: bool) -> None:
    with database.write() as session:
        image = a_ready_image(session, NOW)
        if paused:
            image.lease_until = NOW + timedelta(hours=1)
    with database.read() as session:
        assert film_waits(session, NOW) is not paused


def test_images_of_a_batch_that_failed_are_tried_alone_and_given_up(database: Database) -> None:
    with database.write() as session:
        for _ in range(2):
            a_scored_image(session, NOW, probability=0.1)
    a_shadow(database)
    at = NOW
    failed = 0
    while claimed := claims(database, at):
        with lifecycle(database, at) as unit:
            attempt_failed(unit, claimed, "it fails")
        failed += 1
        assert failed == 1 or len(claimed) == 1
        at += timedelta(hours=1)
    assert failed == 1 + 2 * 3
    with database.read() as session:
        rows = session.scalars(select(ShadowImage)).all()
        assert [row.reason for row in rows] == ["it fails", "it fails"]
        assert not is_any_due(session, at)


def test_what_the_pixel_check_refuses_is_not_tried_again(database: Database) -> None:
    with database.write() as session:
        image = a_scored_image(session, NOW, probability=0.1).id
    a_shadow(database)
    with lifecycle(database) as unit:
        (claimed,) = claims(database)
        refuse_shadow(unit, claimed, "No chest film.")
    assert claims(database, LATER) == []
    with database.write() as session:
        end_shadow(session, "2")
        begin_shadow(session, "2", NOW)
    assert claims(database, LATER) == [], image


def test_what_gives_way_waits_as_before(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1)
    a_shadow(database)
    for _ in range(9):
        with lifecycle(database) as unit:
            give_way(unit, claims(database))
    assert len(claims(database)) == 1


def test_what_killed_its_worker_each_time_is_given_up(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1)
    a_shadow(database)
    policy = LeasePolicy(lease=timedelta(minutes=2), max_unproven=1)
    claims(database)
    with lifecycle(database, NOW + timedelta(days=1)) as unit:
        _with_policy(unit, policy)
        give_up_shadows(unit)
    with database.read() as session:
        assert session.scalars(select(ShadowImage.reason)).all() == ["the worker died"]


def _with_policy(unit: UnitOfWork, policy: LeasePolicy) -> None:
    unit.policy = replace(unit.policy, lease=policy)


def test_what_waits_for_no_shadow_is_removed_but_not_what_is_in_work(database: Database) -> None:
    with database.write() as session:
        for _ in range(2):
            a_scored_image(session, NOW, probability=0.1)
    a_shadow(database)
    (claimed,) = claims(database, limit=1)
    with database.write() as session:
        end_shadow(session, "2")
        forget_queues(session, NOW)
        assert session.scalars(select(ShadowImage.image_id)).all() == [claimed.image_id]
    assert record(database, [claimed]) == 1
    with database.write() as session:
        begin_shadow(session, "2", NOW)
    assert claimed.image_id not in [each.image_id for each in claims(database)]


def test_earlier_films_are_queued_slice_by_slice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SLICE >= 100
    monkeypatch.setattr("db.ensembles.shadows.SLICE", 2)
    with database.write() as session:
        images = [a_scored_image(session, NOW, probability=0.1).id for _ in range(5)]
    a_shadow(database)
    seen: list[int] = []
    for _ in range(9):
        claimed = claims(database)
        assert len(claimed) <= 2
        record(database, claimed)
        seen += [each.image_id for each in claimed]
    assert seen == images[::-1]
