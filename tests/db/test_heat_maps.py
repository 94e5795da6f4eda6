"""Heat maps as rows: who wants them, in what order they are made, and behind which films."""

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from db.ensembles import promote
from db.heat_maps import (
    SUPERSEDED,
    WORKER_DIED,
    HeatMapView,
    attempt_failed,
    claim_wanted,
    give_up_maps,
    give_way,
    heat_maps_of,
    is_any_wanted,
    made,
    want,
)
from db.session import Database
from db.tables import Image
from readfirst.domain import Urgency
from readfirst.heat import Area, HeatMethod, HeatState
from tests.db.builders import (
    NOW,
    TERMS,
    a_ready_image,
    a_scored_image,
    an_ensemble,
    an_image,
    score_ready,
)

GRAD_CAM, LIME = HeatMethod.GRAD_CAM, HeatMethod.LIME
LATER = NOW + timedelta(hours=1)


def the_map(database: Database, image: Image) -> HeatMapView:
    with database.read() as session:
        (found,) = heat_maps_of(session, image.sha256)
    return found


def a_film(session: Session, method: HeatMethod, *, asked: bool) -> Image:
    """A routine film of which somebody, or the rule, wants a heat map."""
    image = a_scored_image(session, probability=0.1)
    want(session, image.id, "1", method, NOW, asked=asked)
    return image


def test_a_flagged_film_gets_a_heat_map_with_its_score_and_others_do_not(
    database: Database,
) -> None:
    with database.write() as session:
        likely = a_scored_image(session, probability=0.9)
        unlikely = a_scored_image(session, probability=0.4)
        assert heat_maps_of(session, unlikely.sha256) == ()
    found = the_map(database, likely)
    assert (found.method, found.state, found.current) == (GRAD_CAM, HeatState.WANTED, True)


def test_what_a_night_scores_again_gets_none_by_itself(database: Database) -> None:
    with database.write() as session:
        image = a_ready_image(session)
        image.urgency = Urgency.RESCORE
        session.flush()
        score_ready(session, NOW, {image.id: 0.9})
        assert heat_maps_of(session, image.sha256) == ()


def test_what_somebody_asked_for_is_made_first_and_the_quick_before_the_slow(
    database: Database,
) -> None:
    with database.write() as session:
        by_itself = a_film(session, GRAD_CAM, asked=False)
        slow = a_film(session, LIME, asked=True)
        quick = a_film(session, GRAD_CAM, asked=True)
    order = []
    for _ in range(3):
        with database.write() as session:
            held = claim_wanted(session, "1", NOW, TERMS)
            assert held is not None
            order.append(held.sha256)
    assert order == [quick.sha256, slow.sha256, by_itself.sha256]


def test_no_heat_map_is_begun_while_a_film_that_came_in_waits(database: Database) -> None:
    with database.write() as session:
        a_film(session, GRAD_CAM, asked=True)
        waiting = an_image(session)
    with database.write() as session:
        assert claim_wanted(session, "1", NOW, TERMS) is None
        # As in the night, whose films come last.
        session.execute(update(Image).where(Image.id == waiting.id).values(urgency=Urgency.RESCORE))
        assert claim_wanted(session, "1", NOW, TERMS) is not None


def test_what_is_made_by_itself_waits_for_the_night_too(database: Database) -> None:
    with database.write() as session:
        a_film(session, GRAD_CAM, asked=False)
        an_image(session).urgency = Urgency.RESCORE
    with database.write() as session:
        assert claim_wanted(session, "1", NOW, TERMS) is None
        assert is_any_wanted(session)


def test_one_that_is_made_says_which_part_of_the_film_it_covers(database: Database) -> None:
    area = Area(0.1, 0.0, 0.9, 1.0)
    with database.write() as session:
        image = a_film(session, LIME, asked=True)
        held = claim_wanted(session, "1", NOW, TERMS)
        assert held is not None
        made(session, held, area, LATER)
        # Wanted again, it is there.
        want(session, image.id, "1", LIME, LATER, asked=True)
        assert not is_any_wanted(session)
    found = the_map(database, image)
    assert (found.state, found.area, found.made_at) == (HeatState.MADE, area, LATER)


def test_it_is_tried_three_times_and_again_when_somebody_asks(database: Database) -> None:
    with database.write() as session:
        image = a_film(session, GRAD_CAM, asked=False)
    at = NOW
    for _ in range(TERMS.max_attempts):
        with database.write() as session:
            held = claim_wanted(session, "1", at, TERMS)
            assert held is not None
            attempt_failed(session, held, "MemoryError", at, TERMS)
            at += timedelta(minutes=1)
    found = the_map(database, image)
    assert (found.state, found.reason) == (
        HeatState.FAILED,
        "It could not be made (MemoryError).",
    )
    with database.write() as session:
        want(session, image.id, "1", GRAD_CAM, at, asked=False)
        assert claim_wanted(session, "1", at, TERMS) is None
        want(session, image.id, "1", GRAD_CAM, at, asked=True)
        assert claim_wanted(session, "1", at, TERMS) is not None


def test_giving_way_is_no_attempt(database: Database) -> None:
    with database.write() as session:
        a_film(session, LIME, asked=True)
    for _ in range(2 * TERMS.max_attempts):
        with database.write() as session:
            held = claim_wanted(session, "1", NOW, TERMS)
            assert held is not None
            give_way(session, held)


def test_a_worker_that_lost_its_lease_changes_nothing(database: Database) -> None:
    with database.write() as session:
        image = a_film(session, LIME, asked=True)
        slow = claim_wanted(session, "1", NOW, TERMS)
        assert slow is not None
        assert claim_wanted(session, "1", NOW, TERMS) is None
    with database.write() as session:
        assert claim_wanted(session, "1", LATER, TERMS) is not None
        made(session, slow, None, LATER)
    assert the_map(database, image).state is HeatState.WANTED


def test_one_that_kills_its_worker_each_time_is_given_up(database: Database) -> None:
    at = NOW
    with database.write() as session:
        image = a_film(session, LIME, asked=True)
    for _ in range(TERMS.max_attempts):
        with database.write() as session:
            assert claim_wanted(session, "1", at, TERMS) is not None
            give_up_maps(session, at, TERMS)
        at += TERMS.lease
    with database.write() as session:
        assert claim_wanted(session, "1", at, TERMS) is None
        give_up_maps(session, at, TERMS)
    assert the_map(database, image).reason == WORKER_DIED


def test_what_was_wanted_of_another_ensemble_is_not_made_by_this_one(database: Database) -> None:
    with database.write() as session:
        image = a_film(session, LIME, asked=True)
        an_ensemble(session, "2")
        promote(session, "2", NOW)
        assert claim_wanted(session, "2", NOW, TERMS) is None
    found = the_map(database, image)
    assert (found.state, found.reason, found.current) == (HeatState.FAILED, SUPERSEDED, False)
