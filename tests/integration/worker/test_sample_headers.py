"""The headers of the samples, as dciodvfy sees them: results inherit from them."""

from datetime import date
from pathlib import Path

import pytest
from pydicom import dcmread

from readfirst.samples import FOLDER
from readfirst.samples.demo_films import demo_films
from readfirst.samples.make import complete
from tests.support.results import dciodvfy_errors

FILMS = sorted(FOLDER.glob("*.dcm"))


@pytest.mark.parametrize("path", FILMS, ids=lambda path: path.name)
def test_dciodvfy_finds_no_error_in_a_sample(path: Path) -> None:
    assert dciodvfy_errors(path) == []


@pytest.mark.parametrize("path", FILMS, ids=lambda path: path.name)
def test_a_sample_is_as_its_maker_completes_it(path: Path) -> None:
    dataset = dcmread(path)
    complete(dataset)
    assert dataset == dcmread(path)


def test_dciodvfy_finds_no_error_in_the_films_of_the_demo(tmp_path: Path) -> None:
    for name, content in demo_films(date(2026, 11, 29)):
        if name.endswith(".dcm"):
            path = tmp_path / name
            path.write_bytes(content)
            assert dciodvfy_errors(path) == [], name
