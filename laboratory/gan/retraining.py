"""Comparison of a training with invented films and two without them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from laboratory.evaluation.metrics import PREVALENCE, figures
from laboratory.training.batches import LabelledImages
from laboratory.training.member_store import origin_path, weights_path
from laboratory.training.origin import check_origin, note_origin, origin_of
from laboratory.training.progress import ReportProgress, share_of_all, silent
from laboratory.training.recipes import Recipe
from laboratory.training.train_member import InitialWeights, train_member
from models.preprocessing import Array8, network_input, standardise
from models.weights import save_weights

if TYPE_CHECKING:
    import keras

#: Probability at which the arms are compared, and the figures compared.
THRESHOLD = 0.5
COMPARED = ("auc", "sensitivity", "specificity", "accuracy")
#: Films scored at a time.
AT_ONCE = 64


def retraining(
    recipe: Recipe,
    train: LabelledImages,
    tune: LabelledImages,
    test: LabelledImages,
    generated: Array8,
    folder: Path,
    *,
    seed: int,
    start: InitialWeights | None = None,
    report: ReportProgress = silent,
) -> dict[str, dict[str, float]]:
    """Train a recipe with invented normal films, without them, and with repeated films instead.

    generated: (m, 64, 64) uint8, of class 0; brought to the size of the other films. folder:
    where each arm's weights, curves and figures (`NAME-ARM.json`) are written; an arm whose
    figures lie there already is not trained again; raises Misconfigured if they are of another
    recipe, of other films or of another seed. Returns, by arm, how many films of each class
    it was trained on, and its figures on the test films, flagged at 0.5:

    - `films`: the recipe as it is;
    - `generated`: the recipe as it is, on the films and the invented ones;
    - `repeated`: the films alone, those of the smaller class repeated until both are equal, and
      no class weights.
    """
    arms = {
        "films": (recipe, train),
        "generated": (recipe, with_generated(train, generated)),
        "repeated": (replace(recipe, balance="oversampling"), train),
    }
    folder.mkdir(parents=True, exist_ok=True)
    results = {}
    for n, (arm, (arm_recipe, data)) in enumerate(arms.items()):
        named = replace(arm_recipe, name=f"{recipe.name}-{arm}")
        result, note = folder / f"{named.name}.json", origin_path(folder, named)
        films = (data.images, data.labels, tune.images, tune.labels, test.images, test.labels)
        origin = origin_of(named, seed, arrays=films)
        if result.exists():
            check_origin(note, origin, result)
        else:
            share = share_of_all(report, n, len(arms))
            network = train_member(named, data, tune, folder, seed=seed, start=start, report=share)
            save_weights(network, weights_path(folder, named))
            figures_of_arm = {**_counts(data), **_figures(network, named, test)}
            note_origin(note, origin)
            result.write_text(json.dumps(figures_of_arm, indent=2) + "\n")
        results[arm] = json.loads(result.read_text())
    return results


def with_generated(train: LabelledImages, generated: Array8) -> LabelledImages:
    """Add invented normal films, (m, any, any) uint8, brought to the films' size."""
    size = train.images.shape[1]
    invented = [standardise(image, size) for image in generated]
    return LabelledImages(
        np.concatenate([train.images, np.stack(invented)]) if invented else train.images,
        np.concatenate([train.labels, np.zeros(len(invented), dtype=train.labels.dtype)]),
    )


def _counts(data: LabelledImages) -> dict[str, float]:
    """Count the films of each class."""
    return {
        name: float(np.sum(data.labels == label))
        for label, name in enumerate(("normal", "pneumonia"))
    }


def _figures(network: "keras.Model", recipe: Recipe, test: LabelledImages) -> dict[str, float]:
    """Measure the compared figures on the test films."""
    inputs = network_input(test.images, recipe.input_size)
    predicted = np.asarray(network.predict(inputs, batch_size=AT_ONCE, verbose=0))[:, 0]
    every = figures(test.labels, predicted.astype(np.float64), THRESHOLD, PREVALENCE)
    return {name: every[name] for name in COMPARED}
