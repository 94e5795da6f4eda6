"""Bayesian search for what a recipe leaves open: the tree-structured Parzen estimator of optuna.

Bergstra et al. 2011, "Algorithms for hyper-parameter optimization". What is searched is a
`Space`: that of the tuned-cnn study, or the neighbourhood of any recipe.
"""

import gc
import json
import math
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from models.augmentation import Augmentation
from models.recipes import Recipe
from models.training import LabelledImages, Report, Start, read_curves, silent, train_member
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

Value = int | float | str
Objective = Literal["val_auc", "val_recall"]

TRIALS = 5
#: Trials that are drawn at random before the estimator has enough to go by.
AT_RANDOM = 3
#: Fields of an augmentation that say how often or how far, and are multiplied by its strength.
AMOUNTS = (
    "rotation",
    "shift",
    "shear",
    "blur",
    "sharpen",
    "equalise",
    "contrast",
    "brightness",
    "noise",
    "erase",
)
#: Those of them that are probabilities or shares, and no more than 1.
SHARES = ("blur", "sharpen", "equalise", "contrast", "erase")
#: Fields that are factors, and are raised to its power.
FACTORS = ("zoom", "stretch", "gamma")


@dataclass(frozen=True, slots=True)
class Space:
    """What is searched, and by which figure of the tuning patients; more is better.

    parameters: what each may be, by the names that `with_params` knows. first: the parameters of
    the first trial; drawn like the others if none are given.
    """

    parameters: "Mapping[str, BaseDistribution]"
    objective: Objective = "val_auc"
    first: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """One training. number: from 0, in the order they were made. value: of the objective, for
    the weights that the recipe keeps. seconds: how long it took.
    """

    number: int
    params: Mapping[str, Value]
    value: float
    seconds: float


def widths(objective: Objective = "val_recall") -> Space:
    """The space of the tuned-cnn study: filters, units and learning rate.

    Its objective is the study's. A network that calls every film pneumonia has a recall of 1:
    `val_auc` is not taken in.
    """
    from optuna.distributions import CategoricalDistribution, IntDistribution

    return Space(
        {
            "first": IntDistribution(32, 128, step=32),
            "second": IntDistribution(32, 128, step=32),
            "dense": IntDistribution(64, 256, step=64),
            "learning_rate": CategoricalDistribution((1e-2, 1e-3, 1e-4)),
        },
        objective,
    )


def neighbourhood(base: Recipe, objective: Objective = "val_auc") -> Space:
    """A space around any recipe, from which the search sets out.

    The learning rate goes half a decade down and up, on a scale of logs; label smoothing to 0.1,
    mix-up to 0.4, weight decay from 1e-6 to 1e-2, and the strength of the augmentation, if there
    is any, to 1.5.
    """
    from optuna.distributions import FloatDistribution

    rate, half_a_decade = base.learning_rate, math.sqrt(10)
    parameters = {
        "learning_rate": FloatDistribution(rate / half_a_decade, rate * half_a_decade, log=True),
        "label_smoothing": FloatDistribution(0.0, 0.1),
        "mixup": FloatDistribution(0.0, 0.4),
        "weight_decay": FloatDistribution(1e-6, 1e-2, log=True),
    }
    present = {name: getattr(base, name) for name in parameters}
    if base.augmentation != Augmentation():
        parameters["augmentation"] = FloatDistribution(0.0, 1.5)
        present["augmentation"] = 1.0
    first = {
        name: min(max(float(present[name]), allowed.low), allowed.high)
        for name, allowed in parameters.items()
    }
    return Space(parameters, objective, first)


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
    start: Start = Start(),  # noqa: B008
    report: Report = silent,
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
    with _study(space, storage, _identity(space, base, seed)) as study:
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
                    report=_share(report, len(done), trials),
                )
            )
            study.set_user_attr(f"seconds-{number}", time.monotonic() - started)
            study.tell(number, value)
            _write(_trials(study), folder / "trials.json")
        return done


def with_params(base: Recipe, params: Mapping[str, Value]) -> Recipe:
    """A recipe with the parameters of a trial.

    `augmentation` is a strength; other names of a recipe's fields are these fields, and any
    others are options of its network.
    """
    own = {item.name for item in fields(Recipe)} - {"augmentation"}
    strength = float(params.get("augmentation", 1.0))
    options = {
        name: int(value)
        for name, value in params.items()
        if name not in own and name != "augmentation"
    }
    changed = {name: value for name, value in params.items() if name in own}
    return replace(
        base,
        options={**base.options, **options},
        augmentation=strengthened(base.augmentation, strength),
        **changed,  # type: ignore[arg-type]
    )


def strengthened(how: Augmentation, strength: float) -> Augmentation:
    """An augmentation that changes films more, or less: 1 leaves it as it is, 0 changes nothing
    but by mirroring.
    """
    amounts = {name: getattr(how, name) * strength for name in AMOUNTS}
    shares = {name: min(amounts[name], 1.0) for name in SHARES}
    factors = {name: getattr(how, name) ** strength for name in FACTORS}
    return replace(how, **{**amounts, **shares, **factors})


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


def _identity(space: Space, base: Recipe, seed: int) -> dict[str, str]:
    """What makes a search this one and not another, as it is kept with it."""
    return {
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
    asked = study.ask(dict(space.parameters))
    shutil.rmtree(_trial_folder(folder, asked.number), ignore_errors=True)
    return asked.number, dict(asked.params)


def _value(
    recipe: Recipe,
    train: LabelledImages,
    tune: LabelledImages,
    folder: Path,
    *,
    objective: Objective,
    seed: int,
    start: Start,
    report: Report,
) -> float:
    """Train, and read the objective off the epoch whose weights the recipe keeps."""
    folder.mkdir(exist_ok=True)
    train_member(recipe, train, tune, folder, seed=seed, start=start, report=report)
    gc.collect()  # A network refers to itself in circles, and the next may be as big.
    curves = read_curves(folder / f"{recipe.name}.curves.csv")
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


def _share(report: Report, n: int, trainings: int) -> Report:
    """A report of the n-th of several trainings as a share of them all."""

    def told(done: int, total: int, so_far: dict[str, float]) -> None:
        report(n * total + done, trainings * total, so_far)

    return told
