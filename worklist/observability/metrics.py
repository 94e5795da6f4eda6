"""`/metrics` for Prometheus: asked of the database at every scrape, the same from every server."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from db.destinations.queries import all_destinations, destination_counts
from db.destinations.records import DestinationCounts
from db.ensembles.versions import active_ensemble
from db.lifecycle.outbox import Channel, outbox_counts
from db.monitoring.alerts import open_counts
from db.monitoring.queue_metrics import oldest_waiting, times_to_score
from db.monitoring.totals import totals
from db.work_faults import work_faults
from ingest.inbox.disk import intake_disk_space
from readfirst import __version__
from readfirst.access.roles import Role
from readfirst.settings import Settings
from worklist.http.problems import DOCUMENTED
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, NowDep, SettingsDep

router = APIRouter()

#: The times over which quantiles are stated.
WINDOWS = {"1h": timedelta(hours=1), "1d": timedelta(days=1)}
QUANTILES = (0.5, 0.95, 0.99)


@router.get(
    "/metrics",
    operation_id="getMetrics",
    tags=["operation"],
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **DOCUMENTED,
    },
)
# For programs with a token: it says how much a department does.
@policy(Role.SERVICE, attended=False)
def metrics(database: DatabaseDep, settings: SettingsDep, now: NowDep) -> Response:
    """Images by state, refusals by code, what waits, how long films take. No patient's data."""
    with database.read() as session:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(ReadMetrics(list(read_metrics(session, settings, now))))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class ReadMetrics(Collector):
    """Metrics that are known already."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        """Return the metrics."""
        return self._metrics


def read_metrics(session: Session, settings: Settings, now: datetime) -> Iterator[Metric]:
    """All metrics, as they are now."""
    sums = totals(session)
    numbers = sums.counts
    yield _labelled(
        "readfirst_images",
        "Images by state.",
        "state",
        {state.value: number for state, number in numbers.images.items()},
    )
    yield _labelled(
        "readfirst_images_refused",
        "Images that are not scored, by the refusal's code.",
        "code",
        {code.value: number for code, number in sums.refused.items()},
    )
    yield _plain("readfirst_studies", "Studies.", numbers.studies)
    flagged = "Flagged studies, by whichever ensemble each ranks by."
    yield _plain("readfirst_studies_flagged", flagged, numbers.flagged)
    yield _labelled(
        "readfirst_studies_flagged_by_ensemble",
        "Flagged studies, by the ensemble that each ranks by.",
        "version",
        sums.flagged_by,
    )
    yield _labelled(
        "readfirst_oldest_waiting_seconds",
        "Age of the oldest image that waits in a state; 0 when none does.",
        "state",
        {state.value: age for state, age in oldest_waiting(session, now).items()},
    )
    yield from _alerts(session)
    yield from _times(session, now)
    yield _labelled(
        "readfirst_work_stopped",
        "Kinds of work that a fault of the machine stops now.",
        "work",
        {fault.work.value: 1 for fault in work_faults(session)},
    )
    yield from _outbox(session, now)
    yield from _results(session, now)
    yield from _site(session, settings)


def _alerts(session: Session) -> Iterator[Metric]:
    alerts = GaugeMetricFamily(
        "readfirst_alerts", "Alerts to the lead that hold now.", labels=["kind", "about"]
    )
    for (kind, about), number in open_counts(session).items():
        alerts.add_metric([kind.value, about], number)
    yield alerts


def _times(session: Session, now: datetime) -> Iterator[Metric]:
    quantiles = GaugeMetricFamily(
        "readfirst_arrival_to_score_seconds",
        "Time from arrival to first score, by quantile, of films first scored within a window.",
        labels=["window", "quantile"],
    )
    number = GaugeMetricFamily(
        "readfirst_first_scores", "Films first scored within a window.", labels=["window"]
    )
    by_ensemble = GaugeMetricFamily(
        "readfirst_first_scores_by_ensemble",
        "Films first scored within a window, by the ensemble that scored them.",
        labels=["window", "version"],
    )
    times = times_to_score(session, now, tuple(WINDOWS.values()))
    for name, window in WINDOWS.items():
        number.add_metric([name], len(times[window].seconds))
        for version, films in times[window].by_ensemble.items():
            by_ensemble.add_metric([name, version], films)
        for share in QUANTILES:
            value = times[window].quantile(share)
            if value is not None:
                quantiles.add_metric([name, str(share)], value)
    yield quantiles
    yield number
    yield by_ensemble


def _outbox(session: Session, now: datetime) -> Iterator[Metric]:
    for channel, name, words in (
        (Channel.WEBHOOK, "webhook", "Webhooks"),
        (Channel.MAIL, "mail", "Mails"),
    ):
        outbox = outbox_counts(session, channel)
        age = 0.0 if outbox.oldest is None else (now - outbox.oldest).total_seconds()
        yield _plain(f"readfirst_{name}s_waiting", f"{words} not delivered yet.", outbox.waiting)
        yield _plain(f"readfirst_{name}s_given_up", f"{words} given up.", outbox.given_up)
        yield _plain(f"readfirst_oldest_{name}_seconds", "Age of the oldest that waits.", age)


def _results(session: Session, now: datetime) -> Iterator[Metric]:
    """Results on their way to other systems, by destination."""
    counts = destination_counts(session)
    by_name = {
        row.name: counts.get(row.number, DestinationCounts()) for row in all_destinations(session)
    }
    ages = {
        name: (now - each.oldest).total_seconds() if each.oldest else 0.0
        for name, each in by_name.items()
    }
    families: dict[str, tuple[str, dict[str, int] | dict[str, float]]] = {
        "results_waiting": ("Not sent yet.", {n: each.waiting for n, each in by_name.items()}),
        "results_given_up": ("Given up.", {n: each.given_up for n, each in by_name.items()}),
        "results_sent": ("Taken.", {n: each.sent for n, each in by_name.items()}),
        "oldest_result_seconds": ("Age of the oldest that waits.", ages),
    }
    for name, (text, values) in families.items():
        yield _labelled(f"readfirst_{name}", text, "destination", values)


def _site(session: Session, settings: Settings) -> Iterator[Metric]:
    room = intake_disk_space(settings)
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
