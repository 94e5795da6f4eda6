"""The number of a study's priors: earlier studies of the same patient."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, case, func, select
from sqlalchemy.orm import Session

from db.ris.merges import Merges, merges_of
from db.session import rows_of
from db.tables import Study
from readfirst.studies.identity import PATIENT_FIELDS, Patient, is_same, patient_from, patient_of

#: Studies of one ID. Nobody has so many; a number that stands for `unknown` may, and has no priors.
MOST = 200
#: Both made once: to put a statement together takes longer than to run it.
_OF_SEVERAL = (
    select(Study.patient_id)
    .where(Study.patient_id.in_(bindparam("ids", expanding=True)))
    .group_by(Study.patient_id)
    .having(
        func.count().between(
            case((Study.patient_id.in_(bindparam("merged", expanding=True)), 1), else_=2), MOST
        )
    )
)
_STUDIES = select(
    Study.id,
    func.coalesce(Study.study_datetime, Study.received_at),
    *(getattr(Study, name) for name in PATIENT_FIELDS),
).where(Study.patient_id.in_(bindparam("ids", expanding=True)), Study.images.any())


def prior_counts(session: Session, studies: Sequence[Study]) -> dict[int, int]:
    """Count the priors of each of the studies, by their row ids; without any, a study is left out.

    The same patient is who has the same Patient ID, and whom nothing else speaks against.
    """
    merges = merges_of(session, {study.patient_id for study in studies})
    patient_ids = _of_several(session, {study.patient_id for study in studies} - {None}, merges)
    if not patient_ids:
        return {}
    rows = rows_of(session, _STUDIES, {"ids": patient_ids}).all()
    times = {number: time for number, time, *_ in rows}
    others = defaultdict[str | None, list[tuple[int, datetime, Patient]]](list)
    for number, time, *values in rows:
        other = merges.identity(patient_from(values))
        others[other.patient_id].append((number, time, other))
    patients = {
        study.id: merges.identity(patient_of(study)) for study in studies if study.id in times
    }
    counts = {
        number: sum(
            other != number and time < times[number] and is_same(candidate, patient)
            for other, time, candidate in others[patient.patient_id]
        )
        for number, patient in patients.items()
    }
    return {number: count for number, count in counts.items() if count}


def _of_several(session: Session, patient_ids: set[str | None], merges: Merges) -> list[str]:
    """Return the Patient IDs that several studies have, and not too many to be one patient's.

    An ID that was merged may have one study alone.
    """
    values = {"ids": list(patient_ids | merges.ids), "merged": list(merges.ids)}
    return [each for each in rows_of(session, _OF_SEVERAL, values).scalars() if each is not None]
