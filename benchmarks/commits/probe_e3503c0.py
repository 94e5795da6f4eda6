"""The probe of commit e3503c0, the last one before films and pages were guarded more strictly.

That commit has no probe of its own. Its modules have other names, so they are imported by them:
what is measured is the same as by `probe`, which says how a probe is asked.
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import import_module
from itertools import cycle, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image
from pydantic import SecretStr

BATCH, SIDE = 32, 512
NAME, PASSWORD = "reader", "a rather long password"
Elapsed = tuple[float, float]
Measure = Callable[[], Elapsed]


#: Wakes no worker, by the name that commit asks for.
SILENT = SimpleNamespace(**{"ring": lambda _task: None})


class FixedAnswers:
    """An ensemble that gives four probabilities in turn, whatever it is shown."""

    version, threshold, prevalence = "2.0", 0.5, None

    def __init__(self) -> None:
        self._probabilities = cycle([0.95, 0.1, 0.2, 0.3])

    def predict(self, images: Any) -> list[Any]:
        """Score each image."""
        score = import_module("readfirst.domain").ImageScore
        return [score(p, {"fixed": p}) for p in islice(self._probabilities, len(images))]


def milliseconds(work: Callable[[], object]) -> Elapsed:
    """The time that something takes."""
    begun, worked = time.perf_counter(), time.process_time()
    work()
    return 1e3 * (time.perf_counter() - begun), 1e3 * (time.process_time() - worked)


def database_of(url: str) -> Any:
    """An empty database at the newest schema of that commit."""
    database = import_module("db.session").open_database(url)
    import_module("db.migrate").upgrade(database)
    return database


def list_measures(folder: Path, url: str, studies: int, stack: ExitStack) -> dict[str, Measure]:
    """Every request of the worklist's benchmark, of a database of so many studies."""
    database = database_of(url)
    import_module("benchmarks.worklist.filling").fill(database, 1, studies)
    client = client_of(folder / "list", url, stack)

    def timed(ask: Callable[[TestClient], Any]) -> Measure:
        return lambda: milliseconds(lambda: ask(client).raise_for_status())

    requests = import_module("benchmarks.worklist.asking").requests(database, studies)
    return {name: timed(ask) for name, ask in requests.items()}


def client_of(home: Path, url: str, stack: ExitStack) -> TestClient:
    """A client of the application over a database."""
    settings = import_module("readfirst.settings").Settings(home=home, database_url=SecretStr(url))
    app = import_module("worklist.app").make_app(settings)
    return stack.enter_context(TestClient(app, base_url="http://127.0.0.1", follow_redirects=False))


def login_measures(folder: Path, url: str, stack: ExitStack) -> dict[str, Measure]:
    """A log-in, and what a page asks behind it."""
    database = import_module("db.session").open_database(url)
    accounts, credentials = import_module("db.accounts"), import_module("readfirst.credentials")
    role = import_module("readfirst.roles").Role.READER
    with database.write() as session:
        new = accounts.NewAccount(
            name=NAME, role=role, password_hash=credentials.hash_password(PASSWORD)
        )
        accounts.add(session, new, datetime.now(UTC))
    client = client_of(folder / "login", url, stack)

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
    settings = import_module("readfirst.settings").Settings(
        home=folder / "work", database_url=SecretStr(url), batch_size=BATCH
    )
    resources = import_module("worker.resources").Resources(
        settings=settings,
        database=database_of(url),
        store=import_module("ingest.store").Store(settings.store_path),
        prepared=import_module("readfirst.prepared").PreparedImages(settings.prepared_path),
        reader=stack.enter_context(import_module("ingest.sandbox").Reader(30, 512)),
        ringer=SILENT,
        judgement=import_module("worker.judgement").Judgement(
            settings.ensembles_path, "float32", load=lambda _: FixedAnswers()
        ),
    )
    settings.inbox_path.mkdir(parents=True)
    chance = np.random.default_rng(1)
    take_in = import_module("worker.intake").take_in
    prepare_next = import_module("worker.prepare").prepare_next
    score_batch = import_module("worker.assess").assess_ready
    rescore = import_module("worker.nightly").rescore

    def come_in() -> Elapsed:
        claims = [_claimed_film(settings.inbox_path, chance) for _ in range(BATCH)]
        return milliseconds(lambda: work(claims))

    def work(claims: list[Any]) -> None:
        for claimed in claims:
            take_in(claimed, resources)
        while prepare_next(resources):
            pass
        while score_batch(resources):
            pass

    def score_again() -> None:
        rescore(resources, again=True)
        while score_batch(resources):
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
    return import_module("ingest.claim").claim(inbox, path)


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
