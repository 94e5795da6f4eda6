"""The headers of the samples, as dciodvfy sees them: results inherit from them."""

from pathlib import Path

import pytest
from pydicom import dcmread

from readfirst.samples import FOLDER
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
