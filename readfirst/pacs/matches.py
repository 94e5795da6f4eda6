"""Queries to a PACS, and what it answers: values, apart from the protocol that carries them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

#: Modality (0008,0060) of what is fetched: films.
FILM_MODALITIES = ("CR", "DX")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyQuery:
    """Keys at study level (PS3.4 C.6.2.1.2). What is None is not asked for.

    from_date and to_date: Study Date, both included; without to_date, all from then on.
    """

    from_date: date | None = None
    to_date: date | None = None
    accession_number: str | None = None
    study_instance_uid: str | None = None
    patient_id: str | None = None
    modality: str | None = None


def by_day(from_date: date, to_date: date) -> Iterator[StudyQuery]:
    """A query for each day, both included: no answer is longer than a PACS gives at once."""
    for number in range((to_date - from_date).days + 1):
        day = from_date + timedelta(days=number)
        yield StudyQuery(from_date=day, to_date=day)


def by_accession_number(numbers: Iterable[str]) -> Iterator[StudyQuery]:
    """A query for each accession number."""
    for number in dict.fromkeys(numbers):
        yield StudyQuery(accession_number=number)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacsStudy:
    """A study that a PACS has. None, or no modalities: the PACS did not say.

    instances: Number of Study Related Instances (0020,1208).
    """

    study_instance_uid: str
    study_date: date | None = None
    accession_number: str | None = None
    modalities: tuple[str, ...] = ()
    instances: int | None = None
    patient_id: str | None = None
    issuer_of_patient_id: str | None = None
    patient_birth_date: date | None = None

    @property
    def may_have_films(self) -> bool:
        """False where the PACS says which modalities it has, and none is CR or DX."""
        return not self.modalities or any(kind in FILM_MODALITIES for kind in self.modalities)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacsSeries:
    """A series that a PACS has."""

    series_instance_uid: str
    modality: str | None = None
    body_part_examined: str | None = None

    @property
    def is_film(self) -> bool:
        """True for CR and DX, and where the PACS does not say what it is."""
        return self.modality is None or self.modality in FILM_MODALITIES


@dataclass(frozen=True, slots=True)
class RetrieveTarget:
    """A part of a study to be retrieved: all of it, a series, or an image of a series."""

    study_instance_uid: str
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """The result of a retrieval, as the PACS counts it (PS3.4 C.4.2.1.6, C.4.3.1.5).

    images: that came, warnings: those of them with a warning, failed: that did not come. reason: a
    sentence if something went wrong. cancelled: since somebody wanted it to end.
    """

    images: int = 0
    warnings: int = 0
    failed: int = 0
    reason: str | None = None
    cancelled: bool = False

    def plus(self, other: "Retrieved") -> "Retrieved":
        """Both together; the first reason stands."""
        return Retrieved(
            images=self.images + other.images,
            warnings=self.warnings + other.warnings,
            failed=self.failed + other.failed,
            reason=self.reason or other.reason,
            cancelled=self.cancelled or other.cancelled,
        )
