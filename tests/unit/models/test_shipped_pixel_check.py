"""The figures of the shipped ensemble's pixel check, which its manifest states."""

import pytest

from models.manifest import SHIPPED, PixelCheck, find_ensembles, load_manifest, shipped_version

#: Radiographs and slices of which it may let none through.
ALL_REFUSED = ("lateral chests", "oblique chests", "axial views", "upper abdomens", "upside down")


@pytest.fixture(scope="module")
def check() -> PixelCheck:
    check = load_manifest(find_ensembles([SHIPPED])[shipped_version()]).pixel_check
    assert check is not None
    return check


def test_it_refuses_at_most_one_of_two_hundred_real_chest_films(check: PixelCheck) -> None:
    shares = {"held-out": check.false_refusals, **check.sources}
    assert {name: share.value for name, share in shares.items() if share.value > 0.005} == {}


def test_it_refuses_nearly_all_other_images(check: PixelCheck) -> None:
    assert {name: share for name, share in check.caught.items() if share < 0.93} == {}
    assert {name: check.caught[name] for name in ALL_REFUSED} == dict.fromkeys(ALL_REFUSED, 1.0)


def test_it_refuses_all_real_images_that_it_was_measured_on(check: PixelCheck) -> None:
    real = {name: share for name, share in check.caught.items() if name.endswith("(real)")}
    assert bool(real) == bool(check.sources)
    assert set(real.values()) <= {1.0}
