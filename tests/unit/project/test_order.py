"""Each process of the tests begins with long files, and no test is lost or run twice."""

import pytest

from tests.order import LONG, TESTS, spread


def test_the_long_files_are_there() -> None:
    assert [name for name in LONG if not (TESTS / name).is_file()] == []


@pytest.mark.parametrize("processes", [2, 3, 4])
def test_each_part_begins_with_its_long_files(processes: int) -> None:
    files = [f"short-{number // 10}" for number in range(1000)]
    for number, name in enumerate(LONG):
        files[50 * number : 50 * number] = [name] * 3
    order = spread(files, processes)
    assert sorted(order) == list(range(len(files)))
    start = 0
    for part in range(processes):
        size = (len(files) - start) // (processes - part)
        names = [files[index] for index in order[start : start + size]]
        own = LONG[part::processes]
        assert names[: 3 * len(own)] == [name for name in own for _ in range(3)]
        start += size


def test_more_long_tests_than_fit_into_a_part_lose_none() -> None:
    files = [LONG[0]] * 8 + ["short"] * 2
    assert sorted(spread(files, 3)) == list(range(10))
