"""From rows to what the queries hand out: a study with what is known beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from db.conflicts import study_warnings
from db.scores import deciding_members
from db.studies import DESCRIPTION
from db.tables import Ensemble, Image, Study
from db.verdicts import NONE_GIVEN, Given, given_to
from db.views import ImageView, StudyView
from readfirst.domain import FileKind, ImageState
from readfirst.identity import StudyWarning
from readfirst.marks import Mark
from readfirst.prevalence import at_prevalence
from readfirst.priority import Overdue, standing, why


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What decides how a study is stated, beside its row.

    prevalence: share of pneumonia at this site, for which the probabilities are stated.
    quiet_before: a study of which a file came in later is not complete. overdue: what has waited
    for too long.
    """

    prevalence: float | None
    quiet_before: datetime | None
    overdue: Overdue | None


@dataclass(frozen=True, slots=True)
class Beside:
    """What other tables know of a study."""

    warnings: tuple[StudyWarning, ...]
    members: Mapping[str, float]
    given: Given


def study_views(
    session: Session, rows: Sequence[tuple[Study, Ensemble | None]], terms: Terms
) -> list[StudyView]:
    """Studies, each with the ensemble of its score; as many queries for all as for one."""
    studies = [study for study, _ in rows]
    warnings, members = study_warnings(session, studies), deciding_members(session, studies)
    given = given_to(session, [study.id for study in studies], prevalence=terms.prevalence)
    return [
        _study_view(
            study,
            ensemble,
            Beside(warnings[study.id], members[study.id], given.get(study.id, NONE_GIVEN)),
            terms,
        )
        for study, ensemble in rows
    ]


def _study_view(study: Study, ensemble: Ensemble | None, beside: Beside, terms: Terms) -> StudyView:
    def here(said: float) -> float:
        return at_prevalence(said, ensemble.prevalence if ensemble else None, terms.prevalence)

    threshold = here(ensemble.threshold) if ensemble else None
    probability = None if study.probability is None else here(study.probability)
    place = standing(stat=study.stat, flagged=study.flagged, scored=probability is not None)
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
        complete=_is_complete(study, terms.quiet_before),
        stat=study.stat,
        flagged=study.flagged,
        probability=probability,
        threshold=threshold,
        members={name: here(said) for name, said in beside.members.items()},
        ensemble_version=study.ensemble_version,
        standing=place,
        why=why(
            place,
            probability=probability,
            threshold=threshold,
            reasons=[image.reason for image in study.images if image.reason],
            marks=[mark.reason for mark in marks],
            overdue=terms.overdue if _is_overdue(study, terms.overdue) else None,
        ),
        marks=marks,
        warnings=beside.warnings,
        read_at=study.read_at,
        verdict=beside.given.standing,
        verdict_count=beside.given.count,
        images=tuple(image_view(image) for image in study.images),
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


def image_view(image: Image) -> ImageView:
    """An image, with the name of the file that brought it."""
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
        original_removed_at=image.original_removed_at,
    )


def _file_name(image: Image) -> str:
    return image.arrivals[0].relative_path
