"""A site's own labelled films: read as the worker reads them; what is left out is named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cli.common.console import notice
from cli.common.database import opened
from cli.common.progress import tracked
from readfirst.errors import Misconfigured, Refused
from readfirst.settings import Settings

if TYPE_CHECKING:
    from db.feedback.labelled_films import LabelledFilmRecord
    from models.ensemble import NetworkEnsemble
    from models.preprocessing import Array8

#: The reason of what the pixel check refuses.
OTHER_IMAGE = "not_a_chest_radiograph"
#: Sentences by reason, as manifests keep it.
REASONS = {
    "unreadable": "cannot be read",
    "original_missing": "are not kept any more",
    "same_content": "have the content of another film",
    "two_labels": "have the content of a film with the other label",
    OTHER_IMAGE: "are no frontal chest films, says the pixel check",
}
#: Names that are printed for each reason; all are in the JSON.
NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFilm:
    """A film with a label. name: for people; of a verdict's film the UID of its study, and digest.

    sick: it shows pneumonia. patient: a name of theirs that is printed and kept nowhere.
    """

    name: str
    path: Path
    sick: bool
    patient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutFilm:
    """A labelled film that is not used. reason: a key of `REASONS`. detail: may be empty."""

    name: str
    reason: str
    sick: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledFiles:
    """Labelled films, before they are read. on: `films` or `verdicts`.

    blind: verdicts that were; influenced: those whose reader had seen what the AI said.
    """

    films: Sequence[SiteFilm]
    on: str
    left_out: Sequence[LeftOutFilm] = ()
    blind: int | None = None
    influenced: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadFilms:
    """Films that are used. images: model-ready, (n, 224, 224) uint8, in the order of films."""

    films: Sequence[SiteFilm]
    images: Array8
    left_out: Sequence[LeftOutFilm]


def films_of_folder(data: Path, labels: Path | None) -> LabelledFiles:
    """The films of a folder, by its layout or by a CSV. Raises Misconfigured."""
    from laboratory.data.dataset import list_folder, list_labels

    labelled = list_labels(labels, data) if labels else list_folder(data)
    films = [
        SiteFilm(
            name=str(film.path.relative_to(data)),
            path=film.path,
            sick=film.label == 1,
            patient=film.patient,
        )
        for film in labelled
    ]
    return LabelledFiles(films=films, on="films")


def films_of_verdicts(settings: Settings, since: datetime | None) -> LabelledFiles:
    """The films of the site whose studies have a verdict that is a label. Raises Misconfigured."""
    from db.feedback.labelled_films import labelled_films
    from ingest.inbox.store import Store
    from ingest.inbox.stored_originals import has_original

    with opened(settings) as database, database.read() as session:
        records = labelled_films(session, since)
    if not records:
        raise Misconfigured("No study has a verdict of pneumonia or of no pneumonia yet.")
    store = Store(settings.store_path)
    films, left_out = [], []
    for record in records:
        film = _film_of(record, store.path(record.sha256))
        if record.has_original and has_original(store, record.sha256):
            films.append(film)
        else:
            left_out.append(_left_out(film, "original_missing"))
    return LabelledFiles(
        films=films,
        on="verdicts",
        left_out=left_out,
        blind=sum(record.blind for record in records),
        influenced=sum(
            not record.blind and record.ensemble_version is not None for record in records
        ),
    )


def _film_of(record: LabelledFilmRecord, path: Path) -> SiteFilm:
    from readfirst.studies.findings import Finding
    from worker.feedback.pseudonyms import patient_key

    return SiteFilm(
        name=f"{record.study_instance_uid} {record.sha256[:12]}",
        path=path,
        sick=record.finding is Finding.PNEUMONIA,
        patient=patient_key(
            record.patient_id,
            record.patient_name,
            record.patient_birth_date,
            record.study_instance_uid,
        ),
    )


def read_films(labelled: LabelledFiles, settings: Settings) -> ReadFilms:
    """Read the films as the worker reads them, each content once.

    Content with both labels is left out altogether: one of them is wrong. Raises Misconfigured if
    no film is left.
    """
    from ingest.reader.reader_process import Reader
    from models.preprocessing import LEAST_SIDE, standardise

    films, left_out = _once_each(labelled.films)
    left_out = [*labelled.left_out, *left_out]
    read, images = [], []
    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        for film in tracked(films, "Reading films", len(films)):
            try:
                images.append(standardise(reader.film(film.path, LEAST_SIDE)))
                read.append(film)
            except Refused as refusal:
                left_out.append(_left_out(film, "unreadable", refusal.reason))
    if not read:
        raise Misconfigured("None of these films can be read.")
    return ReadFilms(films=read, images=np.stack(images), left_out=left_out)


def without_other_images(read: ReadFilms, ensemble: NetworkEnsemble) -> ReadFilms:
    """Leave out what the pixel check of an ensemble refuses. Raises Misconfigured if all are."""
    chest = ensemble.is_chest(read.images)
    refused = [
        _left_out(film, OTHER_IMAGE)
        for film, is_chest in zip(read.films, chest, strict=True)
        if not is_chest
    ]
    if not chest.any():
        raise Misconfigured("The pixel check takes none of these films for a frontal chest film.")
    return ReadFilms(
        films=[film for film, is_chest in zip(read.films, chest, strict=True) if is_chest],
        images=read.images[chest],
        left_out=[*read.left_out, *refused],
    )


def print_left_out(left_out: Sequence[LeftOutFilm]) -> None:
    """Say how many films are left out, of which class, why, and the first of them by name."""
    by_reason = defaultdict(list)
    for film in left_out:
        by_reason[film.reason].append(film)
    for reason, films in by_reason.items():
        sick = sum(film.sick for film in films)
        names = "; ".join(
            f"{film.name} ({film.detail})" if film.detail else film.name for film in films[:NAMED]
        )
        more = f"; and {len(films) - NAMED} more (--json names all)" if len(films) > NAMED else ""
        notice(
            f"Left out: {len(films)} films ({sick} pneumonia) that {REASONS[reason]}: "
            f"{names}{more}.",
            "yellow",
        )


def counts_of(left_out: Iterable[LeftOutFilm]) -> dict[str, int]:
    """The number of films by the reason for which they are left out."""
    return dict(Counter(film.reason for film in left_out))


def _once_each(films: Sequence[SiteFilm]) -> tuple[list[SiteFilm], list[LeftOutFilm]]:
    from models.digests import file_sha256

    by_content: dict[str, list[SiteFilm]] = defaultdict(list)
    for film in films:
        by_content[file_sha256(film.path)].append(film)
    kept, left_out = [], []
    for same in by_content.values():
        if len({film.sick for film in same}) > 1:
            left_out += [_left_out(film, "two_labels") for film in same]
            continue
        first, *others = same
        kept.append(first)
        left_out += [_left_out(film, "same_content", f"as {first.name}") for film in others]
    return kept, left_out


def _left_out(film: SiteFilm, reason: str, detail: str = "") -> LeftOutFilm:
    return LeftOutFilm(name=film.name, reason=reason, sick=film.sick, detail=detail)
