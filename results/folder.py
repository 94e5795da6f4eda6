"""Results into a folder, as a gateway or a person takes them from there."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from db.access.audit import Actor, AuditAction, note
from readfirst.files.private_files import users_umask
from readfirst.files.whole_files import written_whole
from readfirst.results.values import ResultKind
from results.make import MissingResult, ResultObject, StudyResults, make_results
from results.services import ResultServices

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenResult:
    """An object that was written."""

    kind: ResultKind
    study_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    path: Path


@dataclass(frozen=True, slots=True)
class WrittenStudy:
    """The objects of one study that were written, and those that were not made."""

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
    """Write the objects of a study, each `STUDY/KIND-INSTANCE.dcm` by their UIDs.

    It is noted in the audit log before. A file is there whole or not at all, and the same again
    takes the place of itself. by: the user of the system. Raises as `make_results`, and OSError.
    """
    results = make_results(services, study_instance_uid, kinds)
    if results.objects:
        _note(services, actor, results, by)
    written = tuple(write_object(made, folder) for made in results.objects)
    for each in written:
        log.info(
            "result_written", action="results", kind=each.kind.value,
            study_instance_uid=each.study_instance_uid, sop_instance_uid=each.sop_instance_uid,
        )  # fmt: skip
    return WrittenStudy(written, results.missing)


def _note(services: ResultServices, actor: Actor, results: StudyResults, by: str) -> None:
    uid = results.objects[0].study_instance_uid
    instances = [[made.kind.value, made.sop_instance_uid] for made in results.objects]
    with services.database.write() as session:
        note(
            session, actor, AuditAction.RESULTS_WRITTEN, datetime.now(UTC),
            study_instance_uid=uid, by=by, objects=instances,
        )  # fmt: skip


def write_object(made: ResultObject, folder: Path) -> WrittenResult:
    """Write an object as `STUDY/KIND-INSTANCE.dcm`, whole or not at all. Raises OSError."""
    path = folder / made.study_instance_uid / f"{made.kind.value}-{made.sop_instance_uid}.dcm"
    with users_umask():
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial, partial.open("wb") as file:
            made.dataset.save_as(file, enforce_file_format=True)
            file.flush()
            os.fsync(file.fileno())
    return WrittenResult(
        kind=made.kind,
        study_instance_uid=made.study_instance_uid,
        sop_class_uid=made.sop_class_uid,
        sop_instance_uid=made.sop_instance_uid,
        path=path,
    )
