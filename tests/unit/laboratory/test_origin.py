"""A run neither goes on from what was trained on other films, nor takes it for its own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from laboratory.data.dataset import LabelledFilm, Subset
from laboratory.gan.retraining import retraining
from laboratory.pixel_check.train_pixel_check import DRAWN, train_pixel_check
from laboratory.training.batches import LabelledImages
from laboratory.training.member_store import origin_path, train_members, weights_path
from laboratory.training.origin import origin_of
from laboratory.training.recipes import CNN, PIXEL_CHECK, Recipe
from laboratory.tuning.bayesian_search import search
from laboratory.tuning.search_space import widths
from readfirst.errors import Misconfigured

PARTS = {part: [LabelledFilm(Path(f"{part}.png"), 1, part.value, "viral")] for part in Subset}
FILMS = LabelledImages(np.zeros((2, 224, 224), np.uint8), np.array([0, 1]))
OTHERS = replace(FILMS, images=np.ones((2, 224, 224), np.uint8))


def lies_there(folder: Path, recipe: Recipe, note: str | None) -> None:
    """Weights of this name, with a note of what they were made of."""
    weights_path(folder, recipe).touch()
    if note is not None:
        origin_path(folder, recipe).write_text(note)


def test_a_digest_tells_arrays_and_facts_apart() -> None:
    images = np.arange(12, dtype=np.uint8).reshape(3, 4)
    alike = [images, images.copy(), np.asfortranarray(images)]
    assert len({origin_of(CNN, 1, arrays=[array]) for array in alike}) == 1
    odd = [
        origin_of(CNN, 1, arrays=[images]),
        origin_of(CNN, 2, arrays=[images]),
        origin_of(replace(CNN, mixup=0.3), 1, arrays=[images]),
        origin_of(CNN, 1, arrays=[images.T]),
        origin_of(CNN, 1, arrays=[images.reshape(4, 3)]),
        origin_of(CNN, 1, arrays=[images.astype(np.int8)]),
        origin_of(CNN, 1),
    ]
    assert len(set(odd)) == len(odd)


def test_notes_of_earlier_versions_are_still_known() -> None:
    """The digests cover the names and fields of classes too."""
    names = [("train", "a.png", 1, "p")]
    assert origin_of(CNN, 1, None, names) == (
        "394a3036660f08adde9357d4871bd77678ec0265cda42454272ce4bdd0f3c8c3"
    )
    check = replace(PIXEL_CHECK, network="chest-check", epochs=5)
    assert origin_of(check, 1, dict(DRAWN), names) == (
        "9d46620c1798f321d617445c39eb875a6688bf34200a13eea00e2cdc11455cff"
    )


def test_a_member_of_another_training_is_no_member(tmp_path: Path) -> None:
    lies_there(tmp_path, CNN, None)
    train_members([CNN], PARTS, tmp_path, seed=1)  # Put there by somebody: taken as it is.
    lies_there(tmp_path, CNN, "another")
    with pytest.raises(Misconfigured, match="from other films or with another seed"):
        train_members([CNN], PARTS, tmp_path, seed=1)


def test_a_pixel_check_of_another_training_is_not_taken(tmp_path: Path) -> None:
    lies_there(tmp_path, PIXEL_CHECK, "another")
    with pytest.raises(Misconfigured, match="safetensors was made"):
        train_pixel_check(PARTS, tmp_path, seed=1)


def test_figures_of_another_retraining_are_not_taken(tmp_path: Path) -> None:
    named = replace(CNN, name="cnn-films")
    (tmp_path / "cnn-films.json").write_text("{}")
    origin_path(tmp_path, named).write_text("another")
    with pytest.raises(Misconfigured, match="json was made"):
        retraining(CNN, FILMS, FILMS, FILMS, np.zeros((0, 64, 64), np.uint8), tmp_path, seed=1)


def test_a_search_on_other_films_is_another_search(tmp_path: Path) -> None:
    def begin(films: LabelledImages) -> None:
        storage = tmp_path / "search.db"
        assert (
            search(widths(), CNN, films, films, tmp_path, trials=0, seed=1, storage=storage) == []
        )

    begin(FILMS)
    begin(FILMS)
    with pytest.raises(Misconfigured, match="another search"):
        begin(OTHERS)
