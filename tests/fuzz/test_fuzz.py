"""A bounded run of the fuzzer; `python -m tests.fuzz` runs as many files as it is told to."""

import random
import subprocess
import sys

from pydicom.uid import UID, ExplicitVRLittleEndian

from ingest.dicom.syntaxes import ENCAPSULATED, NATIVE
from readfirst.refusals import RefusalCode
from tests.fuzz.boundaries import boundaries
from tests.fuzz.dicom_mutations import (
    header_against_data,
    odd_delimiter,
    odd_number,
    odd_representation,
)
from tests.fuzz.fuzzing import broken_file, broken_files, fuzz
from tests.fuzz.mutations import CHANGES
from tests.fuzz.results import SHOWN, UNPACKED
from tests.fuzz.seeds import seeds
from tests.support.waiting import LONG_TIMEOUT

FILES = 300


def test_every_broken_file_is_shown_or_refused_by_a_code() -> None:
    report = fuzz(seeds(), files=FILES, seed=1)
    assert not report.failures
    assert report.ends.total() == FILES
    assert set(report.ends) <= {SHOWN, UNPACKED, *(code.value for code in RefusalCode)}
    assert len(report.ends) >= 6, "it breaks more than one thing"
    assert report.ends[SHOWN] > FILES / 10, "it does not break everything"
    assert report.most_megabytes - report.base_megabytes <= 512


def test_the_seeds_are_of_every_syntax_and_format() -> None:
    kinds = {seed.kind for seed in seeds()}
    assert {UID(syntax).name for syntax in NATIVE + ENCAPSULATED} <= kinds
    assert {"JPEG", "PNG", "TIFF", "BMP", "WebP", "zip"} <= kinds


def test_headers_are_broken_as_devices_do() -> None:
    """Each way to break a DICOM header is tried, and by no chance does it leave all as it was."""
    ways = {change.__name__ for change in CHANGES}
    films = [file for file in seeds() if file.kind == UID(ExplicitVRLittleEndian).name]
    tried = {
        name
        for file in broken_files(tuple(films), 400, 3)
        for name in file.changes.split("+")
        if file.content != file.seed.content
    }
    assert ways == tried
    for change in (odd_number, header_against_data, odd_representation, odd_delimiter):
        chance = random.Random(1)
        film = films[0].content
        places = boundaries(film)
        changed = sum(change(chance, film, places, b"") != film for _ in range(40))
        assert changed >= 30, change.__name__


def test_a_run_can_be_repeated_file_by_file() -> None:
    places = {file.name: boundaries(file.content) for file in seeds()}
    first, again = (list(broken_files(seeds(), 100, 5)) for _ in range(2))
    assert first == again
    assert seeds.__wrapped__() == seeds(), "the files to break are the same in every run"
    assert broken_file(seeds(), places, 77, 5) == first[77]
    assert [file.content for file in broken_files(seeds(), 100, 6)] != [
        file.content for file in first
    ]


def test_the_command_reports_how_many_ended_how() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--files", "15", "--kind", "rle"]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=LONG_TIMEOUT, check=True
    )
    assert "15 broken files" in result.stdout
    assert "0 ended otherwise" in result.stderr
