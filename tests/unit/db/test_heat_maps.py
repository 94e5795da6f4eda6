"""Heat maps as rows: who wants them, in what order they are made, and behind which films."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from db.ensembles.versions import promote
from db.heat_maps import HeatMapRecord, heat_maps_of
from db.lifecycle.heat_maps import (
    SUPERSEDED,
    WORKER_DIED,
    attempt_excused,
    attempt_failed,
    claim_wanted,
    give_up_maps,
    give_way,
    is_any_wanted,
    made,
    want,
)
from db.lifecycle.rescoring import make_ready_again
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.tables import Image
from readfirst.domain import Urgency
from readfirst.heat_maps import Area, HeatMethod, HeatState
from tests.support.studies import (
    LEASE,
    NOW,
    a_scored_image,
    an_ensemble,
    an_image,
    give_verdict,
    lifecycle,
    score_ready,
)

GRAD_CAM, LIME = HeatMethod.GRAD_CAM, HeatMethod.LIME
LATER = NOW + timedelta(hours=1)


def the_map(database: Database, image: Image) -> HeatMapRecord:
    with database.read() as session:
        (heat_map,) = heat_maps_of(session, image.sha256)
    return heat_map


def a_film(session: Session, method: HeatMethod, *, requested: bool) -> Image:
    """A routine film of which somebody, or the rule, wants a heat map."""
    image = a_scored_image(session, probability=0.1)
    want(session, image.id, "1", method, NOW, requested=requested)
    return image


def test_a_flagged_film_gets_a_heat_map_with_its_score_and_others_do_not(
    database: Database,
) -> None:
    with database.write() as session:
        likely = a_scored_image(session, probability=0.9)
        unlikely = a_scored_image(session, probability=0.4)
        assert heat_maps_of(session, unlikely.sha256) == ()
    heat_map = the_map(database, likely)
    assert (heat_map.method, heat_map.state, heat_map.current) == (GRAD_CAM, HeatState.WANTED, True)


@pytest.mark.parametrize("is_read", [True, False])
def test_what_a_night_scores_again_gets_one_only_if_nobody_has_read_it(
    database: Database, is_read: bool
) -> None:
    with database.write() as session:
        image = a_scored_image(session, probability=0.1, study="1.1")
        if is_read:
            give_verdict(session, "1.1", VerdictInput())
    with lifecycle(database, LATER) as unit:
        ensemble = promote(unit.session, an_ensemble(unit.session, "2").version, LATER)
        make_ready_again(unit, ensemble, limit=9)
        score_ready(unit.session, LATER, {image.id: 0.9}, version="2")
    with database.read() as session:
        maps = heat_maps_of(session, image.sha256)
    assert [heat_map.ensemble_version for heat_map in maps] == ([] if is_read else ["2"])


def test_what_somebody_asked_for_is_made_first_and_the_quick_before_the_slow(
    database: Database,
) -> None:
    with database.write() as session:
        by_itself = a_film(session, GRAD_CAM, requested=False)
        slow = a_film(session, LIME, requested=True)
        quick = a_film(session, GRAD_CAM, requested=True)
    order = []
    for _ in range(3):
        with database.write() as session:
            claimed = claim_wanted(session, "1", NOW, LEASE)
            assert claimed is not None
            order.append(claimed.sha256)
    assert order == [quick.sha256, slow.sha256, by_itself.sha256]


def test_no_heat_map_is_begun_while_a_film_that_came_in_waits(database: Database) -> None:
    with database.write() as session:
        a_film(session, GRAD_CAM, requested=True)
        waiting = an_image(session)
    with database.write() as session:
        assert claim_wanted(session, "1", NOW, LEASE) is None
        # As in the night, whose films come last.
        session.execute(update(Image).where(Image.id == waiting.id).values(urgency=Urgency.RESCORE))
        assert claim_wanted(session, "1", NOW, LEASE) is not None


def test_what_is_made_by_itself_waits_for_the_night_too(database: Database) -> None:
    with database.write() as session:
        a_film(session, GRAD_CAM, requested=False)
        an_image(session).urgency = Urgency.RESCORE
    with database.write() as session:
        assert claim_wanted(session, "1", NOW, LEASE) is None
        assert is_any_wanted(session)


def test_one_that_is_made_says_which_part_of_the_film_it_covers(database: Database) -> None:
    area = Area(0.1, 0.0, 0.9, 1.0)
    with database.write() as session:
        image = a_film(session, LIME, requested=True)
        claimed = claim_wanted(session, "1", NOW, LEASE)
        assert claimed is not None
        made(session, claimed, area, LATER)
        # Wanted again, it is there.
        want(session, image.id, "1", LIME, LATER, requested=True)
        assert not is_any_wanted(session)
    heat_map = the_map(database, image)
    assert (heat_map.state, heat_map.area, heat_map.made_at) == (HeatState.MADE, area, LATER)


def test_it_is_tried_three_times_and_again_when_somebody_asks(database: Database) -> None:
    with database.write() as session:
        image = a_film(session, GRAD_CAM, requested=False)
    at = NOW
    for _ in range(LEASE.max_attempts):
        with database.write() as session:
            claimed = claim_wanted(session, "1", at, LEASE)
            assert claimed is not None
            attempt_failed(session, claimed, "MemoryError", at, LEASE)
            at += timedelta(minutes=1)
    heat_map = the_map(database, image)
    assert (heat_map.state, heat_map.reason) == (
        HeatState.FAILED,
        "It could not be made (MemoryError).",
    )
    with database.write() as session:
        want(session, image.id, "1", GRAD_CAM, at, requested=False)
        assert claim_wanted(session, "1", at, LEASE) is None
        want(session, image.id, "1", GRAD_CAM, at, requested=True)
        assert claim_wanted(session, "1", at, LEASE) is not None


def test_a_fault_of_the_machine_is_no_attempt(database: Database) -> None:
    at = NOW
    with database.write() as session:
        image = a_film(session, LIME, requested=True)
    for _ in range(2 * LEASE.max_attempts):
        with database.write() as session:
            claimed = claim_wanted(session, "1", at, LEASE)
            assert claimed is not None
            attempt_excused(session, claimed, at, LEASE)
            give_up_maps(session, at + LEASE.lease, LEASE)
            at += timedelta(hours=1)
    assert the_map(database, image).state is HeatState.WANTED


def test_giving_way_is_no_attempt(database: Database) -> None:
    with database.write() as session:
        a_film(session, LIME, requested=True)
    for _ in range(2 * LEASE.max_attempts):
        with database.write() as session:
            claimed = claim_wanted(session, "1", NOW, LEASE)
            assert claimed is not None
            give_way(session, claimed)


def test_a_worker_that_lost_its_lease_changes_nothing(database: Database) -> None:
    with database.write() as session:
        image = a_film(session, LIME, requested=True)
        slow = claim_wanted(session, "1", NOW, LEASE)
        assert slow is not None
        assert claim_wanted(session, "1", NOW, LEASE) is None
    with database.write() as session:
        assert claim_wanted(session, "1", LATER, LEASE) is not None
        made(session, slow, None, LATER)
    assert the_map(database, image).state is HeatState.WANTED


def test_one_that_kills_its_worker_each_time_is_given_up(database: Database) -> None:
    at = NOW
    with database.write() as session:
        image = a_film(session, LIME, requested=True)
    for _ in range(LEASE.max_attempts):
        with database.write() as session:
            assert claim_wanted(session, "1", at, LEASE) is not None
            give_up_maps(session, at, LEASE)
        at += timedelta(hours=1)
    with database.write() as session:
        assert claim_wanted(session, "1", at, LEASE) is None
        give_up_maps(session, at, LEASE)
    assert the_map(database, image).reason == WORKER_DIED


def test_what_was_wanted_of_another_ensemble_is_not_made_by_this_one(database: Database) -> None:
    with database.write() as session:
        image = a_film(session, LIME, requested=True)
        an_ensemble(session, "2")
        promote(session, "2", NOW)
        assert claim_wanted(session, "2", NOW, LEASE) is None
    heat_map = the_map(database, image)
    assert (heat_map.state, heat_map.reason, heat_map.current) == (
        HeatState.FAILED,
        SUPERSEDED,
        False,
    )
