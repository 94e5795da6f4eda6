"""Two thresholds on the same cases: the figures of both, and what the second would change. Pure."""

from dataclasses import dataclass

from readfirst.statistics.confusion import Confusion
from readfirst.statistics.operating_points import (
    Interval,
    LabelledProbabilities,
    confusion_from,
    ppv_at,
)
from readfirst.statistics.shares import Share, share


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresAt:
    """Figures of labelled cases at a threshold, each with its 95 % interval.

    ppv: among these cases. ppv_at_prevalence: as it would be where a stated share of the cases is
    sick; None where none is stated or nothing is flagged.
    """

    threshold: float
    sensitivity: Share
    specificity: Share
    ppv: Share
    ppv_at_prevalence: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Figures at the threshold of now and at another one, on the same cases.

    missed_then_flagged: of the sick cases that are missed now, those that would be flagged.
    flagged_then_missed: of the sick cases that are flagged now, those that would be missed.
    alarms_ended, alarms_begun: the same of the healthy ones.
    """

    sick: int
    healthy: int
    now: FiguresAt
    then: FiguresAt
    missed_then_flagged: Share
    flagged_then_missed: Share
    alarms_ended: Share
    alarms_begun: Share


def figures_at(
    cases: LabelledProbabilities, threshold: float, prevalence: float | None = None
) -> FiguresAt:
    """Count the figures at a threshold. prevalence: for which a PPV is stated besides."""
    counts = confusion_from(cases, threshold)
    healthy = counts.false_positives + counts.true_negatives
    return FiguresAt(
        threshold=threshold,
        sensitivity=share(counts.true_positives, counts.sick),
        specificity=share(counts.true_negatives, healthy),
        ppv=share(counts.true_positives, counts.flagged),
        ppv_at_prevalence=None if prevalence is None else ppv_at(counts, prevalence),
    )


def compare_thresholds(
    cases: LabelledProbabilities, now: float, then: float, prevalence: float | None = None
) -> Comparison:
    """Compare the threshold of now with another one on labelled cases."""
    before, after = confusion_from(cases, now), confusion_from(cases, then)
    return Comparison(
        sick=before.sick,
        healthy=len(cases.healthy),
        now=figures_at(cases, now, prevalence),
        then=figures_at(cases, then, prevalence),
        **_changes(before, after),
    )


def _changes(before: Confusion, after: Confusion) -> dict[str, Share]:
    """One of the two thresholds is the lower one: what it flags, the other flags in part."""
    more_sick = after.true_positives - before.true_positives
    more_alarms = after.false_positives - before.false_positives
    return {
        "missed_then_flagged": share(max(more_sick, 0), before.false_negatives),
        "flagged_then_missed": share(max(-more_sick, 0), before.true_positives),
        "alarms_ended": share(max(-more_alarms, 0), before.false_positives),
        "alarms_begun": share(max(more_alarms, 0), before.true_negatives),
    }
