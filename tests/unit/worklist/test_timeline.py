"""The way of a study in words."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from db.access.audit import Actor, FirstViewing
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.worklist.queries import study_detail
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.studies.findings import Finding
from tests.support.studies import AS_STORED, NOW, a_scored_image, an_image, give_verdict
from worklist.pages.studies.timeline import TimelineRow, timeline, times

MADRID = ZoneInfo("Europe/Madrid")
MINUTE = timedelta(minutes=1)
OPENED = FirstViewing(NOW + 10 * MINUTE, "anna")


def rows_of(database: Database) -> tuple[TimelineRow, ...]:
    with database.read() as session:
        detail = study_detail(session, "1.1", display=AS_STORED)
    assert detail is not None
    return timeline(detail, OPENED, MADRID)


def test_a_study_is_told_from_its_arrival_to_its_being_read(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
        read = VerdictInput(finding=Finding.PNEUMONIA)
        give_verdict(session, "1.1", read, Actor("anna", None), NOW + 12 * MINUTE)
        give_verdict(
            session,
            "1.1",
            VerdictInput(withdrawn=True),
            Actor(None, None),
            NOW + 90 * MINUTE,
        )
    steps = rows_of(database)
    assert [(step.at, step.since, step.what) for step in steps[1:]] == [
        ("09:00:00", "0 s", "Decoded, and ready for the networks"),
        ("09:00:00", "0 s", "Scored 90 % by ensemble 1"),
        ("09:00:00", "0 s", "Flagged, moved up"),
        ("09:10:00", "+ 10 min", "First opened by anna"),
        ("09:12:00", "+ 2 min", "Read by anna: pneumonia"),
        ("10:30:00", "+ 1 h 18", "Marked as unread"),
    ]
    assert (steps[0].at, steps[0].since) == ("01 Mar 2026 09:00:00", "")
    assert steps[0].what.startswith("Received ")
    assert {step.kind for step in steps} == {"", "flag", "read"}


def test_a_refused_image_has_its_sentence_and_which_one_it_is(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1, study="1.1")
        give_verdict(session, "1.1", VerdictInput(), Actor(None, None), NOW + MINUTE)
        late = NOW + timedelta(days=1)
        an_image(session, late, study="1.1", refusal=Refused(RefusalCode.TRUNCATED))
    received, unread, refused = rows_of(database)[-3:]
    assert received.at == "02 Mar 2026 09:00:00"
    assert unread.what == "Unread again, since this image came in"
    assert refused.what.startswith("Not scored: The file ends")
    assert (refused.kind, refused.image) == ("refused", "image 2")


def test_times_are_counted_from_arrival(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
        give_verdict(session, "1.1", VerdictInput(), Actor(None, None), NOW + 30 * MINUTE)
    with database.read() as session:
        detail = study_detail(session, "1.1", display=AS_STORED)
    assert detail is not None
    assert times(detail, OPENED) == (("scored", "0 s"), ("opened", "10 min"), ("read", "30 min"))
    assert times(detail, None) == (("scored", "0 s"), ("read", "30 min"))
