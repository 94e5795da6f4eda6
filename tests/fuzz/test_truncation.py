"""A file that was cut anywhere is refused, or shows its whole film: never a part of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.reader import reader_process
from ingest.reader.reader_process import Reader
from readfirst.refusals import RefusalCode
from tests.fixtures.worker import READER_LIMITS
from tests.fuzz.boundaries import boundaries
from tests.fuzz.results import SHOWN, UNPACKED, result_of
from tests.fuzz.seeds import Seed, seeds, small_seeds

#: The most places at which one file is cut, spread evenly over all of them.
MOST_CUTS = 90
#: What may be said of a file that ends too early; the last two of one whose own data do.
ENDS_EARLY = {
    RefusalCode.EMPTY_FILE,
    RefusalCode.TRUNCATED,
    RefusalCode.NOT_AN_IMAGE,
    RefusalCode.NO_PIXEL_DATA,
    RefusalCode.DICOM_UNREADABLE,
    RefusalCode.PIXELS_UNREADABLE,
}


@pytest.fixture(scope="module")
def cutting() -> Iterator[Reader]:
    """A reader whose process cuts files by itself."""
    with pytest.MonkeyPatch.context() as patch, Reader(*READER_LIMITS) as opened:
        patch.setattr(reader_process, "CHILD", "tests.fuzz.cutting_child")
        yield opened


def cuts(seed: Seed) -> list[int]:
    places = boundaries(seed.content)
    every = -(-len(places) // (MOST_CUTS // 2))
    near = {at + by for at in places[::every] for by in (0, 1)}
    return sorted(at for at in near if at < len(seed.content))


FILMS = [seed for seed in small_seeds() if seed.kind != "zip"]
ARCHIVES = [seed for seed in seeds() if seed.kind == "zip"]


@pytest.mark.parametrize("seed", FILMS, ids=lambda seed: seed.name)
def test_no_part_of_a_film_is_ever_shown(seed: Seed, cutting: Reader, tmp_path: Path) -> None:
    path, parts = tmp_path / "film", tmp_path / "parts"
    path.write_bytes(seed.content)
    parts.mkdir()
    whole = result_of(path, cutting)
    places = cuts(seed)
    head, _ = cutting._ask("cuts", path, folder=str(parts), at=places)
    for at, (end, is_whole) in zip(places, head["ends"], strict=True):
        assert is_whole or end in ENDS_EARLY | {whole.what} - {SHOWN}, (
            f"cut at {at} of {len(seed.content)}: {end}"
        )


@pytest.mark.parametrize("seed", ARCHIVES, ids=lambda seed: seed.name)
def test_no_part_of_an_archive_comes_in(seed: Seed, reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(seed.content)
    assert result_of(path, reader).what == UNPACKED
    for at in cuts(seed):
        path.write_bytes(seed.content[:at])
        assert result_of(path, reader).what != UNPACKED, f"cut at {at} of {len(seed.content)}"
