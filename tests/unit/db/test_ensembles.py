"""The states of ensembles, on both databases."""

from datetime import timedelta

import pytest

from db.ensembles.active_versions import ActiveVersion, versions_once_active
from db.ensembles.versions import (
    active_ensemble,
    known_ensembles,
    previous_ensemble,
    promote,
    retire,
)
from db.session import Database
from readfirst.ensemble_states import EnsembleState
from readfirst.errors import Misconfigured
from tests.support.studies import NOW, an_ensemble

CANDIDATE, SHADOW, ACTIVE, RETIRED = EnsembleState


def states(database: Database) -> dict[str, EnsembleState]:
    with database.read() as session:
        return {version: row.state for version, row in known_ensembles(session).items()}


def test_the_first_is_active_and_others_are_candidates(database: Database) -> None:
    with database.write() as session:
        for version in ("1", "2"):
            an_ensemble(session, version)
    assert states(database) == {"1": ACTIVE, "2": CANDIDATE}


def test_one_goes_forward_back_and_away(database: Database) -> None:
    with database.write() as session:
        for version in ("1", "2", "3"):
            an_ensemble(session, version)
        with pytest.raises(Misconfigured, match="none to go back to"):
            previous_ensemble(session)
        promote(session, "2", NOW + timedelta(days=1))
        promote(session, "3", NOW + timedelta(days=2))
    assert states(database) == {"1": RETIRED, "2": RETIRED, "3": ACTIVE}
    with database.write() as session:
        assert previous_ensemble(session).version == "2"
        promote(session, "2", NOW + timedelta(days=3))
        assert previous_ensemble(session).version == "3"
    assert states(database) == {"1": RETIRED, "2": ACTIVE, "3": RETIRED}
    with database.write() as session:
        with pytest.raises(Misconfigured, match="is the active one"):
            retire(session, "2", NOW)
        for change in (promote, retire):
            with pytest.raises(Misconfigured, match="is not known here"):
                change(session, "9", NOW)


def test_a_candidate_that_is_retired_is_never_gone_back_to(database: Database) -> None:
    with database.write() as session:
        for version in ("1", "2"):
            an_ensemble(session, version)
        retire(session, "2", NOW)
        active = active_ensemble(session)
        assert active is not None
        assert active.version == "1"
        with pytest.raises(Misconfigured, match="none to go back to"):
            previous_ensemble(session)
    assert states(database) == {"1": ACTIVE, "2": RETIRED}


def test_those_that_were_active_are_told_from_candidates(database: Database) -> None:
    with database.write() as session:
        for version in ("1", "2", "3"):
            an_ensemble(session, version)
        promote(session, "2", NOW)
    with database.read() as session:
        known = versions_once_active(session, ["1", "2", "3", "4"])
        assert versions_once_active(session, []) == {}
    assert sorted(known) == ["1", "2"]
    assert known["2"] == ActiveVersion(version="2", prevalence=None, manifest_sha256=None)
