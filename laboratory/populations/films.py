"""The films that a population is fitted to: read by radiologists, with the ensemble's logits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from laboratory.data.elsewhere import FilmFromElsewhere, load_model_ready
from models.combining import Probabilities, combine
from models.ensemble import NetworkEnsemble, member_logits
from models.preprocessing import Array8
from readfirst.domain import Ages
from readfirst.errors import Misconfigured

#: Classes of radiologists (RSNA Pneumonia Detection Challenge 2018).
SICK = "lung_opacity"
OTHERS = ("normal", "abnormal_no_opacity")
VIEWS = ("AP", "PA")


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
    age or view is unknown are left out. Raises Misconfigured if none is left to fit to.
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
    return fitted, [film for film in read if film.source not in with_sick]


def scored_films(
    ensemble: NetworkEnsemble, films: Sequence[FilmFromElsewhere]
) -> PopulationFilms | None:
    """The films with the logits of an ensemble; None without films."""
    if not films:
        return None
    images = load_model_ready(films)
    return PopulationFilms(
        uncalibrated_logits(ensemble, images),
        np.array([film.radiologist_label for film in films], dtype=np.str_),
        np.array([film.view for film in films], dtype=np.str_),
        np.array([film.patient for film in films], dtype=np.str_),
        ensemble.is_chest(images),
    )


def uncalibrated_logits(ensemble: NetworkEnsemble, images: Array8) -> Probabilities:
    """The combined logits of an ensemble before calibration, (n,), of (n, 224, 224) uint8."""
    members = ensemble.manifest.members
    by_member = member_logits(members, ensemble.networks, images)
    return combine(list(by_member.values()), [member.weight for member in members])
