"""The table of films from elsewhere."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from laboratory.data.elsewhere import COLUMNS, Half, in_half, load_model_ready, read_elsewhere
from readfirst.errors import Misconfigured


def write_table(folder: Path, rows: list[dict[str, str]], without: str = "") -> None:
    columns = [column for column in COLUMNS if column != without]
    with (folder / "films.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        if row["file"] != "absent.png":
            path = folder / row["file"]
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(np.full((40, 30), 90, np.uint8)).save(path)


def test_films_are_read_with_what_the_table_says(tmp_path: Path) -> None:
    row = {"file": "a/1.png", "label": "normal", "patient": "p1", "age": "42", "view": "PA"}
    write_table(tmp_path, [row, {"file": "b/2.png", "label": "hand"}])
    first, second = read_elsewhere(tmp_path)
    assert (first.source, first.label, first.patient, first.age) == ("a", "normal", "p1", 42.0)
    assert (second.patient, second.age, second.radiologist_label) == ("b/2.png", None, "")
    assert load_model_ready([first, second]).shape == (2, 224, 224)


def test_each_patient_is_in_one_half_and_both_halves_are_filled(tmp_path: Path) -> None:
    rows = [{"file": f"a/{n}.png", "patient": f"p{n // 2}"} for n in range(200)]
    write_table(tmp_path, rows)
    films = read_elsewhere(tmp_path)
    fit, measure = in_half(films, Half.FIT), in_half(films, Half.MEASURE)
    assert not {film.patient for film in fit} & {film.patient for film in measure}
    assert len(fit) + len(measure) == 200
    assert min(len(fit), len(measure)) > 60


@pytest.mark.parametrize(
    ("rows", "without", "fault"),
    [
        ([{"file": "absent.png"}], "", "line 2: there is no file"),
        ([{"file": "a.png", "age": "old"}], "", "'old' is no age"),
        ([{"file": "a.png"}], "view", "has no column view"),
        ([], "", "has no column"),
    ],
)
def test_a_table_with_a_fault_is_refused_with_the_fault(
    tmp_path: Path, rows: list[dict[str, str]], without: str, fault: str
) -> None:
    write_table(tmp_path, rows, without)
    with pytest.raises(Misconfigured, match=fault):
        read_elsewhere(tmp_path)


def test_a_folder_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"films\.csv cannot be read"):
        read_elsewhere(tmp_path)
