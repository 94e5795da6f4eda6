"""Results into a folder, as a gateway or a person takes them from there."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import structlog

from db.access.audit import Actor, AuditAction, note
from readfirst.files.private_files import users_umask
from readfirst.files.whole_files import written_whole
from readfirst.results.values import ResultKind
from results.make import MissingResult, ResultObject, StudyResults, make_results
from results.messages import ResultMessage
from results.services import ResultServices

log = structlog.get_logger()

#: Of the files of messages.
SUFFIXES = {ResultKind.ORU: ".hl7", ResultKind.FHIR: ".json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenResult:
    """A result that was written. identifier: SOP Instance UID of an object, or of a message."""

    kind: ResultKind
    study_instance_uid: str
    identifier: str
    sop_class_uid: str | None = None
    sop_instance_uid: str | None = None
    path: Path


@dataclass(frozen=True, slots=True)
class WrittenStudy:
    """The results of one study that were written, and those that were not made."""

    written: tuple[WrittenResult, ...]
    missing: tuple[MissingResult, ...]


def write_results(
    services: ResultServices,
    actor: Actor,
    study_instance_uid: str,
    kinds: Collection[ResultKind],
    folder: Path,
    *,
    by: str,
) -> WrittenStudy:
    """Write the results of a study, each `STUDY/KIND-IDENTIFIER` with `.dcm`, `.hl7` or `.json`.

    It is noted in the audit log before. A file is there whole or not at all, and the same again
    takes the place of itself. by: the user of the system. Raises as `make_results`, and OSError.
    """
    results = make_results(services, study_instance_uid, kinds)
    if results.made:
        _note(services, actor, study_instance_uid, results, by)
    written = tuple(write_result(made, folder) for made in results.made)
    for each in written:
        log.info(
            "result_written", action="results", kind=each.kind.value,
            study_instance_uid=each.study_instance_uid, identifier=each.identifier,
        )  # fmt: skip
    return WrittenStudy(written, results.missing)


def _note(
    services: ResultServices,
    actor: Actor,
    study_instance_uid: str,
    results: StudyResults,
    by: str,
) -> None:
    instances = [[made.kind.value, made.identifier] for made in results.made]
    with services.database.write() as session:
        note(
            session, actor, AuditAction.RESULTS_WRITTEN, datetime.now(UTC),
            study_instance_uid=study_instance_uid, by=by, objects=instances,
        )  # fmt: skip


def write_result(made: ResultObject | ResultMessage, folder: Path) -> WrittenResult:
    """Write an object or a message, whole or not at all. Raises OSError."""
    if isinstance(made, ResultMessage):
        return _write_message(made, folder)
    return _write_object(made, folder)


def _write_object(made: ResultObject, folder: Path) -> WrittenResult:
    """Write an object as `STUDY/KIND-INSTANCE.dcm`."""
    name = f"{made.kind.value}-{made.sop_instance_uid}.dcm"
    path = folder / made.study_instance_uid / name
    with _written(path) as file:
        made.dataset.save_as(file, enforce_file_format=True)
    return WrittenResult(
        kind=made.kind,
        study_instance_uid=made.study_instance_uid,
        identifier=made.sop_instance_uid,
        sop_class_uid=made.sop_class_uid,
        sop_instance_uid=made.sop_instance_uid,
        path=path,
    )


def _write_message(made: ResultMessage, folder: Path) -> WrittenResult:
    """Write a message as `STUDY/KIND-IDENTIFIER` with the suffix of its kind."""
    name = f"{made.kind.value}-{made.identifier}{SUFFIXES[made.kind]}"
    path = folder / made.study_instance_uid / name
    with _written(path) as file:
        file.write(made.content)
    return WrittenResult(
        kind=made.kind,
        study_instance_uid=made.study_instance_uid,
        identifier=made.identifier,
        path=path,
    )


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """A file that is there whole or not at all, for whoever the user's umask says."""
    with users_umask():
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial, partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
