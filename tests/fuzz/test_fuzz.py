"""A bounded run of the fuzzer; `python -m tests.fuzz` runs as many files as it is told to."""

import subprocess
import sys

from pydicom.uid import UID

from ingest.syntaxes import ENCAPSULATED, NATIVE
from readfirst.refusals import RefusalCode
from tests.fuzz.boundaries import boundaries
from tests.fuzz.fuzzing import broken_file, broken_files, fuzz
from tests.fuzz.seeds import seeds
from tests.fuzz.verdicts import SHOWN, UNPACKED

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


def test_a_run_can_be_repeated_file_by_file() -> None:
    places = {one.name: boundaries(one.content) for one in seeds()}
    first, again = (list(broken_files(seeds(), 100, 5)) for _ in range(2))
    assert first == again
    assert seeds.__wrapped__() == seeds(), "the files to break are the same in every run"
    assert broken_file(seeds(), places, 77, 5) == first[77]
    assert [one.content for one in broken_files(seeds(), 100, 6)] != [one.content for one in first]


def test_the_command_reports_how_many_ended_how() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--files", "15", "--kind", "rle"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "15 broken files" in result.stdout
    assert "0 ended otherwise" in result.stderr
