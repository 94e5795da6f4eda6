"""`/metrics` for Prometheus: asked of the database at every scrape, the same from every server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from db.announcements import announcement_counts
from db.ensembles import active_ensemble
from db.measures import oldest_waiting, times_to_score
from db.refused import refused_counts
from db.session import Database
from db.watching.alerts import open_counts
from db.worklist import counts
from ingest.disk import intake_room
from readfirst import __version__
from readfirst.settings import Settings
from worklist.api.problems import DOCUMENTED

#: The times over which quantiles are stated.
WINDOWS = {"1h": timedelta(hours=1), "1d": timedelta(days=1)}
QUANTILES = (0.5, 0.95, 0.99)


def add_metrics(app: FastAPI, database: Database, settings: Settings) -> None:
    """Add the route."""

    @app.get(
        "/metrics",
        operation_id="getMetrics",
        tags=["operation"],
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
            503: DOCUMENTED[503],
        },
    )
    def metrics() -> Response:
        """Images by state, refusals by code, what waits, how long films take. No patient's data."""
        with database.read() as session:
            registry = CollectorRegistry(auto_describe=False)
            registry.register(Collected(list(collected(session, settings, datetime.now(UTC)))))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class Collected(Collector):
    """Metrics that are known already."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        """Them."""
        return self._metrics


def collected(session: Session, settings: Settings, now: datetime) -> Iterator[Metric]:
    """All of them, as they are now."""
    totals = counts(session)
    yield _labelled(
        "readfirst_images",
        "Images by state.",
        "state",
        {state.value: number for state, number in totals.images.items()},
    )
    yield _labelled(
        "readfirst_images_refused",
        "Images that are not scored, by the refusal's code.",
        "code",
        {code.value: number for code, number in refused_counts(session).items()},
    )
    yield _plain("readfirst_studies", "Studies.", totals.studies)
    yield _plain("readfirst_studies_flagged", "Flagged studies.", totals.flagged)
    yield _labelled(
        "readfirst_oldest_waiting_seconds",
        "Age of the oldest image that waits in a state; 0 when none does.",
        "state",
        {state.value: age for state, age in oldest_waiting(session, now).items()},
    )
    yield from _alerts(session)
    yield from _times(session, now)
    yield from _announcements(session, now)
    yield from _site(session, settings)


def _alerts(session: Session) -> Iterator[Metric]:
    held = GaugeMetricFamily(
        "readfirst_alerts", "Alerts to the lead that hold now.", labels=["kind", "about"]
    )
    for (kind, about), number in open_counts(session).items():
        held.add_metric([kind.value, about], number)
    yield held


def _times(session: Session, now: datetime) -> Iterator[Metric]:
    quantiles = GaugeMetricFamily(
        "readfirst_arrival_to_score_seconds",
        "Time from arrival to first score, by quantile, of films first scored within a window.",
        labels=["window", "quantile"],
    )
    number = GaugeMetricFamily(
        "readfirst_first_scores", "Films first scored within a window.", labels=["window"]
    )
    found = times_to_score(session, now, tuple(WINDOWS.values()))
    for name, window in WINDOWS.items():
        number.add_metric([name], len(found[window].seconds))
        for share in QUANTILES:
            value = found[window].quantile(share)
            if value is not None:
                quantiles.add_metric([name, str(share)], value)
    yield quantiles
    yield number


def _announcements(session: Session, now: datetime) -> Iterator[Metric]:
    told = announcement_counts(session)
    age = 0.0 if told.oldest is None else (now - told.oldest).total_seconds()
    yield _plain("readfirst_webhooks_waiting", "Webhooks not delivered yet.", told.waiting)
    yield _plain("readfirst_webhooks_given_up", "Webhooks given up.", told.given_up)
    yield _plain("readfirst_oldest_webhook_seconds", "Age of the oldest that waits.", age)


def _site(session: Session, settings: Settings) -> Iterator[Metric]:
    room = intake_room(settings)
    yield _plain("readfirst_disk_free_bytes", "Free on the scarcer disk of intake.", room.free)
    yield _plain("readfirst_disk_least_bytes", "Below it intake pauses.", room.least)
    active = active_ensemble(session)
    version = {active.version: 1.0} if active else {}
    yield _labelled("readfirst_ensemble_active", "The active ensemble.", "version", version)
    yield _labelled("readfirst_release", "This release.", "version", {__version__: 1.0})


def _plain(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _labelled(
    name: str, text: str, label: str, values: dict[str, int] | dict[str, float]
) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
