"""Verdicts and read state, on both databases."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.audit import Action, Actor, entries
from db.filters import WorklistFilter
from db.images import Identity, NewArrival, add_duplicate, image_with_content
from db.refused import refused_image, try_again
from db.session import Database
from db.verdicts import Opinion, Seen, all_verdicts, give, verdicts_of
from db.views import StudyView
from db.worklist import reading_order, study_detail
from readfirst.domain import uid_from_digest
from readfirst.errors import Conflict, Refused
from readfirst.findings import Agreement, Finding, agreement
from readfirst.refusals import RefusalCode
from tests.db.builders import (
    MAX_WAIT,
    NOW,
    a_header,
    a_scored_image,
    an_image,
    score_ready,
)

ANNA, BEN = Actor("anna", "127.0.0.1"), Actor("ben", "127.0.0.1")
PNEUMONIA, NONE = Opinion(finding=Finding.PNEUMONIA), Opinion(finding=Finding.NO_PNEUMONIA)
WITHDRAWN = Opinion(withdrawn=True)
LATER = NOW + timedelta(hours=1)
STUDY = "1.2.3"


@pytest.fixture
def flagged(database: Database) -> Database:
    """A database with one study of one image, which the AI flagged."""
    with database.write() as session:
        a_scored_image(session, probability=0.9, study=STUDY)
    return database


def say(
    database: Database,
    opinion: Opinion,
    by: Actor = ANNA,
    seen: Seen | None = None,
    study: str = STUDY,
) -> int | None:
    with database.write() as session:
        return give(session, study, opinion, by, LATER, seen=seen)


def shown(database: Database, which: WorklistFilter | None = None) -> list[StudyView]:
    with database.read() as session:
        return reading_order(session, limit=9, which=which or WorklistFilter())


def happened(database: Database, study: str = STUDY) -> list[str]:
    with database.read() as session:
        detail = study_detail(session, study)
    assert detail is not None
    return [event.action for event in detail.events]


@pytest.mark.parametrize(
    ("finding", "flagged", "expected"),
    [
        (Finding.PNEUMONIA, True, Agreement.AGREES),
        (Finding.NO_PNEUMONIA, False, Agreement.AGREES),
        (Finding.NO_PNEUMONIA, True, Agreement.FALSE_POSITIVE),
        (Finding.PNEUMONIA, False, Agreement.MISSED),
        (Finding.PNEUMONIA, None, None),
        (Finding.CANNOT_TELL, True, None),
        (None, True, None),
    ],
)
def test_a_finding_agrees_with_the_flag_or_not(
    finding: Finding | None, flagged: bool | None, expected: Agreement | None
) -> None:
    assert agreement(finding, flagged) == expected


def test_a_verdict_marks_the_study_as_read_and_keeps_what_the_ai_said(flagged: Database) -> None:
    assert shown(flagged)[0].read_at is None
    say(flagged, Opinion(finding=Finding.NO_PNEUMONIA, comment="  Thymus. "))
    (study,) = shown(flagged)
    assert study.read_at == LATER
    verdict = study.verdict
    assert verdict is not None
    assert (verdict.by, verdict.finding, verdict.comment) == ("anna", "no_pneumonia", "Thymus.")
    assert verdict.agreement is Agreement.FALSE_POSITIVE
    assert (verdict.probability, verdict.threshold, verdict.flagged) == (0.9, 0.5, True)
    assert verdict.ensemble_version == "1"
    assert happened(flagged)[-2:] == ["verdict", "read"]


def test_what_the_ai_said_is_kept_when_it_says_something_else(flagged: Database) -> None:
    say(flagged, PNEUMONIA)
    with flagged.write() as session:
        session.execute(text("UPDATE images SET state = 'ready'"))
        (image_id,) = session.scalars(text("SELECT id FROM images"))
        score_ready(session, LATER, {image_id: 0.1}, "2")
        session.execute(text("UPDATE studies SET probability = 0.1, flagged = false"))
    (study,) = shown(flagged)
    assert not study.flagged
    assert study.verdict is not None
    assert study.verdict.agreement is Agreement.AGREES
    assert study.verdict.probability == 0.9


def test_a_study_that_is_not_scored_is_read_with_nothing_to_compare(database: Database) -> None:
    with database.write() as session:
        an_image(session, study=STUDY)
    say(database, PNEUMONIA)
    verdict = shown(database)[0].verdict
    assert verdict is not None
    assert verdict.agreement is None
    assert (verdict.probability, verdict.threshold, verdict.flagged) == (None, None, None)


def test_a_later_verdict_replaces_an_earlier_one_and_both_stay(flagged: Database) -> None:
    say(flagged, PNEUMONIA)
    say(flagged, NONE, BEN)
    (study,) = shown(flagged)
    assert study.verdict is not None
    assert (study.verdict.by, study.verdict_count) == ("ben", 2)
    with flagged.read() as session:
        history = verdicts_of(session, STUDY)
        every = all_verdicts(session, limit=9)
    assert [(one.by, one.stands) for one in history] == [("anna", False), ("ben", True)]
    assert [one.by for one in every] == ["ben", "anna"]
    assert happened(flagged).count("read") == 1


def test_a_study_is_unread_again_by_withdrawing(flagged: Database) -> None:
    say(flagged, PNEUMONIA)
    say(flagged, WITHDRAWN, BEN)
    (study,) = shown(flagged)
    assert (study.read_at, study.verdict, study.verdict_count) == (None, None, 2)
    assert happened(flagged)[-2:] == ["verdict", "unread"]
    with pytest.raises(Conflict, match="no verdict to withdraw"):
        say(flagged, WITHDRAWN)


def test_a_new_image_makes_a_read_study_unread_and_a_known_one_does_not(
    flagged: Database,
) -> None:
    say(flagged, PNEUMONIA)
    with flagged.write() as session:
        digest = session.scalars(text("SELECT sha256 FROM images")).one()
        image = image_with_content(session, digest)
        assert image is not None
        again = NewArrival(
            claim_id="again", relative_path="again", sha256=digest, size=1, arrived_at=LATER
        )
        add_duplicate(session, again, image)
    assert shown(flagged)[0].read_at == LATER
    with flagged.write() as session:
        an_image(session, LATER, study=STUDY, refusal=Refused(RefusalCode.TRUNCATED))
    (study,) = shown(flagged)
    assert study.read_at is None
    assert study.verdict is not None, "it stands: it was given of what there was"
    assert "unread" in happened(flagged)


def test_an_image_that_can_be_seen_at_last_makes_its_study_unread(database: Database) -> None:
    with database.write() as session:
        image = an_image(session, study=STUDY, refusal=Refused(RefusalCode.TRUNCATED))
    say(database, Opinion())
    identity = Identity(
        study_instance_uid=STUDY,
        series_instance_uid=uid_from_digest(image.sha256, "series"),
        sop_instance_uid=image.sop_instance_uid,
    )
    for refusal, read in ((Refused(RefusalCode.TRUNCATED), True), (None, False)):
        with database.write() as session:
            held = refused_image(session, image.id)
            assert held is not None
            try_again(
                session, held, identity, a_header(), refusal=refusal, at=LATER, max_wait=MAX_WAIT
            )
        assert (shown(database)[0].read_at is not None) is read


def test_the_filter_tells_unread_from_read(database: Database) -> None:
    with database.write() as session:
        for uid in ("1.1", "1.2", "1.3"):
            a_scored_image(session, probability=0.9, study=uid)
    say(database, PNEUMONIA, study="1.2")

    def uids(unread: bool | None) -> list[str]:
        rows = shown(database, WorklistFilter(unread=unread))
        return [row.study_instance_uid for row in rows]

    assert uids(True) == ["1.1", "1.3"]
    assert uids(False) == ["1.2"]
    assert uids(None) == ["1.1", "1.2", "1.3"]


@pytest.mark.parametrize("flagged_only", [False, True])
def test_unread_studies_are_found_by_an_index(database: Database, flagged_only: bool) -> None:
    if database.engine.dialect.name != "sqlite":
        pytest.skip("an empty table of PostgreSQL is read whole")
    flag = "AND flagged IS 1" if flagged_only else ""
    query = (
        "EXPLAIN QUERY PLAN SELECT id FROM studies WHERE read_at IS NULL "
        f"{flag} ORDER BY urgency, reading_key, id LIMIT 100"
    )
    with database.read() as session:
        plan = " ".join(row[-1] for row in session.execute(text(query)))
    assert "USING INDEX ix_studies_" in plan.replace("COVERING ", "")
    assert "TEMP B-TREE" not in plan


def test_a_reader_who_has_not_seen_all_is_told(flagged: Database) -> None:
    seen = Seen(verdicts=0, images=1)
    say(flagged, PNEUMONIA, ANNA, seen)
    with pytest.raises(Conflict, match="anna gave a verdict: pneumonia"):
        say(flagged, NONE, BEN, seen)
    say(flagged, NONE, BEN, Seen(1, 1))
    with flagged.write() as session:
        an_image(session, LATER, study=STUDY)
    with pytest.raises(Conflict, match="Another image"):
        say(flagged, NONE, BEN, Seen(2, 1))


def test_of_two_readers_at_the_same_time_one_is_told(flagged: Database) -> None:
    begin, outcomes = threading.Barrier(2), []

    def try_it(by: Actor) -> None:
        begin.wait()
        try:
            say(flagged, PNEUMONIA, by, Seen(0, 1))
            outcomes.append("given")
        except Conflict:
            outcomes.append("told")

    threads = [threading.Thread(target=try_it, args=(by,)) for by in (ANNA, BEN)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["given", "told"]


def test_each_verdict_is_in_the_audit_log(flagged: Database) -> None:
    say(flagged, Opinion(finding=Finding.PNEUMONIA, comment="names nobody in the log"))
    say(flagged, WITHDRAWN, BEN)
    with flagged.read() as session:
        withdrawn, given = entries(session, limit=9, study_instance_uid=STUDY)
    assert (given.account, given.action) == ("anna", Action.VERDICT_GIVEN)
    assert given.detail == {"finding": "pneumonia"}
    assert (withdrawn.account, withdrawn.action) == ("ben", Action.VERDICT_WITHDRAWN)


def test_nobody_gives_a_verdict_of_a_study_that_is_not_there(flagged: Database) -> None:
    assert say(flagged, PNEUMONIA, study="9.9") is None


@pytest.mark.parametrize("change", ["UPDATE verdicts SET comment = ''", "DELETE FROM verdicts"])
def test_the_database_itself_refuses_to_change_a_verdict(flagged: Database, change: str) -> None:
    say(flagged, PNEUMONIA)
    with pytest.raises(DBAPIError, match="append-only"), flagged.write() as session:
        session.execute(text(change))
