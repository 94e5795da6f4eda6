"""Figures of flags say by which thresholds; the alert of a low PPV follows the active one."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from db.access.audit import Actor
from db.ensembles.changes import change_threshold
from db.ensembles.thresholds import NewThreshold
from db.ensembles.versions import active_ensemble
from db.lifecycle.rescoring import rank_by_threshold
from db.lifecycle.verdicts import VerdictInput
from db.monitoring.kept_days import MonitoringData, keep_days
from db.monitoring.rules import holding
from db.monitoring.verdicts import verdict_measures
from db.monitoring.volumes import volumes
from db.session import Database
from readfirst.monitoring.alerts import AlertKind
from readfirst.monitoring.config import MonitoringConfig, monitoring_config
from readfirst.monitoring.period import make_period
from readfirst.settings import Settings
from readfirst.statistics.threshold_methods import ThresholdMethod
from readfirst.studies.findings import Finding
from tests.support.studies import NOW, a_scored_image, give_verdict, lifecycle

UTC_ZONE = ZoneInfo("UTC")
LATER = NOW + timedelta(days=1)


def config(settings: Settings, **changes: object) -> MonitoringConfig:
    return replace(monitoring_config(settings), zone=UTC_ZONE, **changes)  # type: ignore[arg-type]


def another_threshold(database: Database, value: float) -> None:
    with lifecycle(database, LATER) as unit:
        new = NewThreshold(
            ensemble_version="1",
            value=value,
            method=ThresholdMethod.VALUE,
            evidence={},
            chosen_by="ann",
        )
        change_threshold(unit.session, Actor("ann", None), new, LATER)
        active = active_ensemble(unit.session)
        assert active is not None
        rank_by_threshold(unit, active, limit=99)


def test_figures_say_the_thresholds_and_the_alert_takes_the_active_one(
    database: Database, settings: Settings
) -> None:
    with database.write() as session:
        # At 0.5, every flag is a false alarm.
        for number in range(40):
            a_scored_image(session, NOW, probability=0.6, study=f"1.{number}")
            finding = VerdictInput(finding=Finding.NO_PNEUMONIA)
            give_verdict(session, f"1.{number}", finding)
        a_scored_image(session, NOW, probability=0.9, study="2.1")
    rules = config(settings, least_ppv=0.5)
    period = make_period(NOW.date(), LATER.date(), LATER, UTC_ZONE)
    with database.read() as session:
        kinds = [alert.kind for alert in holding(session, LATER, rules)]
    assert AlertKind.PPV_LOW in kinds
    another_threshold(database, 0.8)
    with database.write() as session:
        give_verdict(session, "2.1", VerdictInput(finding=Finding.PNEUMONIA), at=LATER)
    keep_days(database, UTC_ZONE, LATER + timedelta(days=9), most=99)
    with database.read() as session:
        data = MonitoringData(session)
        (ppv,) = (
            row
            for row in verdict_measures(data, period, rules)
            if (row.span, row.measure) == ("period", "ppv")
        )
        (day, _) = volumes(data, period)
        kinds = [alert.kind for alert in holding(session, LATER, rules)]
        of_active = verdict_measures(data, period, rules, {"1": 2})
    # Each study counts by the threshold by which it was read.
    assert (ppv.hits, ppv.of, ppv.threshold_versions) == (1, 41, "1, 2")
    assert (day.flagged, day.threshold_versions) == (41, "1, 2")
    assert {row.threshold_versions for row in of_active} == {"2"}
    assert AlertKind.PPV_LOW not in kinds
