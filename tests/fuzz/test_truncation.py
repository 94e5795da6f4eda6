"""A file that was cut anywhere is refused, or shows its whole film: never a part of it."""

from pathlib import Path

import numpy as np
import pytest

from ingest.reader.reader_process import Reader
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
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
def reader():  # type: ignore[no-untyped-def]
    with Reader(120, 512) as opened:
        yield opened


def cuts(seed: Seed) -> list[int]:
    places = boundaries(seed.content)
    every = -(-len(places) // (MOST_CUTS // 2))
    near = {at + by for at in places[::every] for by in (0, 1)}
    return sorted(at for at in near if at < len(seed.content))


FILMS = [seed for seed in small_seeds() if seed.kind != "zip"]
ARCHIVES = [seed for seed in seeds() if seed.kind == "zip"]


@pytest.mark.parametrize("seed", FILMS, ids=lambda seed: seed.name)
def test_no_part_of_a_film_is_ever_shown(seed: Seed, reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(seed.content)
    whole = result_of(path, reader)
    grey = reader.display(path) if whole.what == SHOWN else None
    for at in cuts(seed):
        path.write_bytes(seed.content[:at])
        try:
            reader.header(path)
            part = reader.display(path)
        except Refused as refusal:
            if refusal.code not in ENDS_EARLY | {whole.what}:
                pytest.fail(f"cut at {at} of {len(seed.content)}: {refusal.code}")
            continue
        assert grey is not None, at
        assert np.array_equal(part, grey), f"cut at {at} of {len(seed.content)}"


@pytest.mark.parametrize("seed", ARCHIVES, ids=lambda seed: seed.name)
def test_no_part_of_an_archive_comes_in(seed: Seed, reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(seed.content)
    assert result_of(path, reader).what == UNPACKED
    for at in cuts(seed):
        path.write_bytes(seed.content[:at])
        assert result_of(path, reader).what != UNPACKED, f"cut at {at} of {len(seed.content)}"
