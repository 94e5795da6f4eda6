"""Two ensembles on the films that both have scored, on both databases."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from db.ensembles.comparison import FlagChange, changed_studies, compare_ensembles
from db.ensembles.shadows import begin_shadow
from db.ensembles.thresholds import NewThreshold, activate_new
from db.session import Database
from db.tables import ShadowImage
from readfirst.ensemble_states import EnsembleState
from readfirst.errors import Misconfigured
from readfirst.statistics.threshold_methods import ThresholdMethod
from readfirst.studies.findings import Finding
from tests.support.compared import a_compared_film
from tests.support.studies import (
    NOW,
    a_header,
    an_ensemble,
)

SICK, WELL = Finding.PNEUMONIA, Finding.NO_PNEUMONIA


def test_flags_are_of_the_studies_that_both_have_scored(database: Database) -> None:
    with database.write() as session:
        for first, second in ((0.9, 0.8), (0.9, 0.1), (0.2, 0.7), (0.1, 0.2), (0.1, 0.9)):
            a_compared_film(session, first, second)
        a_compared_film(session, 0.9, None)
        compared = compare_ensembles(session, "1", "2")
        changed = {
            change: changed_studies(session, "1", "2", change, limit=9) for change in FlagChange
        }
    flags = compared.flags
    assert (flags.both, flags.new, flags.withdrawn, flags.neither) == (1, 2, 1, 1)
    assert (compared.films, compared.studies) == (5, 5)
    assert (compared.first.films, compared.second.films) == (6, 5)
    assert (flags.agreement.hits, flags.agreement.of) == (2, 5)
    assert flags.kappa == pytest.approx(-0.1538, abs=1e-3)
    assert [(row.first, row.second) for row in changed[FlagChange.NEW]] == [(0.1, 0.9), (0.2, 0.7)]
    assert [(row.first, row.second) for row in changed[FlagChange.WITHDRAWN]] == [(0.9, 0.1)]
    assert compared.readers.figures == ()
    assert compared.first_received == NOW


def test_a_study_has_the_highest_of_the_films_that_both_have_scored(database: Database) -> None:
    with database.write() as session:
        image = a_compared_film(session, 0.2, 0.6)
        uid = image.study.study_instance_uid
        a_compared_film(session, 0.3, 0.1, study=uid)
        # The second has not seen this one: it counts for neither.
        a_compared_film(session, 0.9, None, study=uid)
        (row,) = changed_studies(session, "1", "2", FlagChange.NEW, limit=9)
        compared = compare_ensembles(session, "1", "2")
    assert (row.first, row.second) == (0.3, 0.6)
    assert (compared.films, compared.studies, compared.flags.new) == (2, 1, 1)


def test_each_flags_by_its_threshold_of_now(database: Database) -> None:
    with database.write() as session:
        a_compared_film(session, 0.4, 0.4)
        assert compare_ensembles(session, "1", "2").flags.neither == 1
        wanted = NewThreshold(
            ensemble_version="2",
            value=0.3,
            method=ThresholdMethod.VALUE,
            evidence={},
            chosen_by="root",
        )
        activate_new(session, wanted, NOW)
        compared = compare_ensembles(session, "1", "2")
    assert compared.flags.new == 1
    assert (compared.second.threshold, compared.second.threshold_version) == (0.3, 2)


def test_both_are_measured_against_the_same_readers(database: Database) -> None:
    with database.write() as session:
        for first, second, finding in (
            (0.9, 0.9, SICK),
            (0.4, 0.8, SICK),
            (0.6, 0.1, WELL),
            (0.1, 0.2, WELL),
            (0.5, 0.5, Finding.CANNOT_TELL),
            (0.9, None, WELL),
        ):
            header = a_header(patient_id="P1") if finding is SICK else None
            a_compared_film(session, first, second, finding, header=header)
        readers = compare_ensembles(session, "1", "2").readers
    assert (readers.studies, readers.pneumonia, readers.patients, readers.blind) == (4, 2, 3, 0)
    figures = {row.figure: row for row in readers.figures}
    assert (figures["auc"].first.value, figures["auc"].second.value) == (0.75, 1.0)
    assert figures["auc"].difference.value == pytest.approx(0.25)
    assert (figures["sensitivity"].first.value, figures["sensitivity"].second.value) == (0.5, 1.0)
    assert figures["brier"].first.value == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)


def test_cost_is_of_films_that_both_have_scored(database: Database) -> None:
    with database.write() as session:
        image = a_compared_film(session, 0.2, 0.6)
        an_ensemble(session, "3")
        begin_shadow(session, "3", NOW)
        session.add(
            ShadowImage(
                image_id=image.id,
                ensemble_version="3",
                due_at=NOW,
                given_up_at=NOW,
                reason="No chest film.",
            )
        )
        session.flush()
        compared = compare_ensembles(session, "1", "2")
        with_shadow = compare_ensembles(session, "2", "3")
    # Ensemble 1 was not measured here, and so neither is on films of both.
    assert (compared.first.seconds, compared.second.seconds) == (None, None)
    third = with_shadow.second
    assert (third.state, third.films, third.given_up) == (EnsembleState.SHADOW, 0, 1)
    assert (with_shadow.studies, with_shadow.first_received) == (0, None)
    assert with_shadow.flags.agreement.value is None


def test_what_cannot_be_compared_is_said(database: Database) -> None:
    with database.write() as session:
        an_ensemble(session, "1")
        with pytest.raises(Misconfigured, match="two ensembles that differ"):
            compare_ensembles(session, "1", "1")
        with pytest.raises(Misconfigured, match="is not known here"):
            changed_studies(session, "1", "9", FlagChange.NEW, limit=1)


def test_changed_studies_come_page_by_page_and_as_the_site_states_them(database: Database) -> None:
    with database.write() as session:
        for number in range(5):
            at = NOW + timedelta(minutes=number)
            a_compared_film(session, 0.1, 0.9)
            assert at
        known = an_ensemble(session, "2")
        known.prevalence = 0.5
        session.flush()
        every = changed_studies(session, "1", "2", FlagChange.NEW, limit=9, prevalence=0.1)
        page = changed_studies(session, "1", "2", FlagChange.NEW, limit=2)
        rest = changed_studies(session, "1", "2", FlagChange.NEW, limit=9, before=page[-1].number)
    assert [row.number for row in every] == [row.number for row in (*page, *rest)]
    assert every[0].first == pytest.approx(0.1)
    assert every[0].second == pytest.approx(0.5)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_lists_are_those_that_are_counted(
    database: Database, pairs: list[tuple[float, float]]
) -> None:
    with database.write() as session:
        before = compare_ensembles(session, "1", "2").flags if _known(session) else None
        for first, second in pairs:
            a_compared_film(session, first, second)
        flags = compare_ensembles(session, "1", "2").flags
        lists = [changed_studies(session, "1", "2", change, limit=999) for change in FlagChange]
    assert [len(each) for each in lists] == [flags.new, flags.withdrawn]
    added = flags.agreement.of - (before.agreement.of if before else 0)
    assert added == len(pairs)
    assert flags.both + flags.new + flags.withdrawn + flags.neither == flags.agreement.of


def _known(session: Session) -> bool:
    an_ensemble(session, "1")
    return an_ensemble(session, "2") is not None
