"""Invented studies by the million, made inside the database from their numbers."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Text,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    true,
)

from benchmarks.deciding_scores import name_deciding_scores
from db.ensembles.versions import EnsembleFacts, register
from db.session import Database
from db.tables import Arrival, Base, Event, Image, Score, Study, Verdict
from readfirst.domain import FileKind, ImageState, Urgency
from readfirst.refusals import RefusalCode
from readfirst.studies.findings import Finding
from readfirst.studies.priority import reading_key

#: The arrival of the first study, and seconds until the next: 1,000,000 come in 694 days.
BEGIN, PAUSE = datetime(2025, 1, 1, 8, 0, tzinfo=UTC), 60
MAX_WAIT = timedelta(hours=8)
VERSION, THRESHOLD = "1", 0.5
#: Of each filling the latest, which nobody has read yet.
UNREAD = 2_000
#: Seconds from the arrival of the others to their verdict.
READ_AFTER = 3600
Expression = ColumnElement[Any]


def arrival(number: int) -> datetime:
    """The arrival of a study."""
    return BEGIN + number * timedelta(seconds=PAUSE)


def digest(number: int) -> str:
    """The sha256 that the image of a study says to have."""
    return f"{number:064x}"


def fill(database: Database, first: int, last: int) -> None:
    """Write the studies of these numbers, with all that belongs to them."""
    if first == 1:
        with database.write() as session:
            register(session, EnsembleFacts(VERSION, THRESHOLD, "1"), BEGIN)
    with database.engine.begin() as connection:
        for table, which, values in _tables(Invented(database.engine.dialect.name, first, last)):
            columns = Base.metadata.tables[table.__tablename__].c
            chosen = [
                value if isinstance(value, ColumnElement) else literal(value, columns[name].type)
                for name, value in values.items()
            ]
            numbers = select(*chosen).where(which)
            connection.execute(insert(table).from_select(list(values), numbers))
    # Without figures of the new rows, PostgreSQL looks through all of them for each study.
    _analyse(database)
    with database.write() as session:
        name_deciding_scores(session, VERSION)
    _analyse(database)


def _analyse(database: Database) -> None:
    maintenance = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with maintenance.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        connection.execute(text("ANALYZE" if is_sqlite else "VACUUM ANALYZE"))


class Invented:
    """The values that follow from the number of a study, as expressions of SQL."""

    def __init__(self, dialect: str, first: int, last: int) -> None:
        self._dialect = dialect
        self.number: Expression = _numbers(first, last).c.number
        self.read: Expression = self.number <= last - UNREAD
        #: Every fifth study is of the patient before.
        self.patient = self.number - case((self.number % 5 == 0, 1), else_=0)
        self.refused: Expression = self.number % 100 == 7
        self.flagged: Expression = self.number % 10 == 3
        #: Never twice the same in a row; above the threshold where it is flagged.
        part = (self.number % 10_007 * 7919 % 10_007) / 10_007.0
        self.probability = part * THRESHOLD * 0.98 + case((self.flagged, THRESHOLD), else_=0.0)

    def at(self, later: Any = 0) -> Expression:
        """So many seconds after it came in."""
        return self._time(int(BEGIN.timestamp()) + self.number * PAUSE + later)

    def named(self, begin: str) -> Expression:
        """A name that no other has."""
        return literal(begin) + cast(self.number, Text)

    def digest(self) -> Expression:
        """The sha256 of its content, as `digest` makes it of a number."""
        if self._dialect == "sqlite":
            return func.printf("%064x", self.number)
        return func.lpad(func.to_hex(self.number), 64, "0")

    def birth_date(self) -> Expression:
        """Of a child of one to five years."""
        days = 365 + self.patient % (4 * 365)
        born = self._time(int(BEGIN.timestamp()) - days * 86400)
        return func.date(born) if self._dialect == "sqlite" else cast(born, Date)

    def _time(self, seconds: Any) -> Expression:
        if self._dialect == "sqlite":
            # As SQLAlchemy writes it, since SQLite compares texts.
            return func.datetime(seconds, "unixepoch") + literal(".000000")
        return func.to_timestamp(seconds)


def _numbers(first: int, last: int) -> CTE:
    begun = select(literal(first).label("number")).cte("numbers", recursive=True)
    return begun.union_all(select(begun.c.number + 1).where(begun.c.number < last))


def _tables(invented: Invented) -> list[tuple[type[Base], Expression, dict[str, Any]]]:
    """The tables, the studies that get a row, and its values; parents first."""
    ended = {"study_id": invented.number, "image_id": invented.number, "detail": {}}
    return [
        (Study, true(), _study(invented)),
        (Image, true(), _image(invented)),
        (Arrival, true(), _arrival(invented)),
        (Score, ~invented.refused, _score(invented)),
        (Event, true(), ended | {"at": invented.at(), "action": "received"}),
        (Event, invented.refused, ended | {"at": _judged(invented), "action": "refused"}),
        (Event, ~invented.refused, ended | {"at": _judged(invented), "action": "scored"}),
        (Verdict, invented.read, _verdict(invented)),
        (Event, invented.read, ended | {"at": invented.at(READ_AFTER), "action": "read"}),
    ]


def _judged(invented: Invented) -> Expression:
    return invented.at(3 + invented.number % 20)


def _unless(refused: Expression, value: Any) -> Expression:
    return case((~refused, value))


def _study(invented: Invented) -> dict[str, Any]:
    head_start = BEGIN - reading_key(BEGIN, flagged=True, max_wait=MAX_WAIT)
    early = case((invented.flagged, -int(head_start.total_seconds())), else_=0)
    patient = cast(invented.patient, Text)
    given_name = literal("^Given") + cast(invented.patient % 997, Text)
    urgent = case((invented.number % 200 == 0, int(Urgency.STAT)), else_=int(Urgency.LIVE))
    sites = enumerate(("North", "South", "East"))
    return {
        "id": invented.number,
        "study_instance_uid": invented.named("2.25."),
        "patient_id": literal("P-") + patient,
        "patient_name": literal("Name") + patient + given_name,
        "patient_birth_date": invented.birth_date(),
        "patient_sex": case((invented.patient % 2 == 0, "F"), else_="M"),
        "accession_number": invented.named("A"),
        "institution_name": case(
            *((invented.number % 4 == rest, site) for rest, site in sites), else_="West"
        ),
        "study_datetime": invented.at(-300),
        "received_at": invented.at(),
        "last_received_at": invented.at(),
        "urgency": urgent,
        "probability": _unless(invented.refused, invented.probability),
        "flagged": invented.flagged,
        "ensemble_version": _unless(invented.refused, VERSION),
        "reading_key": invented.at(early),
        "read_at": case((invented.read, invented.at(READ_AFTER))),
        # As `db.tables.searching` folds them.
        "search_text": func.lower(
            invented.named("A")
            + literal("\nP")
            + patient
            + literal("\nName")
            + patient
            + literal("Given")
            + cast(invented.patient % 997, Text)
        ),
    }


def _image(invented: Invented) -> dict[str, Any]:
    refused = invented.refused
    state = case((refused, ImageState.REFUSED.value), else_=ImageState.SCORED.value)
    return {
        "id": invented.number,
        "study_id": invented.number,
        "sha256": invented.digest(),
        "kind": FileKind.DICOM,
        "sop_instance_uid": invented.named("2.26."),
        "modality": "DX",
        "view_position": case((invented.number % 3 == 0, "AP"), else_="PA"),
        "state": state,
        "code": case((refused, RefusalCode.VIEW_NOT_FRONTAL.value)),
        "reason": case((refused, "The view is not frontal.")),
        "urgency": int(Urgency.LIVE),
        "preprocessing_version": "1",
        "received_at": invented.at(),
        "ready_at": _unless(refused, invented.at(2)),
        "scored_at": _unless(refused, _judged(invented)),
        "refused_at": case((refused, _judged(invented))),
        "marks": (),
        "attempts": 0,
    }


def _arrival(invented: Invented) -> dict[str, Any]:
    return {
        "claim_id": invented.named(""),
        "image_id": invented.number,
        "relative_path": invented.named("film-"),
        "sha256": invented.digest(),
        "size": 1,
        "arrived_at": invented.at(),
        "outcome": "received",
    }


def _score(invented: Invented) -> dict[str, Any]:
    return {
        "image_id": invented.number,
        "ensemble_version": VERSION,
        "probability": invented.probability,
        "members": {"cnn": 0.4, "vgg": 0.6},
        "threshold": THRESHOLD,
        "flagged": invented.flagged,
        "scored_at": _judged(invented),
    }


def _verdict(invented: Invented) -> dict[str, Any]:
    """Of two flagged studies in three a reader says the same as the AI."""
    sick = and_(invented.flagged, invented.number % 3 > 0)
    findings = case((sick, Finding.PNEUMONIA.value), else_=Finding.NO_PNEUMONIA.value)
    return {
        "study_id": invented.number,
        "at": invented.at(READ_AFTER),
        "account": "reader",
        "finding": findings,
        "withdrawn": False,
        "ensemble_version": _unless(invented.refused, VERSION),
        "probability": _unless(invented.refused, invented.probability),
        "threshold": _unless(invented.refused, THRESHOLD),
        "flagged": _unless(invented.refused, invented.flagged),
    }
