"""Real films in the store and in the database, for what shows them."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from db.images import Identity, NewArrival
from db.lifecycle.arrivals import add_image
from db.session import Database
from ingest.dicom.header import read_header
from ingest.inbox.store import Store
from readfirst.domain import uid_from_digest
from readfirst.settings import Settings
from tests.support.studies import NOW, lifecycle


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
    with lifecycle(database) as unit:
        add_image(unit, arrival, identity, header)
    return digest
