"""Images that are known, and the words for a file that comes in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db.tables import Arrival, Image
from readfirst.domain import ImageState


class ArrivalOutcome(StrEnum):
    """The result of a file that came in."""

    RECEIVED = "received"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    IGNORED = "set_aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArrival:
    """A file that is safe in the store and has no row yet."""

    claim_id: str
    relative_path: str
    sha256: str
    size: int
    arrived_at: datetime
    #: It came in by a folder whose studies are read at once.
    stat: bool = False

    @property
    def name(self) -> str:
        """The name of the file, without its folders."""
        return PurePosixPath(self.relative_path).name


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The UIDs of an image: its own, or made where it brings none that is valid."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    #: The file brings no valid Study Instance UID, so this one was made.
    study_instance_uid_made_here: bool = False
    #: What stands in the file instead; None: nothing.
    invalid_study_instance_uid: str | None = None


def arrived_before(session: Session, claim_id: str) -> bool:
    """Tell whether this very arrival has its row, from a run that died after the commit."""
    query = select(Arrival.id).where(Arrival.claim_id == claim_id)
    return session.scalar(query) is not None


def image_with_content(session: Session, sha256: str) -> Image | None:
    """The image whose original has this digest."""
    return session.scalar(select(Image).where(Image.sha256 == sha256))


def accepted_image(session: Session, sop_instance_uid: str) -> Image | None:
    """The image that holds this SOP Instance UID, with its study; refused ones do not count."""
    return session.scalar(
        select(Image)
        .where(Image.sop_instance_uid == sop_instance_uid, Image.state != ImageState.REFUSED)
        .options(joinedload(Image.study))
    )
