"""The check of unlike films: fitted, measured, and written beside the networks of an ensemble."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from laboratory.data.elsewhere import FilmFromElsewhere
from laboratory.unlike.fit_contrast import (
    Array,
    Features,
    by_name,
    choose_threshold,
    fit_contrast,
    without,
)
from laboratory.unlike.gather_features import ADULT, AS_IT_IS, GatheredFeatures, ReadLayer
from models.manifest import Manifest, load_manifest, write_manifest
from models.unlike.contrast import Contrast, save_contrast
from models.unlike.manifest_part import MarkedShare, UnlikeCheck, UnlikeFigures
from readfirst.statistics.shares import wilson_interval

UNLIKE_FILE = "unlike.safetensors"
METHOD = (
    "the difference of two squared Mahalanobis distances with one covariance, to the training "
    "films and to adults' films from elsewhere, each as it is, in a random simulated acquisition "
    "and strongly augmented; the threshold is the least that marks at most the stated share of "
    "the tuning patients' films under any simulated acquisition"
)
#: Share of the validated films that may be marked.
FALSE_MARKS = 0.01
#: Layer of each network that is read where nobody names another, and its cells.
LAYERS = {"efficientnet-lite0": ("block10_add", 2)}


def fit_unlike(
    gathered: GatheredFeatures, false_marks: float = FALSE_MARKS
) -> tuple[Contrast, float, UnlikeFigures]:
    """Fit the contrast, set its threshold on the tuning films, measure it on all others."""
    contrast = fit_contrast(gathered.train, gathered.fit, gathered.fit_sources)
    threshold = _threshold(contrast, gathered.tune.values(), false_marks)

    def marked(features: Features) -> Array:
        return np.asarray(contrast.of(features) >= threshold, dtype=np.float64)

    figures = UnlikeFigures(
        acquisitions={
            name: _share(marked(features)) for name, features in gathered.held_out.items()
        },
        groups=_shares(gathered.held_out_groups, marked(gathered.held_out[AS_IT_IS])),
        elsewhere=_shares(
            [kind_of(film) for film in gathered.measure_films], marked(gathered.measure)
        ),
        unseen=_unseen_hospitals(gathered, false_marks),
        unseen_groups=_unseen_groups(gathered, false_marks),
    )
    return contrast, threshold, figures


def hospital_of(source: str) -> str:
    """The hospital of a source: its name up to the first underscore."""
    return source.partition("_")[0]


def kind_of(film: FilmFromElsewhere) -> str:
    """Say of what kind a film is: source, population and view, or what else it shows."""
    what = (film.population, film.view) if film.population else (film.label,)
    return ", ".join((film.source, *filter(None, what)))


def write_unlike(
    folder: Path,
    read: ReadLayer,
    contrast: Contrast,
    threshold: float,
    figures: UnlikeFigures,
    *,
    false_marks: float = FALSE_MARKS,
) -> Manifest:
    """Write the check beside an ensemble, and name it in the manifest, which is returned."""
    sha256 = save_contrast(contrast, folder / UNLIKE_FILE)
    check = UnlikeCheck(
        member=read.member,
        layer=read.layer,
        cells=read.cells,
        file=UNLIKE_FILE,
        sha256=sha256,
        threshold=threshold,
        method=METHOD,
        false_marks=false_marks,
        figures=figures,
    )
    manifest: Manifest = load_manifest(folder).model_copy(update={"unlike": check})
    write_manifest(folder, manifest)
    return manifest


def _unseen_hospitals(gathered: GatheredFeatures, false_marks: float) -> dict[str, MarkedShare]:
    """Films of adults of each hospital, by a check that was fitted without that hospital."""
    films = gathered.measure_films
    of_fit = np.array([hospital_of(source) for source in gathered.fit_sources])
    of_films = np.array([hospital_of(film.source) for film in films])
    adult = np.array([film.population == ADULT for film in films])
    shares: dict[str, MarkedShare] = {}
    for hospital in np.unique(of_fit):
        mine, others = adult & (of_films == hospital), of_fit != hospital
        if not mine.any() or not others.any():
            continue
        sources = np.array(gathered.fit_sources)[others]
        contrast = fit_contrast(gathered.train, gathered.fit[others], sources.tolist())
        threshold = _threshold(contrast, gathered.tune.values(), false_marks)
        shares[str(hospital)] = _share(contrast.of(gathered.measure[mine]) >= threshold)
    return shares


def _unseen_groups(gathered: GatheredFeatures, false_marks: float) -> dict[str, MarkedShare]:
    """Held-out films of each group, by a check that was fitted without that group."""
    groups = sorted(set(gathered.train_groups))
    shares: dict[str, MarkedShare] = {}
    for group in groups if len(groups) > 1 else []:
        others, _ = without(gathered.train, gathered.train_groups, group)
        tune = [without(each, gathered.tune_groups, group)[0] for each in gathered.tune.values()]
        contrast = fit_contrast(others, gathered.fit, gathered.fit_sources)
        threshold = _threshold(contrast, tune, false_marks)
        mine = np.array(gathered.held_out_groups) == group
        if mine.any():
            marked = contrast.of(gathered.held_out[AS_IT_IS][mine]) >= threshold
            shares[group] = _share(marked)
    return shares


def _threshold(contrast: Contrast, tune: Iterable[Features], false_marks: float) -> float:
    return choose_threshold((contrast.of(features) for features in tune), false_marks)


def _shares(names: Sequence[str], marked: Array) -> dict[str, MarkedShare]:
    return {name: _share(values) for name, values in by_name(names, marked).items()}


def _share(marked: np.ndarray) -> MarkedShare:
    hits, films = int(marked.sum()), len(marked)
    low, high = wilson_interval(hits, films)
    return MarkedShare(films=films, marked=hits, low=low, high=high)
