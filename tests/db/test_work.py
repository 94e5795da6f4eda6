import threading
from datetime import timedelta

from sqlalchemy import select

from db.session import Database
from db.tables import Image
from db.work import (
    Claimed,
    claim_ready,
    claim_received,
    give_back,
    give_up,
    mark_ready,
    waiting,
)
from db.worklist import study_detail
from readfirst.domain import ImageState, Urgency
from readfirst.refusals import RefusalCode
from tests.db.builders import NOW, TERMS, a_header, a_ready_image, an_image, score_ready

LATER = NOW + timedelta(hours=1)


def test_the_most_urgent_image_is_claimed_first(database: Database) -> None:
    with database.write() as session:
        an_image(session)
        stat = an_image(session, header=a_header(stat=True))
    with database.write() as session:
        claimed = claim_received(session, NOW, TERMS)
    assert claimed is not None
    assert claimed.image_id == stat.id


def test_a_claimed_image_is_free_again_when_its_lease_ends(database: Database) -> None:
    with database.write() as session:
        an_image(session)
    with database.write() as session:
        assert claim_received(session, NOW, TERMS)
        assert claim_received(session, NOW, TERMS) is None
        assert waiting(session, NOW) == {}
    with database.write() as session:
        assert claim_received(session, NOW + TERMS.lease, TERMS)


def test_a_worker_that_lost_its_lease_changes_nothing(database: Database) -> None:
    with database.write() as session:
        an_image(session)
        session.flush()
        slow = claim_received(session, NOW, TERMS)
    with database.write() as session:
        quick = claim_received(session, LATER, TERMS)
    assert slow is not None
    assert quick is not None
    with database.write() as session:
        assert not mark_ready(session, slow, "1", LATER)
        assert mark_ready(session, quick, "1", LATER)


def test_after_the_last_attempt_an_image_is_refused_with_the_last_error(database: Database) -> None:
    with database.write() as session:
        image = an_image(session)
    now = NOW
    for attempt in range(TERMS.max_attempts):
        now += timedelta(hours=1)
        with database.write() as session:
            claimed = claim_received(session, now, TERMS)
            assert claimed is not None
            give_back(session, claimed, f"error {attempt}", now, TERMS)
    with database.read() as session:
        image = session.get_one(Image, image.id)
        assert image.state is ImageState.REFUSED
        assert image.code is RefusalCode.PROCESSING_FAILED
        assert "error 2" in (image.reason or "")


def test_an_image_that_kills_its_worker_each_time_is_given_up(database: Database) -> None:
    with database.write() as session:
        image = an_image(session)
    now = NOW
    for _ in range(TERMS.max_attempts):
        with database.write() as session:
            assert give_up(session, now, TERMS) == 0
            assert claim_received(session, now, TERMS)
        now += timedelta(hours=1)
    with database.write() as session:
        assert claim_received(session, now, TERMS) is None
        assert give_up(session, now, TERMS) == 1
    with database.read() as session:
        assert session.get_one(Image, image.id).code is RefusalCode.PROCESSING_FAILED


def test_an_image_that_failed_before_is_assessed_alone(database: Database) -> None:
    with database.write() as session:
        failed = a_ready_image(session)
        session.flush()
        (claimed,) = claim_ready(session, 10, NOW, TERMS, "1")
        give_back(session, claimed, "out of memory", NOW, TERMS)
    with database.write() as session:
        others = [a_ready_image(session), a_ready_image(session)]
    with database.write() as session:
        alone = claim_ready(session, 10, LATER, TERMS, "1")
        rest = claim_ready(session, 10, LATER, TERMS, "1")
    assert [held.image_id for held in alone] == [failed.id]
    assert [held.image_id for held in rest] == [image.id for image in others]


def test_images_prepared_for_another_preprocessing_are_left_alone(database: Database) -> None:
    with database.write() as session:
        a_ready_image(session)
    with database.write() as session:
        assert claim_ready(session, 10, NOW, TERMS, "2") == []


def test_workers_that_claim_together_share_the_work_without_overlap(database: Database) -> None:
    with database.write() as session:
        for _ in range(40):
            a_ready_image(session)
    claims: list[Claimed] = []

    def work() -> None:
        for _ in range(5):
            with database.write() as session:
                claims.extend(claim_ready(session, 4, NOW, TERMS, "1"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claims) == 40
    assert len({held.image_id for held in claims}) == 40


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
        assert study_detail(session, "1.2") is not None
