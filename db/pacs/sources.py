"""Sources: added, changed and removed by an administrator; each remembers whether it answers."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.lifecycle.lease import release
from db.tables import FetchRow, SourceRow
from readfirst.errors import Conflict, NotThere
from readfirst.pacs.fetches import FetchState
from readfirst.pacs.source import PacsSource

#: Columns that hold a path.
PATHS = ("token_file", "tls_ca", "tls_certificate", "tls_key")
COLUMNS = (
    "name",
    "retrieval",
    "host",
    "port",
    "ae_title",
    "calling_ae_title",
    "url",
    "tls",
    "polled",
    "gives_priors",
    *PATHS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacsSourceRecord:
    """A source, and whether it answers."""

    id: int
    source: PacsSource
    polled_at: datetime | None
    answered_at: datetime | None
    failing_since: datetime | None
    last_error: str | None


def has_sources(session: Session) -> bool:
    """Tell whether there is any source."""
    return session.scalar(select(SourceRow.id).limit(1)) is not None


def add_source(session: Session, source: PacsSource, at: datetime) -> None:
    """Add a source. Raises Conflict if there is one of that name."""
    if _row(session, source.name) is not None:
        raise Conflict(f"There is a source {source.name} already.")
    row = SourceRow(added_at=at)
    _describe(row, source)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise Conflict(f"There is a source {source.name} already.") from error


def change_source(session: Session, name: str, source: PacsSource) -> None:
    """Let a source be as given. Raises NotThere. What it failed by before is forgotten."""
    row = _known(session, name)
    _describe(row, source)
    row.failing_since = row.last_error = None
    release(row)


def remove_source(session: Session, name: str) -> None:
    """Remove a source and what is known of its fetches; films stay. Raises NotThere."""
    session.delete(_known(session, name))


def source_records(session: Session) -> list[PacsSourceRecord]:
    """All sources, by name."""
    rows = session.scalars(select(SourceRow).order_by(SourceRow.name))
    return [record_of(row) for row in rows]


def study_counts(session: Session) -> dict[int, dict[FetchState, int]]:
    """The numbers of studies that were found, by source and by state of their fetch."""
    counts: dict[int, dict[FetchState, int]] = {}
    query = select(FetchRow.source_id, FetchRow.state, func.count()).group_by(
        FetchRow.source_id, FetchRow.state
    )
    for source_id, state, count in session.execute(query):
        counts.setdefault(source_id, {})[state] = count
    return counts


def source_record(session: Session, name: str) -> PacsSourceRecord:
    """The source of this name. Raises NotThere."""
    return record_of(_known(session, name))


def note_answer(session: Session, source_id: int, at: datetime, error: str | None) -> bool:
    """Note that a source answers, or why it does not. Returns whether that is news."""
    row = session.get(SourceRow, source_id, with_for_update=True)
    if row is None:
        return False
    was_failing = row.failing_since is not None
    row.last_error = error
    if error is None:
        row.answered_at, row.failing_since = at, None
    elif not was_failing:
        row.failing_since = at
    return was_failing != (error is not None)


def record_of(row: SourceRow) -> PacsSourceRecord:
    """Make the record of a row."""
    values = {name: getattr(row, name) for name in COLUMNS}
    for name in PATHS:
        values[name] = None if values[name] is None else Path(values[name])
    return PacsSourceRecord(
        id=row.id,
        source=PacsSource(**values),
        polled_at=row.polled_at,
        answered_at=row.answered_at,
        failing_since=row.failing_since,
        last_error=row.last_error,
    )


def _describe(row: SourceRow, source: PacsSource) -> None:
    for name in COLUMNS:
        value = getattr(source, name)
        setattr(row, name, str(value) if isinstance(value, Path) else value)


def _row(session: Session, name: str) -> SourceRow | None:
    query = select(SourceRow).where(SourceRow.name == name).with_for_update()
    return session.scalar(query)


def _known(session: Session, name: str) -> SourceRow:
    row = _row(session, name)
    if row is None:
        raise NotThere(
            f"There is no source {name}: `readfirst sources list` names those there are."
        )
    return row
