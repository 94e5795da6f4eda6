"""No figure mixes two ensemble versions without saying so: on both databases, kept days or not."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from db.ensembles.versions import EnsembleFacts, promote, register
from db.lifecycle.verdicts import VerdictInput
from db.monitoring.figures import FIGURES
from db.monitoring.kept_days import MonitoringData, keep_days
from db.monitoring.queue_metrics import times_to_score
from db.monitoring.rules import holding
from db.monitoring.totals import totals
from db.session import Database
from db.tables import Image, Score
from readfirst.errors import Refused
from readfirst.monitoring.alerts import AlertKind
from readfirst.monitoring.config import MonitoringConfig, monitoring_config
from readfirst.monitoring.period import make_period
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from tests.support.filled_databases import FilledDatabases
from tests.support.studies import (
    NOW,
    a_header,
    a_ready_image,
    a_scored_image,
    an_image,
    give_verdict,
    score_ready,
)
from worklist.app import make_app

UTC_ZONE = ZoneInfo("UTC")
DAY = timedelta(days=1)
#: A Monday, when the weeks of the baseline are over.
NEXT = NOW + 29 * DAY
BASELINE = (NOW.date(), (NOW + 28 * DAY).date())
FILMS = 30


def films(database: Database, version: str, at: datetime, start: int) -> None:
    """Films of one scanner: a version scores each but one, which its pixel check refuses."""
    probability = 0.9 if version == "1" else 0.2
    with database.write() as session:
        for number in range(start, start + FILMS):
            header = a_header(manufacturer="Maker", manufacturer_model_name="Model")
            image = a_ready_image(session, at, study=f"1.{number}", header=header)
            image.median_grey, image.clipped_share = 90.0 + number % 7, 0.01
            score_ready(session, at + timedelta(seconds=3), {image.id: probability}, version)
        refusal = Refused(RefusalCode.NOT_A_CHEST_RADIOGRAPH)
        an_image(session, at, study=f"2.{start}", refusal=refusal)
        an_image(session, at, study=f"3.{start}", refusal=Refused(RefusalCode.TRUNCATED))


@pytest.fixture(scope="module")
def filled() -> Iterator[FilledDatabases]:
    made = FilledDatabases()
    yield made
    made.close()


@pytest.fixture
def changed(database: Database, filled: FilledDatabases) -> Database:
    """A site of two ensembles: the first scored four weeks ago, the second is active since."""
    filled.fill(database, lambda: fill(database))
    return database


def fill(database: Database) -> None:
    films(database, "1", NOW, 0)
    with database.write() as session:
        register(session, EnsembleFacts("2", 0.5, "1"), NEXT)
        promote(session, "2", NEXT)
    films(database, "2", NEXT, FILMS)
    with database.write() as session:
        for number in (0, FILMS):
            finding = VerdictInput(finding=Finding.PNEUMONIA)
            give_verdict(session, f"1.{number}", finding, at=NEXT)


def config(settings: Settings) -> MonitoringConfig:
    return replace(
        monitoring_config(settings), zone=UTC_ZONE, least_films=20, baseline=BASELINE, least_ppv=0.0
    )


@pytest.mark.parametrize("kept", [False, True])
def test_each_figure_says_by_which_ensembles_it_is(
    kept: bool, changed: Database, settings: Settings
) -> None:
    if kept:
        keep_days(changed, UTC_ZONE, NEXT + 9 * DAY, most=99)
    period = make_period(NOW.date(), NEXT.date(), NEXT, UTC_ZONE)
    with changed.read() as session:
        data = MonitoringData(session)
        figures = {
            name: figure.rows(data, period, config(settings)) for name, figure in FIGURES.items()
        }
    flagged = {row.first: row.ensemble_versions for row in figures["volumes"] if row.studies_scored}
    assert flagged == {NOW.date(): "1", NEXT.date(): "2"}
    refused = {(row.first, row.code): row.ensemble_versions for row in figures["refusals"]}
    assert refused == {
        (NOW.date(), "not_a_chest_radiograph"): "1",
        (NOW.date(), "truncated"): "",
        (NEXT.date(), "not_a_chest_radiograph"): "2",
        (NEXT.date(), "truncated"): "",
    }
    times = {
        (row.step, row.studies): row.ensemble_versions
        for row in figures["times"]
        if row.span == "period"
    }
    assert times["worklist", "all"] == "1, 2"
    assert (times["read", "flagged"], times["read", "not_flagged"]) == ("1", "2")
    (scanner,) = (row for row in figures["scanners"] if "Model" in row.scanner)
    assert scanner.ensemble_versions == "1, 2"
    drift = {(row.subject, row.against): row.ensemble_versions for row in figures["drift"]}
    # Nothing of the baseline was scored by the active one: no score is held against it.
    assert drift == {
        ("refusals", "baseline"): "1, 2",
        ("exposure", "baseline"): "",
        ("clipping", "baseline"): "",
    }
    for name in ("verdicts", "calibration"):
        assert {row.ensemble_version for row in figures[name]} == {"1", "2"}, name


def test_every_figure_of_flags_scores_or_the_pixel_check_has_a_field_for_it() -> None:
    without = {
        name
        for name, figure in FIGURES.items()
        if not {"ensemble_version", "ensemble_versions"}
        & {field.name for field in fields(figure.kind)}
    }
    # An alert says it in words.
    assert without == {"alerts"}


def test_scores_of_another_ensemble_are_never_held_against_the_reference(
    changed: Database, settings: Settings
) -> None:
    period = make_period(NEXT.date(), NEXT.date() + 9 * DAY, NEXT + 9 * DAY, UTC_ZONE)
    with changed.write() as session:
        # The second scores the films of the baseline too, as a night does.
        for image in session.query(Image).filter(Image.received_at < NEXT, Image.code.is_(None)):
            session.add(_score(image))
    with changed.read() as session:
        rows = FIGURES["drift"].rows(MonitoringData(session), period, config(settings))
    scores = [row for row in rows if row.subject == "scores"]
    assert scores
    assert {row.ensemble_versions for row in scores} == {"2"}
    # All are 0.2 by the second ensemble, before and now: those of the first would be far away.
    assert all(row.psi == pytest.approx(0, abs=0.05) for row in scores)


def _score(image: Image) -> Score:
    return Score(
        image_id=image.id,
        ensemble_version="2",
        probability=0.2,
        members={"cnn": 0.2},
        threshold=0.5,
        flagged=False,
        scored_at=NEXT,
    )


def test_the_alert_of_drift_names_the_ensemble(changed: Database, settings: Settings) -> None:
    rules = replace(config(settings), drift_alarm=0.2)
    with changed.write() as session:
        for number in range(200, 240):
            refusal = Refused(RefusalCode.NOT_A_CHEST_RADIOGRAPH)
            an_image(session, NEXT, study=f"9.{number}", refusal=refusal)
    with changed.read() as session:
        alerts = holding(session, NEXT + 13 * DAY, rules)
    (drift,) = (
        alert for alert in alerts if (alert.kind, alert.about) == (AlertKind.DRIFT, "refusals")
    )
    assert "in 14 days, ensemble 1, 2: " in drift.detail


@pytest.mark.parametrize("kept", [False, True])
def test_metrics_count_by_ensemble(kept: bool, changed: Database) -> None:
    with changed.write() as session:
        a_scored_image(session, NEXT, probability=0.9, study="5.1")
    if kept:
        keep_days(changed, UTC_ZONE, NEXT + 9 * DAY, most=99)
    with changed.read() as session:
        sums = totals(session)
        times = times_to_score(session, NEXT + timedelta(minutes=1), [40 * DAY])
    assert (sums.counts.flagged, sums.flagged_by) == (FILMS + 1, {"1": FILMS + 1})
    assert times[40 * DAY].by_ensemble == {"1": FILMS + 1, "2": FILMS}


def test_page_and_csv_and_metrics_say_it(changed: Database, settings: Settings) -> None:
    site = settings.model_copy(
        update={"baseline": f"{BASELINE[0]}/{BASELINE[1]}", "drift_films": 20}
    )
    query = f"from={NOW.date()}&to={NEXT.date()}"
    with TestClient(make_app(site)) as client:
        flow = client.get(f"/watching?tab=flow&{query}").text
        drift = client.get(f"/watching?tab=drift&{query}").text
        alone = client.get(f"/watching?tab=flow&from={NEXT.date()}&to={NEXT.date()}").text
        csv = client.get(f"/api/v1/watching/times?{query}&format=csv").text
        metrics = client.get("/metrics").text
    note = "By ensembles 1, 2: the ensemble was changed."
    for figure in ("flagged", "to-worklist", "to-read", "refusals"):
        part = flow.split(f'id="figure-{figure}"')[1].split("</figure>")[0]
        assert note in part, figure
    assert note not in alone
    assert note in drift
    assert "Refusals are by ensembles 1, 2." in drift
    assert csv.splitlines()[0].endswith("ensemble_versions")
    assert f'readfirst_studies_flagged_by_ensemble{{version="1"}} {FILMS}.0' in metrics
