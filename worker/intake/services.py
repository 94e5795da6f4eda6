"""The collaborators of intake, and nothing else of what a worker holds."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from db.lifecycle.unit_of_work import UnitOfWork
from db.session import Database
from ingest.dicom.pixels.arrays import Array8
from ingest.inbox.store import Store
from ingest.reader.reader_process import Reader
from ingest.scope.scope_rules import ScopeRules
from readfirst.domain import Ages


class OpenUnitOfWork(Protocol):
    """Opens a transaction of the life cycle, of what happens at a moment."""

    def __call__(self, at: datetime) -> AbstractContextManager[UnitOfWork]:
        """Open it; committed at the end, rolled back on an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeServices:
    """The collaborators of intake, and the site's rules for it. Built once a process.

    ages: of the patients that the active ensemble was validated on; None if nobody knows them.
    model_input: the kept image by which an original is scored; raises FileNotFoundError if it is
    gone. zone: of times that name none. stat_folders: names of folders whose studies are read at
    once. unpacking_folder: where archives are unpacked.
    """

    database: Database
    unit_of_work: OpenUnitOfWork
    store: Store
    reader: Reader
    rules: ScopeRules
    ages: Callable[[Session], Ages | None]
    model_input: Callable[[str], Array8]
    zone: ZoneInfo
    stat_folders: frozenset[str]
    unpacking_folder: Path
