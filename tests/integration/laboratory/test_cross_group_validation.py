"""Both ways of `models transfer`, of which neither may begin with what the other has learnt."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from laboratory.data.dataset import read_folder
from laboratory.evaluation.cross_group_validation import cross_group_validation
from laboratory.training.progress import ReportProgress
from laboratory.training.recipes import RECIPES
from models.preprocessing import AS_IT_IS
from tests.support.networks import write_spotted_films

RECIPE = replace(RECIPES["cnn"], input_size=24, epochs=2, batch_size=8)
WAYS = ["cnn on normal-1 and bacterial", "cnn on normal-2 and viral"]


class Stopped(Exception):
    """Stands for a power cut."""


@pytest.mark.usefixtures("small_networks", "untraced_steps")
def test_an_interrupted_way_goes_on_and_the_other_begins_anew(tmp_path: Path) -> None:
    write_spotted_films(tmp_path / "films")
    films = read_folder(tmp_path / "films")
    steps: dict[str, list[int]] = defaultdict(list)

    def reporting(way: str) -> ReportProgress:
        def report(done: int, total: int, _figures: dict[str, float]) -> None:
            steps[way].append(done)
            if way == WAYS[1] and done == total // 2 + 1 and not tmp_path.joinpath("cut").exists():
                tmp_path.joinpath("cut").touch()
                raise Stopped

        return report

    def run() -> None:
        cross_group_validation(
            RECIPE, films, tmp_path / "runs", seed=1, views=(AS_IT_IS,), report=reporting
        )

    with pytest.raises(Stopped):
        run()
    steps.clear()
    run()
    assert steps[WAYS[0]][0] == 1, "it begins with its own first step"
    assert steps[WAYS[1]][0] == steps[WAYS[1]][-1] // 2 + 1, "it goes on after its first epoch"
