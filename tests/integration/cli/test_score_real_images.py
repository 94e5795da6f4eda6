"""Real images of pydicom's collection, scored by the shipped ensemble: a chest and an ankle."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydicom
import pytest
from PIL import Image
from typer.testing import CliRunner

from cli import app
from ingest.dicom.pixels.display import display_image
from readfirst.refusals import SENTENCES, RefusalCode
from tests.unit.ingest.test_syntaxes import file_of_others

#: Computed radiographs: the chest of an adult, PA, and an ankle with the lower leg, AP.
FILES = {"chest": "RG1_UNCR.dcm", "ankle": "RG3_UNCR.dcm"}
#: Attributes by which a header gives away what an image shows, and of whom.
TELLING = ("BodyPartExamined", "StudyDescription", "PatientBirthDate", "PatientAge", "ViewPosition")
#: Files of which only the pixels say what they show.
SILENT = ("png", "silent.dcm")

Rows = Mapping[str, dict[str, Any]]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """The rows of one `readfirst score`, by file: each image as it is, silent, and as a picture."""
    folder = tmp_path_factory.mktemp("real")
    films = folder / "films"
    films.mkdir()
    for name, file in FILES.items():
        path = file_of_others(file)
        shutil.copy(path, films / f"{name}.dcm")
        Image.fromarray(display_image(path)).save(films / f"{name}.png")
        dataset = pydicom.dcmread(path)
        for keyword in TELLING:
            if keyword in dataset:
                delattr(dataset, keyword)
        dataset.save_as(films / f"{name}.silent.dcm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("READFIRST_HOME", str(folder / "home"))
        result = CliRunner().invoke(app, ["score", str(films), "--json"])
    return {Path(row["path"]).name: row for row in json.loads(result.stdout)}


@pytest.mark.parametrize("form", SILENT)
def test_a_real_ankle_is_refused_by_its_pixels(rows: Rows, form: str) -> None:
    row = rows[f"ankle.{form}"]
    assert row["status"] == "refused", row
    assert row["code"] == RefusalCode.NOT_A_CHEST_RADIOGRAPH
    assert SENTENCES[RefusalCode.NOT_A_CHEST_RADIOGRAPH] in row["reason"]


@pytest.mark.parametrize("form", SILENT)
def test_a_real_chest_of_an_adult_passes_by_its_pixels(rows: Rows, form: str) -> None:
    assert rows[f"chest.{form}"]["status"] == "scored", rows


def test_with_their_headers_both_are_refused_for_what_these_say(rows: Rows) -> None:
    chest, ankle = rows["chest.dcm"], rows["ankle.dcm"]
    assert (chest["status"], ankle["status"]) == ("refused", "refused")
    assert "adult" in chest["reason"].lower()
    assert "EXTREMITY" in ankle["reason"]
