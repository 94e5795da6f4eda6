"""What people look at: the reading order, one study, and how much there is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session, joinedload, selectinload

from db.filters import EVERYTHING, WorklistFilter, conditions
from db.sorting import READING_ORDER, Order, Position, parts, place_of
from db.study_views import Terms, image_view, study_views
from db.tables import Arrival, Ensemble, Event, Image, Score, Study
from db.verdicts import verdicts_of
from db.views import (
    Counts,
    EventView,
    ImageDetail,
    ScoreView,
    StudyDetail,
    StudyView,
)
from readfirst.domain import ImageState, spread
from readfirst.prevalence import at_prevalence
from readfirst.priority import Overdue


@dataclass(frozen=True, slots=True)
class ReadingPage:
    """Some of the worklist."""

    studies: tuple[StudyView, ...]
    #: The place before which there is more, and the one behind which there is; None at an end.
    start: Position | None
    end: Position | None


def reading_order(
    session: Session,
    *,
    limit: int,
    which: WorklistFilter = EVERYTHING,
    order: Order = READING_ORDER,
    prevalence: float | None = None,
    quiet_before: datetime | None = None,
    overdue: Overdue | None = None,
) -> list[StudyView]:
    """The first studies in the order in which they should be read, the most urgent first.

    order: another one. prevalence: share of pneumonia at this site, for which the probabilities are
    stated. quiet_before: a study of which a file came in later is not complete. overdue: what has
    waited for too long.
    """
    page = reading_page(
        session,
        limit=limit,
        which=which,
        order=order,
        prevalence=prevalence,
        quiet_before=quiet_before,
        overdue=overdue,
    )
    return list(page.studies)


def reading_page(
    session: Session,
    *,
    limit: int,
    which: WorklistFilter = EVERYTHING,
    order: Order = READING_ORDER,
    after: Position | None = None,
    before: Position | None = None,
    through: str | None = None,
    prevalence: float | None = None,
    quiet_before: datetime | None = None,
    overdue: Overdue | None = None,
) -> ReadingPage:
    """Up to `limit` studies of an order: from its beginning, behind a place in it or before one.

    through: the Study Instance UID behind which the page ends, if it is among them.
    order, prevalence, quiet_before, overdue: as in `reading_order`.
    """
    # One more than wanted says whether there is a further page.
    rows = _rows(session, which, order, before or after, limit + 1, backward=before is not None)
    wanted = _up_to(through, rows[:limit])
    is_more, rows = len(rows) > wanted, rows[:wanted]
    if before is not None:
        rows.reverse()
    terms = Terms(prevalence=prevalence, quiet_before=quiet_before, overdue=overdue)
    studies = study_views(session, rows, terms)
    places = [place_of(study, order) for study, _ in (rows[0], rows[-1])] if rows else [None, None]
    start = places[0] if after is not None or (before is not None and is_more) else None
    end = places[1] if before is not None or is_more else None
    return ReadingPage(tuple(studies), start, end)


def _up_to(through: str | None, rows: Sequence[Row[Study, Ensemble]]) -> int:
    """How many of the rows are wanted."""
    uids = [study.study_instance_uid for study, _ in rows]
    return uids.index(through) + 1 if through in uids else len(rows)


def _rows(
    session: Session,
    which: WorklistFilter,
    order: Order,
    place: Position | None,
    limit: int,
    *,
    backward: bool,
) -> list[Row[Study, Ensemble]]:
    """The rows nearest to a place, on one side of it."""
    query = (
        select(Study, Ensemble)
        .outerjoin(Ensemble, Study.ensemble_version == Ensemble.version)
        .options(selectinload(Study.images).selectinload(Image.arrivals))
        .where(*conditions(which))
    )
    if place is not None and not place.values:
        name = session.scalar(select(Study.patient_name).where(Study.id == place.study_id))
        place = replace(place, values=(name,))
    rows: list[Row[Study, Ensemble]] = []
    for part in parts(order, place, backward=backward):
        if len(rows) < limit:
            stretch = query.where(*part.where).order_by(*part.order_by)
            rows += session.execute(stretch.limit(limit - len(rows))).all()
    return rows


def study_detail(
    session: Session,
    study_instance_uid: str,
    *,
    prevalence: float | None = None,
    quiet_before: datetime | None = None,
    overdue: Overdue | None = None,
) -> StudyDetail | None:
    """One study with its images, the scores of every version, and its events in order.

    prevalence, quiet_before, overdue: as in `reading_order`.
    """
    study = session.scalar(
        select(Study)
        .where(Study.study_instance_uid == study_instance_uid)
        .options(selectinload(Study.images).selectinload(Image.arrivals))
    )
    if study is None:
        return None
    version = study.ensemble_version
    ensemble = session.get(Ensemble, version) if version else None
    terms = Terms(prevalence=prevalence, quiet_before=quiet_before, overdue=overdue)
    (view,) = study_views(session, [(study, ensemble)], terms)
    return StudyDetail(
        study=view,
        verdicts=verdicts_of(session, study_instance_uid, prevalence=prevalence),
        scores=_scores(session, study.id, prevalence),
        events=_events(session, study),
    )


def study_exists(session: Session, study_instance_uid: str) -> bool:
    """Whether a study has this UID."""
    query = select(Study.id).where(Study.study_instance_uid == study_instance_uid)
    return session.scalar(query) is not None


def image_detail(session: Session, sha256: str) -> ImageDetail | None:
    """The image whose original has this digest."""
    query = select(Image).where(Image.sha256 == sha256)
    image = session.scalar(query.options(joinedload(Image.study), selectinload(Image.arrivals)))
    if image is None:
        return None
    return ImageDetail(
        study_instance_uid=image.study.study_instance_uid,
        image=image_view(image),
        rows=image.rows,
        columns=image.columns,
        transfer_syntax_uid=image.transfer_syntax_uid,
        preprocessing_version=image.preprocessing_version,
    )


def counts(session: Session) -> Counts:
    """Studies, flagged studies, and images by state."""
    # A study without images is not shown; counted by the images' index, which is the quicker way.
    studies = session.scalar(select(func.count(Image.study_id.distinct()))) or 0
    # By its name alone, as its index says it: SQLite takes `flagged = 1` for something else.
    flagged = session.scalar(select(func.count()).select_from(Study).where(text("flagged"))) or 0
    by_state = session.execute(select(Image.state, func.count()).group_by(Image.state))
    images = dict.fromkeys(ImageState, 0) | dict(by_state.all())
    return Counts(studies=studies, flagged=flagged, images=images)


def arrival_states(session: Session, prefix: str) -> dict[str, ImageState]:
    """The state of the image behind every file that came in under a path, by its path."""
    query = (
        select(Arrival.relative_path, Image.state)
        .join(Image, Arrival.image_id == Image.id)
        .where(Arrival.relative_path.startswith(prefix, autoescape=True))
    )
    return dict(session.execute(query).all())


def _scores(session: Session, study_id: int, prevalence: float | None) -> tuple[ScoreView, ...]:
    query = (
        select(Score, Image.sha256, Ensemble.prevalence)
        .join(Image)
        .join(Ensemble)
        .where(Image.study_id == study_id)
        .order_by(Score.id)
    )
    rows = session.execute(query).all()

    def here(probability: float, presupposed: float | None) -> float:
        return at_prevalence(probability, presupposed, prevalence)

    return tuple(
        ScoreView(
            sha256=sha256,
            ensemble_version=score.ensemble_version,
            probability=here(score.probability, presupposed),
            threshold=here(score.threshold, presupposed),
            flagged=score.flagged,
            members={name: here(said, presupposed) for name, said in score.members.items()},
            spread=spread(score.members),
            scored_at=score.scored_at,
        )
        for score, sha256, presupposed in rows
    )


def _events(session: Session, study: Study) -> tuple[EventView, ...]:
    digests = {image.id: image.sha256 for image in study.images}
    query = select(Event).where(Event.study_id == study.id).order_by(Event.id)
    return tuple(
        EventView(
            at=event.at,
            action=event.action,
            sha256=digests.get(event.image_id) if event.image_id else None,
            detail=event.detail,
        )
        for event in session.scalars(query)
    )
