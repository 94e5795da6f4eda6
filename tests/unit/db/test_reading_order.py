from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from db.ensembles.versions import EnsembleFacts, register
from db.lifecycle.scoring import record
from db.lifecycle.work import claim_ready
from db.session import Database
from db.tables import EnsembleVersion, Study
from db.worklist.filters import WorklistFilter
from db.worklist.queries import reading_order, study_detail
from db.worklist.refused import refused_images
from readfirst.domain import ImageScore
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.studies.priority import Overdue, PriorityReason, reading_key
from tests.support.studies import (
    AS_STORED,
    MAX_WAIT,
    NOW,
    a_header,
    a_ready_image,
    a_scored_image,
    an_image,
    unit_at,
)

HOUR = timedelta(hours=1)


def test_flagged_studies_stand_before_unflagged_ones_that_came_earlier(database: Database) -> None:
    with database.write() as session:
        normal = a_scored_image(session, NOW, probability=0.1)
        likely = a_scored_image(session, NOW + HOUR, probability=0.9)
    with database.read() as session:
        rows = reading_order(session, limit=10, display=AS_STORED)
    assert [row.images[0].sha256 for row in rows] == [likely.sha256, normal.sha256]
    assert [row.standing for row in rows] == [PriorityReason.FLAGGED, PriorityReason.WAITING]
    assert "90 %" in rows[0].why
    assert "50 %" in rows[0].why


def test_stat_stands_before_flagged(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9)
        a_scored_image(session, NOW + HOUR, probability=0.1, header=a_header(stat=True))
    with database.read() as session:
        rows = reading_order(session, limit=10, display=AS_STORED)
    assert [row.standing for row in rows] == [PriorityReason.STAT, PriorityReason.FLAGGED]


def test_nothing_that_comes_later_than_the_longest_wait_passes_a_study(database: Database) -> None:
    with database.write() as session:
        normal = a_scored_image(session, NOW, probability=0.1)
        a_scored_image(session, NOW + MAX_WAIT + HOUR, probability=0.99)
    with database.read() as session:
        assert (
            reading_order(session, limit=1, display=AS_STORED)[0].images[0].sha256 == normal.sha256
        )


def test_a_refused_image_is_on_the_worklist_as_not_scored_with_its_reason(
    database: Database,
) -> None:
    with database.write() as session:
        an_image(session, refusal=Refused(RefusalCode.TRUNCATED))
    with database.read() as session:
        (row,) = reading_order(session, limit=10, display=AS_STORED)
        (refused,) = refused_images(session, limit=10)
    assert row.standing is PriorityReason.NOT_SCORED
    assert row.probability is None
    assert "ends before its image does" in row.why
    assert refused.code == "truncated"


def test_a_study_ranks_as_its_most_suspicious_image(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.2, study="1.2.3")
        a_scored_image(session, NOW, probability=0.8, study="1.2.3")
        a_scored_image(session, NOW, probability=0.3, study="1.2.3")
    with database.read() as session:
        (row,) = reading_order(session, limit=10, display=AS_STORED)
        detail = study_detail(session, "1.2.3", display=AS_STORED)
    assert (row.probability, row.flagged) == (0.8, True)
    assert detail is not None
    assert [score.probability for score in detail.scores] == [0.2, 0.8, 0.3]
    assert [event.action for event in detail.events[:3]] == ["received", "ready", "scored"]


def test_filters_keep_the_order(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9)
        a_scored_image(session, NOW + HOUR, probability=0.1)
        late = a_scored_image(session, NOW + 2 * HOUR, probability=0.9)
    with database.read() as session:
        assert (
            len(
                reading_order(
                    session, limit=10, which=WorklistFilter(flagged=True), display=AS_STORED
                )
            )
            == 2
        )
        late_and_flagged = WorklistFilter(flagged=True, since=NOW + HOUR)
        (row,) = reading_order(session, limit=10, which=late_and_flagged, display=AS_STORED)
    assert row.images[0].sha256 == late.sha256


def test_the_order_is_read_from_its_index(database: Database) -> None:
    dialect = database.engine.dialect.name
    with database.write() as session:
        session.add_all(
            Study(
                study_instance_uid=f"1.{number}",
                urgency=1,
                received_at=NOW,
                reading_key=NOW + number * HOUR,
            )
            for number in range(2000)
        )
    with database.write() as session:
        session.execute(text("ANALYZE studies"))
    explain = "EXPLAIN QUERY PLAN" if dialect == "sqlite" else "EXPLAIN"
    query = "SELECT * FROM studies ORDER BY urgency, reading_key, id LIMIT 50"
    with database.engine.connect() as connection:
        plan = str(connection.execute(text(f"{explain} {query}")).all())
    assert "ix_studies_reading_order" in plan
    assert "B-TREE" not in plan, "SQLite sorts in a temporary tree"
    assert "Sort" not in plan, "PostgreSQL sorts"


@given(waited=st.timedeltas(timedelta(0), timedelta(days=30)), flagged=st.booleans())
def test_a_flag_only_ever_raises(waited: timedelta, flagged: bool) -> None:
    received = NOW - waited
    key = reading_key(received, flagged=flagged, max_wait=MAX_WAIT)
    assert key <= received
    assert reading_key(received, flagged=True, max_wait=MAX_WAIT) <= key


@given(
    probability=st.floats(0, 1),
    higher=st.floats(0, 1),
    threshold=st.floats(0.01, 0.99),
)
def test_urgency_never_falls_as_the_probability_rises(
    probability: float, higher: float, threshold: float
) -> None:
    low, high = sorted((probability, higher))
    keys = [reading_key(NOW, flagged=p >= threshold, max_wait=MAX_WAIT) for p in (low, high)]
    assert keys[1] <= keys[0]


def test_what_waits_longer_than_the_longest_wait_says_so_and_stays_where_it_is(
    database: Database,
) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1, study="1.1")
        a_scored_image(session, NOW, probability=0.9, study="1.2")
        a_scored_image(session, NOW + 2 * HOUR, probability=0.1, study="1.3")
        a_scored_image(session, NOW + MAX_WAIT + HOUR, probability=0.9, study="1.4")
    with database.read() as session:
        timeless = reading_order(session, limit=10, display=AS_STORED)
        rows = reading_order(
            session, limit=10, display=replace(AS_STORED, overdue=Overdue(NOW, MAX_WAIT))
        )
    assert [row.study_instance_uid for row in rows] == ["1.2", "1.1", "1.4", "1.3"]
    assert [row.study_instance_uid for row in timeless] == ["1.2", "1.1", "1.4", "1.3"]
    sentences = [
        "AI 90 % (threshold 50 %).",
        "Waiting over 8 h: cannot be overtaken. AI 10 % (threshold 50 %).",
        "AI 90 % (threshold 50 %).",
        "In order of arrival. AI 10 % (threshold 50 %).",
    ]
    assert [row.why for row in rows] == sentences


def test_a_study_says_what_each_network_says_of_its_most_suspicious_image(
    database: Database,
) -> None:
    with database.write() as session:
        register(session, EnsembleFacts("1", 0.5, "1", prevalence=0.5), NOW)
        low = a_ready_image(session, study="1.1")
        high = a_ready_image(session, study="1.1")
        claims = {claim.image_id: claim for claim in claim_ready(unit_at(session, NOW), 10, "1")}
        members = {low.id: {"cnn": 0.1, "vgg": 0.3}, high.id: {"cnn": 0.9, "vgg": 0.5}}
        scores = [
            (claims[image], ImageScore(sum(members.values()) / 2, members))
            for image, members in members.items()
        ]
        record(unit_at(session), scores, session.get_one(EnsembleVersion, "1"))
        an_image(session, study="1.2")
    with database.read() as session:
        scored, waiting = reading_order(session, limit=10, display=AS_STORED)
        rare, _ = reading_order(session, limit=10, display=replace(AS_STORED, prevalence=0.1))
        detail = study_detail(session, "1.1", display=AS_STORED)
    assert (scored.members, waiting.members) == ({"cnn": 0.9, "vgg": 0.5}, {})
    assert rare.members == {"cnn": pytest.approx(0.5), "vgg": pytest.approx(0.1)}
    assert detail is not None
    assert detail.study.members == scored.members


def test_a_site_s_prevalence_changes_what_is_stated_and_not_the_order(database: Database) -> None:
    with database.write() as session:
        register(session, EnsembleFacts("1", 0.5, "1", prevalence=0.5), NOW)
        a_scored_image(session, NOW, probability=0.2)
        a_scored_image(session, NOW + HOUR, probability=0.9)
    with database.read() as session:
        native = reading_order(session, limit=10, display=AS_STORED)
        rare = reading_order(session, limit=10, display=replace(AS_STORED, prevalence=0.1))
        uid = rare[0].study_instance_uid
        detail = study_detail(session, uid, display=replace(AS_STORED, prevalence=0.1))
    assert [row.study_instance_uid for row in rare] == [row.study_instance_uid for row in native]
    assert [row.flagged for row in rare] == [True, False]
    assert [row.probability for row in native] == [0.9, 0.2]
    assert rare[0].probability == pytest.approx(0.5)
    assert rare[0].threshold == pytest.approx(0.1)
    assert "AI 50 % (threshold 10 %)" in rare[0].why
    assert detail is not None
    assert detail.scores[0].probability == pytest.approx(0.5)
    assert detail.scores[0].members["cnn"] == pytest.approx(0.5)
    assert detail.scores[0].spread == 0.0
