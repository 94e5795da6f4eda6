"""The bounds of an alert, and that each is open once."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from db.monitoring.alerts import alerts, keep_alerts, open_alerts
from db.session import Database
from db.tables import AlertRow
from readfirst.monitoring.alerts import (
    LEAST_REFUSALS,
    MEANINGS,
    REMEDIES,
    Alert,
    AlertKind,
    no_films,
    ppv_low,
    refusals_jumped,
    remedy,
)
from readfirst.monitoring.period import Period
from tests.fixtures.monitoring import NOW

HOUR = timedelta(hours=1)


def test_every_kind_says_what_it_means_and_what_to_do() -> None:
    assert set(MEANINGS) == set(REMEDIES) == set(AlertKind)


def test_a_remedy_names_the_command_as_it_is_typed() -> None:
    text = remedy(AlertKind.REFUSALS_JUMPED, "truncated")
    assert "`readfirst refused --code truncated`" in text
    assert "`readfirst retry --code truncated`" in text
    for kind in AlertKind:
        assert "{" not in remedy(kind, "density")


@pytest.mark.parametrize(
    ("lately", "usually", "jumped"),
    [
        ((20, 100), (100, 2000), True),
        ((10, 100), (100, 2000), False),
        ((4, 20), (0, 2000), False),
        ((5, 100), (0, 2000), True),
        ((100, 100), (1900, 2000), False),
        ((0, 100), (100, 2000), False),
        ((5, 5), (0, 0), False),
    ],
)
def test_refusals_jump_when_they_are_surely_twice_the_usual(
    lately: tuple[int, int], usually: tuple[int, int], jumped: bool
) -> None:
    alert = refusals_jumped("adult", lately=lately, usually=usually)
    assert (alert is not None) == jumped


@settings(deadline=None)
@given(refused=st.integers(0, 300), others=st.integers(0, 300), before=st.integers(1, 50))
def test_more_refusals_never_end_an_alert(refused: int, others: int, before: int) -> None:
    def jumped(more: int) -> bool:
        lately = (refused + more, refused + more + others)
        return refusals_jumped("x", lately=lately, usually=(before, 1000)) is not None

    assert not jumped(0) or jumped(1)
    assert not jumped(0) or refused >= LEAST_REFUSALS


@pytest.mark.parametrize(
    ("came", "missing"),
    [([7, 7, 7, 7], True), ([6, 7, 7, 7], False), ([40, 40, 0, 40], False), ([], False)],
)
def test_films_are_missed_where_enough_usually_come(came: list[int], missing: bool) -> None:
    assert (no_films(3.0, came) is not None) == missing


def test_a_low_ppv_is_one_whose_whole_interval_is_low() -> None:
    assert ppv_low("2.0", 10, 40, 0.5) is not None
    assert ppv_low("2.0", 18, 40, 0.5) is None, "45 % of 40 may be 60 %"
    assert ppv_low("2.0", 0, 0, 0.5) is None
    assert ppv_low("2.0", 0, 40, 0.0) is None, "no bound, no alert"


def an_alert(about: str = "scores", value: float = 0.4) -> Alert:
    return Alert(kind=AlertKind.DRIFT, about=about, value=value, bound=0.25, detail=f"{value}")


def test_an_alert_is_opened_once_kept_and_cleared(database: Database, period: Period) -> None:
    steps = [[an_alert()], [an_alert(value=0.6), an_alert("exposure")], [an_alert("exposure")], []]
    changes = []
    for hours, current in enumerate(steps):
        with database.write() as session:
            changes.append(keep_alerts(session, current, NOW + hours * HOUR))
    drift = AlertKind.DRIFT
    assert [(each.opened, each.cleared) for each in changes] == [
        (((drift, "scores"),), ()),
        (((drift, "exposure"),), ()),
        ((), ((drift, "scores"),)),
        ((), ((drift, "exposure"),)),
    ]
    with database.read() as session:
        assert open_alerts(session) == []
        later = Period(NOW.date(), NOW.date(), period.zone)
        kept = {view.about: view for view in alerts(session, later)}
        assert alerts(session, period) == [], "it was over before"
    assert (kept["scores"].opened_at, kept["scores"].cleared_at) == (NOW, NOW + 2 * HOUR)
    assert (kept["scores"].seen_at, kept["scores"].value) == (NOW + HOUR, 0.6)


def test_the_database_itself_keeps_one_open_of_each(database: Database) -> None:
    values = {"kind": AlertKind.DRIFT, "about": "x", "opened_at": NOW, "seen_at": NOW}
    numbers = {"value": 1.0, "bound": 0.0, "detail": ""}
    with database.write() as session:
        session.add(AlertRow(**values, **numbers, cleared_at=NOW))
        session.add(AlertRow(**values, **numbers))
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(AlertRow(**values, **numbers))
