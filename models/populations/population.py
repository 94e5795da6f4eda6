"""A further population of an ensemble, as its manifest describes it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from readfirst.domain import Ages
from readfirst.statistics.operating_points import Interval

Share = Annotated[float, Field(gt=0, lt=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PredictiveValues(_Frozen):
    """PPV and NPV at a prevalence, by Bayes; None where nobody would be flagged, or everybody."""

    prevalence: Share
    ppv: Interval | None
    npv: Interval | None


class FiguresAgainst(_Frozen):
    """Figures of the sick films against one group of others, at the threshold.

    sick, others: numbers of films. None where a group lacks what a figure needs.
    """

    sick: int
    others: int
    auc: Interval | None
    sensitivity: Interval | None
    specificity: Interval | None
    predictive: tuple[PredictiveValues, ...] = ()


class PopulationEvidence(_Frozen):
    """The films of a population, how it was fitted to them, and its figures.

    films: that it was fitted to. sick: of these. folds: of the cross-validation by patient that the
    figures come from. groups: figures by the name of the group that the sick are held against.
    """

    source: str
    method: str
    films: int
    patients: int
    sick: int
    folds: int
    groups: dict[str, FiguresAgainst]


class Population(_Frozen):
    """A population with a calibration and an operating point of its own.

    ages: in completed years, both included. views: those that it was measured on, as `AP`; empty:
    any. slope, intercept: Platt's scaling of the ensemble's logits before calibration. prevalence:
    the share of sick films that calibration and threshold presuppose.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    ages: Ages
    views: tuple[str, ...] = ()
    #: The finding that its probabilities are of, as `lung opacity`.
    finding: str
    slope: float = Field(gt=0)
    intercept: float
    prevalence: Share
    threshold: Share
    evidence: PopulationEvidence
