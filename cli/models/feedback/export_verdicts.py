"""`models export-verdicts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from getpass import getuser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import err, notice
from cli.common.database import TERMINAL, opened
from cli.common.progress import tracked
from db.access.audit import AuditAction, note
from readfirst.errors import Misconfigured
from readfirst.files.private_files import users_umask
from readfirst.settings import Settings, load_settings

if TYPE_CHECKING:
    from db.feedback.labelled_films import LabelledFilmRecord
    from db.session import Database
    from worker.feedback.export_folder import DoneFilm, LabelRow
    from worker.feedback.export_verdicts import FindText, TextRule

#: The package that replaces identities.
LIBRARY = "dicognito"
MISSING = (
    "Films cannot be de-identified: {} is not installed. Install it by "
    "`pip install 'readfirst[deidentify]'`."
)
REASONS = {
    "burned_in_text": "text is burned into the film; --mask-text paints it over",
    "burned_in_annotation": "the header says that text is burned in, and none was found",
    "unreadable": "the file cannot be decoded any more",
    "original_missing": "the original is not kept any more",
}


def export_verdicts(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="New folder, or that of an earlier export.")
    ],
    mask_text: Annotated[
        bool,
        typer.Option(
            "--mask-text",
            help="Paint over text that is burned into films. Default: such films are held back.",
        ),
    ] = False,
    without_text_check: Annotated[
        bool,
        typer.Option("--without-text-check", help="Do not look for text that is burned in."),
    ] = False,
) -> None:
    """Write a training set of the site's own films, labelled by the last verdict of each study,
    without patients (PS3.15): `models train --data DIR --labels DIR/labels.csv` reads it.

    An export that was interrupted goes on; one that is there is brought up to date.
    """
    from worker.feedback.export_verdicts import TextRule

    if mask_text and without_text_check:
        raise Misconfigured("Choose one of --mask-text and --without-text-check.")
    rule = TextRule.MASK if mask_text else TextRule.HOLD_BACK
    rule = TextRule.UNCHECKED if without_text_check else rule
    if find_spec(LIBRARY) is None:
        raise Misconfigured(MISSING.format(LIBRARY))
    settings = load_settings()
    with opened(settings) as database, users_umask():
        rows, done = _export(settings, database, directory, rule)
    _say(rows, done, directory)


def _export(
    settings: Settings, database: Database, directory: Path, rule: TextRule
) -> tuple[list[LabelRow], list[DoneFilm]]:
    from db.feedback.labelled_films import labelled_films, verdicts_without_label
    from ingest.inbox.store import Store
    from ingest.reader.reader_process import Reader
    from worker.feedback.export_folder import ExportFolder
    from worker.feedback.export_verdicts import (
        FilmExport,
        TextRule,
        export_manifest,
        label_rows,
    )
    from worker.feedback.pseudonyms import Pseudonyms, site_key

    with database.read() as session:
        records, without_label = labelled_films(session), verdicts_without_label(session)
    if not records:
        raise Misconfigured("No study has a verdict of pneumonia or of no pneumonia yet.")
    find_text = None if rule is TextRule.UNCHECKED else _text_finder()
    pseudonyms = Pseudonyms(site_key(settings.home_path))
    folder = ExportFolder(directory, pseudonyms.fingerprint)
    done = folder.open()
    _note(database, records, rule)
    folder.unfinish()
    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        export = FilmExport(Store(settings.store_path), reader, pseudonyms, folder, rule, find_text)
        films = list(tracked(export.films(records, done), "Exporting", len(records)))
    rows = label_rows(records, done, pseudonyms)
    today = datetime.now(settings.zone).date()
    folder.finish(rows, films, export_manifest(rows, films, without_label, rule, today))
    return rows, films


def _text_finder() -> FindText:
    from ingest.deidentify.burned_in_text import TextFinder

    with err.status("Loading the networks that read text …"):
        finder = TextFinder()
    return finder.find


def _note(database: Database, records: Sequence[LabelledFilmRecord], rule: TextRule) -> None:
    """Note in the audit log that films leave the site, before the first one does."""
    studies = len({record.study_instance_uid for record in records})
    with database.write() as session:
        note(
            session,
            TERMINAL,
            AuditAction.VERDICTS_EXPORTED,
            datetime.now(UTC),
            studies=studies,
            films=len(records),
            burned_in_text=rule.value,
            by=getuser(),
        )


def _say(rows: Sequence[LabelRow], done: Sequence[DoneFilm], directory: Path) -> None:
    labels = Counter(row.label for row in rows)
    patients = len({row.patient for row in rows})
    notice(
        f"{len(rows)} films of {patients} patients lie in {directory}: "
        f"{labels['pneumonia']} pneumonia, {labels['normal']} normal."
    )
    for reason, count in Counter(film.held_back for film in done if film.held_back).items():
        notice(f"{count} held back: {REASONS[reason]}.", "yellow")
    if rows:
        notice("Look at the films before you pass them on: no program finds all text.")
        notice(f"readfirst models train … --data {directory} --labels {directory}/labels.csv")
