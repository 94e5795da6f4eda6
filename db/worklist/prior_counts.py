"""The number of a study's priors: earlier studies of the same patient."""

from collections.abc import Sequence

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from db.ris.merges import Merges, merges_of
from db.tables import Study
from readfirst.studies.identity import PATIENT_FIELDS, is_same, patient_from, patient_of

#: Studies of one ID. Nobody has so many; a number that stands for `unknown` may, and has no priors.
MOST = 200


def prior_counts(session: Session, studies: Sequence[Study]) -> dict[int, int]:
    """Count the priors of each of the studies, by their row ids; without any, a study is left out.

    The same patient is who has the same Patient ID, and whom nothing else speaks against.
    """
    merges = merges_of(session, {study.patient_id for study in studies})
    patient_ids = _of_several(session, {study.patient_id for study in studies} - {None}, merges)
    if not patient_ids:
        return {}
    at = func.coalesce(Study.study_datetime, Study.received_at)
    query = select(Study.id, at, *(getattr(Study, name) for name in PATIENT_FIELDS)).where(
        Study.patient_id.in_(patient_ids), Study.images.any()
    )
    others = [
        (number, time, merges.identity(patient_from(values)))
        for number, time, *values in session.execute(query).all()
    ]
    times = {number: time for number, time, _ in others}
    patients = {study.id: merges.identity(patient_of(study)) for study in studies}
    counts = {
        number: sum(
            other != number and time < times[number] and is_same(candidate, patient)
            for other, time, candidate in others
            if candidate.patient_id == patient.patient_id
        )
        for number, patient in patients.items()
        if number in times
    }
    return {number: count for number, count in counts.items() if count}


def _of_several(session: Session, patient_ids: set[str | None], merges: Merges) -> list[str]:
    """Return the Patient IDs that several studies have, and not too many to be one patient's.

    An ID that was merged may have one study alone.
    """
    least = case((Study.patient_id.in_(merges.ids), 1), else_=2) if merges else literal(2)
    query = (
        select(Study.patient_id)
        .where(Study.patient_id.in_(patient_ids | merges.ids))
        .group_by(Study.patient_id)
        .having(func.count().between(least, MOST))
    )
    return [each for each in session.scalars(query) if each is not None]
