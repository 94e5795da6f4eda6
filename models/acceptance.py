"""The promise of an ensemble: the figures of its manifest, to be held against those of a site."""

from models.manifest import Estimate, Manifest
from readfirst.statistics.acceptance import Promise
from readfirst.statistics.operating_points import Interval


def promise_of(manifest: Manifest) -> Promise:
    """The figures that a manifest promises."""
    metrics = manifest.metrics
    return Promise(
        ensemble_version=manifest.version,
        threshold=manifest.threshold,
        sensitivity=_interval(metrics.sensitivity),
        specificity=_interval(metrics.specificity),
        auc=_interval(metrics.auc),
        ece=_interval(metrics.ece),
        presupposed=manifest.prevalence,
        miss_cost=manifest.operating_point.miss_cost,
        population=manifest.population,
    )


def _interval(estimate: Estimate) -> Interval:
    return Interval(estimate.value, estimate.low, estimate.high)
