"""A refused image is tried again: back to work, or refused once more."""

from sqlalchemy import select

from db.ensembles.versions import active_ensemble
from db.images import Identity
from db.lifecycle import image as image_steps
from db.lifecycle import study as study_steps
from db.lifecycle.arrivals import raise_by_order, raise_to_stat, study_of
from db.lifecycle.events import Cause, EventAction, image_event
from db.lifecycle.ranking import rank, settle_priors
from db.lifecycle.unit_of_work import UnitOfWork
from db.tables import Event, Image
from readfirst.domain import Header, ImageState
from readfirst.errors import Refused
from readfirst.studies.marks import Mark


def refused_image(unit: UnitOfWork, image_id: int) -> Image | None:
    """A refused image for writing; None if it is in another state."""
    query = select(Image).where(Image.id == image_id, Image.state == ImageState.REFUSED)
    return unit.session.scalar(query.with_for_update(key_share=True))


def try_again(
    unit: UnitOfWork,
    image: Image,
    identity: Identity,
    header: Header | None,
    *,
    refusal: Refused | None,
    marks: tuple[Mark, ...] = (),
) -> None:
    """Put a refused image back to work, or refuse it again; its events keep both results.

    A header that can be read now brings the image its own UIDs, and so perhaps another study.
    Raises IntegrityError if another image with this SOP Instance UID was accepted meanwhile.
    """
    cause = Cause.REPROCESS
    if header is not None:
        _file_anew(unit, image, identity, header)
    code_before = image.code
    unit.add(image_event(EventAction.RETRIED, image, cause, code=code_before))
    if refusal is not None:
        refused = image_steps.refuse(image, refusal, unit.at, cause, code_before=code_before)
        unit.add(refused)
        return
    image_steps.retry(image)
    unit.session.flush()
    received, *marked = image_steps.receive(image, cause, marks)
    unit.add(received, *study_steps.reopen(image, cause), *marked)


def code_when_retried(unit: UnitOfWork, image: Image) -> str | None:
    """The code that an image had when it was tried again, unless it was scored since."""
    query = (
        select(Event)
        .where(
            Event.study_id == image.study_id,
            Event.image_id == image.id,
            Event.action.in_((EventAction.RETRIED, EventAction.SCORED)),
        )
        .order_by(Event.id.desc())
        .limit(1)
    )
    last = unit.session.scalar(query)
    return last.detail.get("code") if last is not None else None


def _file_anew(unit: UnitOfWork, image: Image, identity: Identity, header: Header) -> None:
    cause = Cause.REPROCESS
    # The film has waited since it came in, not since somebody could read it.
    study = study_of(
        unit,
        identity,
        header,
        image.received_at,
        sha256=image.sha256,
        stat=header.stat,
        cause=cause,
    )
    settled = [study]
    if study.id != image.study_id:
        moved = image_event(
            EventAction.MOVED, image, cause, study_instance_uid=study.study_instance_uid
        )
        unit.add(moved)
        if image.study.stat:
            raise_to_stat(unit, study, cause)
        left, image.study = image.study, study
        settled.append(left)
        unit.session.flush()
        unit.add(*study_steps.reopen(image, cause))
        # Scores of an earlier time go with their image.
        active = active_ensemble(unit.session)
        if active is not None:
            rank(unit, {left.id: cause, study.id: cause}, active.version)
    if header.stat:
        raise_to_stat(unit, study, cause)
    raise_by_order(unit, study)
    image.sop_instance_uid = identity.sop_instance_uid
    image.series_instance_uid = identity.series_instance_uid
    image_steps.describe(image, header)
    settle_priors(unit, settled, cause)
    unit.session.flush()
