"""A worker is killed in the middle of a night, and another goes on: nothing is scored twice."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import select, update

from db.tables import Event, Image, Night, Score
from tests.support.killable_night import HERE
from tests.support.nights import BEGIN, NEW, NIGHTLY, ByGrey, add_films, promote_new
from tests.support.waiting import TIMEOUT
from tests.support.workers import Worker

ROOT = Path(__file__).parents[2]
FILMS = 11


def kill_in_the_night(worker: Worker) -> None:
    """Let a process score one batch, and kill it while the next is in work."""
    url = worker.settings.database_url
    assert url is not None
    command = [sys.executable, "-m", "tests.support.killable_night"]
    command += [str(worker.settings.home), url.get_secret_value()]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert any(line.strip() == HERE for line in lines)
        process.kill()
        process.wait(TIMEOUT)


def test_a_night_goes_on_where_its_worker_was_killed(worker: Worker) -> None:
    site = worker.with_settings(**(NIGHTLY | {"batch_size": 4}))
    add_films(site, [0.1] * FILMS)
    site = promote_new(site, ByGrey([0.2]))
    kill_in_the_night(site)
    with site.database.write() as session:
        night = session.scalars(select(Night)).one()
        assert (night.queued, night.scored) == (8, 4)
        # Its lease ends; four films were in work.
        assert session.execute(update(Image).values(lease_until=None)).rowcount  # type: ignore[attr-defined]
    networks = ByGrey([0.2])
    site = promote_new(site, networks)
    while site.score_batch() or site.feed_night(BEGIN):
        pass
    site.keep_night(BEGIN)
    with site.database.read() as session:
        night = session.scalars(select(Night)).one()
        query = select(Score.image_id).where(Score.ensemble_version == NEW)
        scores = Counter(session.scalars(query))
        queueings = Counter(
            session.scalars(select(Event.image_id).where(Event.action == "rescore"))
        )
    assert (night.queued, night.scored, night.failed) == (FILMS, FILMS, 0)
    assert (night.running, night.left_after) == (False, 0)
    assert set(scores.values()) == set(queueings.values()) == {1}
    assert len(scores) == len(queueings) == FILMS
    # Those that were in work are tried one by one, the rest together; none of the first batch.
    seen = [grey for batch in networks.batches for grey in batch]
    assert sorted(seen) == list(range(FILMS - 4))
    assert seen[-3:] == [2, 1, 0]
