"""Features of the films that the check of unlike films is fitted on and measured on."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from laboratory.data.acquisition_shift import ACQUISITIONS, acquired
from laboratory.data.augmentation import STRONG, augment
from laboratory.data.dataset import LabelledFilm, Subset, load_images
from laboratory.data.elsewhere import FilmFromElsewhere, Half, in_half, load_model_ready
from laboratory.training.progress import ReportProgress
from laboratory.unlike.fit_contrast import Features
from models.ensemble import NetworkEnsemble, member_outputs
from models.preprocessing import Array8
from models.unlike.features import with_features
from readfirst.errors import Misconfigured

#: Most films of a subset that are read, so that it takes minutes.
MOST = {Subset.TRAIN: 2000, Subset.TUNE: 400, Subset.HELD_OUT: 400}
#: Most films of a source from elsewhere, for the fit and for the measurement.
MOST_OF_A_SOURCE = 1100
#: Films that go through the network together.
TOGETHER = 32
ADULT = "adult"
AS_IT_IS = "as it is"

Film = TypeVar("Film", LabelledFilm, FilmFromElsewhere)
ReadFeatures = Callable[[Array8], Features]
#: Makes what reports how many of the films of this name are read.
Report = Callable[[str], ReportProgress]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLayer:
    """The layer that the check reads: of which member, and over how many cells."""

    member: str
    layer: str
    cells: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GatheredFeatures:
    """Features of films by what they are for, (n, d) each, with what each film is.

    train, fit: three times each film: as it is, in a random acquisition, strongly augmented.
    tune, held_out: by acquisition.
    """

    train: Features
    train_groups: list[str]
    fit: Features
    fit_sources: list[str]
    tune: dict[str, Features]
    tune_groups: list[str]
    held_out: dict[str, Features]
    held_out_groups: list[str]
    measure: Features
    measure_films: list[FilmFromElsewhere]


def reader_of(ensemble: NetworkEnsemble, read: ReadLayer) -> ReadFeatures:
    """Make what reads features of model-ready images: (n, d), the mean over the member's views.

    Raises Misconfigured if the ensemble has no such member, or the member no such layer.
    """
    pairs = zip(ensemble.manifest.members, ensemble.networks, strict=True)
    named = {member.name: (member, network) for member, network in pairs}
    if read.member not in named:
        raise Misconfigured(
            f"Ensemble {ensemble.version} has no member {read.member}: {', '.join(named)}."
        )
    member, network = named[read.member]
    model = with_features(network, read.layer, read.cells)

    def features(images: Array8) -> Features:
        by_view = member_outputs([member], [model], images)[member.name]
        return np.asarray(np.mean([outputs[1] for outputs in by_view], axis=0), dtype=np.float32)

    return features


def gather(
    ensemble: NetworkEnsemble,
    features: ReadFeatures,
    parts: dict[Subset, list[LabelledFilm]],
    elsewhere: Sequence[FilmFromElsewhere],
    *,
    seed: int,
    report: Report,
) -> GatheredFeatures:
    """Read the features of all films that the check needs.

    Of the films from elsewhere, adults' that pass the ensemble's pixel check are for the fit;
    whatever passes it is measured on. Raises Misconfigured if none is left for either.
    """
    chosen = {part: _some(parts[part], MOST[part], seed) for part in Subset}
    adults = [film for film in in_half(elsewhere, Half.FIT) if film.population == ADULT]
    fit_films, fit_images = _chest_films(ensemble, _some_of_each_source(adults, seed))
    to_measure = _some_of_each_source(in_half(elsewhere, Half.MEASURE), seed)
    measured, measured_images = _chest_films(ensemble, to_measure)
    if not fit_films or not measured:
        raise Misconfigured("No chest films of adults from elsewhere are there to fit on.")
    images = {part: load_images(films) for part, films in chosen.items()}
    groups = {part: [film.group for film in films] for part, films in chosen.items()}

    def read(name: str, versions: Sequence[Callable[[], Array8]], count: int) -> list[Features]:
        done, results, tell = 0, [], report(name)
        for version in versions:
            pixels = version()
            pieces = []
            for start in range(0, len(pixels), TOGETHER):
                pieces.append(features(pixels[start : start + TOGETHER]))
                done += len(pieces[-1])
                tell(done, count * len(versions), {})
            results.append(np.concatenate(pieces))
        return results

    def thrice(name: str, films: Array8) -> Features:
        return np.concatenate(read(name, _changed(films, seed), len(films)))

    def under_all(part: Subset) -> dict[str, Features]:
        taken = [_under(images[part], acquisition) for acquisition in ACQUISITIONS]
        results = read(part.value, taken, len(images[part]))
        return dict(zip(ACQUISITIONS, results, strict=True))

    return GatheredFeatures(
        train=thrice("train", images[Subset.TRAIN]),
        train_groups=groups[Subset.TRAIN] * 3,
        fit=thrice("elsewhere, to fit", fit_images),
        fit_sources=[film.source for film in fit_films] * 3,
        tune=under_all(Subset.TUNE),
        tune_groups=groups[Subset.TUNE],
        held_out=under_all(Subset.HELD_OUT),
        held_out_groups=groups[Subset.HELD_OUT],
        measure=read("elsewhere, to measure", [lambda: measured_images], len(measured))[0],
        measure_films=measured,
    )


def _changed(images: Array8, seed: int) -> list[Callable[[], Array8]]:
    """Films as they are, each in a random acquisition, and each strongly augmented."""
    generator = np.random.default_rng(seed)
    names = [name for name in ACQUISITIONS if name != AS_IT_IS]
    drawn = [names[i] for i in generator.integers(0, len(names), len(images))]
    return [
        lambda: images,
        lambda: np.stack(
            [ACQUISITIONS[name](image) for name, image in zip(drawn, images, strict=True)]
        ),
        lambda: np.stack(
            [np.round(augment(image, STRONG, generator)).astype(np.uint8) for image in images]
        ),
    ]


def _under(images: Array8, acquisition: str) -> Callable[[], Array8]:
    return lambda: acquired(images, acquisition)


def _some(films: Sequence[Film], most: int, seed: int) -> list[Film]:
    order = np.random.default_rng(seed).permutation(len(films))[:most]
    return [films[i] for i in np.sort(order)]


def _some_of_each_source(films: Sequence[FilmFromElsewhere], seed: int) -> list[FilmFromElsewhere]:
    by_source: dict[str, list[FilmFromElsewhere]] = defaultdict(list)
    for film in films:
        by_source[film.source].append(film)
    return [film for mine in by_source.values() for film in _some(mine, MOST_OF_A_SOURCE, seed)]


def _chest_films(
    ensemble: NetworkEnsemble, films: Sequence[FilmFromElsewhere]
) -> tuple[list[FilmFromElsewhere], Array8]:
    """The films that the pixel check lets through, and their images."""
    if not films:
        return [], np.zeros((0, 1, 1), dtype=np.uint8)
    images = load_model_ready(films)
    chest = ensemble.is_chest(images)
    return [film for film, kept in zip(films, chest, strict=True) if kept], images[chest]
