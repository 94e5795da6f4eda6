"""How each member is trained. Recipes are data; `models.training` is the one loop."""

from dataclasses import dataclass, field

from models.augmentation import Augmentation
from readfirst.errors import Misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One network and the way it is trained."""

    name: str
    network: str
    input_size: int
    epochs: int
    batch_size: int = 32
    learning_rate: float
    weight_decay: float = 1e-4
    label_smoothing: float = 0.05
    class_weights: bool = True
    #: Whether the layers that bear VGG16's names start from ImageNet.
    imagenet: bool = False
    #: Epochs without a better AUC on the tuning patients after which training ends.
    patience: int = 5
    augmentation: Augmentation = field(default_factory=Augmentation)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="vgg16",
            network="vgg16-tuned",
            input_size=112,
            epochs=3,
            learning_rate=5e-5,
            imagenet=True,
        ),
        Recipe(name="cnn", network="plain-cnn", input_size=96, epochs=10, learning_rate=1.5e-3),
    )
}


def recipe_named(name: str) -> Recipe:
    """A recipe by name. Raises Misconfigured for a wrong one."""
    if name not in RECIPES:
        raise Misconfigured(f"No recipe is called {name}; there are {', '.join(RECIPES)}.")
    return RECIPES[name]
