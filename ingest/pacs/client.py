"""A connection to a PACS, whatever its protocol."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from ingest.inbox.inbox_writer import InboxWriter
from readfirst.pacs.matches import PacsSeries, PacsStudy, Retrieved, RetrieveTarget, StudyQuery


class PacsClient(Protocol):
    """Asks one PACS, one thing at a time. Leaving its `with` block closes the connection.

    Every method raises SourceUnavailable while the PACS does not answer, with a sentence that says
    why, and Unavailable where nothing can be taken in.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None: ...

    def verify(self) -> str:
        """See whether it answers (C-ECHO, or QIDO-RS for one study). Returns what it answered."""

    def find_studies(self, query: StudyQuery) -> list[PacsStudy]:
        """Find the studies that match (C-FIND, QIDO-RS)."""

    def find_series(self, study_instance_uid: str) -> list[PacsSeries]:
        """Find the series of a study."""

    def find_images(self, study_instance_uid: str, series_instance_uid: str) -> list[str]:
        """Find the SOP Instance UIDs of a series."""

    def retrieve(self, target: RetrieveTarget) -> Retrieved:
        """Have films sent (C-MOVE) or take them into the inbox (C-GET, WADO-RS)."""

    def rest(self) -> None:
        """Keep no connection open until the next question: there will be none for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """The site's side of a connection.

    ae_title: of the listener, to which C-MOVE sends. most_bytes: of one film. inbox_writer: into
    the inbox.
    """

    ae_title: str
    most_bytes: int
    inbox_writer: InboxWriter
