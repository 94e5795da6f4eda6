"""Score files now: no queue, no database, the same steps as the workers take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ingest.sandbox import Reader
from ingest.scope import check_scope
from ingest.scope_rules import ScopeRules, default_rules
from models.ensemble import Ensemble
from models.preprocessing import LEAST_SIDE, standardise
from readfirst.domain import Ages, ImageScore
from readfirst.errors import Refused
from readfirst.marks import Mark
from readfirst.prevalence import at_prevalence


@dataclass(frozen=True, slots=True, kw_only=True)
class FileScore:
    """What became of one file. The probability is None when it was refused."""

    path: str
    status: Literal["scored", "refused"]
    code: str | None = None
    reason: str | None = None
    probability: float | None = None
    flagged: bool | None = None
    threshold: float
    ensemble: str
    members: dict[str, float]
    #: How far the members disagree: from the least to the most suspicious of them.
    spread: float | None = None
    #: Why the score is not validated; empty if it is.
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be scored: the rules of the site, and the ages that the ensemble knows."""

    rules: ScopeRules = field(default_factory=default_rules)
    ages: Ages | None = None


def score_files(
    paths: Sequence[Path],
    reader: Reader,
    ensemble: Ensemble,
    batch_size: int,
    *,
    prevalence: float | None = None,
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
    """The paths with every folder replaced by the files in it, by name, hidden ones left out."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files.extend(sorted(found for found in path.rglob("[!.]*") if found.is_file()))
        else:
            files.append(path)
    return files


def _score_batch(
    paths: Sequence[Path],
    reader: Reader,
    ensemble: Ensemble,
    prevalence: float | None,
    scope: Scope,
) -> Iterator[FileScore]:
    images = [_model_ready(path, reader, scope) for path in paths]
    readable = [image.pixels for image in images if not isinstance(image, Refused)]
    said = iter(ensemble.predict(np.stack(readable)) if readable else [])
    for path, image in zip(paths, images, strict=True):
        if isinstance(image, Refused):
            yield _refused(path, image, ensemble, prevalence)
            continue
        result = next(said)
        if isinstance(result, Refused):
            yield _refused(path, result, ensemble, prevalence)
        else:
            yield _scored(path, result, image.marks, ensemble, prevalence)


@dataclass(frozen=True, slots=True)
class _ModelReady:
    pixels: np.ndarray
    marks: tuple[Mark, ...]


def _model_ready(path: Path, reader: Reader, scope: Scope) -> _ModelReady | Refused:
    try:
        marks = check_scope(reader.header(path), scope.rules, scope.ages)
        return _ModelReady(standardise(reader.film(path, LEAST_SIDE)), marks)
    except Refused as refusal:
        return refusal


def _scored(
    path: Path,
    score: ImageScore,
    marks: tuple[Mark, ...],
    ensemble: Ensemble,
    prevalence: float | None,
) -> FileScore:
    def here(probability: float) -> float:
        return at_prevalence(probability, ensemble.prevalence, prevalence)

    return FileScore(
        path=str(path),
        status="scored",
        probability=here(score.probability),
        flagged=score.probability >= ensemble.threshold,
        threshold=here(ensemble.threshold),
        ensemble=ensemble.version,
        members={name: here(said) for name, said in score.members.items()},
        spread=score.spread,
        marks=marks,
    )


def _refused(
    path: Path, refusal: Refused, ensemble: Ensemble, prevalence: float | None
) -> FileScore:
    return FileScore(
        path=str(path),
        status="refused",
        code=refusal.code.value,
        reason=refusal.reason,
        threshold=at_prevalence(ensemble.threshold, ensemble.prevalence, prevalence),
        ensemble=ensemble.version,
        members={},
    )
