"""Patients' data that is handed out, told by the read models themselves as they are made.

A read model that holds patients' data derives from `OfStudy` or `OfFile`. Whoever answers a request
collects the disclosures of it (`collecting`), and notes them before anything is sent: a query that
is new cannot forget to tell. Where nobody collects, as at the command line, nothing is kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Disclosures:
    """The patients' data that one request was given, since it was last taken.

    studies: their Study Instance UIDs, in order, each once. searches: texts that were searched
    for. files: names of files that belong to no study. noted: the request has noted by itself,
    in its own transaction, what it shows.
    """

    studies: dict[str, None] = field(default_factory=dict)
    searches: set[str] = field(default_factory=set)
    files: bool = False
    noted: bool = False

    def __bool__(self) -> bool:
        return bool(self.studies or self.searches or self.files)

    def take(self) -> "Disclosures":
        """Return what is new since the last call."""
        taken = Disclosures(self.studies, self.searches, self.files, self.noted)
        self.studies, self.searches, self.files = {}, set(), False
        return taken


_CURRENT: ContextVar[Disclosures | None] = ContextVar("disclosures", default=None)


@contextmanager
def collecting() -> Iterator[Disclosures]:
    """Collect the disclosures of a block, in the threads and tasks too that it starts."""
    disclosures = Disclosures()
    token = _CURRENT.set(disclosures)
    try:
        yield disclosures
    finally:
        _CURRENT.reset(token)


def searched(text: str) -> None:
    """Tell that somebody searches for a text: that nobody has this name is a patient's data too."""
    if (disclosures := _CURRENT.get()) is not None:
        disclosures.searches.add(text)


class OfStudy:
    """Base of read models that hold the data of a study or its patient."""

    __slots__ = ()
    #: A field of each.
    study_instance_uid: str

    def __post_init__(self) -> None:
        if (disclosures := _CURRENT.get()) is not None:
            disclosures.studies[self.study_instance_uid] = None


class OfFile:
    """Base of read models that hold the name of a file, which may be a patient's."""

    __slots__ = ()

    def __post_init__(self) -> None:
        if (disclosures := _CURRENT.get()) is not None:
            disclosures.files = True
