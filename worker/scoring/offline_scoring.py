"""Score files now: no queue, no database, the same steps as the workers take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ingest.reader.reader_process import Reader
from ingest.scope.scope import check_scope
from ingest.scope.scope_rules import ScopeRules, default_rules
from models.ensemble import ScoringModel
from models.populations.applying import Populations
from models.preprocessing import LEAST_SIDE, standardise
from readfirst.domain import AgeAndView, Ages, ImageScore
from readfirst.errors import Refused, Unavailable
from readfirst.files.folders import files_within
from readfirst.printable import one_line
from readfirst.studies.ages import certain_age
from readfirst.studies.marks import Mark, correction_marks
from readfirst.studies.prevalence import at_prevalence
from readfirst.studies.score_marks import score_marks


@dataclass(frozen=True, slots=True, kw_only=True)
class FileScore:
    r"""The result for one file. The probability is None when it was not scored.

    path: in one line; bytes that are no UTF-8 and control characters written as `\xe9`.
    status: unreadable where the file itself could not be read, which may pass.
    """

    path: str
    status: Literal["scored", "refused", "unreadable"]
    code: str | None = None
    reason: str | None = None
    probability: float | None = None
    flagged: bool | None = None
    threshold: float
    ensemble: str
    #: By whose calibration and threshold it is stated; None: the ensemble's first.
    population: str | None = None
    members: dict[str, float]
    #: How far the members disagree: from the least to the most suspicious of them.
    spread: float | None = None
    #: The film looks unlike those of the validation; None: the ensemble cannot tell.
    unlike: bool | None = None
    #: Why the score is not validated, or in doubt; empty if it is neither.
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """The limits of what may be scored, and by whom it is stated.

    rules: the site's. ages, populations: those that the ensemble knows.
    """

    rules: ScopeRules = field(default_factory=default_rules)
    ages: Ages | None = None
    populations: Populations = field(default_factory=Populations)


def score_files(
    paths: Sequence[Path],
    reader: Reader,
    ensemble: ScoringModel,
    batch_size: int,
    *,
    prevalence: float | None,
    scope: Scope | None = None,
) -> Iterator[FileScore]:
    """Score files in batches, and give the results in the order of the paths.

    prevalence: share of pneumonia at this site, for which the probabilities are stated. scope:
    what may be scored; the rules that come with ReadFirst where it is None.
    """
    for start in range(0, len(paths), batch_size):
        batch = paths[start : start + batch_size]
        yield from _score_batch(batch, reader, ensemble, prevalence, scope or Scope())


def files_in(paths: Sequence[Path]) -> list[Path]:
    """The paths with every folder replaced by the files in it, by name.

    Hidden files, and files in hidden folders at any depth, are left out; a path that is given is
    taken, whatever it is called.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files.extend(_visible_files(path))
        else:
            files.append(path)
    return files


def _visible_files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in files_within(folder)
        if not any(name.startswith(".") for name in path.relative_to(folder).parts)
        and path.is_file()
    )


def _score_batch(
    paths: Sequence[Path],
    reader: Reader,
    ensemble: ScoringModel,
    prevalence: float | None,
    scope: Scope,
) -> Iterator[FileScore]:
    images = [_model_input(path, reader, scope) for path in paths]
    readable = [image.pixels for image in images if isinstance(image, _ModelInput)]
    results = iter(ensemble.predict(np.stack(readable)) if readable else [])
    for path, image in zip(paths, images, strict=True):
        result = next(results) if isinstance(image, _ModelInput) else image
        if isinstance(image, _ModelInput) and isinstance(result, ImageScore):
            score = scope.populations.stated(result, image.film)
            others, name = scope.populations.thresholds, score.population
            threshold = ensemble.threshold if name is None else others[name]
            yield _scored(path, score, threshold, image.marks, ensemble, prevalence)
        elif isinstance(result, Refused | Unavailable):
            yield _not_scored(path, result, ensemble, prevalence)


@dataclass(frozen=True, slots=True)
class _ModelInput:
    pixels: np.ndarray
    film: AgeAndView
    marks: tuple[Mark, ...]


def _model_input(path: Path, reader: Reader, scope: Scope) -> _ModelInput | Refused | Unavailable:
    try:
        header = reader.header(path)
        marks = check_scope(header, scope.rules, scope.ages)
        film, corrections = reader.corrected_film(path, LEAST_SIDE)
        return _ModelInput(
            standardise(film),
            AgeAndView(certain_age(header), header.view_position),
            (*marks, *correction_marks(corrections)),
        )
    except (Refused, Unavailable) as error:
        # One file that cannot be read must not cost the results of all others.
        return error


def _scored(
    path: Path,
    score: ImageScore,
    threshold: float,
    marks: tuple[Mark, ...],
    ensemble: ScoringModel,
    prevalence: float | None,
) -> FileScore:
    def at_site(probability: float) -> float:
        return at_prevalence(probability, ensemble.prevalence, prevalence)

    return FileScore(
        path=one_line(str(path)),
        status="scored",
        probability=at_site(score.probability),
        flagged=score.probability >= threshold,
        threshold=at_site(threshold),
        ensemble=ensemble.version,
        population=score.population,
        members={name: at_site(probability) for name, probability in score.members.items()},
        spread=score.spread,
        unlike=score.unlike,
        marks=(*marks, *score_marks(score.members, ensemble.threshold, score.unlike, at_site)),
    )


def _not_scored(
    path: Path, error: Refused | Unavailable, ensemble: ScoringModel, prevalence: float | None
) -> FileScore:
    refusal = error if isinstance(error, Refused) else None
    return FileScore(
        path=one_line(str(path)),
        status="refused" if refusal else "unreadable",
        code=refusal.code.value if refusal else None,
        reason=refusal.reason if refusal else str(error),
        threshold=at_prevalence(ensemble.threshold, ensemble.prevalence, prevalence),
        ensemble=ensemble.version,
        members={},
    )
