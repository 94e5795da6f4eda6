"""Rows of what is to be sent to whom, written in the transaction of their occasion."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.destinations.records import DestinationRecord, record_of
from db.lifecycle.events import DomainEvent, EventAction
from db.lifecycle.outbox import is_news
from db.tables import Destination, HeatMap, Image, OutgoingResult, Study
from readfirst.destinations.forms import OCCASIONS, Form, Occasion, is_wanted
from readfirst.destinations.rules import FIELDS, is_of_rule
from readfirst.destinations.states import SendingState
from readfirst.heat_maps import HeatMethod, HeatState

#: The events by which there is something new to say of a study's score.
OF_SCORE = {EventAction.SCORED, EventAction.FLAGGED}

Occasions = Mapping[Study, set[Occasion]]


def occasions_of(events: Iterable[DomainEvent], *, ai_hidden: bool = False) -> Occasions:
    """Return what there is to send of each study. Pure.

    Scores are sent of live results and of studies that nobody has read yet, never of a prior, as
    everything else is told. ai_hidden: the site hides what the AI says until a verdict, with which
    the score is sent, too.
    """
    occasions: dict[Study, set[Occasion]] = {}
    for event in events:
        if event.action in OF_SCORE and is_news(event):
            occasions.setdefault(event.study, set()).add(Occasion.SCORE)
        elif event.action is EventAction.VERDICT and event.detail.get("agreement"):
            occasions.setdefault(event.study, set()).add(Occasion.VERDICT)
        if event.action is EventAction.VERDICT and ai_hidden and not event.detail.get("withdrawn"):
            occasions.setdefault(event.study, set()).add(Occasion.SCORE)
    return occasions


def enqueue_results(session: Session, occasions: Occasions, at: datetime) -> bool:
    """Add what each destination gets on these occasions. Returns whether there is any."""
    if not occasions:
        return False
    destinations = enabled_destinations(session)
    if not destinations:
        return False
    explained = _explained(session, occasions)
    wanted = [
        (destination, form, study)
        for destination in destinations
        for study, of_study in occasions.items()
        for form in _forms(destination, study, {*of_study, *explained.get(study.id, ())})
    ]
    for destination, form, study in wanted:
        _enqueue(session, destination.number, form, study.id, at)
    return bool(wanted)


def enqueue_heat_map(session: Session, heat_map: HeatMap, at: datetime) -> bool:
    """Add what shows a heat map that was made now. Returns whether there is any.

    It is of the score by which a flagged study ranks. One that a reader wanted to see of a study
    that was read long ago is news to nobody.
    """
    study = session.get_one(Image, heat_map.image_id).study
    is_old = study.prior_since is not None or (study.read_at is not None and heat_map.requested)
    is_of_rank = heat_map.ensemble_version == study.ensemble_version and study.flagged
    if is_old or not is_of_rank or heat_map.method is not HeatMethod.GRAD_CAM:
        return False
    return enqueue_results(session, {study: {Occasion.HEAT_MAP}}, at)


def _explained(session: Session, occasions: Occasions) -> dict[int, set[Occasion]]:
    """Studies that rank anew by a score whose heat map was made before, as in shadow."""
    numbers = [study.id for study, of_study in occasions.items() if Occasion.SCORE in of_study]
    query = (
        select(Study.id)
        .join(Image, Image.study_id == Study.id)
        .join(HeatMap, HeatMap.image_id == Image.id)
        .where(
            Study.id.in_(numbers),
            HeatMap.state == HeatState.MADE,
            HeatMap.method == HeatMethod.GRAD_CAM,
            HeatMap.ensemble_version == Study.ensemble_version,
        )
    )
    return {number: {Occasion.HEAT_MAP} for number in session.scalars(query)}


def enabled_destinations(session: Session) -> list[DestinationRecord]:
    """The destinations that get results. None of them is removed before the transaction ends."""
    query = select(Destination).where(Destination.enabled).order_by(Destination.id)
    query = query.with_for_update(read=True, key_share=True)
    return [record_of(row) for row in session.scalars(query)]


def _forms(
    destination: DestinationRecord, study: Study, occasions: Iterable[Occasion]
) -> Iterator[Form]:
    facts = {field: getattr(study, field) for field in FIELDS}
    if not is_of_rule(destination.rule, facts):
        return
    for form in destination.forms:
        if OCCASIONS[form] in occasions and is_wanted(
            form, destination.studies, flagged=study.flagged
        ):
            yield form


def _enqueue(
    session: Session, destination_id: int, form: Form, study_id: int, at: datetime
) -> None:
    """Add a row, unless there is already one that nobody has begun to send.

    What is sent is made when it is sent, of all that is known then. A row that a worker holds may
    have been made before this occasion, so it needs another one.
    """
    query = (
        select(OutgoingResult)
        .where(
            OutgoingResult.destination_id == destination_id,
            OutgoingResult.study_id == study_id,
            OutgoingResult.form == form.value,
            OutgoingResult.state == SendingState.WAITING,
            OutgoingResult.lease_token.is_(None),
        )
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    row = session.scalar(query)
    if row is not None:
        row.wanted_at = at
        return
    session.add(
        OutgoingResult(
            destination_id=destination_id,
            study_id=study_id,
            form=form.value,
            state=SendingState.WAITING,
            wanted_at=at,
            lease_until=at,
            objects=[],
        )
    )
