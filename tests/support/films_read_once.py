"""Readers that read each content once, for tests that run a command again on the same films.

Each film is read in a process of its own, and each command starts the process that starts them.
What a film shows depends on nothing but its content and the limits, so that it may be remembered.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from ingest.dicom.pixels.arrays import Array8
from ingest.reader.reader_process import Reader
from models.digests import file_sha256

Limits = tuple[float, int]
#: A film, and which corrections were made to it.
CorrectedFilm = tuple[Array8, tuple[str, ...]]


class RememberedFilms:
    """Films by the limits of their reader, their digest and least side, and the readers."""

    def __init__(self, opened: ExitStack) -> None:
        """opened: ends the readers."""
        self._films: Final[dict[tuple[Limits, str, int], CorrectedFilm]] = {}
        self._readers: Final[dict[Limits, Reader]] = {}
        self._opened = opened

    def reader(self, seconds: float, megabytes: int) -> "FilmsReadOnce":
        """Stands for `Reader`; those of the same limits share a process."""
        limits = seconds, megabytes
        if limits not in self._readers:
            self._readers[limits] = self._opened.enter_context(Reader(*limits))
        return FilmsReadOnce(self, limits)

    def corrected_film(self, limits: Limits, path: Path, least_side: int) -> CorrectedFilm:
        """Read a film, or remember it. A refusal is not remembered."""
        key = limits, file_sha256(path), least_side
        if key not in self._films:
            self._films[key] = self._readers[limits].corrected_film(path, least_side)
        film, corrections = self._films[key]
        return film.copy(), corrections

    def reader_of(self, limits: Limits) -> Reader:
        """Return the reader of some limits."""
        return self._readers[limits]


class FilmsReadOnce:
    """A reader that remembers films, and is not its borrower's to end."""

    def __init__(self, remembered: RememberedFilms, limits: Limits) -> None:
        self._remembered, self._limits = remembered, limits

    def __getattr__(self, name: str) -> Any:
        return getattr(self._remembered.reader_of(self._limits), name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._remembered.reader_of(self._limits).leave()

    def film(self, path: Path, least_side: int) -> Array8:
        """As `Reader.film`."""
        return self.corrected_film(path, least_side)[0]

    def corrected_film(self, path: Path, least_side: int) -> CorrectedFilm:
        """As `Reader.corrected_film`."""
        return self._remembered.corrected_film(self._limits, path, least_side)
