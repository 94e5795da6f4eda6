"""Films with verdicts in the store and in the database, and exports of them."""

import csv
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.feedback.labelled_films import labelled_films, verdicts_without_label
from db.lifecycle.verdicts import VerdictInput
from db.lifecycle.work import claim_received, mark_ready
from db.session import Database
from db.tables import Image
from ingest.inbox.store import Store
from ingest.reader.reader_process import Reader
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from tests.support.films import a_kept_film
from tests.support.studies import NOW, give_verdict, lifecycle, score_ready, unit_at
from worker.feedback.export_folder import DoneFilm, ExportFolder, LabelRow
from worker.feedback.export_verdicts import (
    FilmExport,
    FindText,
    TextRule,
    export_manifest,
    label_rows,
)
from worker.feedback.pseudonyms import Pseudonyms, site_key

PNEUMONIA = VerdictInput(finding=Finding.PNEUMONIA)
NORMAL = VerdictInput(finding=Finding.NO_PNEUMONIA)
LATER = NOW + timedelta(hours=1)


def a_read_film(
    database: Database,
    settings: Settings,
    source: Path,
    *verdicts: VerdictInput,
    probability: float = 0.9,
) -> str:
    """A film that came in, was scored and got these verdicts. Returns its study's UID."""
    digest = a_kept_film(database, settings, source)
    with database.write() as session:
        image = session.scalars(select(Image).where(Image.sha256 == digest)).one()
        mark_as_ready(session, image)
        score_ready(session, NOW, {image.id: probability})
        for verdict in verdicts:
            give_verdict(session, image.study.study_instance_uid, verdict, at=LATER)
        return image.study.study_instance_uid


def films_with_verdicts(
    database: Database, settings: Settings, verdicts: Mapping[Path, VerdictInput]
) -> None:
    """Films that came in, were scored together and got a verdict each."""
    of_digest = {a_kept_film(database, settings, path): each for path, each in verdicts.items()}
    with lifecycle(database) as unit:
        images = unit.session.scalars(select(Image).order_by(Image.id)).all()
        while claimed := claim_received(unit):
            mark_ready(unit, claimed, "1")
        while score_ready(unit, NOW, {image.id: 0.9 for image in images}):
            pass
        for image in images:
            give_verdict(unit, image.study.study_instance_uid, of_digest[image.sha256], at=LATER)


def mark_as_ready(session: Session, image: Image) -> None:
    unit = unit_at(session)
    claimed = claim_received(unit)
    assert claimed is not None
    assert claimed.image_id == image.id
    mark_ready(unit, claimed, "1")
    unit.write()


def no_text(_grey: object) -> tuple[()]:
    """A finder that finds none."""
    return ()


def export(
    database: Database,
    settings: Settings,
    reader: Reader,
    directory: Path,
    *,
    find_text: FindText | None = no_text,
    rule: TextRule = TextRule.HOLD_BACK,
) -> tuple[list[LabelRow], list[DoneFilm]]:
    """An export from its beginning to its end."""
    pseudonyms = Pseudonyms(site_key(settings.home_path))
    folder = ExportFolder(directory, pseudonyms.fingerprint)
    done = folder.open()
    with database.read() as session:
        records, without = labelled_films(session), verdicts_without_label(session)
    each = FilmExport(
        Store(settings.store_path), reader, pseudonyms, folder, rule, find_text
    ).films(records, done)
    films = list(each)
    rows = label_rows(records, done, pseudonyms)
    folder.finish(rows, films, export_manifest(rows, films, without, rule, NOW.date()))
    return rows, films


def table(directory: Path) -> Sequence[dict[str, str]]:
    """The rows of `labels.csv`."""
    with (directory / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))
