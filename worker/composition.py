"""The one place where use cases get what they need, in all processes and in tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from db.escalation.escalate import EscalationPolicy, escalation_policy
from db.lifecycle.unit_of_work import UnitOfWorkFactory, site_policy
from db.migrate import upgrade
from db.session import Database, open_database
from ingest.hl7.orders import order_rules
from ingest.inbox.store import Store
from ingest.reader.reader_process import Reader
from ingest.scope.scope_rules import ScopeRules, load_rules
from models.preprocessing import PREPROCESSING_VERSION, Array8
from readfirst.derived_images import DerivedImages
from readfirst.files.folders import make_home
from readfirst.monitoring.config import MonitoringConfig, monitoring_config
from readfirst.nights.config import night_plan
from readfirst.settings import Settings
from readfirst.tasks.notifier import TaskNotifier
from results.services import result_services
from worker.delivery.deliver import Receivers, receivers
from worker.explaining.explain import ExplainServices
from worker.intake.services import IntakeServices
from worker.ris.take_message import RisServices
from worker.scoring.ensemble_registry import EnsembleRegistry
from worker.scoring.night import NightServices
from worker.scoring.prepare import Preparation, read_model_input
from worker.scoring.score import ScoringServices
from worker.scoring.shadow import ShadowServices
from worker.scoring.shadow_networks import ShadowNetworks
from worker.sending.send import SendingServices, sending_policy
from worker.upkeep.retention import RetentionPolicy


@dataclass(frozen=True, slots=True)
class UseCases:
    """The needs of all use cases. Entry points alone hold them, and hand each function its own."""

    units: UnitOfWorkFactory
    store: Store
    ensembles: EnsembleRegistry
    preparation: Preparation
    scoring: ScoringServices
    night: NightServices
    shadow: ShadowServices
    explaining: ExplainServices
    receivers: Receivers
    sending: SendingServices
    escalation: EscalationPolicy | None
    retention: RetentionPolicy
    alerts: MonitoringConfig
    intake: IntakeServices
    ris: RisServices


def compose(
    settings: Settings,
    database: Database,
    reader: Reader,
    notifier: TaskNotifier,
    *,
    rules: ScopeRules,
    ensembles: EnsembleRegistry | None = None,
) -> UseCases:
    """Build the use cases of one site. ensembles: None for those of the settings."""
    policy = site_policy(settings)
    units = UnitOfWorkFactory(database, policy, notifier)
    store, derived_images = Store(settings.store_path), DerivedImages(settings.prepared_path)
    if ensembles is None:
        ensembles = EnsembleRegistry(settings.ensembles_path, settings.precision, store=store)
    preparation = Preparation(store, reader, derived_images)
    shadow_networks = ShadowNetworks(ensembles.load_beside)
    return UseCases(
        units=units,
        store=store,
        ensembles=ensembles,
        preparation=preparation,
        scoring=ScoringServices(units, ensembles, derived_images, settings.batch_size),
        night=_night(settings, units),
        shadow=ShadowServices(
            units, shadow_networks, preparation, settings.batch_size, ensembles.populations_of
        ),
        explaining=ExplainServices(
            database, policy.lease, ensembles, preparation, silent=policy.silent
        ),
        receivers=receivers(settings),
        sending=SendingServices(
            database,
            result_services(settings, database, reader),
            sending_policy(settings.lease),
            silent=policy.silent,
        ),
        escalation=escalation_policy(settings),
        retention=RetentionPolicy(
            refused_days=settings.keep_refused_days,
            scored_days=settings.keep_originals_days,
            message_days=settings.hl7_keep_days,
        ),
        alerts=monitoring_config(settings),
        intake=_intake(settings, units, ensembles, preparation, rules),
        ris=RisServices(units, order_rules(settings)),
    )


def _night(settings: Settings, units: UnitOfWorkFactory) -> NightServices:
    mails = bool(settings.nightly_mail_to)
    return NightServices(units, night_plan(settings), settings.batch_size, mails)


def _intake(
    settings: Settings,
    units: UnitOfWorkFactory,
    ensembles: EnsembleRegistry,
    preparation: Preparation,
    rules: ScopeRules,
) -> IntakeServices:
    def model_input(sha256: str) -> Array8:
        path = preparation.derived_images.model_input(sha256, PREPROCESSING_VERSION)
        return read_model_input(path)

    return IntakeServices(
        database=units.database,
        unit_of_work=units.begin,
        store=preparation.store,
        reader=preparation.reader,
        rules=rules,
        ages=ensembles.ages,
        model_input=model_input,
        zone=settings.zone,
        stat_folders=settings.stat_folder_names,
        unpacking_folder=settings.unpacking_path,
    )


@contextmanager
def open_use_cases(settings: Settings, notifier: TaskNotifier) -> Iterator[UseCases]:
    """Open all that they need, with the database at its newest schema, and close it at the end.

    Raises Misconfigured for a scope that is wrong.
    """
    rules = load_rules(settings.scope)
    make_home(settings.home_path)
    database = open_database(settings.database)
    upgrade(database)
    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        try:
            yield compose(settings, database, reader, notifier, rules=rules)
        finally:
            database.dispose()
