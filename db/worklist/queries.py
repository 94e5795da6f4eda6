"""Queries of the worklist: the reading order, one study, one image, and how much there is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Row, bindparam, case, func, select, text
from sqlalchemy.orm import Session, defer, joinedload, load_only, selectinload

from db.disclosures import searched
from db.ensembles.shadows import score_counts
from db.read_models import (
    Counts,
    EventRecord,
    ImageDetail,
    ScoreRecord,
    SmallFilm,
    StudyDetail,
    StudyRecord,
)
from db.session import rows_of
from db.study_conditions import counting_threshold, counting_threshold_version
from db.tables import Arrival, EnsembleVersion, Event, Image, Score, Study
from db.verdicts import NO_VERDICT, verdict_summaries, verdicts_of
from db.worklist.figure_filter import as_networks_gave
from db.worklist.filters import EVERYTHING, WorklistFilter, conditions
from db.worklist.score_marks import marks_of_scores
from db.worklist.sorting import (
    READING_ORDER,
    Order,
    Position,
    Sort,
    keyset_segments,
    position_of,
)
from db.worklist.study_read_models import (
    image_record,
    in_words,
    study_records,
    verdict_without_ai,
)
from readfirst.domain import ImageState, spread
from readfirst.errors import Conflict
from readfirst.studies.display import DisplayContext
from readfirst.studies.marks import Mark
from readfirst.studies.prevalence import at_prevalence
from readfirst.studies.score_marks import score_marks

#: A number of a row has fewer.
MOST_DIGITS = 10
#: Events that tell what the AI said.
EVENTS_OF_THE_AI = frozenset(
    {"scored", "flagged", "flag_withdrawn", "score_confirmed", "score_not_reproduced"}
)
#: What the list shows of the score that decides a study.
DECIDING = (Score.image_id, Score.probability, Score.members)
#: What the list loads of its studies, and what it leaves in the database.
SHOWN = (
    joinedload(Study.score).load_only(*DECIDING),
    load_only(EnsembleVersion.prevalence),
    defer(Study.search_text),
)
#: Made once, as those below: to put a statement together takes longer than to run it.
_STUDIES = (
    select(Study, EnsembleVersion)
    .outerjoin(EnsembleVersion, Study.ensemble_version == EnsembleVersion.version)
    .options(*SHOWN)
)
#: One without images is shown no more: its only one turned out to be another study's.
_STUDY = _STUDIES.where(Study.study_instance_uid == bindparam("uid"), Study.images.any())
_FILM = (
    select(Image.sha256)
    .join(Study, Image.study_id == Study.id)
    .outerjoin(Score, Study.score_id == Score.id)
    .where(Study.study_instance_uid == bindparam("uid"))
    .limit(1)
)
_FIRST_FILM = _FILM.order_by(Image.id)
_DECIDING_FILM = _FILM.order_by(case((Image.id == Score.image_id, 0), else_=1), Image.id)
_SCORES = (
    select(
        Score,
        Image.sha256,
        EnsembleVersion.prevalence,
        counting_threshold(),
        counting_threshold_version(),
    )
    .join(Image)
    .join(Study, Image.study_id == Study.id)
    .join(EnsembleVersion, Score.ensemble_version == EnsembleVersion.version)
    .where(Study.id == bindparam("study_id"), score_counts())
    .order_by(Score.id)
)
_EVENTS = (
    select(Event.at, Event.action, Event.cause, Image.sha256, Event.detail)
    .outerjoin(Image, (Event.image_id == Image.id) & (Image.study_id == Event.study_id))
    .where(Event.study_id == bindparam("study_id"))
    .order_by(Event.id)
)


@dataclass(frozen=True, slots=True)
class ReadingPage:
    """Some of the worklist."""

    studies: tuple[StudyRecord, ...]
    #: The position before which there is more, and the one behind which; None at an end.
    start: Position | None
    end: Position | None


def reading_order(
    session: Session,
    *,
    limit: int,
    display: DisplayContext,
    which: WorklistFilter = EVERYTHING,
    order: Order = READING_ORDER,
) -> list[StudyRecord]:
    """The first studies in the order in which they should be read, the most urgent first.

    order: another one.
    """
    page = reading_page(session, limit=limit, display=display, which=which, order=order)
    return list(page.studies)


def reading_page(
    session: Session,
    *,
    limit: int,
    display: DisplayContext,
    which: WorklistFilter = EVERYTHING,
    order: Order = READING_ORDER,
    after: Position | None = None,
    before: Position | None = None,
    through: str | None = None,
) -> ReadingPage:
    """Up to `limit` studies of an order: from its beginning, behind a position in it or before one.

    through: the Study Instance UID behind which the page ends, if it is among them.
    order: as in `reading_order`. Raises Conflict where it would tell a reader what is hidden.
    """
    if which.text:
        searched(which.text)
    figure = as_networks_gave(session, which.figure, display.prevalence)
    which = replace(which, figure=figure)
    if _is_by_ai(which, order) and (display.silent or display.hides_ai):
        if display.silent or which.unread is not False:
            raise Conflict(
                "What the AI says is hidden until a verdict is given: "
                "studies that are not read can neither be filtered nor sorted by it."
            )
        # Studies that were read elsewhere have no verdict yet.
        which = replace(which, read_here=True)
    # One more than wanted says whether there is a further page.
    rows = _rows(session, which, order, before or after, limit + 1, backward=before is not None)
    wanted = _up_to(through, rows[:limit])
    is_more, rows = len(rows) > wanted, rows[:wanted]
    if before is not None:
        rows.reverse()
    studies = study_records(session, rows, display)
    first, last = (position_of(rows[end][0], order) if rows else None for end in (0, -1))
    start = first if after is not None or (before is not None and is_more) else None
    end = last if before is not None or is_more else None
    return ReadingPage(tuple(studies), start, end)


def _is_by_ai(which: WorklistFilter, order: Order) -> bool:
    """Tell whether a list would tell what the AI says of its studies."""
    by_score = which.figure is not None and which.figure.is_by_score
    return which.flagged or order.sort is Sort.PROBABILITY or by_score


def _up_to(through: str | None, rows: Sequence[Row[Study, EnsembleVersion]]) -> int:
    """Count the rows that are wanted."""
    uids = [study.study_instance_uid for study, _ in rows]
    return uids.index(through) + 1 if through in uids else len(rows)


def _rows(
    session: Session,
    which: WorklistFilter,
    order: Order,
    cursor: Position | None,
    limit: int,
    *,
    backward: bool,
) -> list[Row[Study, EnsembleVersion]]:
    """Return the rows nearest to a position, on one side of it."""
    query = _STUDIES.where(*conditions(which))
    if cursor is not None and not cursor.values:
        name = session.scalar(select(Study.patient_name).where(Study.id == cursor.study_id))
        cursor = replace(cursor, values=(name,))
    rows: list[Row[Study, EnsembleVersion]] = []
    for segment in keyset_segments(order, cursor, backward=backward):
        if len(rows) < limit:
            nearest = query.where(*segment.where).order_by(*segment.order_by)
            rows += session.execute(nearest.limit(limit - len(rows))).all()
    return rows


def study_detail(
    session: Session, study_instance_uid: str, *, display: DisplayContext
) -> StudyDetail | None:
    """Return a study with its images, the scores of every version, and its events in order."""
    row = session.execute(_STUDY, {"uid": study_instance_uid}).one_or_none()
    if row is None:
        return None
    (record,), (study, _) = study_records(session, [row], display), row
    verdicts = verdicts_of(session, study_instance_uid, prevalence=display.prevalence)
    return StudyDetail(
        study=record,
        verdicts=tuple(map(verdict_without_ai, verdicts)) if display.silent else verdicts,
        scores=() if record.ai_hidden else _scores(session, study, display.prevalence),
        events=tuple(
            without_agreement(event) if display.silent else event
            for event in _events(session, study)
            if not (record.ai_hidden and event.action in EVENTS_OF_THE_AI)
        ),
    )


def without_agreement(event: EventRecord) -> EventRecord:
    """Return an event without what a verdict says of the AI."""
    detail = {name: value for name, value in event.detail.items() if name != "agreement"}
    return replace(event, detail=detail)


def opening_film(session: Session, study_instance_uid: str, *, by_score: bool) -> str | None:
    """The digest of the image with which a study opens: the one that it ranks by, else its first.

    by_score: False where that would tell what the AI says.
    """
    query = _DECIDING_FILM if by_score else _FIRST_FILM
    return rows_of(session, query, {"uid": study_instance_uid}).scalar()


def study_of_number(session: Session, number: str) -> str | None:
    """The Study Instance UID of the study of this number, with images; None if there is none."""
    if not (number.isascii() and number.isdigit() and len(number) < MOST_DIGITS):
        return None
    return session.scalar(
        select(Study.study_instance_uid).where(Study.id == int(number), Study.images.any())
    )


def study_exists(session: Session, study_instance_uid: str) -> bool:
    """Tell whether a study with images has this UID."""
    query = select(Study.id).where(
        Study.study_instance_uid == study_instance_uid, Study.images.any()
    )
    return session.scalar(query) is not None


def image_detail(
    session: Session, sha256: str, display: DisplayContext | None = None
) -> ImageDetail | None:
    """The image whose original has this digest. display: None leaves out what its score says."""
    query = select(Image).where(Image.sha256 == sha256)
    image = session.scalar(query.options(joinedload(Image.study), selectinload(Image.arrivals)))
    if image is None:
        return None
    return ImageDetail(
        study_instance_uid=image.study.study_instance_uid,
        image=image_record(
            image, image.arrivals[0].relative_path, _score_marks(session, image, display)
        ),
        rows=image.rows,
        columns=image.columns,
        transfer_syntax_uid=image.transfer_syntax_uid,
        preprocessing_version=image.preprocessing_version,
    )


def _score_marks(
    session: Session, image: Image, display: DisplayContext | None
) -> tuple[Mark, ...]:
    """The marks of the image's score, where its study shows what the AI says."""
    if display is None:
        return ()
    verdicts = verdict_summaries(session, [image.study_id]).get(image.study_id, NO_VERDICT)
    if display.hides(verdicts.count):
        return ()
    return marks_of_scores(session, [image.study_id], display.prevalence).get(image.id, ())


def small_film(session: Session, sha256: str) -> SmallFilm | None:
    """The image whose original has this digest, for its thumbnail."""
    query = select(Study.study_instance_uid).join(Image).where(Image.sha256 == sha256)
    uid = session.scalar(query)
    return None if uid is None else SmallFilm(study_instance_uid=uid, sha256=sha256)


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


def _scores(session: Session, study: Study, prevalence: float | None) -> tuple[ScoreRecord, ...]:
    rows = session.execute(_SCORES, {"study_id": study.id}).all()

    def at_site(presupposed: float | None, probability: float) -> float:
        return at_prevalence(probability, presupposed, prevalence)

    return tuple(
        ScoreRecord(
            sha256=sha256,
            ensemble_version=score.ensemble_version,
            population=score.population,
            probability=at_site(presupposed, score.probability),
            threshold=at_site(presupposed, threshold),
            threshold_version=threshold_version,
            flagged=score.probability >= threshold,
            members={name: at_site(presupposed, value) for name, value in score.members.items()},
            spread=spread(score.members),
            unlike=score.unlike,
            marks=in_words(
                score_marks(score.members, threshold, score.unlike, partial(at_site, presupposed))
            ),
            scored_at=score.scored_at,
        )
        for score, sha256, presupposed, threshold, threshold_version in rows
    )


def _events(session: Session, study: Study) -> tuple[EventRecord, ...]:
    return tuple(
        EventRecord(at=at, action=action, cause=cause, sha256=sha256, detail=detail)
        for at, action, cause, sha256, detail in rows_of(session, _EVENTS, {"study_id": study.id})
    )
