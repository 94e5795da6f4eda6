"""A file comes in: a new image in its study, or a copy of one that is known, perhaps with news."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from db.ensembles.versions import active_ensemble
from db.images import ArrivalOutcome, Identity, NewArrival
from db.lifecycle import image as image_steps
from db.lifecycle import study as study_steps
from db.lifecycle.events import Cause, EventAction, image_event
from db.lifecycle.ranking import rank, settle_priors
from db.lifecycle.unit_of_work import UnitOfWork
from db.ris.orders import has_urgent_order
from db.tables import Arrival, Image, Study
from readfirst.domain import Header, ImageState, uid_from_digest
from readfirst.errors import Refused
from readfirst.refusals import WITHOUT_FILM
from readfirst.studies.identity import Patient, conflict, is_same, patient_of
from readfirst.studies.marks import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejudged:
    """The result of the scope's rules of today for what all headers of an image say together.

    marks: of its score; with those that stand for a refusal, if there is one.
    """

    marks: tuple[Mark, ...]
    refusal: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The header of a copy. rejudged: None where it says nothing new to the scope."""

    header: Header
    rejudged: Rejudged | None = None


def add_image(
    unit: UnitOfWork,
    arrival: NewArrival,
    identity: Identity,
    header: Header | None,
    *,
    refusal: Refused | None = None,
    marks: tuple[Mark, ...] = (),
) -> Image:
    """Give a new image its row, in its study, as received or refused.

    header: None when it could not be read; then refusal says why. marks: why its score will not be
    validated.
    """
    at = arrival.arrived_at
    stat = arrival.stat or (header is not None and header.stat)
    study = study_of(unit, identity, header, at, sha256=arrival.sha256, stat=stat)
    # A study that comes in as STAT, and not one more image of it, nor a file without a film.
    is_film = refusal is None or refusal.code not in WITHOUT_FILM
    is_new_stat = study.stat and is_film and not study.images
    image = Image(
        study=study,
        sha256=arrival.sha256,
        sop_instance_uid=identity.sop_instance_uid,
        series_instance_uid=identity.series_instance_uid,
        state=ImageState.RECEIVED,
        urgency=study.urgency,
        received_at=at,
    )
    if header is not None:
        image_steps.describe(image, header)
    unit.session.add(image)
    received, *marked = image_steps.receive(image, Cause.LIVE, marks, stat=is_new_stat)
    unit.add(received, *study_steps.reopen(image, Cause.LIVE))
    if refusal is not None:
        unit.add(image_steps.refuse(image, refusal, at, Cause.LIVE))
    else:
        unit.add(*marked)
    unit.session.flush()
    if stat:
        raise_to_stat(unit, study, Cause.LIVE)
    raise_by_order(unit, study)
    settle_priors(unit, [study], Cause.LIVE)
    outcome = ArrivalOutcome.RECEIVED if refusal is None else ArrivalOutcome.REFUSED
    _record(unit, arrival, image, outcome)
    return image


def add_copy(unit: UnitOfWork, arrival: NewArrival, image: Image, news: News | None = None) -> None:
    """Record that an image, already known, came in once more; it can raise its study to STAT.

    news: what the header of this file says; None if the file is the same.
    """
    unit.session.refresh(image, with_for_update={"key_share": True})
    study = unit.session.get_one(Study, image.study_id, with_for_update={"key_share": True})
    study.last_received_at = arrival.arrived_at
    _record(unit, arrival, image, ArrivalOutcome.DUPLICATE)
    unit.add(image_event(EventAction.DUPLICATE, image, Cause.LIVE))
    if news is not None:
        _take_news(unit, image, study, news)
    if arrival.stat or (news is not None and news.header.stat):
        raise_to_stat(unit, study, Cause.LIVE)
    if news is not None:
        raise_by_order(unit, study)
        settle_priors(unit, [study], Cause.LIVE)
    if image.sha256 == arrival.sha256 and image.original_removed_at is not None:
        image.original_removed_at = None
        unit.add(image_event(EventAction.ORIGINAL_RESTORED, image, Cause.LIVE))


def _take_news(unit: UnitOfWork, image: Image, study: Study, news: News) -> None:
    """Fill in what a copy adds to an image, and to its study, and judge the image anew.

    The caller has locked both rows. An image that is out of the scope now is refused while it
    waits for its first score. One that has a score keeps it, marked: what the AI has raised is not
    lowered by a header.
    """
    unit.add(*study_steps.describe(study, news.header, Cause.LIVE, is_copy=True))
    image_steps.fill_in(image, news.header)
    if news.rejudged is None or image.state is ImageState.REFUSED:
        return
    refusal = news.rejudged.refusal
    if refusal is not None and image.scored_at is None:
        unit.add(image_steps.refuse(image, refusal, unit.at, Cause.LIVE))
        return
    unit.add(*image_steps.mark_anew(image, news.rejudged.marks, Cause.LIVE))


def replace_beginning(unit: UnitOfWork, image_id: int, whole: str, cause: Cause) -> None:
    """Let a beginning of a film make room for the film; its scores decide its study no more.

    whole: the digest (sha256) of the film, which is added in the same unit of work. The image, its
    scores and its events stay. One that somebody else has replaced is left as it is.
    """
    image = unit.session.get_one(
        Image, image_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if image.state is ImageState.REFUSED:
        return
    unit.add(image_steps.replace(image, whole, unit.at, cause))
    # Its SOP Instance UID is free from here on.
    unit.session.flush()
    active = active_ensemble(unit.session)
    if active is not None:
        rank(unit, {image.study_id: cause}, active.version)


def study_of(
    unit: UnitOfWork,
    identity: Identity,
    header: Header | None,
    received_at: datetime,
    *,
    sha256: str,
    stat: bool,
    cause: Cause = Cause.LIVE,
) -> Study:
    """The study of an image that says this UID and this patient, made now if it is the first.

    A later image fills in what the earlier ones left empty. An image of another patient makes a
    study of its own, with a UID made from its content (sha256). stat: a study made now is STAT.
    """
    study_instance_uid = identity.study_instance_uid
    studies = _locked(unit, study_instance_uid)
    known = next(iter(studies), None)
    if header is not None:
        known = _fitting(studies, patient_of(header))
    study = known
    if study is None and studies:
        study = _apart(unit, study_instance_uid, received_at, sha256, stat=stat)
    elif study is None:
        study = _new(unit, study_instance_uid, received_at, stat=stat)
    if identity.study_instance_uid_made_here:
        study_steps.note_made_uid(study, identity.invalid_study_instance_uid)
    study.last_received_at = max(study.last_received_at, received_at)
    if header is not None:
        events = study_steps.describe(study, header, cause)
        # What the first file says is no news.
        unit.add(*(events if study is known else ()))
    unit.session.flush()
    return study


def raise_to_stat(unit: UnitOfWork, study: Study, cause: Cause) -> None:
    """Put a study, and those of its images that wait for work, before all routine ones."""
    events = study_steps.raise_to_stat(study, cause)
    if not events:
        return
    # What a worker holds at this moment is in work already.
    waiting = (
        select(Image)
        .where(Image.study_id == study.id, Image.state.in_(image_steps.WAITING))
        .with_for_update(key_share=True, skip_locked=True)
    )
    image_steps.raise_waiting(unit.session.scalars(waiting).all())
    unit.add(*events)


def raise_by_order(unit: UnitOfWork, study: Study) -> bool:
    """Put a study before all routine ones if its order is urgent. Returns whether it moved."""
    if study.stat or not has_urgent_order(unit.session, study):
        return False
    raise_to_stat(unit, study, Cause.ORDER)
    return True


def _new(unit: UnitOfWork, study_instance_uid: str, received_at: datetime, *, stat: bool) -> Study:
    max_wait = unit.policy.max_wait
    study = study_steps.new_study(study_instance_uid, received_at, max_wait, stat=stat)
    unit.session.add(study)
    return study


def _apart(
    unit: UnitOfWork, study_instance_uid: str, received_at: datetime, sha256: str, *, stat: bool
) -> Study:
    """A study of its own for an image whose UID is another patient's.

    It may be there already: the image was refused and is tried again.
    """
    made = uid_from_digest(sha256, "study")
    known = select(Study).where(Study.study_instance_uid == made).with_for_update(key_share=True)
    study = unit.session.scalar(known) or _new(unit, made, received_at, stat=stat)
    study_steps.note_made_uid(study)
    study.shared_study_instance_uid = study_instance_uid
    return study


def _locked(unit: UnitOfWork, study_instance_uid: str) -> Sequence[Study]:
    """The studies whose images say this UID: more than one where their patients differ."""
    has_uid = or_(
        Study.study_instance_uid == study_instance_uid,
        Study.shared_study_instance_uid == study_instance_uid,
    )
    query = select(Study).where(has_uid).order_by(Study.id).with_for_update(key_share=True)
    return unit.session.scalars(query).all()


def _fitting(studies: Sequence[Study], patient: Patient) -> Study | None:
    """The study of this patient; an image that does not say whose it is joins one, not of two."""
    for study in studies:
        if is_same(patient_of(study), patient):
            return study
    alone = len(studies) == 1 and not conflict(patient_of(studies[0]), patient)
    return studies[0] if alone else None


def _record(unit: UnitOfWork, arrival: NewArrival, image: Image, outcome: ArrivalOutcome) -> None:
    unit.session.add(
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
