"""Break files by a seeded chance, read each, and count what became of them."""

import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from ingest.reader.reader_process import Reader
from readfirst.refusals import RefusalCode
from tests.fuzz.boundaries import boundaries
from tests.fuzz.mutations import mutate
from tests.fuzz.results import SHOWN, UNPACKED, peak_megabytes, result_of
from tests.fuzz.seeds import Seed
from tests.support.files import a_dicom_file

#: A good film is read after so many: what a file leaves behind stays until then.
FILES_TO_A_LOOK: Final = 10


@dataclass(slots=True)
class FuzzReport:
    """Counts of what became of files, by code, and by code and kind."""

    ends: Counter[str] = field(default_factory=Counter)
    by_kind: dict[str, Counter[str]] = field(default_factory=dict)
    slowest: float = 0.0
    #: Of the child, before it read any of the files, and while it read the one that took most.
    base_megabytes: float = 0.0
    most_megabytes: float = 0.0
    #: Files for which something else happened: their number and what it was.
    failures: list[tuple[int, str]] = field(default_factory=list)

    def count(self, kind: str, what: str, seconds: float, megabytes: float) -> None:
        """Add one file."""
        self.ends[what] += 1
        self.by_kind.setdefault(kind, Counter())[what] += 1
        self.slowest = max(self.slowest, seconds)
        self.most_megabytes = max(self.most_megabytes, megabytes)


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file that was made from a seed. number: by which, with the run's seed, it is made again."""

    number: int
    seed: Seed
    changes: str
    content: bytes


def broken_files(seeds: tuple[Seed, ...], files: int, seed: int) -> Iterator[BrokenFile]:
    """So many broken files, each by a chance of its own, so that one alone can be made again."""
    places = {seed.name: boundaries(seed.content) for seed in seeds}
    for number in range(files):
        yield broken_file(seeds, places, number, seed)


def broken_file(
    seeds: tuple[Seed, ...], places: dict[str, list[int]], number: int, seed: int
) -> BrokenFile:
    """The file of a number: the seeds by turns, in random company."""
    chance = random.Random(f"{seed}/{number}")
    chosen, donor = seeds[number % len(seeds)], chance.choice(seeds)
    changes, content = mutate(chance, chosen.content, places[chosen.name], donor.content)
    return BrokenFile(number, chosen, changes, content)


def fuzz(
    seeds: tuple[Seed, ...],
    *,
    files: int,
    seed: int,
    seconds: float = 120.0,
    megabytes: int = 512,
    keep: Path | None = None,
    tick: Callable[[], None] = lambda: None,
) -> FuzzReport:
    """Break so many files and read each. keep: folder for those with which something went wrong."""
    report = FuzzReport()
    with folder_of_its_own() as folder, Reader(seconds, megabytes) as reader:
        path, good = folder / "film", a_dicom_file(folder / "good.dcm")
        grey = reader.display(good)
        report.base_megabytes = peak_megabytes(reader)
        for broken in broken_files(seeds, files, seed):
            path.write_bytes(broken.content)
            try:
                _read(path, broken, reader, report)
                _check_left(folder)
                if broken.number % FILES_TO_A_LOOK == 0 or broken.number == files - 1:
                    assert np.array_equal(reader.display(good), grey), "the reader has changed"
            except BaseException as error:
                # Whatever it is, it is what this run looks for; only the caller may break off.
                if isinstance(error, KeyboardInterrupt):
                    raise
                report.failures.append((broken.number, f"{broken.seed.name}: {error!r}"))
            if keep and report.failures and report.failures[-1][0] == broken.number:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{seed}-{broken.number}-{broken.seed.name}").write_bytes(broken.content)
            tick()
    return report


def _read(path: Path, broken: BrokenFile, reader: Reader, report: FuzzReport) -> None:
    outcome = result_of(path, reader)
    report.count(broken.seed.kind, outcome.what, outcome.seconds, peak_megabytes(reader))
    assert outcome.what in (SHOWN, UNPACKED) or RefusalCode(outcome.what)


def _check_left(folder: Path) -> None:
    """Check that nothing was left beside the two files."""
    assert sorted(path.name for path in folder.iterdir()) == ["film", "good.dcm"]


@contextmanager
def folder_of_its_own() -> Iterator[Path]:
    """A folder that is also where every process started from here puts its temporary files."""
    before = os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="readfirst-fuzz-") as folder:
        os.environ["TMPDIR"] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = before
