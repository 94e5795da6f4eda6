"""A file of results, written as they come: a later run goes on where an earlier one was cut off.

A line is written as a whole or mended: what an interrupted run left of its last line is cut off
before the next one is written. A file that holds anything else is left as it is.
"""

import fcntl
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import inf, isclose
from pathlib import Path
from types import TracebackType
from typing import Self

from models.manifest import Manifest
from readfirst.errors import Misconfigured, Unavailable
from readfirst.printable import one_line
from worker.scoring.offline_scoring import FileScore
from worker.scoring.score_rows import JsonLines, ScoreRows, WrittenScore, csv_rows

#: Endings of a file's name, and the form that they stand for.
JSON_ENDINGS, CSV_ENDINGS = (".jsonl", ".ndjson"), (".csv",)


def rows_of(path: Path, manifest: Manifest) -> ScoreRows:
    """The form of a file by its ending. Raises Misconfigured."""
    ending = path.suffix.lower()
    if ending in JSON_ENDINGS:
        return JsonLines()
    if ending in CSV_ENDINGS:
        return csv_rows(manifest)
    raise Misconfigured(f"{path}: results are written as JSON Lines (.jsonl) or CSV (.csv).")


class ScoreFile:
    """A file of results of one ensemble, open for one run at a time.

    version, threshold: of the ensemble, as this run states them. others: the thresholds of its
    other populations. Raises Misconfigured for a file that cannot be written, is used by another
    run, or holds something else.
    """

    def __init__(
        self,
        path: Path,
        rows: ScoreRows,
        version: str,
        threshold: float,
        others: Mapping[str, float] | None = None,
    ) -> None:
        self._path, self._rows = path, rows
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise Misconfigured(f"{path}: {error.strerror}.") from error
        try:
            self._lock()
            results = self._results()
            self._check(results, version, threshold, others or {})
            self._cut_half_line()
        except BaseException:
            # Whatever it was, Ctrl-C too: nobody else can close it any more.
            os.close(self._descriptor)
            raise
        self._paths = Counter(result.path for result in results)

    @property
    def results(self) -> int:
        """The number of results that were in it when it was opened."""
        return self._paths.total()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def left(self, files: Sequence[Path]) -> list[Path]:
        """The files that have no result, each once, by absolute paths; this file is none of them.

        Two names that are written alike, one of them with bytes that are no text, are two files.
        """
        own, done = self._path.resolve(), self._paths.copy()
        chosen = []
        for file in dict.fromkeys(file.absolute() for file in files):
            name = one_line(str(file))
            if done[name]:
                done[name] -= 1
            elif file.name != own.name or file.resolve() != own:
                chosen.append(file)
        return chosen

    def add(self, score: FileScore) -> None:
        """Write a result, to the disk. Raises Unavailable, with the file as it was."""
        self._write(self._rows.line(score))

    def _write(self, line: bytes) -> None:
        end = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, line)
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
            os.fsync(self._descriptor)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, end)
            raise Unavailable(
                f"{self._path}: {error.strerror}. What is written stays; the same command goes on."
            ) from error

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Misconfigured(f"{self._path}: another run writes into it.") from error

    def _content(self) -> bytes:
        return self._path.read_bytes()

    def _results(self) -> list[WrittenScore]:
        """The results of all whole lines. Raises Misconfigured for what is no file of results."""
        whole, _, rest = self._content().rpartition(b"\n")
        lines = list(enumerate(whole.splitlines(), start=1))
        begin = self._rows.heading_start or b'{"path":'
        first = lines[0][1] if lines else rest
        if not (first.startswith(begin) or (not lines and begin.startswith(first))):
            raise self._strange(1)
        return [self._read(number, line) for number, line in lines[bool(self._rows.heading) :]]

    def _read(self, number: int, line: bytes) -> WrittenScore:
        try:
            return self._rows.read(line)
        except ValueError as error:
            raise self._strange(number) from error

    def _strange(self, number: int) -> Misconfigured:
        return Misconfigured(
            f"{self._path}: line {number} is no result. Choose another file; "
            "this one is left as it is."
        )

    def _check(
        self,
        results: Sequence[WrittenScore],
        version: str,
        threshold: float,
        others: Mapping[str, float],
    ) -> None:
        for result in results:
            if result.ensemble != version:
                raise Misconfigured(
                    f"{self._path} holds results of ensemble {result.ensemble}, and this run is of "
                    f"{version}. Choose another file, or --ensemble {result.ensemble}."
                )
            name = result.population
            expected = threshold if name is None else others.get(name, inf)
            if not isclose(result.threshold, expected):
                raise Misconfigured(
                    f"{self._path} holds results for another READFIRST_PREVALENCE. "
                    "Choose another file, or set it as it was."
                )

    def _cut_half_line(self) -> None:
        """Cut off what an interrupted run left of a line; begin a new file with its heading."""
        content = self._content()
        whole = content.rfind(b"\n") + 1
        os.ftruncate(self._descriptor, whole)
        if not whole and self._rows.heading:
            self._write(self._rows.heading)
