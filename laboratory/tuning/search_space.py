"""Search spaces: the parameters of a recipe that are searched, and what they may be."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Literal

from laboratory.data.augmentation import Augmentation
from laboratory.training.recipes import Recipe

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Value = int | float | str
Objective = Literal["val_auc", "val_recall"]

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
    """Parameters that are searched, and the figure of the tuning patients that judges them.

    More is better. parameters: what each may be, by the names that `with_params` knows. first: the
    parameters of the first trial; drawn like the others if none are given.
    """

    parameters: "Mapping[str, BaseDistribution]"
    objective: Objective = "val_auc"
    first: Mapping[str, Value] = field(default_factory=dict)


def widths(objective: Objective = "val_recall") -> Space:
    """Return the space of the tuned-cnn study: filters, units and learning rate.

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
    """Return a space around any recipe, from which the search sets out.

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


def with_params(base: Recipe, params: Mapping[str, Value]) -> Recipe:
    """Return a recipe with the parameters of a trial.

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
    """Change films more, or less: 1 leaves it as it is, 0 changes nothing
    but by mirroring.
    """
    amounts = {name: getattr(how, name) * strength for name in AMOUNTS}
    shares = {name: min(amounts[name], 1.0) for name in SHARES}
    factors = {name: getattr(how, name) ** strength for name in FACTORS}
    return replace(how, **{**amounts, **shares, **factors})
