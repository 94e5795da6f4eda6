"""Nights with real workers: begun and ended by the clock, newest first, behind live films."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from db.ensembles.rescoring_progress import left_to_score
from db.ensembles.versions import active_ensemble, promote
from db.nights.running import close_night, running_night
from db.tables import EnsembleVersion, Image, Night, Score
from readfirst.domain import ImageState
from readfirst.nights.reasons import NightEnd
from readfirst.tasks.names import TaskName
from tests.support.nights import (
    BEGIN,
    NEW,
    NIGHTLY,
    OLD,
    ByGrey,
    OneEnsemble,
    add_films,
    make_ready,
    promote_new,
)
from tests.support.workers import Worker

MINUTE = timedelta(minutes=1)
END = BEGIN + 240 * MINUTE


def at_night(
    worker: Worker, before: Sequence[float], after: Sequence[float], **settings: Any
) -> tuple[Worker, ByGrey]:
    """A worker on the evening of a promotion, and the new networks."""
    named = worker.with_settings(**(NIGHTLY | {"batch_size": 4} | settings))
    add_films(named, before)
    networks = ByGrey(after)
    return promote_new(named, networks), networks


def work(worker: Worker, now: datetime, steps: int = 1000) -> None:
    """Work as the task does, until nothing is left to do now."""
    while steps and (worker.score_batch() or worker.feed_night(now)):
        steps -= 1


def with_networks(worker: Worker, version: str) -> Worker:
    """The same worker, with the networks of another version."""
    return replace(worker, ensembles=OneEnsemble(ByGrey([0.5], version)))


def nights(worker: Worker) -> list[Night]:
    with worker.database.read() as session:
        return list(session.scalars(select(Night).order_by(Night.id)))


def night(worker: Worker) -> Night:
    (only,) = nights(worker)
    return only


def left(worker: Worker) -> int:
    with worker.database.read() as session:
        active = active_ensemble(session)
        assert active is not None
        return left_to_score(session, active)


def scores_by_image(worker: Worker, version: str = NEW) -> Counter[int]:
    with worker.database.read() as session:
        query = select(Score.image_id).where(Score.ensemble_version == version)
        return Counter(session.scalars(query))


def test_a_night_scores_all_from_the_newest_on_and_says_what_changed(worker: Worker) -> None:
    before = [0.1, 0.1, 0.9, 0.9, 0.1, 0.1, 0.1]
    after = [0.8, 0.1, 0.2, 0.9, 0.7, 0.1, 0.1]
    site, networks = at_night(worker, before, after)
    site.keep_night(BEGIN - MINUTE)
    assert nights(site) == []
    site.keep_night(BEGIN)
    assert TaskName.SCORE in site.notifier.notified
    work(site, BEGIN + MINUTE)
    assert networks.batches == [[6, 5, 4, 3], [2, 1, 0]]
    site.keep_night(BEGIN + 2 * MINUTE)
    row = night(site)
    assert (row.ensemble_version, row.day, row.planned) == (NEW, BEGIN.date(), True)
    assert (row.queued, row.scored, row.failed) == (7, 7, 0)
    assert (row.flagged, row.withdrawn) == (2, 1)
    assert (row.left_before, row.left_after) == (7, 0)
    assert (row.closed_because, row.running) == (NightEnd.FINISHED, False)
    assert row.ended_at == BEGIN + 2 * MINUTE


def test_a_night_has_been_once_and_the_next_one_follows(worker: Worker) -> None:
    site, _ = at_night(worker, [0.1], [0.2])
    for minutes in (0, 1, 2, 100):
        site.keep_night(BEGIN + minutes * MINUTE)
        work(site, BEGIN + minutes * MINUTE)
    site.keep_night(END)
    assert len(nights(site)) == 1
    site.keep_night(BEGIN + timedelta(days=1))
    assert [each.left_before for each in nights(site)] == [1, 0]


def test_no_more_is_given_than_the_workers_take_at_once(worker: Worker) -> None:
    site, _ = at_night(worker, [0.1] * 9, [0.2])
    site.keep_night(BEGIN)
    # The first step ranks what the ensemble has scored already, which is nothing.
    assert [site.feed_night(BEGIN) for _ in range(4)] == [True, True, False, False]
    with site.database.read() as session:
        states = Counter(session.scalars(select(Image.state)))
    assert states == {ImageState.READY: 4, ImageState.SCORED: 5}


def test_at_its_hour_a_night_ends_with_the_films_that_are_in_work(worker: Worker) -> None:
    site, networks = at_night(worker, [0.1] * 9, [0.2])
    site.keep_night(BEGIN)
    work(site, BEGIN, steps=2)
    site.keep_night(END)
    assert night(site).running, "four films are in work"
    work(site, END)
    site.keep_night(END + MINUTE)
    row = night(site)
    assert (row.closed_because, row.running) == (NightEnd.WINDOW, False)
    assert (row.scored, row.left_after, left(site)) == (4, 5, 5)
    # The next one goes on with the older ones.
    site.keep_night(BEGIN + timedelta(days=1))
    work(site, BEGIN + timedelta(days=1))
    assert [grey for batch in networks.batches for grey in batch] == list(range(8, -1, -1))
    assert set(scores_by_image(site).values()) == {1}


def test_what_came_in_under_another_ensemble_is_the_newest_of_the_next_night(
    worker: Worker,
) -> None:
    """As after a roll-back and a second promotion: a night does not go on where one stopped."""
    site, networks = at_night(worker, [0.1] * 9, [0.2])
    site.keep_night(BEGIN)
    work(site, BEGIN, steps=3)
    with site.database.write() as session:
        promote(session, OLD, BEGIN)
    (came_in,) = make_ready(site, 1, BEGIN, first_grey=200)
    with_networks(site, OLD).score_batch()
    with site.database.write() as session:
        promote(session, NEW, BEGIN)
    site.keep_night(END)
    tomorrow = BEGIN + timedelta(days=1)
    site.keep_night(tomorrow)
    work(site, tomorrow)
    assert networks.batches == [[8, 7, 6, 5], [200, 4, 3, 2], [1, 0]]
    assert scores_by_image(site)[came_in] == 1


def test_a_night_keeps_to_its_rate(worker: Worker) -> None:
    site, _ = at_night(worker, [0.1] * 9, [0.2], nightly_films_an_hour=60)
    site.keep_night(BEGIN)
    for minutes in range(4):
        work(site, BEGIN + minutes * MINUTE)
        assert night(site).queued == minutes
    # What was not used for long is not made up for.
    work(site, BEGIN + 60 * MINUTE)
    assert night(site).queued == 4


def test_a_film_that_comes_in_waits_for_no_more_than_the_batch_in_work(worker: Worker) -> None:
    site, networks = at_night(worker, [0.1] * 12, [0.2])
    site.keep_night(BEGIN)
    work(site, BEGIN, steps=4)
    assert networks.batches == [[11, 10, 9, 8]]
    # The next four are ready, and one comes in.
    make_ready(site, 1, BEGIN, first_grey=200)
    work(site, BEGIN, steps=2)
    assert networks.batches[1:] == [[200], [7, 6, 5, 4]]


def test_another_promotion_ends_the_night_and_begins_another(worker: Worker) -> None:
    site, _ = at_night(worker, [0.1] * 5, [0.2])
    site.keep_night(BEGIN)
    work(site, BEGIN, steps=3)
    third = promote_new(site, ByGrey([0.3], "3"))
    work(third, BEGIN + MINUTE)
    third.keep_night(BEGIN + MINUTE)
    work(third, BEGIN + MINUTE)
    third.keep_night(BEGIN + 2 * MINUTE)
    rows = nights(third)
    assert [each.ensemble_version for each in rows] == [NEW, "3"]
    assert [each.closed_because for each in rows] == [NightEnd.REPLACED, NightEnd.FINISHED]
    assert [each.scored for each in rows] == [4, 5]


def test_after_a_roll_back_a_night_ranks_by_the_scores_that_are_there(worker: Worker) -> None:
    site, _ = at_night(worker, [0.1, 0.9], [0.8, 0.2])
    site.keep_night(BEGIN)
    work(site, BEGIN)
    site.keep_night(BEGIN + MINUTE)
    with site.database.write() as session:
        promote(session, OLD, BEGIN + MINUTE)
    site = with_networks(site, OLD)
    site.keep_night(BEGIN + 2 * MINUTE)
    work(site, BEGIN + 2 * MINUTE)
    site.keep_night(BEGIN + 3 * MINUTE)
    row = nights(site)[-1]
    assert (row.ensemble_version, row.scored) == (OLD, 0)
    assert (row.flagged, row.withdrawn) == (1, 1)


def test_a_person_stops_a_night(worker: Worker) -> None:
    site, _ = at_night(worker, [0.1] * 9, [0.2])
    site.keep_night(BEGIN)
    work(site, BEGIN, steps=2)
    with site.database.write() as session:
        running = running_night(session, lock=True)
        assert running is not None
        close_night(running, NightEnd.STOPPED)
    work(site, BEGIN)
    site.keep_night(BEGIN + MINUTE)
    assert (night(site).closed_because, night(site).left_after) == (NightEnd.STOPPED, 5)
    site.keep_night(BEGIN + 2 * MINUTE)
    assert len(nights(site)) == 1


def test_what_a_person_wants_now_takes_a_night_its_bounds(worker: Worker) -> None:
    site, _ = at_night(worker, [0.1] * 9, [0.2], nightly_films_an_hour=1)
    site.keep_night(BEGIN)
    assert site.rescore() == 9
    row = night(site)
    assert (row.ends_by, row.films_an_hour, row.queued) == (None, None, 9)
    work(site, END)
    site.keep_night(END)
    assert (night(site).scored, night(site).closed_because) == (9, NightEnd.FINISHED)


def test_without_a_night_it_is_one_of_its_own(worker: Worker) -> None:
    site, _ = at_night(worker, [0.1] * 3, [0.2])
    assert site.rescore(again=True) == 3
    row = night(site)
    assert (row.planned, row.closed_because) == (False, NightEnd.FINISHED)
    work(site, BEGIN)
    site.keep_night(BEGIN)
    assert nights(site)[0].scored == 3


def test_work_that_does_not_get_on_keeps_no_night_running(worker: Worker) -> None:
    site, _ = at_night(worker, [0.1] * 3, [0.2])
    site.keep_night(BEGIN)
    site.feed_night(BEGIN)
    assert site.feed_night(BEGIN)
    site.keep_night(END)
    assert night(site).running
    site.keep_night(END + 31 * MINUTE)
    row = night(site)
    assert (row.running, row.left_after) == (False, 3)


@pytest.mark.parametrize("version", [NEW, OLD])
def test_what_cannot_be_scored_any_more_is_not_left(worker: Worker, version: str) -> None:
    """Its input is of another preprocessing, and its original is gone."""
    site, _ = at_night(worker, [0.1], [0.2])
    with site.database.write() as session:
        ensemble = session.get_one(EnsembleVersion, version)
        promote(session, version, BEGIN)
        (image,) = session.scalars(select(Image))
        image.preprocessing_version, image.original_removed_at = "0", BEGIN
        assert left_to_score(session, ensemble) == 0
    site = with_networks(site, version)
    site.keep_night(BEGIN)
    work(site, BEGIN)
    site.keep_night(BEGIN + MINUTE)
    assert (night(site).closed_because, night(site).scored) == (NightEnd.FINISHED, 0)
