"""Recipes: how each network is trained. They are data; the loop is `train_member`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from laboratory.data.augmentation import STRONG, Augmentation
from models.preprocessing import AS_IT_IS, FilmView
from readfirst.errors import Misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A network and the way it is trained."""

    name: str
    network: str
    input_size: int
    #: Factor by which the centre of every film is enlarged. What lies outside, letters of lead and
    #: collimated borders, tells departments apart and not diseases.
    zoom: float = 1.0
    #: Blur that every film gets (`FilmView`). What is finer tells how a film was scaled and
    #: encoded, and not what it shows.
    blur: float = 0.0
    #: Arguments of the network's builder besides the size.
    options: Mapping[str, int] = field(default_factory=dict)
    epochs: int
    batch_size: int = 32
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    #: `cosine` warms up over half an epoch and falls to a fiftieth.
    schedule: Literal["constant", "cosine"] = "constant"
    #: `focal` is that of Lin et al. 2017 with gamma 2.
    loss: Literal["crossentropy", "focal"] = "crossentropy"
    label_smoothing: float = 0.0
    #: The way in which the smaller class counts as much as the larger.
    balance: Literal["none", "class-weights", "oversampling"] = "none"
    #: Parameter of the beta distribution of mix-up (Zhang et al. 2018); 0 mixes nothing.
    mixup: float = 0.0
    #: Momentum of the moving average of the weights that is evaluated and kept; 0 for none.
    averaging: float = 0.0
    #: True if the layers that bear a published network's names start from ImageNet.
    imagenet: bool = False
    #: The wider network of which this one keeps the strongest channels to begin with. Not in the
    #: `repr`, so that notes of the origin of earlier trainings hold.
    pruned_from: str | None = field(default=None, repr=False)
    #: Figure of the tuning patients by which epochs are compared.
    monitor: Literal["val_auc", "val_loss", "val_recall"] = "val_auc"
    #: True if the weights of the best epoch are kept, and not those of the last.
    keep_best: bool = False
    #: Epochs without a better figure after which training ends, or the rate is halved.
    patience: int | None = None
    plateau: int | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)


_OURS: dict[str, Any] = {
    "blur": 0.01,
    "optimizer": "adamw",
    "schedule": "cosine",
    "label_smoothing": 0.05,
    "balance": "class-weights",
    "averaging": 0.99,
    "augmentation": STRONG,
}
_EFFICIENTNET = Recipe(
    name="efficientnet-224",
    network="efficientnet-lite0",
    input_size=224,
    epochs=8,
    learning_rate=4e-4,
    weight_decay=1e-3,
    imagenet=True,
    **_OURS,
)
#: The VGG16 of an earlier ensemble, of which the shipped one was pruned.
VGG16 = Recipe(
    name="vgg16",
    network="vgg16-tuned",
    input_size=112,
    zoom=1.25,
    epochs=6,
    learning_rate=5e-5,
    weight_decay=1e-4,
    imagenet=True,
    **_OURS,
)
#: The members of the shipped ensemble.
SHIPPED = (
    _EFFICIENTNET,
    replace(_EFFICIENTNET, name="efficientnet-160", input_size=160, epochs=12),
    replace(
        VGG16,
        name="vgg16-narrow",
        network="vgg16-narrow",
        pruned_from=VGG16.network,
        input_size=144,
        epochs=20,
        learning_rate=3e-4,
        weight_decay=1e-3,
    ),
)
#: A member of an earlier ensemble, which it takes no published weights to make.
CNN = Recipe(
    name="cnn",
    network="plain-cnn",
    input_size=96,
    epochs=12,
    learning_rate=1.5e-3,
    weight_decay=1e-4,
    **_OURS,
)
#: The pixel check, which tells a frontal chest film, 1, from any other image, 0.
PIXEL_CHECK = Recipe(
    name="pixel-check",
    network="chest-check-wider",
    input_size=64,
    epochs=12,
    batch_size=64,
    learning_rate=4e-3,
    weight_decay=1e-3,
    **{**_OURS, "blur": 0.0, "label_smoothing": 0.01, "averaging": 0.98},
)


#: The framings in which a new member sees a film, within the one that it was trained in.
VIEWS = (AS_IT_IS, FilmView(zoom=1.2, mirrored=True))


def view_of(recipe: Recipe) -> FilmView:
    """Return the view in which a network of this recipe sees films in training."""
    return FilmView(zoom=recipe.zoom, blur=recipe.blur)


def views_of(recipe: Recipe, views: Sequence[FilmView] = VIEWS) -> tuple[FilmView, ...]:
    """Return framings within that of a recipe."""
    return tuple(replace(view, zoom=recipe.zoom * view.zoom, blur=recipe.blur) for view in views)


def _phase4(number: int, **changes: Any) -> Recipe:
    recipe = Recipe(
        name=f"phase4-{number}",
        network=f"phase4-{number}",
        input_size=224,
        epochs=50,
        balance="class-weights",
        monitor="val_loss",
        patience=5,
        plateau=5,
    )
    return replace(recipe, **changes)


def _capstone(network: str, **changes: Any) -> Recipe:
    recipe = Recipe(
        name=f"capstone-{network}",
        network=f"capstone-{network}",
        input_size=150,
        epochs=20,
        monitor="val_loss",
        keep_best=True,
        patience=5,
        plateau=2,
        augmentation=Augmentation(zoom=1.3, upside_down=True),
    )
    return replace(recipe, **changes)


def _mount_sinai(number: int) -> Recipe:
    return Recipe(
        name=f"mount-sinai-{number}",
        network=f"mount-sinai-{number}",
        input_size=150,
        epochs=10,
        monitor="val_loss",
        patience=3,
        plateau=1 if number >= 4 else None,
        imagenet=number >= 5,
    )


def _blog(network: str, **changes: Any) -> Recipe:
    recipe = Recipe(
        name=f"blog-{network}",
        network=f"blog-{network}",
        input_size=120,
        epochs=20,
        augmentation=Augmentation(shear=0.2, zoom=1.2),
    )
    return replace(recipe, **changes)


#: Those of the five published studies. Where a study is silent: batches of 32, Adam at 1e-3.
PUBLISHED = (
    _phase4(1, balance="none", patience=None, plateau=None),
    *(_phase4(number) for number in (2, 3, 4, 5)),
    *(_phase4(number, imagenet=True) for number in (6, 7)),
    _capstone("cnn"),
    _capstone("vgg16", imagenet=True),
    *(_mount_sinai(number) for number in range(1, 8)),
    _blog("mlp", optimizer="sgd", learning_rate=1e-2, batch_size=64, epochs=50),
    _blog("cnn"),
    _blog("deep-cnn"),
    _blog("vgg16", imagenet=True, optimizer="rmsprop", learning_rate=1e-5, epochs=40),
    Recipe(
        name="tuned-cnn",
        network="tuned-cnn",
        input_size=150,
        epochs=20,
        monitor="val_recall",
        keep_best=True,
        augmentation=Augmentation(rotation=20.0, shift=0.2, zoom=1.2, flip=True),
    ),
)
RECIPES = {recipe.name: recipe for recipe in (*SHIPPED, VGG16, CNN, PIXEL_CHECK, *PUBLISHED)}


def recipe_named(name: str) -> Recipe:
    """Return a recipe by name. Raises Misconfigured for a wrong one."""
    if name not in RECIPES:
        raise Misconfigured(f"No recipe is called {name}; there are {', '.join(RECIPES)}.")
    return RECIPES[name]


def changed(recipe: Recipe, settings: Mapping[str, str]) -> Recipe:
    """Change some fields of a recipe, as `mixup=0.2` or `augmentation.blur=0`.

    Raises Misconfigured for a field that a recipe does not have or a value that it cannot take.
    """
    from pydantic import TypeAdapter, ValidationError

    values = TypeAdapter(Recipe).dump_python(recipe)
    for name, value in settings.items():
        outer, _, inner = name.rpartition(".")
        target = values[outer] if outer in ("augmentation", "options") else values
        if (outer and target is values) or (inner not in target and outer != "options"):
            raise Misconfigured(f"A recipe has no {name}.")
        target[inner] = None if value == "none" and inner in ("patience", "plateau") else value
    try:
        return TypeAdapter(Recipe).validate_python(values)
    except ValidationError as error:
        fault = error.errors()[0]
        field_name = ".".join(str(part) for part in fault["loc"])
        raise Misconfigured(f"{field_name} of a recipe: {fault['msg']}.") from error
