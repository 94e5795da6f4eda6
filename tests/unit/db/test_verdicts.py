"""Verdicts and read state, on both databases."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.access.audit import Actor, AuditAction, entries
from db.images import Identity, NewArrival, image_with_content
from db.lifecycle.arrivals import add_copy
from db.lifecycle.retries import refused_image, try_again
from db.lifecycle.verdicts import ExpectedVersion, ShownFilm, VerdictInput
from db.read_models import StudyRecord
from db.session import Database
from db.verdicts import all_verdicts, verdicts_of
from db.worklist.filters import WorklistFilter
from db.worklist.queries import reading_order, study_detail
from db.worklist.sorting import Order, Sort
from readfirst.domain import uid_from_digest
from readfirst.errors import Conflict, Refused
from readfirst.refusals import RefusalCode
from readfirst.studies.findings import Agreement, Finding, agreement
from tests.support.studies import (
    AS_STORED,
    NOW,
    a_header,
    a_scored_image,
    an_image,
    give_verdict,
    lifecycle,
    score_ready,
    unit_at,
)

ANNA, BEN = Actor("anna", "127.0.0.1"), Actor("ben", "127.0.0.1")
PNEUMONIA, NONE = (
    VerdictInput(finding=Finding.PNEUMONIA),
    VerdictInput(finding=Finding.NO_PNEUMONIA),
)
CANNOT_TELL, READ = VerdictInput(finding=Finding.CANNOT_TELL), VerdictInput()
WITHDRAWN = VerdictInput(withdrawn=True)
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
    verdict: VerdictInput,
    by: Actor = ANNA,
    seen: ExpectedVersion | None = None,
    study: str = STUDY,
) -> int | None:
    with database.write() as session:
        return give_verdict(session, study, verdict, by, LATER, expected=seen)


def listed(database: Database, which: WorklistFilter | None = None) -> list[StudyRecord]:
    with database.read() as session:
        return reading_order(session, limit=9, which=which or WorklistFilter(), display=AS_STORED)


def happened(database: Database, study: str = STUDY) -> list[str]:
    with database.read() as session:
        detail = study_detail(session, study, display=AS_STORED)
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
    assert listed(flagged)[0].read_at is None
    say(flagged, VerdictInput(finding=Finding.NO_PNEUMONIA, comment="  Thymus. "))
    (study,) = listed(flagged)
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
    (study,) = listed(flagged)
    assert not study.flagged
    assert study.verdict is not None
    assert study.verdict.agreement is Agreement.AGREES
    assert study.verdict.probability == 0.9


def test_a_study_that_is_not_scored_is_read_with_nothing_to_compare(database: Database) -> None:
    with database.write() as session:
        an_image(session, study=STUDY)
    say(database, PNEUMONIA)
    verdict = listed(database)[0].verdict
    assert verdict is not None
    assert verdict.agreement is None
    assert (verdict.probability, verdict.threshold, verdict.flagged) == (None, None, None)


def test_a_later_verdict_replaces_an_earlier_one_and_both_stay(flagged: Database) -> None:
    say(flagged, PNEUMONIA)
    say(flagged, NONE, BEN)
    (study,) = listed(flagged)
    assert study.verdict is not None
    assert (study.verdict.by, study.verdict_count) == ("ben", 2)
    with flagged.read() as session:
        history = verdicts_of(session, STUDY)
        every = all_verdicts(session, limit=9)
    assert [(verdict.by, verdict.stands) for verdict in history] == [("anna", False), ("ben", True)]
    assert [verdict.by for verdict in every] == ["ben", "anna"]
    assert happened(flagged).count("read") == 1


def test_a_study_is_unread_again_by_withdrawing(flagged: Database) -> None:
    say(flagged, PNEUMONIA)
    say(flagged, WITHDRAWN, BEN)
    (study,) = listed(flagged)
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
        add_copy(unit_at(session, LATER), again, image)
    assert listed(flagged)[0].read_at == LATER
    with flagged.write() as session:
        an_image(session, LATER, study=STUDY, refusal=Refused(RefusalCode.TRUNCATED))
    (study,) = listed(flagged)
    assert study.read_at is None
    assert study.verdict is not None, "it stands: it was given of what there was"
    assert "unread" in happened(flagged)


def test_an_image_that_can_be_seen_at_last_makes_its_study_unread(database: Database) -> None:
    with database.write() as session:
        image = an_image(session, study=STUDY, refusal=Refused(RefusalCode.TRUNCATED))
    say(database, VerdictInput())
    identity = Identity(
        study_instance_uid=STUDY,
        series_instance_uid=uid_from_digest(image.sha256, "series"),
        sop_instance_uid=image.sop_instance_uid,
    )
    for refusal, read in ((Refused(RefusalCode.TRUNCATED), True), (None, False)):
        with lifecycle(database, LATER) as unit:
            refused = refused_image(unit, image.id)
            assert refused is not None
            try_again(unit, refused, identity, a_header(), refusal=refusal)
        assert (listed(database)[0].read_at is not None) is read


def test_the_filter_tells_unread_from_read(database: Database) -> None:
    with database.write() as session:
        for uid in ("1.1", "1.2", "1.3"):
            a_scored_image(session, probability=0.9, study=uid)
    say(database, PNEUMONIA, study="1.2")

    def uids(unread: bool | None) -> list[str]:
        rows = listed(database, WorklistFilter(unread=unread))
        return [row.study_instance_uid for row in rows]

    assert uids(True) == ["1.1", "1.3"]
    assert uids(False) == ["1.2"]
    assert uids(None) == ["1.1", "1.2", "1.3"]


# PostgreSQL reads an empty table whole.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "which",
    [
        "read_at IS NULL AND prior_since IS NULL",
        "read_at IS NULL AND prior_since IS NULL AND flagged IS 1",
        "prior_since IS NOT NULL",
    ],
)
def test_unread_studies_and_priors_are_found_by_an_index(database: Database, which: str) -> None:
    query = (
        f"EXPLAIN QUERY PLAN SELECT id FROM studies WHERE {which} "
        "ORDER BY urgency, reading_key, id LIMIT 100"
    )
    with database.read() as session:
        plan = " ".join(row[-1] for row in session.execute(text(query)))
    assert "USING INDEX ix_studies_" in plan.replace("COVERING ", "")
    assert "TEMP B-TREE" not in plan


def test_a_reader_who_has_not_seen_all_is_told(flagged: Database) -> None:
    seen = ExpectedVersion(verdicts=0, images=1)
    say(flagged, PNEUMONIA, ANNA, seen)
    with pytest.raises(Conflict, match="anna recorded “pneumonia” while you were reading"):
        say(flagged, NONE, BEN, seen)
    say(flagged, NONE, BEN, ExpectedVersion(1, 1))
    with flagged.write() as session:
        an_image(session, LATER, study=STUDY)
    with pytest.raises(Conflict, match="Another image"):
        say(flagged, NONE, BEN, ExpectedVersion(2, 1))


def digest_of(database: Database) -> str:
    (study,) = listed(database)
    return study.images[0].sha256


def test_a_verdict_of_a_page_needs_a_film_that_was_displayed(flagged: Database) -> None:
    displayed = ShownFilm(displayed=digest_of(flagged))
    for film in (ShownFilm(), ShownFilm(displayed="0" * 64), ShownFilm(failed="0" * 64)):
        for verdict in (PNEUMONIA, NONE, CANNOT_TELL, READ):
            with pytest.raises(Conflict, match="has not been displayed"):
                say(flagged, verdict, seen=ExpectedVersion(0, 1, film))
    say(flagged, PNEUMONIA, seen=ExpectedVersion(0, 1, displayed))
    say(flagged, WITHDRAWN, seen=ExpectedVersion(1, 1, ShownFilm()))


def test_a_film_that_cannot_be_displayed_takes_no_finding(flagged: Database) -> None:
    failed = ShownFilm(failed=digest_of(flagged))
    for verdict in (PNEUMONIA, NONE):
        with pytest.raises(Conflict, match="takes no finding"):
            say(flagged, verdict, seen=ExpectedVersion(0, 1, failed))
    say(flagged, CANNOT_TELL, seen=ExpectedVersion(0, 1, failed))
    say(flagged, READ, seen=ExpectedVersion(1, 1, failed))


def test_only_the_first_verdict_is_blind(flagged: Database) -> None:
    say(flagged, PNEUMONIA, seen=ExpectedVersion(0, 1, ai_hidden=True))
    say(flagged, WITHDRAWN, seen=ExpectedVersion(1, 1, ai_hidden=True))
    say(flagged, NONE, seen=ExpectedVersion(2, 1, ai_hidden=True))
    with flagged.read() as session:
        assert [each.blind for each in verdicts_of(session, STUDY)] == [True, False, False]


def test_what_the_ai_says_is_hidden_until_the_first_verdict(flagged: Database) -> None:
    hiding = replace(AS_STORED, hides_ai=True)
    with flagged.write() as session:
        an_image(session, LATER, study="1.2.4")
    with flagged.read() as session:
        hidden, waiting = reading_order(session, limit=9, display=hiding)
        detail = study_detail(session, STUDY, display=hiding)
    assert (hidden.study_instance_uid, hidden.ai_hidden) == (STUDY, True), "the order stays"
    assert (hidden.probability, hidden.flagged, hidden.standing) == (None, False, "waiting")
    assert hidden.why == "What the AI says is hidden until a verdict is given"
    assert not waiting.ai_hidden, "there is nothing to hide"
    assert detail is not None
    assert detail.scores == ()
    assert {"scored", "flagged"}.isdisjoint(event.action for event in detail.events)
    say(flagged, NONE)
    with flagged.read() as session:
        detail = study_detail(session, STUDY, display=hiding)
    assert detail is not None
    assert (detail.study.probability, detail.study.ai_hidden) == (0.9, False)
    assert len(detail.scores) == 1


def test_a_list_by_what_is_hidden_is_refused_unless_it_is_of_read_studies(
    flagged: Database,
) -> None:
    hiding, by_score = replace(AS_STORED, hides_ai=True), Order(Sort.PROBABILITY)
    with flagged.read() as session:
        for unread in (None, True):
            which = WorklistFilter(flagged=True, unread=unread)
            with pytest.raises(Conflict, match="hidden until a verdict"):
                reading_order(session, limit=9, which=which, display=hiding)
            which = WorklistFilter(unread=unread)
            with pytest.raises(Conflict, match="hidden until a verdict"):
                reading_order(session, limit=9, which=which, display=hiding, order=by_score)
        read = WorklistFilter(flagged=True, unread=False)
        assert reading_order(session, limit=9, which=read, display=hiding, order=by_score) == []


def test_of_two_readers_at_the_same_time_one_is_told(flagged: Database) -> None:
    begin, outcomes = threading.Barrier(2), []

    def try_it(by: Actor) -> None:
        begin.wait()
        try:
            say(flagged, PNEUMONIA, by, ExpectedVersion(0, 1))
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
    say(flagged, VerdictInput(finding=Finding.PNEUMONIA, comment="names nobody in the log"))
    say(flagged, WITHDRAWN, BEN)
    with flagged.read() as session:
        withdrawn, submitted = entries(session, limit=9, study_instance_uid=STUDY)
    assert (submitted.account, submitted.action) == ("anna", AuditAction.VERDICT_GIVEN)
    assert submitted.detail == {"finding": "pneumonia"}
    assert (withdrawn.account, withdrawn.action) == ("ben", AuditAction.VERDICT_WITHDRAWN)


def test_nobody_gives_a_verdict_of_a_study_that_is_not_there(flagged: Database) -> None:
    assert say(flagged, PNEUMONIA, study="9.9") is None


@pytest.mark.parametrize("change", ["UPDATE verdicts SET comment = ''", "DELETE FROM verdicts"])
def test_the_database_itself_refuses_to_change_a_verdict(flagged: Database, change: str) -> None:
    say(flagged, PNEUMONIA)
    with pytest.raises(DBAPIError, match="append-only"), flagged.write() as session:
        session.execute(text(change))
