"""What one worker process holds: database, folders, reader, bell, and the ensemble in use."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from db.migrate import upgrade
from db.session import Database, open_database
from db.work import Terms
from ingest.sandbox import Reader
from ingest.scope_rules import ScopeRules, default_rules, load_rules
from ingest.store import Store
from readfirst.prepared import PreparedImages
from readfirst.queue import Ringer
from readfirst.settings import Settings
from worker.judgement import Judgement
from worker.slices import AskedByLime


@dataclass(frozen=True, slots=True)
class Resources:
    """The collaborators of the work. Made once a process, by an entry point."""

    settings: Settings
    database: Database
    store: Store
    prepared: PreparedImages
    reader: Reader
    ringer: Ringer
    judgement: Judgement
    rules: ScopeRules = field(default_factory=default_rules)
    #: What LIME has asked so far of the film that it explains, across its slices.
    asked_by_lime: AskedByLime = field(default_factory=AskedByLime)

    @property
    def terms(self) -> Terms:
        """On what terms this site lets its workers claim images."""
        return Terms(self.settings.lease, self.settings.max_attempts)


@contextmanager
def open_resources(settings: Settings, ringer: Ringer) -> Iterator[Resources]:
    """Open everything, with the database at its newest schema, and close it at the end.

    Raises Misconfigured for a scope that is wrong.
    """
    rules = load_rules(settings.scope)
    settings.home_path.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database)
    upgrade(database)
    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        try:
            yield Resources(
                settings=settings,
                database=database,
                store=Store(settings.store_path),
                prepared=PreparedImages(settings.prepared_path),
                reader=reader,
                ringer=ringer,
                judgement=Judgement(settings.ensembles_path, settings.precision),
                rules=rules,
            )
        finally:
            database.dispose()
