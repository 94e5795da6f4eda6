"""Merged patients: which IDs are one patient's. Studies keep the ID that their films say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, or_, select
from sqlalchemy.orm import Session

from db.tables import PatientMergeRow
from readfirst.ris.values import PatientId, PatientMerge
from readfirst.studies.identity import Patient

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
#: The merges that stand of these IDs. Made once: to put it together takes longer than to run it.
_THAT_STAND = (
    select(PatientMergeRow)
    .where(PatientMergeRow.undone_at.is_(None))
    .where(or_(PatientMergeRow.merged_id.in_(_IDS), PatientMergeRow.surviving_id.in_(_IDS)))
    .order_by(PatientMergeRow.id)
)


@dataclass(frozen=True, slots=True)
class Merges:
    """The merges that some patients have a part in; most have none."""

    merges: tuple[PatientMerge, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.merges)

    @property
    def ids(self) -> set[str]:
        """All patient IDs in them."""
        return {each.value for merge in self.merges for each in (merge.merged, merge.surviving)}

    def identity(self, patient: Patient) -> Patient:
        """The patient under the ID that stays in use.

        Of a merged one name and birth date say nothing more: they are what was wrong.
        """
        for _ in self.merges:
            merge = next((each for each in self.merges if _is_merged(each, patient)), None)
            if merge is None:
                break
            surviving = merge.surviving
            patient = Patient(patient_id=surviving.value, issuer_of_patient_id=surviving.issuer)
        return patient


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRecord:
    """A merge, for a person who looks whether it is right. It holds patient IDs."""

    number: int
    at: datetime
    merge: PatientMerge
    undone_at: datetime | None
    undone_by: str | None


def merges_of(session: Session, patient_ids: Iterable[str | None]) -> Merges:
    """The merges that stand, of these IDs and of all that they lead to."""
    known: dict[int, PatientMergeRow] = {}
    wanted = {each for each in patient_ids if each is not None}
    done: set[str] = set()
    while new := wanted - done:
        done |= new
        for row in session.scalars(_THAT_STAND, {"ids": list(new)}):
            known[row.id] = row
            wanted |= {row.merged_id, row.surviving_id}
    return Merges(tuple(merge_of(row) for row in known.values()))


def merge_records(session: Session, *, limit: int) -> list[MergeRecord]:
    """All merges, the latest first, those that were undone too."""
    query = select(PatientMergeRow).order_by(PatientMergeRow.id.desc()).limit(limit)
    return [
        MergeRecord(
            number=row.id,
            at=row.at,
            merge=merge_of(row),
            undone_at=row.undone_at,
            undone_by=row.undone_by,
        )
        for row in session.scalars(query)
    ]


def merge_of(row: PatientMergeRow) -> PatientMerge:
    """The value of a row."""
    return PatientMerge(
        surviving=PatientId(row.surviving_id, row.surviving_issuer),
        merged=PatientId(row.merged_id, row.merged_issuer),
    )


def rows_of_merge(session: Session, merge: PatientMerge) -> Sequence[PatientMergeRow]:
    """The rows that stand of exactly this merge."""
    rows = session.scalars(_THAT_STAND.with_for_update(), {"ids": [merge.merged.value]})
    return [row for row in rows if merge_of(row) == merge]


def _is_merged(merge: PatientMerge, patient: Patient) -> bool:
    return merge.merged.matches(patient.patient_id, patient.issuer_of_patient_id)
