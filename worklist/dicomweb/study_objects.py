"""The objects of a study that DICOMweb gives: its films as they came in, and the AI's results."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeVar

from fastapi import HTTPException
from pydicom.uid import ExplicitVRLittleEndian

from db.dicomweb.records import DicomImage, DicomStudy
from db.dicomweb.search import dicom_study
from db.session import Database
from ingest.inbox.store import Store
from readfirst.derived_images import DerivedImages
from readfirst.errors import Refused
from readfirst.settings import Settings
from results.make import ResultObject, make_results
from results.services import result_services
from worklist.dicomweb.json_model import JsonObject, json_object
from worklist.dicomweb.media_types import DICOM
from worklist.dicomweb.multipart import AnswerPart, part_of_bytes, part_of_file
from worklist.services.renderer import Renderer

#: Viewers ask for many things at once (seconds).
PATIENCE = 5.0
NO_STUDY = "No study with a DICOM image has this Study Instance UID."
NO_OBJECT = "The study has no such series or instance."
REMOVED = "The original was removed, as the site's settings say."
NOT_IN_STORE = "The original is not in the store."


class StudyObject(Protocol):
    """An instance of a study."""

    @property
    def series_instance_uid(self) -> str:
        """Its series."""

    @property
    def sop_instance_uid(self) -> str:
        """Its own UID."""

    @property
    def transfer_syntax_uid(self) -> str:
        """The syntax in which it is kept."""

    @property
    def is_removed(self) -> bool:
        """The site's retention has removed it; its attributes are those that the database keeps."""

    def attributes(self) -> JsonObject:
        """The attributes before its pixels, in the DICOM JSON Model."""

    def part(self) -> AnswerPart:
        """All of it. Raises HTTPException 404, or 410 where it is removed."""


@dataclass(frozen=True)
class Film:
    """A film that came in as a DICOM object."""

    study: DicomStudy
    image: DicomImage
    store: Store
    renderer: Renderer

    @property
    def series_instance_uid(self) -> str:
        """Its series."""
        return self.image.series_instance_uid

    @property
    def sop_instance_uid(self) -> str:
        """Its own UID."""
        return self.image.sop_instance_uid

    @property
    def transfer_syntax_uid(self) -> str:
        """The syntax in which it is kept."""
        return self.image.transfer_syntax_uid or ExplicitVRLittleEndian

    @property
    def is_removed(self) -> bool:
        """The site's retention has removed it."""
        return self.image.original_removed

    def path(self) -> Path:
        """The path of its original. Raises HTTPException 404, or 410 where it is removed."""
        if self.is_removed:
            raise HTTPException(410, REMOVED)
        if not self.store.has(self.image.sha256):
            raise HTTPException(404, NOT_IN_STORE)
        return self.store.path(self.image.sha256)

    def attributes(self) -> JsonObject:
        """The attributes of the file, under the UIDs by which ReadFirst knows it.

        Of a file that is removed or cannot be read, what the database keeps.
        """
        return self._written() | self._own()

    def part(self) -> AnswerPart:
        """The file as it came in."""
        return part_of_file(f"{DICOM}; transfer-syntax={self.transfer_syntax_uid}", self.path())

    def _written(self) -> JsonObject:
        kept = json_object(
            {
                "Modality": self.image.modality,
                "PatientID": self.study.patient_id,
                "PatientName": self.study.patient_name,
                "Rows": self.image.rows,
                "Columns": self.image.columns,
            }
        )
        if self.is_removed or not self.store.has(self.image.sha256):
            return kept
        try:
            with self.renderer.reading(PATIENCE) as reader:
                return reader.json_attributes(self.store.path(self.image.sha256))
        except Refused:
            return kept

    def _own(self) -> JsonObject:
        """The UIDs differ from the file's where it brings none, or shares another patient's."""
        return json_object(
            {
                "StudyInstanceUID": self.study.study_instance_uid,
                "SeriesInstanceUID": self.series_instance_uid,
                "SOPInstanceUID": self.sop_instance_uid,
            }
        )


@dataclass(frozen=True)
class StudyResult:
    """A result of the AI, made when it is asked for: the same each time."""

    made: ResultObject

    @property
    def series_instance_uid(self) -> str:
        """Its series."""
        return str(self.made.dataset.SeriesInstanceUID)

    @property
    def sop_instance_uid(self) -> str:
        """Its own UID."""
        return self.made.sop_instance_uid

    @property
    def transfer_syntax_uid(self) -> str:
        """The syntax in which it is made."""
        return str(self.made.dataset.file_meta.TransferSyntaxUID)

    @property
    def is_removed(self) -> bool:
        """It is made while its film is there."""
        return False

    def attributes(self) -> JsonObject:
        """All that it says."""
        syntax = json_object({"AvailableTransferSyntaxUID": self.transfer_syntax_uid})
        return syntax | self.made.dataset.to_json_dict()

    def part(self) -> AnswerPart:
        """The object as a file."""
        file = io.BytesIO()
        self.made.dataset.save_as(file, enforce_file_format=True)
        return part_of_bytes(
            f"{DICOM}; transfer-syntax={self.transfer_syntax_uid}", file.getvalue()
        )


Kind = TypeVar("Kind", bound=StudyObject)


class StudyObjects:
    """Finds objects for routes. Whatever is found is noted in the audit log by its record.

    renderer: its own, so that a program that takes all studies delays no reader of the page.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self.renderer = Renderer(settings)

    def close(self) -> None:
        """End the process that reads files."""
        self.renderer.close()

    @cached_property
    def _store(self) -> Store:
        return Store(self._settings.store_path)

    @property
    def derived_images(self) -> DerivedImages:
        """The small films of the list, among others."""
        return DerivedImages(self._settings.prepared_path)

    def find(
        self, study_uid: str, series_uid: str | None = None, instance_uid: str | None = None
    ) -> list[StudyObject]:
        """All objects of a study, of a series, or the one instance. Raises HTTPException 404."""
        films = _within(self._films(study_uid), series_uid, instance_uid)
        if films and series_uid is not None:
            return [*films]
        results = _within(self._results(study_uid), series_uid, instance_uid)
        if not films and not results:
            raise HTTPException(404, NO_OBJECT)
        return [*films, *results]

    def film_of(self, study: DicomStudy, image: DicomImage) -> Film:
        """The film of a record."""
        return Film(study, image, self._store, self.renderer)

    def film(
        self, study_uid: str, series_uid: str | None = None, instance_uid: str | None = None
    ) -> Film:
        """The first film of a study or of a series, or the one instance.

        Raises HTTPException 404 where there is none, 406 for an instance without pixels.
        """
        films = _within(self._films(study_uid), series_uid, instance_uid)
        if films:
            return films[0]
        if _within(self._results(study_uid), series_uid, instance_uid):
            raise HTTPException(406, "A result of the AI has no pixels; it is to be had whole.")
        raise HTTPException(404, NO_OBJECT)

    def _films(self, study_uid: str) -> list[Film]:
        with self._database.read() as session:
            study = dicom_study(session, study_uid)
        if study is None:
            raise HTTPException(404, NO_STUDY)
        return [self.film_of(study, image) for image in study.images]

    def _results(self, study_uid: str) -> list[StudyResult]:
        """The results as they would be sent: none where there is a rule against it."""
        with self.renderer.reading(PATIENCE) as reader:
            services = result_services(self._settings, self._database, reader)
            return [StudyResult(made) for made in make_results(services, study_uid).objects]


def _within(
    objects: Sequence[Kind], series_uid: str | None, instance_uid: str | None
) -> list[Kind]:
    """Those of a series, and the one instance; None for any."""
    return [
        each
        for each in objects
        if series_uid in (None, each.series_instance_uid)
        and instance_uid in (None, each.sop_instance_uid)
    ]
