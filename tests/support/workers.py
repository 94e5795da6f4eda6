"""A worker of one site that takes its steps when a test says so."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from db.images import ArrivalOutcome
from db.monitoring.alerts import Changes
from db.session import Database
from db.worklist.refused import RefusedFilter
from ingest.inbox.claim import Claim
from ingest.inbox.store import Store
from ingest.reader.reader_process import Reader
from ingest.scope.scope_rules import ScopeRules, default_rules
from models.ensemble import ScoringModel
from readfirst.derived_images import DerivedImages
from readfirst.settings import Settings
from readfirst.testing import RecordingNotifier
from worker.composition import UseCases, compose
from worker.delivery.deliver import deliver_next
from worker.explaining.explain import explain_next
from worker.intake.archives import take_in_archive
from worker.intake.ingester import run_ingester
from worker.intake.take_in import take_in
from worker.scoring.ensemble_registry import EnsembleRegistry
from worker.scoring.night import feed_night, keep_night
from worker.scoring.prepare import prepare_next
from worker.scoring.rescore import rescore
from worker.scoring.score import score_batch
from worker.scoring.shadow import shadow_next
from worker.sending.send import send_next
from worker.upkeep.alerts import check_alerts
from worker.upkeep.escalate import escalate
from worker.upkeep.retention import purge_originals
from worker.upkeep.retry import Retried, refused, retry
from worker.upkeep.sweep import sweep


def fixed_registry(settings: Settings, ensemble: ScoringModel) -> EnsembleRegistry:
    """A registry whose versions all have these networks."""
    return EnsembleRegistry(settings.ensembles_path, "float32", load=lambda _: ensemble)


@dataclass(frozen=True)
class Worker:
    """All use cases of a site, real but for the notifier, and for networks that a test chooses."""

    settings: Settings
    database: Database
    reader: Reader
    ensembles: EnsembleRegistry
    notifier: RecordingNotifier = field(default_factory=RecordingNotifier)
    rules: ScopeRules = field(default_factory=default_rules)

    @cached_property
    def use_cases(self) -> UseCases:
        """The use cases, composed as in every process."""
        return compose(
            self.settings,
            self.database,
            self.reader,
            self.notifier,
            rules=self.rules,
            ensembles=self.ensembles,
        )

    def with_ensemble(self, ensemble: ScoringModel) -> Self:
        """The same worker with other networks."""
        return replace(self, ensembles=fixed_registry(self.settings, ensemble))

    def with_settings(self, **changes: Any) -> Self:
        """The same worker with other settings."""
        return replace(self, settings=self.settings.model_copy(update=changes))

    def score_all(self) -> None:
        """Prepare and score everything that waits."""
        while self.prepare_next() or self.score_batch():
            pass

    def send_all(self) -> None:
        """Send everything that is due."""
        while self.send_next():
            pass

    def send_next(self) -> bool:
        """Send what is due longest to its destination."""
        return send_next(self.use_cases.sending)

    @property
    def store(self) -> Store:
        """The store of originals."""
        return self.use_cases.store

    @property
    def derived_images(self) -> DerivedImages:
        """The images that were made from originals."""
        return self.use_cases.preparation.derived_images

    def take_in(self, claim: Claim, **how: Any) -> ArrivalOutcome:
        """Take in one claimed file."""
        return take_in(claim, self.use_cases.intake, **how)

    def take_in_archive(self, claim: Claim) -> None:
        """Take in the content of a claimed archive."""
        take_in_archive(claim, self.use_cases.intake)

    def run_ingester(self, stop: threading.Event, **services: Any) -> None:
        """Watch the inbox until `stop` is set. services: of intake, in place of its own."""
        run_ingester(self.settings, replace(self.use_cases.intake, **services), stop)

    def prepare_next(self) -> bool:
        """Prepare one image."""
        return prepare_next(self.use_cases.units, self.use_cases.preparation)

    def score_batch(self) -> int:
        """Score one batch."""
        return score_batch(self.use_cases.scoring)

    def explain_next(self) -> bool:
        """Make one heat map, or a slice of it."""
        return explain_next(self.use_cases.explaining)

    def shadow_next(self) -> bool:
        """Take one step for an ensemble in shadow."""
        return shadow_next(self.use_cases.shadow)

    def rescore(self, **how: Any) -> int:
        """Queue what the active ensemble has not seen."""
        return rescore(self.use_cases.units, self.ensembles, **how)

    def keep_night(self, now: datetime) -> None:
        """Begin and end nights as if it were this time."""
        keep_night(self.use_cases.night, now)

    def feed_night(self, now: datetime) -> bool:
        """Give a slice of the night that runs to the workers, as if it were this time."""
        return feed_night(self.use_cases.night, now)

    def deliver_next(self) -> bool:
        """Deliver one message."""
        return deliver_next(self.database, self.use_cases.receivers)

    def escalate(self) -> int:
        """Escalate what nobody has read in time."""
        return escalate(self.use_cases.units, self.use_cases.escalation)

    def sweep_once(self) -> None:
        """Wake workers for what was forgotten."""
        sweep(self.use_cases.units, self.store)

    def check_alerts(self, now: datetime) -> Changes:
        """Look for alerts as if it were this time."""
        return check_alerts(self.database, self.use_cases.alerts, now)

    def purge_originals(self, now: datetime | None = None) -> int:
        """Remove the originals that were kept long enough."""
        return purge_originals(self.use_cases.units, self.store, self.use_cases.retention, now)

    def retry_images(self, image_ids: Iterable[int]) -> Iterator[Retried]:
        """Try refused images again."""
        return retry(self.use_cases.units, self.use_cases.intake, image_ids)

    def retry_all(self, which: RefusedFilter | None = None) -> list[Retried]:
        """Try all refused images again, or those that are meant."""
        return list(self.retry_images(list(refused(self.database, which or RefusedFilter()))))
