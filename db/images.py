"""Images as they come in, become ready or are refused. The caller owns the transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.events import note
from db.studies import raise_to_stat, reopen, study_of
from db.tables import Arrival, Event, Image, Study
from readfirst.domain import Header, ImageState
from readfirst.errors import Refused
from readfirst.marks import Mark

#: What an image takes from its header as it is: by what, and how, it was acquired.
ACQUISITION = (
    "manufacturer",
    "manufacturer_model_name",
    "station_name",
    "exposure",
    "exposure_index",
    "deviation_index",
)


class Outcome(StrEnum):
    """What became of a file that came in."""

    RECEIVED = "received"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    SET_ASIDE = "set_aside"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The UIDs of an image: its own, or made from its content where it brings none."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str


def arrived_before(session: Session, claim_id: str) -> bool:
    """Whether this very arrival has its row already, from a run that died after the commit."""
    query = select(Arrival.id).where(Arrival.claim_id == claim_id)
    return session.scalar(query) is not None


def image_with_content(session: Session, sha256: str) -> Image | None:
    """The image whose original has this digest."""
    return session.scalar(select(Image).where(Image.sha256 == sha256))


def accepted_image(session: Session, sop_instance_uid: str) -> Image | None:
    """The image that holds this SOP Instance UID; refused images do not count."""
    return session.scalar(
        select(Image).where(
            Image.sop_instance_uid == sop_instance_uid, Image.state != ImageState.REFUSED
        )
    )


def add_image(
    session: Session,
    arrival: NewArrival,
    identity: Identity,
    header: Header | None,
    *,
    refusal: Refused | None,
    max_wait: timedelta,
    marks: tuple[Mark, ...] = (),
) -> Image:
    """Give a new image its row, in its study, as received or refused.

    header: None when it could not be read; then refusal says why. marks: why its score will not be
    validated.
    """
    at = arrival.arrived_at
    study = study_of(
        session,
        identity.study_instance_uid,
        header,
        at,
        sha256=arrival.sha256,
        max_wait=max_wait,
    )
    if arrival.stat:
        raise_to_stat(session, study)
    image = Image(
        study_id=study.id,
        sha256=arrival.sha256,
        sop_instance_uid=identity.sop_instance_uid,
        series_instance_uid=identity.series_instance_uid,
        state=ImageState.RECEIVED,
        urgency=study.urgency,
        received_at=at,
        marks=marks,
    )
    if header is not None:
        describe(image, header)
    if refusal is not None:
        _set_refused(image, refusal, at)
    session.add(image)
    session.flush()
    note(session, image, "received", at)
    reopen(session, image, at)
    if refusal is not None:
        note(session, image, "refused", at, code=refusal.code.value)
    elif marks:
        note(session, image, "marked", at, codes=[mark.code.value for mark in marks])
    outcome = Outcome.RECEIVED if refusal is None else Outcome.REFUSED
    _record_arrival(session, arrival, image, outcome)
    return image


def add_duplicate(session: Session, arrival: NewArrival, image: Image) -> None:
    """Record that an image, already known, came in once more."""
    study = session.get_one(Study, image.study_id, with_for_update=True)
    study.last_received_at = arrival.arrived_at
    if arrival.stat:
        raise_to_stat(session, study)
    _record_arrival(session, arrival, image, Outcome.DUPLICATE)
    note(session, image, "duplicate", arrival.arrived_at)
    if image.sha256 == arrival.sha256 and image.original_removed_at is not None:
        image.original_removed_at = None
        note(session, image, "original_restored", arrival.arrived_at)


def refuse(session: Session, image: Image, refusal: Refused, at: datetime) -> None:
    """Mark an image as never to be scored, with the code and the sentence."""
    _set_refused(image, refusal, at)
    again = {"again": True} if _retried_from(session, image) == refusal.code else {}
    note(session, image, "refused", at, code=refusal.code.value, **again)


def _retried_from(session: Session, image: Image) -> str | None:
    """The code that an image had when it was tried again, unless it was scored since."""
    query = (
        select(Event)
        .where(
            Event.study_id == image.study_id,
            Event.image_id == image.id,
            Event.action.in_(("retried", "scored")),
        )
        .order_by(Event.id.desc())
        .limit(1)
    )
    last = session.scalar(query)
    return last.detail.get("code") if last is not None else None


def _set_refused(image: Image, refusal: Refused, at: datetime) -> None:
    image.state = ImageState.REFUSED
    image.code, image.reason, image.refused_at = refusal.code, refusal.reason, at
    image.lease_until = image.lease_token = None


def describe(image: Image, header: Header) -> None:
    """Let an image's row say what its header says."""
    image.kind = header.kind
    image.rows, image.columns = header.rows, header.columns
    image.transfer_syntax_uid = header.transfer_syntax_uid
    image.modality = header.modality
    image.view_position = header.view_position
    image.body_part_examined = header.body_part_examined
    image.acquisition_datetime = header.acquisition_datetime
    for name in ACQUISITION:
        setattr(image, name, getattr(header, name))


def _record_arrival(session: Session, arrival: NewArrival, image: Image, outcome: Outcome) -> None:
    session.add(
        Arrival(
            claim_id=arrival.claim_id,
            image_id=image.id,
            relative_path=arrival.relative_path,
            sha256=arrival.sha256,
            size=arrival.size,
            arrived_at=arrival.arrived_at,
            outcome=outcome.value,
        )
    )
