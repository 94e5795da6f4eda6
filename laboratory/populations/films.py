"""The films that a population is fitted to: read by radiologists, with the ensemble's logits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from laboratory.data.elsewhere import FilmFromElsewhere, load_model_ready
from models.combining import Probabilities
from models.ensemble import NetworkEnsemble, combined_logits
from readfirst.domain import Ages
from readfirst.errors import Misconfigured

#: Classes of radiologists (RSNA Pneumonia Detection Challenge 2018).
SICK = "lung_opacity"
OTHERS = ("normal", "abnormal_no_opacity")
VIEWS = ("AP", "PA")
#: Healthy copies that are scored at most: the interval of a specificity gets no narrower for more.
MOST_COPIES = 500
#: Films that are in memory at once.
AT_ONCE = 128


@dataclass(frozen=True, slots=True, eq=False)
class PopulationFilms:
    """Films of a population, (n,) each.

    logits: of the ensemble, before calibration. classes: of radiologists. accepted: by the pixel
    check.
    """

    logits: Probabilities
    classes: npt.NDArray[np.str_]
    views: npt.NDArray[np.str_]
    patients: npt.NDArray[np.str_]
    accepted: npt.NDArray[np.bool_]

    @property
    def sick(self) -> npt.NDArray[np.bool_]:
        """True where radiologists found an opacity."""
        return np.asarray(self.classes == SICK, dtype=np.bool_)

    def at(self, index: np.ndarray) -> Self:
        """Some of the films. index: of numbers, or True for those."""
        return type(self)(
            self.logits[index],
            self.classes[index],
            self.views[index],
            self.patients[index],
            self.accepted[index],
        )


def select_films(
    films: Sequence[FilmFromElsewhere], ages: Ages
) -> tuple[list[FilmFromElsewhere], list[FilmFromElsewhere]]:
    """The films of these ages that radiologists have read: to fit to, and healthy copies.

    A source that brings healthy films alone is not fitted to: its copies have a way of their own,
    and the difference between sources would pass for health. They tell of specificity. Films whose
    age or view is unknown are left out, and of copies those above `MOST_COPIES`. Raises
    Misconfigured if none is left to fit to.
    """
    read = [
        film
        for film in films
        if film.radiologist_label in (SICK, *OTHERS)
        and film.view in VIEWS
        and film.age is not None
        and ages.from_years <= film.age < ages.to_years + 1
    ]
    with_sick = {film.source for film in read if film.radiologist_label == SICK}
    fitted = [film for film in read if film.source in with_sick]
    if not fitted:
        raise Misconfigured(
            f"No film of patients of {ages.from_years} to {ages.to_years} years has a "
            f"radiologist's class {SICK!r} and a view."
        )
    copies = [film for film in read if film.source not in with_sick]
    # In no order that means anything, and the same each time.
    copies.sort(key=lambda film: hashlib.sha256(film.patient.encode()).digest())
    return fitted, copies[:MOST_COPIES]


def scored_films(
    ensemble: NetworkEnsemble, films: Sequence[FilmFromElsewhere]
) -> PopulationFilms | None:
    """The films with the logits of an ensemble; None without films."""
    if not films:
        return None
    logits, accepted = [], []
    for start in range(0, len(films), AT_ONCE):
        images = load_model_ready(films[start : start + AT_ONCE])
        logits.append(combined_logits(ensemble.manifest.members, ensemble.networks, images))
        accepted.append(ensemble.is_chest(images))
    return PopulationFilms(
        np.concatenate(logits),
        np.array([film.radiologist_label for film in films], dtype=np.str_),
        np.array([film.view for film in films], dtype=np.str_),
        np.array([film.patient for film in films], dtype=np.str_),
        np.concatenate(accepted),
    )
