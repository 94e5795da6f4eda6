"""Make the records of studies and images from their rows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from db.lifecycle.study import DESCRIPTION
from db.read_models import ImageRecord, StudyRecord, VerdictRecord
from db.ris.orders import OrderRecord, orders_of_studies
from db.session import rows_of
from db.tables import Arrival, EnsembleVersion, Image, Study
from db.verdicts import NO_VERDICT, VerdictSummary, verdict_summaries
from db.worklist.conflicts import study_warnings
from db.worklist.prior_counts import prior_counts
from db.worklist.score_marks import marks_of_scores
from readfirst.domain import FileKind, ImageState, uid_from_digest
from readfirst.language.texts import gettext
from readfirst.refusals import refusal_text
from readfirst.studies.display import DisplayContext
from readfirst.studies.identity import StudyWarning
from readfirst.studies.marks import Mark, each_once, mark_text
from readfirst.studies.prevalence import at_prevalence
from readfirst.studies.priority import (
    Overdue,
    PriorityReason,
    explain_priority,
    priority_reason,
)
from readfirst.studies.score_marks import of_image

#: The causes of flags that came otherwise than with a film.
RESCORED_BY = ("rescore", "rollback")
#: Whether and by whom it was read, as the record has it too.
READ = ("read_at", "reported_at", "reported_by")
#: Fields of a record that are as in the row.
AS_STORED = (*DESCRIPTION, *READ)
_as_stored = attrgetter(*AS_STORED)
#: In place of why a study stands where it stands.
AI_HIDDEN = "What the AI says is hidden until a verdict is given"
SILENT = "The AI is silent: it scores, and nothing ranks by it"
SILENT_STAT = "Ordered as STAT; the AI is silent"
AI_HIDDEN_STAT = "Ordered as STAT; what the AI says is hidden until a verdict is given"
#: What the records of images have, or are found by, with the name of the file that brought each
#: first. Made once, and of columns: objects for the same rows take five times as long.
_IMAGES = (
    select(
        Image.id,
        Image.study_id,
        Image.sha256,
        Image.sop_instance_uid,
        Image.kind,
        Image.modality,
        Image.view_position,
        Image.body_part_examined,
        Image.state,
        Image.code,
        Image.reason,
        Image.marks,
        Image.acquisition_datetime,
        Image.received_at,
        Image.ready_at,
        Image.scored_at,
        Image.refused_at,
        Image.original_removed_at,
        select(Arrival.relative_path)
        .where(Arrival.image_id == Image.id)
        .order_by(Arrival.id)
        .limit(1)
        .scalar_subquery()
        .label("file_name"),
    )
    .where(Image.study_id.in_(bindparam("study_ids", expanding=True)))
    .order_by(Image.id)
)
ImageRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Related:
    """The warnings, verdict, number of priors, order and images of a study, from other rows.

    deciding_image: the digest of the image that it ranks by; None while none is scored.
    """

    warnings: tuple[StudyWarning, ...]
    verdicts: VerdictSummary
    prior_count: int
    order: OrderRecord | None
    images: tuple[ImageRecord, ...]
    deciding_image: str | None


def study_records(
    session: Session, rows: Sequence[tuple[Study, EnsembleVersion | None]], display: DisplayContext
) -> list[StudyRecord]:
    """Studies, each with the ensemble of its score; as many queries for all as for one."""
    if not rows:
        return []
    studies = [study for study, _ in rows]
    study_ids = [study.id for study in studies]
    images = defaultdict[int, list[ImageRow]](list)
    for row in rows_of(session, _IMAGES, {"study_ids": study_ids}):
        images[row.study_id].append(row)
    of_dicom = {
        number for number, own in images.items() if any(row.kind is FileKind.DICOM for row in own)
    }
    warnings = study_warnings(session, studies, of_dicom)
    priors, orders = prior_counts(session, studies), orders_of_studies(session, studies)
    summaries = verdict_summaries(session, study_ids, prevalence=display.prevalence)
    marks = marks_of_scores(session, study_ids, display.prevalence)
    return [
        _study_record(
            study,
            ensemble,
            Related(
                warnings[study.id],
                summaries.get(study.id, NO_VERDICT),
                priors.get(study.id, 0),
                orders.get(study.id),
                tuple(
                    image_record(row, row.file_name, marks.get(row.id, ()))
                    for row in images[study.id]
                ),
                _digest(images[study.id], study.score.image_id) if study.score else None,
            ),
            display,
        )
        for study, ensemble in rows
    ]


def _study_record(
    study: Study, ensemble: EnsembleVersion | None, related: Related, display: DisplayContext
) -> StudyRecord:
    def at_site(value: float) -> float:
        return at_prevalence(value, ensemble.prevalence if ensemble else None, display.prevalence)

    score = study.score
    threshold = None if study.threshold is None else at_site(study.threshold)
    probability = at_site(score.probability) if score else None
    reason = priority_reason(stat=study.stat, flagged=study.flagged, scored=probability is not None)
    images, invalid = related.images, study.invalid_study_instance_uid
    marks = _marks(images)
    record = StudyRecord(
        number=study.id,
        study_instance_uid=study.study_instance_uid,
        # Where the files bring none, the one that studies share was made here as well.
        shared_study_instance_uid=None if invalid else study.shared_study_instance_uid,
        study_instance_uid_made_here=study.study_instance_uid_made_here,
        invalid_study_instance_uid=invalid,
        **dict(zip(AS_STORED, _as_stored(study), strict=True)),
        order=related.order,
        prior_count=related.prior_count,
        acquisition_datetime=min(
            (image.acquisition_datetime for image in images if image.acquisition_datetime),
            default=None,
        ),
        received_at=study.received_at,
        last_received_at=study.last_received_at,
        complete=_is_complete(study, images, display.quiet_before),
        stat=study.stat,
        flagged=study.flagged,
        probability=probability,
        threshold=threshold,
        threshold_version=study.threshold_version,
        members={name: at_site(value) for name, value in score.members.items()} if score else {},
        ensemble_version=study.ensemble_version,
        population=study.population,
        standing=reason,
        why=explain_priority(
            reason,
            probability=probability,
            threshold=threshold,
            reasons=[image.reason for image in images if image.reason],
            marks=[mark.code for mark in marks],
            prior=study.prior_since is not None,
            overdue=display.overdue if _is_overdue(study, display.overdue) else None,
            rescored=study.flagged_by in RESCORED_BY,
        ),
        marks=marks,
        warnings=related.warnings,
        prior=study.prior_since is not None,
        verdict=related.verdicts.current,
        verdict_count=related.verdicts.count,
        images=images,
        deciding_image=related.deciding_image,
    )
    if score is None or not display.hides(record.verdict_count):
        return record
    return silent_record(record) if display.silent else without_ai(record)


def silent_record(record: StudyRecord) -> StudyRecord:
    """Return a scored study without what the AI says, nor what it said at its verdict."""
    verdict = record.verdict
    return replace(
        without_ai(record),
        why=gettext(SILENT_STAT if record.stat else SILENT),
        verdict=None if verdict is None else verdict_without_ai(verdict),
    )


def verdict_without_ai(verdict: VerdictRecord) -> VerdictRecord:
    """Return a verdict without what the AI said then."""
    return replace(
        verdict,
        agreement=None,
        ensemble_version=None,
        probability=None,
        threshold=None,
        threshold_version=None,
        flagged=None,
    )


def without_ai(record: StudyRecord) -> StudyRecord:
    """Return a scored study without what the AI says of it. It is never shown as not flagged."""
    return replace(
        record,
        marks=of_image(record.marks),
        images=tuple(replace(image, marks=of_image(image.marks)) for image in record.images),
        flagged=False,
        probability=None,
        threshold=None,
        threshold_version=None,
        members={},
        ensemble_version=None,
        population=None,
        standing=PriorityReason.STAT if record.stat else PriorityReason.WAITING,
        why=gettext(AI_HIDDEN_STAT if record.stat else AI_HIDDEN),
        deciding_image=None,
        ai_hidden=True,
    )


def _digest(images: Sequence[ImageRow], image_id: int) -> str | None:
    return next((image.sha256 for image in images if image.id == image_id), None)


def _is_overdue(study: Study, overdue: Overdue | None) -> bool:
    if overdue is None or study.read_at is not None or study.prior_since is not None:
        return False
    return study.received_at <= overdue.received_before


def _marks(images: Sequence[ImageRecord]) -> tuple[Mark, ...]:
    """Those of all images that are scored or will be, each code once."""
    return each_once(
        mark for image in images if image.state is not ImageState.REFUSED for mark in image.marks
    )


def _is_complete(
    study: Study, images: Sequence[ImageRecord], quiet_before: datetime | None
) -> bool:
    if any(image.state in (ImageState.RECEIVED, ImageState.READY) for image in images):
        return False
    # A picture is a study of its own, and so is a file without a header that can be read.
    may_grow = any(image.kind == FileKind.DICOM for image in images)
    return not may_grow or quiet_before is None or study.last_received_at <= quiet_before


def image_record(
    image: Image | ImageRow, file_name: str, score_marks: tuple[Mark, ...] = ()
) -> ImageRecord:
    """An image, with the name of the file that brought it. score_marks: those of its score."""
    return ImageRecord(
        sha256=image.sha256,
        sop_instance_uid=image.sop_instance_uid,
        sop_instance_uid_made_here=image.sop_instance_uid
        == uid_from_digest(image.sha256, "instance"),
        file_name=file_name,
        kind=image.kind.value if image.kind else None,
        modality=image.modality,
        view_position=image.view_position,
        body_part_examined=image.body_part_examined,
        state=image.state,
        code=image.code.value if image.code else None,
        reason=refusal_text(image.code, image.reason) if image.reason else None,
        marks=in_words((*image.marks, *score_marks)),
        acquisition_datetime=image.acquisition_datetime,
        received_at=image.received_at,
        ready_at=image.ready_at,
        scored_at=image.scored_at,
        refused_at=image.refused_at,
        original_removed_at=image.original_removed_at,
    )


def in_words(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Marks with their reasons in the reader's language."""
    return tuple(replace(mark, reason=mark_text(mark)) for mark in marks)
