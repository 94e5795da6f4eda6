"""The two networks of a DCGAN on grey films of 64 x 64, and their training against each other.

Radford, Metz and Chintala (2016), "Unsupervised representation learning with deep convolutional
generative adversarial networks". The discriminator normalises over groups of channels (Wu and He
2018) where theirs normalises over the batch: that would make it another function while it is
frozen, in the generator's steps, than while it is trained.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.float32]

#: Side of the invented films.
SIZE = 64
#: Numbers that a film is invented from, each normally distributed.
LATENT = 100
#: Filters of the layer next to the film; each layer inwards has twice those of the one before.
WIDTH = 64
#: Target of the discriminator for real films: one-sided label smoothing (Salimans et al. 2016).
REAL = 0.9
LEARNING_RATE = 2e-4
BETA_1 = 0.5


@dataclass(frozen=True, slots=True)
class Adversaries:
    """Two networks that are trained against each other. deception: the one before the other."""

    generator: "keras.Model"
    discriminator: "keras.Model"
    deception: "keras.Model"

    def train_discriminator(self, films: Array, latent: Array) -> float:
        """Take one step on as many real as invented films. Returns the epoch's mean loss so far.

        films: (n, 64, 64, 1), -1 to 1. latent: (n, 100).
        """
        self.discriminator.trainable = True
        invented = np.asarray(self.generator.predict_on_batch(latent))
        targets = np.repeat(np.array([REAL, 0.0], dtype=np.float32), [len(films), len(invented)])
        return _step(self.discriminator, np.concatenate([films, invented]), targets)

    def train_generator(self, latent: Array) -> float:
        """Take one step that leaves the discriminator alone. Returns the epoch's mean loss so far.

        latent: (n, 100).
        """
        # Which weights a step moves is asked when a network is compiled (TensorFlow) or at every
        # step (JAX, PyTorch), so that the flag stands right at both times.
        self.discriminator.trainable = False
        return _step(self.deception, latent, np.ones(len(latent), dtype=np.float32))

    def begin_epoch(self) -> None:
        """Forget the losses so far."""
        self.discriminator.reset_metrics()
        self.deception.reset_metrics()


def generator(width: int = WIDTH) -> "keras.Model":
    """Build the network from 100 numbers to a film of (64, 64, 1), -1 to 1.

    3.6 M parameters at the usual width.
    """
    from keras import Input, Model, layers

    latent = Input((LATENT,), name="latent")
    x = layers.Dense(4 * 4 * 8 * width, use_bias=False, **_normal("dense"))(latent)
    x = layers.Reshape((4, 4, 8 * width), name="reshape")(x)
    for step, filters in enumerate((4 * width, 2 * width, width), 1):
        x = _batch_normal(x, f"norm{step}")
        x = _up(filters, f"up{step}", use_bias=False)(x)
    x = _up(1, "up4", activation="tanh")(_batch_normal(x, "norm4"))
    return Model(latent, x, name="generator")


def discriminator(width: int = WIDTH) -> "keras.Model":
    """Build the network from a film of (64, 64, 1), -1 to 1, to the logit of its being real.

    2.8 M parameters at the usual width, which is a multiple of 4.
    """
    from keras import Input, Model, layers

    film = x = Input((SIZE, SIZE, 1), name="film")
    for step, filters in enumerate((width, 2 * width, 4 * width, 8 * width), 1):
        x = layers.Conv2D(filters, 4, strides=2, padding="same", **_normal(f"down{step}"))(x)
        if step > 1:
            x = layers.GroupNormalization(groups=8, name=f"norm{step}")(x)
        x = layers.LeakyReLU(0.2, name=f"leak{step}")(x)
    x = layers.Flatten(name="flatten")(x)
    return Model(film, layers.Dense(1, **_normal("logit"))(x), name="discriminator")


def adversaries(width: int = WIDTH) -> Adversaries:
    """Make a new generator and a new discriminator, ready to be trained against each other."""
    from keras import Input, Model

    new_generator, new_discriminator = generator(width), discriminator(width)
    _compile(new_discriminator)
    new_discriminator.trainable = False
    latent = Input((LATENT,), name="latent")
    deception = Model(latent, new_discriminator(new_generator(latent)), name="deception")
    _compile(deception)
    return Adversaries(new_generator, new_discriminator, deception)


def _step(network: "keras.Model", inputs: Array, targets: Array) -> float:
    """Train on one batch. Returns the mean loss since the metrics were reset."""
    metrics = network.train_on_batch(inputs, targets[:, np.newaxis], return_dict=True)
    return float(metrics["loss"])


def _compile(network: "keras.Model") -> None:
    from keras import losses, optimizers

    network.compile(
        optimizer=optimizers.Adam(LEARNING_RATE, beta_1=BETA_1),
        loss=losses.BinaryCrossentropy(from_logits=True),
    )
    # Else TensorFlow makes its variables in the first step, and traces that step twice.
    network.optimizer.build(network.trainable_variables)


def _up(filters: int, name: str, **options: Any) -> "keras.Layer":
    """A convolution that doubles the side."""
    from keras import layers

    return layers.Conv2DTranspose(filters, 4, strides=2, padding="same", **_normal(name), **options)


def _batch_normal(x: "keras.KerasTensor", name: str) -> "keras.KerasTensor":
    """Batch normalisation and ReLU. Its averages are quick, for the generator is used, in the
    discriminator's steps too, as it will be after the training.
    """
    from keras import initializers, layers

    x = layers.BatchNormalization(
        momentum=0.8, gamma_initializer=initializers.RandomNormal(1.0, 0.02), name=name
    )(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _normal(name: str) -> dict[str, Any]:
    """A layer's name, and the weights it starts with: Radford et al. 2016."""
    from keras import initializers

    return {"kernel_initializer": initializers.RandomNormal(0.0, 0.02), "name": name}
