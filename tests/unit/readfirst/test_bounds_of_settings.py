"""Every number that a site may set has bounds, and what it is for works at both of them."""

import math
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import pytest
from celery.schedules import maybe_schedule

from db.escalation.escalate import escalation_policy
from db.lifecycle.unit_of_work import site_policy, unit_of_work
from db.lifecycle.work import claim_ready, claim_received
from db.migrate import upgrade
from db.session import open_database
from ingest.hl7.listener_config import hl7_listener_config
from ingest.inbox.disk import intake_disk_space
from ingest.reader.reader_process import Reader
from ingest.receivers.listener_config import listener_config
from readfirst.errors import Misconfigured
from readfirst.monitoring.config import monitoring_config
from readfirst.nights.config import night_plan
from readfirst.nights.pace import AN_HOUR, allowance
from readfirst.samples import FOLDER
from readfirst.settings import Settings, load_settings
from readfirst.studies.prevalence import at_prevalence
from readfirst.studies.priority import reading_key
from readfirst.tasks.celery_app import make_app
from readfirst.testing import RecordingNotifier
from worker.composition import open_use_cases
from worker.delivery.deliver import receivers
from worker.pacs.poll import poll_policy
from worker.upkeep.retention import purge_messages, purge_originals
from worklist.http.connection_limits import connection_limits
from worklist.security.access_policy import access_policy

#: What an escalation needs besides.
MAIL = {
    "page_url": "https://page.example",
    "smtp_host": "mail.example",
    "mail_from": "a@mail.example",
    "mail_to": ("b@mail.example",),
}
NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def bounds(name: str) -> tuple[float, float]:
    """The least and the greatest value of a setting. Fails where there is none."""
    field = Settings.model_fields[name]
    (number,) = {int, float} & {field.annotation, *get_args(field.annotation)}
    rules: dict[str, float] = {
        kind: getattr(rule, kind)
        for rule in field.metadata
        for kind in ("ge", "gt", "le", "lt")
        if hasattr(rule, kind)
    }
    lowest = rules["ge"] if "ge" in rules else math.nextafter(rules["gt"], math.inf)
    highest = rules["le"] if "le" in rules else math.nextafter(rules["lt"], -math.inf)
    return number(lowest), number(highest)


def numbers() -> list[str]:
    """The settings that are numbers."""
    kinds = {name: field.annotation for name, field in Settings.model_fields.items()}
    return [
        name
        for name, kind in kinds.items()
        if (set(get_args(kind) or [kind]) - {NoneType}) in ({int}, {float})
    ]


def wait(seconds: float) -> None:
    """Be ready to wait so long, for something that is there already."""
    assert threading.Lock().acquire(timeout=seconds)


def connect(port: int) -> None:
    with socket.socket() as probe:
        probe.connect_ex(("127.0.0.1", port))


def claim(settings: Settings) -> None:
    settings.home_path.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database)
    upgrade(database)
    with unit_of_work(database, site_policy(settings), at=NOW) as unit:
        assert claim_received(unit) is None
        assert claim_ready(unit, settings.batch_size, "1") == []
    assert NOW + settings.lease > NOW
    database.dispose()


def log_in(settings: Settings) -> None:
    access = access_policy(settings)
    assert NOW - access.lifetimes.idle <= NOW <= NOW + access.lifetimes.absolute
    assert NOW - access.account_limit.pause <= NOW <= NOW + access.address_limit.pause


def purge(settings: Settings) -> None:
    with open_use_cases(settings, RecordingNotifier()) as site:
        assert purge_originals(site.units, site.store, site.retention) == 0


def order(settings: Settings) -> None:
    display = settings.display(NOW)
    assert display.overdue is not None
    assert display.quiet_before is not None
    assert reading_key(NOW, flagged=True, max_wait=settings.max_wait) <= NOW


def read(settings: Settings) -> None:
    with Reader(max(settings.decode_seconds, 30), settings.decode_megabytes) as reader:
        assert reader.header(FOLDER / "study-01.dcm").rows


def state(settings: Settings) -> None:
    assert settings.prevalence is not None
    for probability in (1e-300, 1e-7, 0.5, 1 - 1e-16):
        assert 0 <= at_prevalence(probability, 0.5, settings.prevalence) <= 1


def sweep(settings: Settings) -> None:
    app = make_app(settings)
    every = maybe_schedule(app.conf.beat_schedule["sweep"]["schedule"], app=app)
    assert every.remaining_estimate(app.now()) <= timedelta(seconds=settings.sweep_seconds)


def listen(settings: Settings) -> None:
    listener = listener_config(settings)
    assert listener.associations >= 1
    assert listener.most_bytes >= 1024**2


def listen_for_hl7(settings: Settings) -> None:
    listener = hl7_listener_config(settings.model_copy(update={"hl7_port": 0}))
    assert listener.connections >= 1
    assert listener.most_bytes >= 1024


def forget(settings: Settings) -> None:
    with open_use_cases(settings, RecordingNotifier()) as site:
        assert purge_messages(site.units, site.retention) == 0


def watch(settings: Settings) -> None:
    monitoring = monitoring_config(settings)
    assert 0 < monitoring.drift_notice <= monitoring.drift_alarm < math.inf
    assert 0 <= monitoring.least_ppv < 1
    assert monitoring.least_films >= 10
    assert monitoring.least_verdicts >= 1


def pace(settings: Settings) -> None:
    rate = night_plan(settings).films_an_hour
    assert rate is not None
    allowed = allowance(NOW, NOW + AN_HOUR, rate, 10 * rate)
    assert 1 <= allowed.films <= rate
    assert allowed.paced_until <= NOW + AN_HOUR


#: What each of them is for.
USES: dict[str, Callable[[Settings], Any]] = {
    "port": lambda settings: connect(settings.port),
    "session_idle_minutes": log_in,
    "session_hours": log_in,
    "lockout_failures": log_in,
    "lockout_minutes": log_in,
    "connections": lambda settings: connection_limits(settings.connections),
    "upload_megabytes": lambda settings: settings.upload_megabytes * 1024**2,
    "log_megabytes": lambda settings: settings.log_megabytes * 1024**2,
    "log_files": lambda settings: range(settings.log_files)[0],
    "receive_port": lambda settings: connect(settings.receive_port),
    "receive_associations": listen,
    "receive_megabytes": listen,
    "mwl_port": lambda settings: connect(settings.mwl_port),
    "hl7_port": lambda settings: connect(settings.hl7_port or 1),
    "hl7_connections": listen_for_hl7,
    "hl7_kilobytes": listen_for_hl7,
    "hl7_seconds": lambda settings: wait(settings.hl7_seconds),
    "hl7_keep_days": forget,
    "batch_size": claim,
    "prevalence": state,
    "quiet_seconds": order,
    "prior_after_days": order,
    "prepare_workers": lambda settings: range(settings.prepare_workers)[0],
    "settle_seconds": lambda settings: wait(settings.settle_seconds),
    "incomplete_seconds": lambda settings: wait(settings.incomplete_seconds),
    "scan_seconds": lambda settings: wait(settings.scan_seconds),
    "min_free_megabytes": lambda settings: intake_disk_space(settings).sentence,
    "max_wait_hours": order,
    "nightly_films_an_hour": pace,
    "fetch_every_seconds": lambda settings: NOW + poll_policy(settings).every,
    "fetch_look_back_minutes": lambda settings: NOW - poll_policy(settings).look_back,
    "fetch_priors": lambda settings: range(settings.fetch_priors)[0],
    "fetch_priors_per_day": lambda settings: range(settings.fetch_priors_per_day)[0],
    "fetch_per_hour": lambda settings: NOW + AN_HOUR / settings.fetch_per_hour,
    "second_look": lambda settings: 0 < settings.second_look <= 1,
    "sweep_seconds": sweep,
    "lease_seconds": claim,
    "max_attempts": claim,
    "decode_seconds": read,
    "decode_megabytes": read,
    "keep_refused_days": purge,
    "keep_originals_days": purge,
    "escalate_after_minutes": escalation_policy,
    "smtp_port": receivers,
    "drift_notice": watch,
    "drift_alarm": watch,
    "drift_films": watch,
    "least_ppv": watch,
    "least_verdicts": watch,
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_is_known_what_every_number_is_for() -> None:
    assert set(USES) == set(numbers())


@pytest.mark.parametrize("name", numbers())
def test_what_a_number_is_for_works_at_both_bounds(name: str, tmp_path: Path) -> None:
    for value in bounds(name):
        # An alarm is never below a notice.
        other: dict[str, dict[str, Any]] = {
            "drift_notice": {"drift_alarm": 100},
            "drift_alarm": {"drift_notice": 5e-324},
            "escalate_after_minutes": MAIL,
            "smtp_port": MAIL | {"escalate_after_minutes": 30},
        }
        chosen: dict[str, Any] = {name: value, **other.get(name, {})}
        USES[name](Settings(home=tmp_path / "home", **chosen))


@pytest.mark.parametrize("name", numbers())
@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e400", str(10**30)])
def test_a_number_beyond_its_bounds_is_refused_with_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"READFIRST_{name.upper()}", value)
    with pytest.raises(Misconfigured, match=f"READFIRST_{name.upper()} is "):
        load_settings()
