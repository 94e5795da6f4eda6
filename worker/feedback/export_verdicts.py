"""Films with a verdict become a training set of films without patients."""

import io
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import structlog
from PIL import Image as PillowImage

from db.feedback.labelled_films import LabelledFilmRecord
from ingest.deidentify.boxes import Box, painted_over
from ingest.deidentify.dicom_object import (
    BASIC_PROFILE,
    CLEAN_PIXELS,
    MODIFIED_DATES,
    PATIENT_CHARACTERISTICS,
)
from ingest.deidentify.replacement import Replacement
from ingest.deidentify.retained import RetainedFacts, retained_facts
from ingest.dicom.pixels.arrays import Array8
from ingest.inbox.store import Store
from ingest.inbox.stored_originals import has_original
from ingest.reader.reader_process import Reader
from readfirst import __version__
from readfirst.domain import FileKind, Header
from readfirst.errors import Refused
from readfirst.studies.ages import ages_of
from readfirst.studies.findings import Finding
from worker.feedback.export_folder import LABELS, DoneFilm, ExportFolder, LabelRow
from worker.feedback.pseudonyms import Pseudonyms, patient_key

log = structlog.get_logger()
#: Finds text that is burned into a film: from its display to boxes.
FindText = Callable[[Array8], tuple[Box, ...]]
#: Older patients are so few that an age names them.
OLDEST_AGE = 90
LABEL_WORDS = {Finding.PNEUMONIA: "pneumonia", Finding.NO_PNEUMONIA: "normal"}


class TextRule(StrEnum):
    """The treatment of films with text burned into their pixels. Stored in each export."""

    HOLD_BACK = "hold_back"
    MASK = "mask"
    #: Nobody looks for text.
    UNCHECKED = "unchecked"


class HeldBack(StrEnum):
    """Why a film with a verdict is not in the export. Stored in it."""

    TEXT = "burned_in_text"
    #: The header says that there is text, and none was found.
    TEXT_BY_HEADER = "burned_in_annotation"
    UNREADABLE = "unreadable"
    ORIGINAL_MISSING = "original_missing"


#: May be otherwise at the next export.
PASSING = (HeldBack.UNREADABLE, HeldBack.ORIGINAL_MISSING)


@dataclass(frozen=True, slots=True)
class FilmExport:
    """The export of films, with all that it needs. find_text: None where nobody looks for text."""

    store: Store
    reader: Reader
    pseudonyms: Pseudonyms
    folder: ExportFolder
    rule: TextRule
    find_text: FindText | None

    def films(
        self, records: Sequence[LabelledFilmRecord], done: dict[str, DoneFilm]
    ) -> Generator[DoneFilm]:
        """Write each film, unless it is done; and keep the notes of what is done in `done`."""
        for record in records:
            name = self.pseudonyms.film(record.sha256)
            before = done.get(name)
            if before is None or not self._stands(before):
                done[name] = self._export(record, name)
                self.folder.note(done[name])
            yield done[name]

    def _stands(self, before: DoneFilm) -> bool:
        return (
            before.text == self.rule and before.held_back not in PASSING and self.folder.has(before)
        )

    def _export(self, record: LabelledFilmRecord, name: str) -> DoneFilm:
        try:
            if not record.has_original or not has_original(self.store, record.sha256):
                return self._held_back(name, HeldBack.ORIGINAL_MISSING)
            return self._written(record, name)
        except Refused as refusal:
            # It was scored once, perhaps by an earlier release.
            log.warning("not_exported", action="export", sha256=record.sha256, code=refusal.code)
            return self._held_back(name, HeldBack.UNREADABLE)
        finally:
            self.reader.leave()

    def _held_back(self, name: str, reason: HeldBack) -> DoneFilm:
        return DoneFilm(film=name, text=self.rule, held_back=reason)

    def _written(self, record: LabelledFilmRecord, name: str) -> DoneFilm:
        path = self.store.path(record.sha256)
        header, grey = self.reader.header(path), self.reader.display(path)
        boxes = self.find_text(grey) if self.find_text else ()
        if reason := self._reason_to_hold_back(header, grey, boxes):
            return self._held_back(name, reason)
        age = _age(header)
        facts = RetainedFacts()
        if record.kind is FileKind.DICOM:
            content = self.reader.deidentified(path, self._replacement(record, age, boxes))
            facts, file = retained_facts(content), self.folder.write(f"{name}.dcm", content)
        else:
            file = self.folder.write(f"{name}.png", _png(painted_over(grey, boxes, 0)))
        return DoneFilm(
            film=name,
            text=self.rule,
            file=file,
            masked=len(boxes),
            age_years=age,
            view_position=facts.view_position,
            manufacturer=facts.manufacturer,
            scanner_model=facts.scanner_model,
        )

    def _reason_to_hold_back(
        self, header: Header, grey: Array8, boxes: tuple[Box, ...]
    ) -> HeldBack | None:
        if self.find_text is None:
            return None
        if boxes and self.rule is TextRule.HOLD_BACK:
            return HeldBack.TEXT
        if boxes and self.find_text(painted_over(grey, boxes, 0)):
            # Text is left where what was found is painted over.
            return HeldBack.TEXT
        says_text = (header.burned_in_annotation or "").upper() == "YES"
        return HeldBack.TEXT_BY_HEADER if says_text and not boxes else None

    def _replacement(
        self, record: LabelledFilmRecord, age: int | None, boxes: tuple[Box, ...]
    ) -> Replacement:
        key = _patient_key(record)
        return Replacement(
            patient=self.pseudonyms.patient(key),
            seed=self.pseudonyms.seed(key),
            age=age,
            study_instance_uid=record.study_instance_uid,
            series_instance_uid=record.series_instance_uid or record.study_instance_uid,
            sop_instance_uid=record.sop_instance_uid,
            masked=boxes,
            text_checked=self.find_text is not None,
        )


def label_rows(
    records: Sequence[LabelledFilmRecord],
    done: Mapping[str, DoneFilm],
    pseudonyms: Pseudonyms,
) -> list[LabelRow]:
    """The rows of the films that were written, by their verdicts of now."""
    rows = []
    for record in records:
        film = done[pseudonyms.film(record.sha256)]
        if not film.held_back:
            rows.append(_row(record, film, pseudonyms))
    return rows


def export_manifest(
    rows: Sequence[LabelRow],
    done: Sequence[DoneFilm],
    without_label: Mapping[str, int],
    rule: TextRule,
    today: date,
) -> dict[str, Any]:
    """Describe an export: its films, what is held back and why, and how patients were removed.

    done: of all films that have a label, written or not.
    """
    checked = [] if rule is TextRule.UNCHECKED else [CLEAN_PIXELS]
    codes = [BASIC_PROFILE, *checked, MODIFIED_DATES, PATIENT_CHARACTERISTICS]
    return {
        "readfirst": __version__,
        "created": today.isoformat(),
        "labels": LABELS,
        "films": len(rows),
        "studies": len({row.study for row in rows}),
        "patients": len({row.patient for row in rows}),
        "by_label": dict(Counter(row.label for row in rows)),
        "by_ensemble_version": dict(Counter(row.ensemble_version or "none" for row in rows)),
        "blind": sum(row.blind for row in rows),
        "held_back": dict(Counter(film.held_back for film in done if film.held_back)),
        "studies_without_label": dict(without_label),
        "deidentification": {
            "codes": dict(codes),
            "burned_in_text": rule.value,
            "oldest_age": OLDEST_AGE,
        },
    }


def _row(record: LabelledFilmRecord, film: DoneFilm, pseudonyms: Pseudonyms) -> LabelRow:
    return LabelRow(
        path=film.file,
        label=LABEL_WORDS[record.finding],
        patient=pseudonyms.patient(_patient_key(record)),
        study=pseudonyms.study(record.study_instance_uid),
        ensemble_version=record.ensemble_version,
        probability=record.probability,
        study_probability=record.study_probability,
        threshold=record.threshold,
        flagged=record.flagged,
        blind=record.blind,
        view_position=film.view_position,
        age_years=film.age_years,
        manufacturer=film.manufacturer,
        scanner_model=film.scanner_model,
        masked=film.masked,
    )


def _patient_key(record: LabelledFilmRecord) -> str:
    return patient_key(
        record.patient_id,
        record.patient_name,
        record.patient_birth_date,
        record.study_instance_uid,
    )


def _age(header: Header) -> int | None:
    ages = ages_of(header)
    return min(ages[0], OLDEST_AGE) if ages else None


def _png(grey: Array8) -> bytes:
    content = io.BytesIO()
    PillowImage.fromarray(grey).save(content, "PNG")
    return content.getvalue()
