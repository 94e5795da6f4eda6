"""Bayesian search for what a recipe leaves open: the tree-structured Parzen estimator of optuna.

Bergstra et al. 2011, "Algorithms for hyper-parameter optimization". The parameters
that are searched are a `Space`: that of the tuned-cnn study, or the neighbourhood of any recipe.
"""

import gc
import json
import math
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from laboratory.training.batches import LabelledImages
from laboratory.training.curves import curves_path, read_curves
from laboratory.training.origin import origin_of
from laboratory.training.progress import ReportProgress, share_of_all, silent
from laboratory.training.recipes import Recipe
from laboratory.training.train_member import InitialWeights, train_member
from laboratory.tuning.search_space import Objective, Space, Value, with_params
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import optuna

TRIALS = 5
#: Trials that are drawn at random before the estimator has enough to go by.
AT_RANDOM = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """A training. number: from 0, in the order they were made. value: of the objective, for
    the weights that the recipe keeps. seconds: how long it took.
    """

    number: int
    params: Mapping[str, Value]
    value: float
    seconds: float


def search(
    space: Space,
    base: Recipe,
    train: LabelledImages,
    tune: LabelledImages,
    folder: Path,
    *,
    trials: int = TRIALS,
    seed: int,
    storage: Path | None = None,
    start: InitialWeights | None = None,
    report: ReportProgress = silent,
) -> list[Trial]:
    """Train a recipe again and again with other parameters. Returns the trials, best first.

    folder: where `trials.json` is written after every trial, and each trial's curves in a folder
    of its own. storage: a SQLite file that keeps the search; one that was interrupted goes on
    where it was, within its last trial too, as if it had not been, and one that is asked for
    more trials adds them. Without it every search begins anew. trials: in all. The same
    arguments give the same trials on the same machine; parameters that come up again are not
    trained again. Raises Misconfigured if the storage is that of another search.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _study(space, storage, _identity(space, base, seed, train, tune)) as study:
        while len(done := _trials(study)) < trials:
            number, params = _next(study, space, folder, _seed_of(seed, len(done)))
            known = next((trial for trial in done if trial.params == params), None)
            started = time.monotonic()
            value = (
                known.value
                if known
                else _value(
                    with_params(base, params),
                    train,
                    tune,
                    _trial_folder(folder, number),
                    objective=space.objective,
                    seed=seed,
                    start=start,
                    report=share_of_all(report, len(done), trials),
                )
            )
            study.set_user_attr(f"seconds-{number}", time.monotonic() - started)
            study.tell(number, value)
            _write(_trials(study), folder / "trials.json")
        return done


@contextmanager
def _study(
    space: Space, storage: Path | None, identity: Mapping[str, str]
) -> "Iterator[optuna.Study]":
    """The search as optuna keeps it, in memory if there is no storage.

    Raises Misconfigured if the storage is that of another search.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    kept = optuna.storages.RDBStorage(f"sqlite:///{storage}") if storage else None
    try:
        study = optuna.create_study(
            storage=kept, study_name="search", direction="maximize", load_if_exists=True
        )
        if study.user_attrs.get("identity", identity) != identity:
            raise Misconfigured(f"{storage} holds another search; name another file.")
        if "identity" not in study.user_attrs:
            study.set_user_attr("identity", identity)
            if space.first:
                study.enqueue_trial(dict(space.first))
        yield study
    finally:
        if kept:
            kept.remove_session()
            kept.engine.dispose()


def _identity(
    space: Space, base: Recipe, seed: int, train: LabelledImages, tune: LabelledImages
) -> dict[str, str]:
    """Describe a search so that no other is taken for it; kept with it."""
    return {
        "films": origin_of(arrays=(train.images, train.labels, tune.images, tune.labels)),
        "objective": space.objective,
        "parameters": repr(sorted(space.parameters.items())),
        "recipe": repr(base),
        "seed": str(seed),
    }


def _next(
    study: "optuna.Study", space: Space, folder: Path, seed: int
) -> tuple[int, dict[str, Value]]:
    """Number and parameters of the trial that was interrupted, or of a new one."""
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    # A sampler for each trial, so that a search that is taken up draws what it would have drawn.
    study.sampler = TPESampler(n_startup_trials=AT_RANDOM, seed=seed)
    for begun in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        if set(begun.params) == set(space.parameters):
            return begun.number, dict(begun.params)
        study.tell(begun.number, state=TrialState.FAIL)
    trial = study.ask(dict(space.parameters))
    shutil.rmtree(_trial_folder(folder, trial.number), ignore_errors=True)
    return trial.number, dict(trial.params)


def _value(
    recipe: Recipe,
    train: LabelledImages,
    tune: LabelledImages,
    folder: Path,
    *,
    objective: Objective,
    seed: int,
    start: InitialWeights | None,
    report: ReportProgress,
) -> float:
    """Train, and read the objective off the epoch whose weights the recipe keeps."""
    folder.mkdir(exist_ok=True)
    train_member(recipe, train, tune, folder, seed=seed, start=start, report=report)
    gc.collect()  # A network refers to itself in circles, and the next may be as big.
    curves = read_curves(curves_path(folder, recipe.name))
    kept = -1
    if recipe.keep_best:
        sign = -1 if recipe.monitor == "val_loss" else 1
        judged = sign * np.array(curves[recipe.monitor])
        kept = int(np.argmax(np.where(np.isnan(judged), -np.inf, judged)))
    value = curves[objective][kept]
    # A rate that is too high may end in no number at all.
    return value if math.isfinite(value) else 0.0


def _trials(study: "optuna.Study") -> list[Trial]:
    """The finished trials, best first; of equals the earlier."""
    from optuna.trial import TrialState

    finished = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    made = [
        Trial(
            trial.number,
            dict(trial.params),
            float(trial.value or 0.0),
            float(study.user_attrs[f"seconds-{trial.number}"]),
        )
        for trial in finished
    ]
    return sorted(made, key=lambda trial: (-trial.value, trial.number))


def _write(trials: list[Trial], path: Path) -> None:
    path.write_text(json.dumps([asdict(trial) for trial in trials], indent=2) + "\n")


def _seed_of(seed: int, trial: int) -> int:
    return int(np.random.SeedSequence((seed, trial)).generate_state(1)[0])


def _trial_folder(folder: Path, number: int) -> Path:
    return folder / f"trial-{number}"
