"""Images that the pixel check learns from: films, changed films and negative images."""

import numpy as np
from PIL import Image

from laboratory.data.acquisition_shift import ACQUISITIONS
from laboratory.data.dataset import Subset
from laboratory.negative_images import KINDS, NEVER_TRAINED, draw
from laboratory.negative_images.changed_films import CHANGES, change, disguise
from laboratory.pixel_check.real_images import RealImages, repeated
from laboratory.training.batches import LabelledImages
from models.preprocessing import Array8, reframe

#: Films of each part that are shown under each change; all of them if there are fewer.
CHANGED = {Subset.TRAIN: 700, Subset.TUNE: 60, Subset.HELD_OUT: 1000}
#: Share of the drawn images that are warped, that are mixed with another, and that get the grey
#: values of a film.
WARPED, MIXED, DISGUISED = 0.4, 0.15, 0.25
#: Share of the films as from elsewhere that lie on a larger sheet, as those of small children do.
ON_A_SHEET = 0.25


def training_images(
    films: Array8, count: int, seed: int, real: RealImages | None = None
) -> LabelledImages:
    """Every film as it is and as from elsewhere, changed films, and images of each trained kind.

    films: (n, 224, 224). count: images of each kind. real: images from elsewhere, likewise.
    """
    generator = np.random.default_rng(seed)
    elsewhere = np.stack([as_elsewhere(film, generator) for film in films])
    others = [
        change(some_of(pool, CHANGED[Subset.TRAIN] // 2, generator), name, seed)
        for name in CHANGES
        for pool in (films, elsewhere)
    ]
    drawn = np.concatenate([draw(kind, count, seed) for kind in sorted(_trained())])
    others.append(varied(drawn, films, generator))
    chests = [films, elsewhere]
    if real is not None:
        chests.extend(_real_chests(real, generator))
        others.extend(_real_others(real, drawn, seed, generator))
    return _labelled(np.concatenate(chests), np.concatenate(others))


def _real_chests(real: RealImages, generator: np.random.Generator) -> list[Array8]:
    """The chest films of each source: half of what is shown as it is, half as from elsewhere."""
    chests: list[Array8] = []
    for films in real.chests.values():
        selected = repeated(films, generator)
        half = len(selected) // 2
        chests += [
            selected[:half],
            np.stack([as_elsewhere(film, generator) for film in selected[half:]]),
        ]
    return chests


def _real_others(
    real: RealImages, drawn: Array8, seed: int, generator: np.random.Generator
) -> list[Array8]:
    """Real images of other things, the real films changed, and drawn images with their greys."""
    films = real.all_chests
    others = [repeated(images, generator) for images in real.others.values()]
    if not len(films):
        return others
    few = CHANGED[Subset.TRAIN] // 2
    changed = [change(some_of(films, few, generator), name, seed + 1) for name in CHANGES]
    greys = [
        disguise(image, films[int(generator.integers(len(films)))])
        for image in some_of(drawn, few, generator)
    ]
    return [*(varied(images, films, generator) for images in others), *changed, np.stack(greys)]


def tuning_images(
    films: Array8, count: int, seed: int, real: RealImages | None = None
) -> LabelledImages:
    """The films, some of them changed, and fresh images of each trained kind.

    real: images from elsewhere, which join them.
    """
    generator = np.random.default_rng(seed)
    changed = [
        change(some_of(films, CHANGED[Subset.TUNE], generator), name, seed) for name in CHANGES
    ]
    drawn = [draw(kind, count, seed) for kind in sorted(_trained())]
    if real is None:
        return _labelled(films, np.concatenate([*changed, *drawn]))
    chests = np.concatenate([films, real.all_chests])
    return _labelled(chests, np.concatenate([*changed, *drawn, *real.others.values()]))


def as_elsewhere(film: Array8, generator: np.random.Generator) -> Array8:
    """A film as from another department: acquired otherwise, framed and marked otherwise."""
    # Together with the augmentation, more than one such step would leave a piece of a chest.
    film = ACQUISITIONS[str(generator.choice(list(ACQUISITIONS)))](film)
    wide, high = np.exp(generator.uniform(-0.2, 0.2, 2))
    film = reframe(film, np.diag([1 / wide, 1 / high])).copy()
    if generator.random() < 0.4:
        _veil(film, generator)
    if generator.random() < 0.4:
        _rim(film, generator)
    if generator.random() < ON_A_SHEET:
        film = _on_a_sheet(film, generator)
    for _ in range(int(generator.integers(0, 4))):
        _mark(film, generator)
    return film


def varied(images: Array8, films: Array8, generator: np.random.Generator) -> Array8:
    """Other images, some of them warped, mixed, or with the grey values of a film."""
    changed = images.copy()
    for index, image in enumerate(images):
        if generator.random() < MIXED:
            share = generator.uniform(0.3, 0.7)
            other = images[int(generator.integers(len(images)))]
            image = (share * image + (1 - share) * other).astype(np.uint8)
        if generator.random() < WARPED:
            image = warped(image, generator)
        if generator.random() < DISGUISED:
            image = disguise(image, films[int(generator.integers(len(films)))])
        changed[index] = image
    return changed


def warped(image: Array8, generator: np.random.Generator) -> Array8:
    """Bent smoothly, by up to a tenth of the side. image: (size, size); returns the same."""
    from scipy import ndimage

    size = image.shape[0]
    bends = generator.uniform(-0.1, 0.1, (2, 4, 4)) * size
    moved = [ndimage.zoom(bend, size / 4, order=3) for bend in bends]
    places = np.mgrid[:size, :size] + np.stack(moved)
    bent: Array8 = ndimage.map_coordinates(image, places, order=1, mode="nearest")
    return bent


def _veil(film: Array8, generator: np.random.Generator) -> None:
    """Part of the chest white, as by an effusion or consolidation. Changes the film."""
    side = film.shape[0]
    y, x = np.mgrid[:side, :side] / side
    left, top = generator.uniform(0.15, 0.85), generator.uniform(0.3, 0.95)
    wide, high = generator.uniform(0.1, 0.3, 2)
    share = generator.uniform(0.3, 0.9) * np.exp(
        -(((x - left) / wide) ** 2) - ((y - top) / high) ** 2
    )
    bright = float(np.percentile(film, 90))
    film[:] = np.where(film < bright, film + share * (bright - film), film).astype(np.uint8)


def _rim(film: Array8, generator: np.random.Generator) -> None:
    """The edges of a collimated field, or of a sheet that was scanned. Changes the film."""
    ground = int(generator.choice([0, 0, 0, 30, 255]))
    top, left, bottom, right = generator.integers(0, film.shape[0] // 9, 4)
    film[:top] = film[film.shape[0] - bottom :] = ground
    film[:, :left] = film[:, film.shape[1] - right :] = ground


def _on_a_sheet(film: Array8, generator: np.random.Generator) -> Array8:
    """A film smaller than the sheet or the detector that it was taken on, somewhere on it."""
    side = film.shape[0]
    high, wide = (int(side * share) for share in generator.uniform(0.7, 0.97, 2))
    top, left = generator.integers(0, [side - high, side - wide])
    sheet = np.full_like(film, int(generator.choice([255, 255, 255, 200, 60, 0])))
    smaller = Image.fromarray(film).resize((wide, high), Image.Resampling.BILINEAR)
    sheet[top : top + high, left : left + wide] = np.asarray(smaller)
    return sheet


def _mark(film: Array8, generator: np.random.Generator) -> None:
    """A letter of lead, a label, a cable or a tube. Changes the film."""
    side = film.shape[0]
    grey = int(generator.choice([255, 255, 230, 0]))
    if generator.random() < 0.5:
        high, wide = generator.integers(3, 16), generator.integers(3, 45)
        top, left = generator.integers(0, [side - high, side - wide])
        film[top : top + high, left : left + wide] = grey
        film[top + 2 : top + high - 2, left + 2 : left + wide - 2 : 3] = 255 - grey
        return
    share = np.linspace(0, 1, 2 * side)[:, np.newaxis]
    start, bend, end = generator.uniform(0, side - 2, (3, 2))
    path = (1 - share) ** 2 * start + 2 * share * (1 - share) * bend + share**2 * end
    rows, columns = path.astype(int).T
    film[rows, columns] = film[rows + 1, columns] = 230


def some_of(films: Array8, count: int, generator: np.random.Generator) -> Array8:
    """Take some of the films at random, or all if there are fewer."""
    return films[generator.permutation(len(films))[:count]]


def _trained() -> set[str]:
    return set(KINDS) - NEVER_TRAINED


def _labelled(chests: Array8, others: Array8) -> LabelledImages:
    labels = np.repeat([1, 0], [len(chests), len(others)])
    return LabelledImages(np.concatenate([chests, others]), labels)
