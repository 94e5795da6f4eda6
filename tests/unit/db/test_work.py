import threading
from datetime import timedelta

from sqlalchemy import select

from db.lifecycle.events import EventAction
from db.lifecycle.work import (
    WORKER_DIED,
    ClaimedImage,
    attempt_excused,
    attempt_failed,
    claim_ready,
    claim_received,
    give_up,
    mark_ready,
    waiting,
)
from db.session import Database
from db.tables import Event, Image
from db.worklist.queries import study_detail
from readfirst.domain import ImageState, Urgency
from readfirst.refusals import RefusalCode
from tests.support.studies import (
    AS_STORED,
    LEASE,
    NOW,
    a_header,
    a_ready_image,
    an_image,
    lifecycle,
    score_ready,
    unit_at,
)

LATER = NOW + timedelta(hours=1)


def test_the_most_urgent_image_is_claimed_first(database: Database) -> None:
    with database.write() as session:
        an_image(session)
        stat = an_image(session, header=a_header(stat=True))
    with database.write() as session:
        claimed = claim_received(unit_at(session, NOW))
    assert claimed is not None
    assert claimed.image_id == stat.id


def test_a_claimed_image_is_free_again_when_its_lease_ends(database: Database) -> None:
    with database.write() as session:
        an_image(session)
    with database.write() as session:
        assert claim_received(unit_at(session, NOW))
        assert claim_received(unit_at(session, NOW)) is None
        assert waiting(session, NOW) == {}
    with database.write() as session:
        assert claim_received(unit_at(session, NOW + LEASE.lease))


def test_a_worker_that_lost_its_lease_changes_nothing(database: Database) -> None:
    with database.write() as session:
        an_image(session)
        session.flush()
        slow = claim_received(unit_at(session, NOW))
    with database.write() as session:
        quick = claim_received(unit_at(session, LATER))
    assert slow is not None
    assert quick is not None
    with database.write() as session:
        assert not mark_ready(unit_at(session, LATER), slow, "1")
        assert mark_ready(unit_at(session, LATER), quick, "1")


def test_after_the_last_attempt_an_image_is_refused_with_the_last_error(database: Database) -> None:
    with database.write() as session:
        image = an_image(session)
    now = NOW
    for attempt in range(LEASE.max_attempts):
        now += timedelta(hours=1)
        with database.write() as session:
            claimed = claim_received(unit_at(session, now))
            assert claimed is not None
            attempt_failed(unit_at(session, now), claimed, f"error {attempt}")
    with database.read() as session:
        image = session.get_one(Image, image.id)
        assert image.state is ImageState.REFUSED
        assert image.code is RefusalCode.PROCESSING_FAILED
        assert "error 2" in (image.reason or "")


def test_an_image_that_kills_its_worker_each_time_is_given_up(database: Database) -> None:
    with database.write() as session:
        image = an_image(session)
    now = NOW
    for _ in range(LEASE.max_unproven):
        with database.write() as session:
            assert give_up(unit_at(session, now)) == 0
            assert claim_received(unit_at(session, now))
        now += timedelta(hours=2)
    assert now - NOW > timedelta(days=1), "a machine has been mended by then"
    with database.write() as session:
        assert claim_received(unit_at(session, now)) is None
        assert give_up(unit_at(session, now)) == 1
    with database.read() as session:
        assert session.get_one(Image, image.id).code is RefusalCode.PROCESSING_FAILED


def test_whoever_cuts_the_work_short_a_film_is_not_refused_for_it(database: Database) -> None:
    """A worker that is killed again and again, and then faults of the machine for weeks."""
    with database.write() as session:
        image = an_image(session)
    now = NOW
    for _ in range(LEASE.max_unproven - 1):
        now += timedelta(hours=2)
        with database.write() as session:
            assert claim_received(unit_at(session, now)), "nobody says how this one ended"
    for _ in range(100):
        now += timedelta(hours=2)
        with database.write() as session:
            unit = unit_at(session, now)
            claimed = claim_received(unit)
            assert claimed is not None
            attempt_excused(unit, claimed, "No space left on device")
            assert give_up(unit) == 0
    with database.write() as session:
        unit = unit_at(session, now + timedelta(minutes=2))
        claimed = claim_received(unit)
        assert claimed is not None, "it is tried again at most a minute later"
        assert mark_ready(unit, claimed, "1")
    with database.read() as session:
        kept = session.get_one(Image, image.id)
        assert (kept.attempts, kept.failures, kept.excused, kept.last_error) == (0, 0, 0, None)


def test_each_attempt_without_a_word_is_noted_and_holds_the_image_for_longer(
    database: Database,
) -> None:
    with database.write() as session:
        image = an_image(session)
    durations = []
    now = NOW
    for _ in range(4):
        with lifecycle(database, now) as unit:
            assert claim_received(unit)
        with database.read() as session:
            until = session.get_one(Image, image.id).lease_until
        assert until is not None
        durations.append(until - now)
        now = until
    assert durations == [LEASE.lease + timedelta(seconds=more) for more in (0, 2, 4, 8)]
    with database.read() as session:
        query = select(Event.detail).where(Event.action == EventAction.ATTEMPT_FAILED)
        assert session.scalars(query).all() == [{"error": WORKER_DIED}] * 3


def test_a_fault_of_the_machine_is_told_once_and_makes_no_image_suspect(
    database: Database,
) -> None:
    with database.write() as session:
        images = [a_ready_image(session) for _ in range(3)]
    for hours in range(5):
        with lifecycle(database, NOW + timedelta(hours=hours)) as unit:
            batch = claim_ready(unit, 10, "1")
            assert len(batch) == len(images), "they are still scored together"
            for claimed in batch:
                attempt_excused(unit, claimed, "No space left on device")
    with database.read() as session:
        query = select(Event).where(Event.action == EventAction.ATTEMPT_FAILED)
        assert len(session.scalars(query).all()) == len(images)


def test_an_image_that_failed_before_is_scored_alone(database: Database) -> None:
    with database.write() as session:
        failed = a_ready_image(session)
        session.flush()
        (claimed,) = claim_ready(unit_at(session, NOW), 10, "1")
        attempt_failed(unit_at(session, NOW), claimed, "out of memory")
    with database.write() as session:
        others = [a_ready_image(session), a_ready_image(session)]
    with database.write() as session:
        alone = claim_ready(unit_at(session, LATER), 10, "1")
        rest = claim_ready(unit_at(session, LATER), 10, "1")
    assert [claimed.image_id for claimed in alone] == [failed.id]
    assert [claimed.image_id for claimed in rest] == [image.id for image in others]


def test_images_prepared_for_another_preprocessing_are_left_alone(database: Database) -> None:
    with database.write() as session:
        a_ready_image(session)
    with database.write() as session:
        assert claim_ready(unit_at(session, NOW), 10, "2") == []


def test_workers_that_claim_together_share_the_work_without_overlap(database: Database) -> None:
    with database.write() as session:
        for _ in range(40):
            a_ready_image(session)
    claims: list[ClaimedImage] = []

    def work() -> None:
        for _ in range(5):
            with database.write() as session:
                claims.extend(claim_ready(unit_at(session, NOW), 4, "1"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claims) == 40
    assert len({claimed.image_id for claimed in claims}) == 40


def test_the_way_of_an_image_is_stamped(database: Database) -> None:
    with database.write() as session:
        image = a_ready_image(session, NOW, study="1.2")
        session.flush()
        score_ready(session, LATER, {image.id: 0.7})
    with database.read() as session:
        stored = session.scalars(select(Image)).one()
        assert stored.state is ImageState.SCORED
        assert (stored.received_at, stored.ready_at, stored.scored_at) == (NOW, NOW, LATER)
        assert stored.urgency == Urgency.LIVE
        assert study_detail(session, "1.2", display=AS_STORED) is not None
