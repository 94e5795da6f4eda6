"""Weeks of a department, in the database."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from readfirst.watching.period import Period, make_period
from readfirst.watching.terms import WatchTerms

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TERMS = WatchTerms(
    zone=MADRID,
    prevalence=None,
    baseline=None,
    drift_notice=0.1,
    drift_alarm=0.25,
    least_films=50,
    least_ppv=0.5,
)


@pytest.fixture
def period() -> Period:
    """Two weeks of Madrid, Monday to Sunday."""
    return make_period(date(2026, 2, 16), date(2026, 3, 1), NOW, MADRID)


@pytest.fixture(autouse=True)
def called_by_the_test_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name by which tests call the server, besides this machine's own."""
    monkeypatch.setenv("READFIRST_HOSTS", "testserver")
