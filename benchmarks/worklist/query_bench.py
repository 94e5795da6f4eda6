"""Requests to the server, and their times."""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from fastapi.testclient import TestClient
from pydantic import SecretStr

from benchmarks.worklist.seed_data import arrival
from db.session import Database
from db.tables import Study
from db.worklist.sorting import READING_ORDER, Order, Sort, position_of
from readfirst.settings import Settings
from worklist.api.cursors import of_study
from worklist.app import make_app

#: Requests of one kind; fewer once they have taken so many seconds together.
ROUNDS, FEWEST, SECONDS = 15, 3, 3.0
LIST = "/api/v1/worklist"
Ask = Callable[[TestClient], Any]


@dataclass(frozen=True, slots=True)
class RequestTiming:
    """The times of a request, in milliseconds."""

    database: str
    studies: int
    request: str
    median: float
    slowest: float
    #: Processor time of the server's process; SQLite works in it, PostgreSQL beside it.
    processor: float


def measured(name: str, database: Database, studies: int) -> Iterator[RequestTiming]:
    """Ask everything of the whole application, guard and audit log and all."""
    url = database.engine.url.render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), database_url=SecretStr(url))
        with TestClient(make_app(settings), base_url="http://127.0.0.1") as client:
            for request, ask in requests(database, studies).items():
                yield _timed(name, studies, request, lambda ask=ask: ask(client))  # type: ignore[misc]


def requests(database: Database, studies: int) -> dict[str, Ask]:
    """The requests, by their names."""
    uid = f"2.25.{studies - 11}"
    return {
        "first page, 100 rows": _get(LIST),
        "page at nine tenths": _get(LIST, cursor=_deep(database, READING_ORDER, studies)),
        **_filtered(studies),
        **_sorted(database, studies),
        "the page itself": _get("/"),
        "a study": _get(f"/api/v1/studies/{uid}"),
        "the page of a study": _get(f"/studies/{uid}"),
        "the lead's page, 28 days": _get("/watching", **_last_days(studies, 28)),
        "the lead's page, a year": _get("/watching", **_last_days(studies, 365)),
        "`/metrics`": _get("/metrics"),
    }


def _filtered(studies: int) -> dict[str, Ask]:
    recent = arrival(int(studies * 0.99)).isoformat()
    last = f"given{studies % 997} name{studies - 1}"
    return {
        "unread": _get(LIST, unread="true"),
        "flagged": _get(LIST, flagged="true"),
        "refused": _get(LIST, refused="true"),
        "of one site": _get(LIST, institution="North"),
        "of no site": _get(LIST, institution="Elsewhere"),
        "the last hundredth": _get(LIST, since=recent),
        "a name that the last study has": _search(text=last),
        "a name that nobody has": _search(text="nobody"),
        "a name among the unread": _search(text=last, unread=True),
    }


def _sorted(database: Database, studies: int) -> dict[str, Ask]:
    requests: dict[str, Ask] = {}
    for sort in Sort:
        if sort is not Sort.READING:
            words = sort.value.replace("_", " ")
            deep = _deep(database, Order(sort), studies)
            requests[f"by {words}"] = _get(LIST, sort=sort.value)
            requests[f"by {words}, in the middle"] = _get(LIST, sort=sort.value, cursor=deep)
    return requests


def _last_days(studies: int, days: int) -> dict[str, str]:
    last = arrival(studies).date()
    return {"from": str(last - timedelta(days=days - 1)), "to": str(last)}


def _deep(database: Database, order: Order, studies: int) -> str:
    """The cursor of a place far from both ends."""
    with database.read() as session:
        study = session.get_one(Study, int(studies * 0.9) + 1)
        return of_study(position_of(study, order))


def _get(path: str, **parameters: str) -> Ask:
    return lambda client: client.get(path, params=parameters)


def _search(**body: Any) -> Ask:
    return lambda client: client.post(f"{LIST}/search", json=body)


def _timed(name: str, studies: int, request: str, ask: Callable[[], Any]) -> RequestTiming:
    seconds: list[float] = []
    worked: list[float] = []
    # The first one opens connections.
    while len(seconds) <= FEWEST or (len(seconds) <= ROUNDS and sum(seconds) < SECONDS):
        begun, work_begun = time.perf_counter(), time.process_time()
        answer = ask()
        seconds.append(time.perf_counter() - begun)
        worked.append(time.process_time() - work_begun)
        answer.raise_for_status()
    warm = [1e3 * value for value in seconds[1:]]
    return RequestTiming(name, studies, request, median(warm), max(warm), 1e3 * median(worked[1:]))
