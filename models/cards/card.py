"""The model card of an ensemble: made of its manifest and of evaluations, and of nothing else.

Its parts follow Mitchell et al., "Model Cards for Model Reporting", FAT* 2019. What a manifest does
not say is None here, and "not known" where people read it.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from models.cards.evaluations import Evaluation
from models.cards.limits import limits_of
from models.manifest import (
    Adaptation,
    EnsembleMember,
    Manifest,
    Metrics,
    OperatingPoint,
    PixelCheck,
    PlattScaling,
    Recalibration,
)
from models.populations.population import Population
from models.unlike.manifest_part import UnlikeCheck
from readfirst.domain import Ages
from readfirst.language.texts import gettext

#: Fields of a manifest for which the card has a part of its own; the others are in `others`.
OWN_PARTS = frozenset(
    {
        "version",
        "created",
        "preprocessing_version",
        "members",
        "calibration",
        "prevalence",
        "threshold",
        "operating_point",
        "pixel_check",
        "unlike",
        "metrics",
        "recalibration",
        "adaptation",
        "reference",
        "golden",
        "training",
        "population",
        "ages",
        "populations",
        "source",
        "licence",
        "disclaimer",
    }
)


class _CardPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IntendedUse(_CardPart):
    """Sentences: what an ensemble is for, and what it is not for."""

    intended: tuple[str, ...]
    not_intended: tuple[str, ...]


class TrainingData(_CardPart):
    """The films of the training: source, how they were split, and the licence of the ensemble."""

    source: str
    split: str
    licence: str


class ModelCard(_CardPart):
    """The card of an ensemble. Shares, thresholds and probabilities are numbers of 0 to 1.

    population: the first, in words; ages: None where nobody knows them. populations: further ones.
    parameters: of all members together. metrics: on its held-out patients. evaluations: on other
    films. others: parts of the manifest that this release has no words for, by their names. limits:
    sentences. sha256: of each file.
    """

    version: str
    created: str
    preprocessing_version: str
    disclaimer: str
    use: IntendedUse
    population: str
    ages: Ages | None
    populations: tuple[Population, ...]
    members: tuple[EnsembleMember, ...]
    parameters: int
    metrics: Metrics
    evaluations: tuple[Evaluation, ...]
    threshold: float
    operating_point: OperatingPoint
    calibration: PlattScaling
    prevalence: float | None
    recalibration: Recalibration | None
    adaptation: Adaptation | None
    pixel_check: PixelCheck | None
    unlike: UnlikeCheck | None
    data: TrainingData
    others: dict[str, JsonValue]
    limits: tuple[str, ...]
    sha256: dict[str, str]


def model_card(manifest: Manifest, evaluations: Sequence[Evaluation] = ()) -> ModelCard:
    """Make the card of an ensemble, in the reader's language; a manifest's own texts stay."""
    return ModelCard(
        version=manifest.version,
        created=manifest.created,
        preprocessing_version=manifest.preprocessing_version,
        disclaimer=manifest.disclaimer,
        use=_intended_use(),
        population=manifest.population,
        ages=manifest.ages,
        populations=manifest.populations,
        members=manifest.members,
        parameters=sum(member.parameters for member in manifest.members),
        metrics=manifest.metrics,
        evaluations=tuple(evaluations),
        threshold=manifest.threshold,
        operating_point=manifest.operating_point,
        calibration=manifest.calibration,
        prevalence=manifest.prevalence,
        recalibration=manifest.recalibration,
        adaptation=manifest.adaptation,
        pixel_check=manifest.pixel_check,
        unlike=manifest.unlike,
        data=TrainingData(
            source=manifest.source, split=manifest.training, licence=manifest.licence
        ),
        others={
            name: value
            for name, value in manifest.model_dump(mode="json").items()
            if name not in OWN_PARTS and value
        },
        limits=tuple(limits_of(manifest)),
        sha256={part.file: part.sha256 for part in manifest.parts},
    )


def _intended_use() -> IntendedUse:
    return IntendedUse(
        intended=(
            gettext("To put films that probably show pneumonia first in the reading order."),
            gettext("For people who read every film in any case."),
        ),
        not_intended=(
            gettext("To lower, skip or close a study: it may only raise one."),
            gettext("To say that a film is normal: a low probability is no finding."),
            gettext("To find other diseases, or to tell what has caused a pneumonia."),
        ),
    )
