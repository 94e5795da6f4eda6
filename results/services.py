"""The collaborators that make results."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from db.session import Database
from ingest.inbox.store import Store
from ingest.reader.reader_process import Reader
from readfirst.derived_images import DerivedImages
from readfirst.results.concepts import Code
from readfirst.results.reasons import NO_RESULT_SENTENCES, NoResultCode
from readfirst.settings import Settings
from readfirst.studies.display import DisplayContext


@dataclass(frozen=True, slots=True)
class ResultServices:
    """The collaborators, and what the site says of its results."""

    database: Database
    store: Store
    reader: Reader
    derived_images: DerivedImages
    settings: Settings

    @property
    def zone(self) -> tzinfo:
        """The zone of the site, in which films without one are taken."""
        return self.settings.zone

    @property
    def finding(self) -> tuple[Code, ...]:
        """The code of the finding, and others of the same meaning."""
        return self.settings.result_finding

    def display(self, now: datetime) -> DisplayContext:
        """The context of results: whoever reads them in another system is a reader too."""
        return self.settings.display(now, to_reader=True)


def result_services(settings: Settings, database: Database, reader: Reader) -> ResultServices:
    """Return the collaborators of a site."""
    return ResultServices(
        database,
        Store(settings.store_path),
        reader,
        DerivedImages(settings.prepared_path),
        settings,
    )


class NoResult(Exception):
    """There is no result of a study, or none of a kind: by a rule, and not by a fault."""

    def __init__(self, code: NoResultCode, detail: str = "") -> None:
        self.code = code
        self.reason = NO_RESULT_SENTENCES[code] + (f" ({detail})" if detail else "")
        super().__init__(self.reason)
