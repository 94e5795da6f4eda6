"""What people look at: the reading order, one study, and how much there is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from db.conflicts import study_warnings
from db.filters import EVERYTHING, WorklistFilter, conditions
from db.scores import deciding_members
from db.sorting import READING_ORDER, Order, Position, parts, place_of
from db.studies import DESCRIPTION
from db.tables import Arrival, Ensemble, Event, Image, Score, Study
from db.verdicts import NONE_GIVEN, Given, given_to, verdicts_of
from db.views import (
    Counts,
    EventView,
    ImageDetail,
    ImageView,
    ScoreView,
    StudyDetail,
    StudyView,
)
from readfirst.domain import FileKind, ImageState, spread
from readfirst.identity import StudyWarning
from readfirst.marks import Mark
from readfirst.prevalence import at_prevalence
from readfirst.priority import Overdue, standing, why


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
    warnings = study_warnings(session, [study for study, _ in rows])
    members = deciding_members(session, [study for study, _ in rows])
    given = given_to(session, [study.id for study, _ in rows], prevalence=prevalence)
    studies = tuple(
        _study_view(
            study,
            ensemble,
            prevalence,
            quiet_before,
            overdue,
            warnings[study.id],
            members[study.id],
            given.get(study.id, NONE_GIVEN),
        )
        for study, ensemble in rows
    )
    places = [place_of(study, order) for study, _ in (rows[0], rows[-1])] if rows else [None, None]
    start = places[0] if after is not None or (before is not None and is_more) else None
    end = places[1] if before is not None or is_more else None
    return ReadingPage(studies, start, end)


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
    warnings = study_warnings(session, [study])[study.id]
    members = deciding_members(session, [study])[study.id]
    given = given_to(session, [study.id], prevalence=prevalence)
    return StudyDetail(
        study=_study_view(
            study,
            ensemble,
            prevalence,
            quiet_before,
            overdue,
            warnings,
            members,
            given.get(study.id, NONE_GIVEN),
        ),
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
        image=_image_view(image),
        rows=image.rows,
        columns=image.columns,
        transfer_syntax_uid=image.transfer_syntax_uid,
        preprocessing_version=image.preprocessing_version,
        original_removed_at=image.original_removed_at,
    )


def counts(session: Session) -> Counts:
    """Studies, flagged studies, and images by state."""
    # A study without images is not shown; counted by the images' index, which is the quicker way.
    studies = session.scalar(select(func.count(Image.study_id.distinct()))) or 0
    flagged = session.scalar(select(func.count()).select_from(Study).where(Study.flagged)) or 0
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


def _study_view(
    study: Study,
    ensemble: Ensemble | None,
    prevalence: float | None,
    quiet_before: datetime | None,
    overdue: Overdue | None,
    warnings: tuple[StudyWarning, ...],
    members: Mapping[str, float],
    given: Given,
) -> StudyView:
    presupposed = ensemble.prevalence if ensemble else None
    threshold = at_prevalence(ensemble.threshold, presupposed, prevalence) if ensemble else None
    probability = (
        at_prevalence(study.probability, presupposed, prevalence)
        if study.probability is not None
        else None
    )
    place = standing(stat=study.stat, flagged=study.flagged, scored=study.probability is not None)
    marks = _marks(study)
    return StudyView(
        study_instance_uid=study.study_instance_uid,
        shared_study_instance_uid=study.shared_study_instance_uid,
        **{name: getattr(study, name) for name in DESCRIPTION},
        acquisition_datetime=min(
            (image.acquisition_datetime for image in study.images if image.acquisition_datetime),
            default=None,
        ),
        received_at=study.received_at,
        last_received_at=study.last_received_at,
        complete=_is_complete(study, quiet_before),
        stat=study.stat,
        flagged=study.flagged,
        probability=probability,
        threshold=threshold,
        members={
            name: at_prevalence(said, presupposed, prevalence) for name, said in members.items()
        },
        ensemble_version=study.ensemble_version,
        standing=place,
        why=why(
            place,
            probability=probability,
            threshold=threshold,
            reasons=[image.reason for image in study.images if image.reason],
            marks=[mark.reason for mark in marks],
            overdue=overdue if _is_overdue(study, overdue) else None,
        ),
        marks=marks,
        warnings=warnings,
        read_at=study.read_at,
        verdict=given.standing,
        verdict_count=given.count,
        images=tuple(_image_view(image) for image in study.images),
    )


def _is_overdue(study: Study, overdue: Overdue | None) -> bool:
    if overdue is None or study.read_at is not None:
        return False
    return study.received_at <= overdue.received_before


def _marks(study: Study) -> tuple[Mark, ...]:
    """Those of all images that are scored or will be, each code once."""
    by_code: dict[str, Mark] = {}
    for image in study.images:
        if image.state is not ImageState.REFUSED:
            for mark in image.marks:
                by_code.setdefault(mark.code, mark)
    return tuple(by_code.values())


def _is_complete(study: Study, quiet_before: datetime | None) -> bool:
    if any(image.state in (ImageState.RECEIVED, ImageState.READY) for image in study.images):
        return False
    # A picture is a study of its own: nothing else can come.
    may_grow = any(image.kind in (FileKind.DICOM, None) for image in study.images)
    return not may_grow or quiet_before is None or study.last_received_at <= quiet_before


def _image_view(image: Image) -> ImageView:
    return ImageView(
        sha256=image.sha256,
        sop_instance_uid=image.sop_instance_uid,
        file_name=_file_name(image),
        kind=image.kind.value if image.kind else None,
        modality=image.modality,
        view_position=image.view_position,
        state=image.state,
        code=image.code.value if image.code else None,
        reason=image.reason,
        marks=image.marks,
        acquisition_datetime=image.acquisition_datetime,
        received_at=image.received_at,
        ready_at=image.ready_at,
        scored_at=image.scored_at,
        refused_at=image.refused_at,
    )


def _file_name(image: Image) -> str:
    return image.arrivals[0].relative_path


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
