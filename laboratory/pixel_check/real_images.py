"""Real images from elsewhere for the pixel check: chest films of other people, and what is none."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from laboratory.data.dataset import Subset
from laboratory.data.elsewhere import FilmFromElsewhere, Half, load_model_ready
from models.preprocessing import MODEL_READY_SIZE, Array8

#: Labels of images that are no frontal chest films begin with one of these.
OTHERS = ("hand", "not_")
#: Of the patients to fit on, every fifth is kept to tune on.
TUNED = 5
#: About how often the images of a source are shown in all, and how often each at most. A source of
#: many films that are alike counts as much as one of a few.
SHOWN, COPIES = 1600, 8


@dataclass(frozen=True, slots=True)
class RealImages:
    """Real images of one part.

    chests: by source. patients: of whom they are, likewise, (n,). others: what is no chest film, by
    label. Images are (n, 224, 224) uint8.
    """

    chests: Mapping[str, Array8] = field(default_factory=dict)
    patients: Mapping[str, np.ndarray] = field(default_factory=dict)
    others: Mapping[str, Array8] = field(default_factory=dict)

    @property
    def all_chests(self) -> Array8:
        """All chest films, of every source."""
        none = np.empty((0, MODEL_READY_SIZE, MODEL_READY_SIZE), np.uint8)
        return np.concatenate([none, *self.chests.values()])


def is_chest(film: FilmFromElsewhere) -> bool:
    """Tell by its label that an image is a frontal chest film."""
    return not film.label.startswith(OTHERS)


def subset_of(film: FilmFromElsewhere) -> Subset:
    """Return the part that a film is in, by its patient: never the same patient in two."""
    if film.half is Half.MEASURE:
        return Subset.HELD_OUT
    digest = hashlib.sha256(film.patient.encode()).digest()
    return Subset.TUNE if digest[1] % TUNED == 0 else Subset.TRAIN


def real_images(films: Sequence[FilmFromElsewhere], part: Subset) -> RealImages:
    """Load the images of one part, in the order of the table."""
    chosen = [film for film in films if subset_of(film) is part]
    chests = _grouped([film for film in chosen if is_chest(film)], lambda film: film.source)
    others = _grouped([film for film in chosen if not is_chest(film)], lambda film: film.label)
    return RealImages(
        {name: load_model_ready(group) for name, group in chests.items()},
        {name: np.array([film.patient for film in group]) for name, group in chests.items()},
        {name: load_model_ready(group) for name, group in others.items()},
    )


def repeated(images: Array8, generator: np.random.Generator) -> Array8:
    """Repeat the images of a source, or take some of them, so that about `SHOWN` are shown."""
    copies = int(np.clip(SHOWN // len(images), 2, COPIES))
    few = images[generator.permutation(len(images))[: SHOWN // 2]]
    return np.concatenate([few] * copies)


def _grouped(
    films: Sequence[FilmFromElsewhere], key: Callable[[FilmFromElsewhere], str]
) -> dict[str, list[FilmFromElsewhere]]:
    names = sorted({key(film) for film in films})
    return {name: [film for film in films if key(film) == name] for name in names}
