"""How an ensemble's flags compare with what readers said: shares, and kappa. Pure."""

from dataclasses import dataclass

from readfirst.watching.shares import Share, share


@dataclass(frozen=True, slots=True)
class Confusion:
    """Studies by flag and verdict. missed: with pneumonia and not flagged."""

    true_positive: int
    false_positive: int
    missed: int
    true_negative: int

    @property
    def studies(self) -> int:
        """All of them."""
        return self.true_positive + self.false_positive + self.missed + self.true_negative


def measures(counts: Confusion) -> dict[str, Share]:
    """PPV, NPV, sensitivity, specificity and agreement, each with its interval."""
    flagged = counts.true_positive + counts.false_positive
    sick = counts.true_positive + counts.missed
    right = counts.true_positive + counts.true_negative
    return {
        "ppv": share(counts.true_positive, flagged),
        "npv": share(counts.true_negative, counts.studies - flagged),
        "sensitivity": share(counts.true_positive, sick),
        "specificity": share(counts.true_negative, counts.studies - sick),
        "agreement": share(right, counts.studies),
    }


def kappa(counts: Confusion) -> float | None:
    """Agreement beyond chance (Cohen 1960); None where flags or verdicts are all of one kind."""
    flags = {counts.true_positive + counts.false_positive, counts.missed + counts.true_negative}
    verdicts = {counts.true_positive + counts.missed, counts.false_positive + counts.true_negative}
    if 0 in flags | verdicts:
        return None
    from sklearn.metrics import cohen_kappa_score

    cells = (counts.true_positive, counts.false_positive, counts.missed, counts.true_negative)
    return float(cohen_kappa_score([1, 1, 0, 0], [1, 0, 1, 0], sample_weight=cells))
