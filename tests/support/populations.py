"""Populations for tests: adults with an operating point of their own."""

from models.populations.population import FiguresAgainst, Population, PopulationEvidence
from models.populations.population import PredictiveValues as Predictive
from readfirst.domain import Ages
from readfirst.statistics.operating_points import Interval

FIGURE = Interval(0.8, 0.7, 0.9)


def a_population(name: str = "adults", **values: object) -> Population:
    """Adults, of whom a film says half of what it says of children, in logits, less one."""
    figures = FiguresAgainst(
        sick=53,
        others=102,
        auc=FIGURE,
        sensitivity=Interval(0.9, 0.8, 1.0),
        specificity=Interval(0.5, 0.4, 0.6),
        predictive=(Predictive(prevalence=0.1, ppv=Interval(0.17, 0.1, 0.2), npv=FIGURE),),
    )
    fields: dict[str, object] = {
        "name": name,
        "ages": Ages(18, 115),
        "views": ("AP", "PA"),
        "finding": "lung opacity",
        "slope": 0.5,
        "intercept": -1.0,
        "prevalence": 0.5,
        "threshold": 0.4,
        "evidence": PopulationEvidence(
            source="films of the test",
            method="by the test",
            films=155,
            patients=132,
            sick=53,
            folds=5,
            groups={"everything else": figures, "normal": figures},
        ),
    }
    return Population.model_validate(fields | values)
