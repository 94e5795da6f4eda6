"""Real films in the store and in the database, for what shows them."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from db.images import Identity, NewArrival, add_image
from db.session import Database
from ingest.header import read_header
from ingest.store import Store
from readfirst.domain import uid_from_digest
from readfirst.settings import Settings
from tests.db.builders import MAX_WAIT, NOW


def a_kept_film(database: Database, settings: Settings, source: Path) -> str:
    """A file as intake would keep it. Returns its sha256."""
    stored = Store(settings.store_path).keep(source)
    digest = stored.sha256
    # Times get their zone at intake.
    header = replace(read_header(source), study_datetime=None, acquisition_datetime=None)
    arrival = NewArrival(
        claim_id=uuid4().hex,
        relative_path=source.name,
        sha256=digest,
        size=stored.size,
        arrived_at=NOW,
    )
    identity = Identity(
        study_instance_uid=uid_from_digest(digest, "study"),
        series_instance_uid=uid_from_digest(digest, "series"),
        sop_instance_uid=uid_from_digest(digest, "instance"),
    )
    with database.write() as session:
        add_image(session, arrival, identity, header, refusal=None, max_wait=MAX_WAIT)
    return digest
