"""A side of the comparison: does what lines on stdin ask for, and answers in milliseconds.

It runs as a script of the tree that it measures, with this tree as PYTHONPATH.
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image
from pydantic import SecretStr

from benchmarks.worklist.query_bench import requests
from benchmarks.worklist.seed_data import fill
from db.access.accounts import NewAccount, add
from db.migrate import upgrade
from db.session import open_database
from ingest.inbox.claim import claim
from ingest.reader.reader_process import Reader
from ingest.scope.scope_rules import default_rules
from readfirst.access.credentials import hash_password
from readfirst.access.roles import Role
from readfirst.domain import ImageScore
from readfirst.settings import Settings
from worker.composition import compose
from worker.intake.take_in import take_in
from worker.scoring.ensemble_registry import EnsembleRegistry
from worker.scoring.prepare import prepare_next
from worker.scoring.rescore import rescore
from worker.scoring.score import score_batch
from worklist.app import make_app

#: Films of one batch.
BATCH = 32
#: Of the films that come in, as small as a film that is scored may be.
SIDE = 512
NAME, PASSWORD = "reader", "a rather long password"
#: Milliseconds that pass, and those of this process's processor time.
Elapsed = tuple[float, float]
Measure = Callable[[], Elapsed]


class SilentNotifier:
    """Wakes no worker."""

    def notify(self, _task: object) -> None:
        """Do nothing."""


class FourAnswers:
    """An ensemble that gives four probabilities in turn, whatever it is shown."""

    version, threshold, prevalence = "2.0", 0.5, None

    def __init__(self) -> None:
        self._probabilities = cycle([0.95, 0.1, 0.2, 0.3])

    def predict(self, images: Any) -> list[Any]:
        """Score each image."""
        chosen = islice(self._probabilities, len(images))
        return [ImageScore(p, {"fixed": p}) for p in chosen]


def milliseconds(work: Callable[[], object]) -> Elapsed:
    """The time that something takes."""
    begun, worked = time.perf_counter(), time.process_time()
    work()
    return 1e3 * (time.perf_counter() - begun), 1e3 * (time.process_time() - worked)


def list_measures(folder: Path, url: str, studies: int, stack: ExitStack) -> dict[str, Measure]:
    """Every request of the worklist's benchmark, of a database of so many studies."""
    database = open_database(url)
    upgrade(database)
    fill(database, 1, studies)
    settings = Settings(home=folder / "list", database_url=SecretStr(url))
    app = make_app(settings)
    client = stack.enter_context(TestClient(app, base_url="http://127.0.0.1"))

    def timed(ask: Callable[[TestClient], Any]) -> Measure:
        return lambda: milliseconds(lambda: ask(client).raise_for_status())

    return {name: timed(ask) for name, ask in requests(database, studies).items()}


def login_measures(folder: Path, url: str, stack: ExitStack) -> dict[str, Measure]:
    """A log-in, and the list behind it."""
    database = open_database(url)
    with database.write() as session:
        account = NewAccount(name=NAME, role=Role.READER, password_hash=hash_password(PASSWORD))
        add(session, account, datetime.now(UTC))
    settings = Settings(home=folder / "login", database_url=SecretStr(url))
    client = stack.enter_context(
        TestClient(make_app(settings), base_url="http://127.0.0.1", follow_redirects=False)
    )

    def log_in() -> Elapsed:
        client.cookies.clear()
        token = client.get("/login").text.split('name="form_token" value="')[1].split('"')[0]
        sent = {"name": NAME, "password": PASSWORD, "form_token": token}
        elapsed = milliseconds(lambda: client.post("/login", data=sent))
        client.get("/").raise_for_status()
        return elapsed

    def look() -> Elapsed:
        return milliseconds(lambda: client.get("/").raise_for_status())

    log_in()
    return {"a log-in": log_in, "the page itself, behind a log-in": look}


def work_measures(folder: Path, url: str, stack: ExitStack) -> dict[str, Measure]:
    """A batch of films from the inbox to their scores, and the same scored again."""
    settings = Settings(home=folder / "work", database_url=SecretStr(url), batch_size=BATCH)
    database = open_database(url)
    upgrade(database)
    site = compose(
        settings,
        database,
        stack.enter_context(Reader(30, 512)),
        SilentNotifier(),
        rules=default_rules(),
        ensembles=EnsembleRegistry(
            settings.ensembles_path, "float32", load=lambda _: FourAnswers()
        ),
    )
    settings.inbox_path.mkdir(parents=True)
    chance = np.random.default_rng(1)

    def come_in() -> Elapsed:
        claims = [_claimed_film(settings.inbox_path, chance) for _ in range(BATCH)]
        return milliseconds(lambda: work(claims))

    def work(claims: list[Any]) -> None:
        for claimed in claims:
            take_in(claimed, site.intake)
        while prepare_next(site.units, site.preparation):
            pass
        while score_batch(site.scoring):
            pass

    def score_again() -> None:
        rescore(site.units, site.ensembles, again=True)
        while score_batch(site.scoring):
            pass

    come_in()
    return {
        f"{BATCH} films, from the inbox to their scores": come_in,
        "all films of the site scored again": lambda: milliseconds(score_again),
    }


def _claimed_film(inbox: Path, chance: np.random.Generator) -> Any:
    """Drop a film of noise into the inbox, and claim it."""
    path = inbox / f"{uuid4().hex}.png"
    Image.fromarray(chance.integers(0, 255, (SIDE, SIDE), np.uint8)).save(path)
    return claim(inbox, path)


def main() -> None:
    """Answer each line, the name of a measure, with its milliseconds; end with the input."""
    folder, list_url, work_url, studies = sys.argv[1:]
    answers = sys.stdout
    # What a library prints must not be taken for an answer.
    sys.stdout = sys.stderr
    with ExitStack() as stack:
        measures = work_measures(Path(folder), work_url, stack)
        measures |= list_measures(Path(folder), list_url, int(studies), stack)
        measures |= login_measures(Path(folder), work_url, stack)
        print(json.dumps(list(measures)), file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(measures[json.loads(line)]()), file=answers, flush=True)


if __name__ == "__main__":
    main()
