"""Studies whose patients' earlier films are wanted of a source: each is asked for once."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from db.pacs.fetches import note_found
from db.tables import FetchRow, Image, PriorQuery, Study
from readfirst.domain import ImageState
from readfirst.pacs.fetches import FetchPurpose
from readfirst.pacs.matches import PacsStudy
from readfirst.pacs.priors import NewStudy
from readfirst.studies.identity import patient_of

#: A study that came in longer ago has been read, or is not waited for.
NEW = timedelta(days=1)


def study_without_priors(session: Session, source_id: int, at: datetime) -> NewStudy | None:
    """Return the earliest new study whose earlier films this source was not asked for.

    Not one that is a prior itself, or was fetched as one: there are no priors of priors. Nor one
    of which nothing is scored.
    """
    was_asked = exists().where(PriorQuery.study_id == Study.id, PriorQuery.source_id == source_id)
    was_fetched = exists().where(
        FetchRow.study_instance_uid == Study.study_instance_uid,
        FetchRow.purpose == FetchPurpose.PRIOR,
    )
    has_film = exists().where(Image.study_id == Study.id, Image.state != ImageState.REFUSED)
    query = (
        select(Study)
        .where(
            Study.received_at >= at - NEW,
            Study.prior_since.is_(None),
            Study.patient_id.is_not(None),
            and_(has_film, ~was_asked, ~was_fetched),
        )
        .order_by(Study.received_at, Study.id)
        .limit(1)
    )
    study = session.scalar(query)
    if study is None:
        return None
    return NewStudy(
        id=study.id,
        study_instance_uid=study.study_instance_uid,
        patient=patient_of(study),
        taken_at=study.study_datetime,
        received_at=study.received_at,
    )


def note_priors(
    session: Session, source_id: int, study_id: int, priors: Iterable[PacsStudy], at: datetime
) -> int:
    """Note that a source was asked, and let these be fetched. Returns how many there are."""
    uids = note_found(session, source_id, priors, FetchPurpose.PRIOR, at)
    session.add(PriorQuery(source_id=source_id, study_id=study_id, asked_at=at, priors=len(uids)))
    return len(uids)


def priors_since(session: Session, source_id: int, since: datetime) -> int:
    """Count the priors that were found at a source since then."""
    query = select(func.coalesce(func.sum(PriorQuery.priors), 0)).where(
        PriorQuery.source_id == source_id, PriorQuery.asked_at >= since
    )
    return session.scalar(query) or 0
