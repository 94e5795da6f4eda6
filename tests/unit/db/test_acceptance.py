"""Acceptance of an ensemble: labels find their studies, reports are kept, and a lead signs once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from db.access.audit import Actor, entries
from db.ensembles.acceptance import (
    MatchedLabels,
    StudyLabel,
    acceptance,
    acceptances,
    is_accepted,
    keep_report,
    labelled_studies,
    make_report,
    match_labels,
    sign,
    verdict_labels,
)
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from readfirst.errors import Misconfigured
from readfirst.statistics.acceptance import Promise
from readfirst.statistics.operating_points import Interval
from readfirst.studies.findings import Finding
from tests.support.studies import NOW, a_header, a_scored_image, an_ensemble, give_verdict

PROMISE = Promise(
    ensemble_version="1",
    threshold=0.5,
    sensitivity=Interval(0.9, 0.85, 0.95),
    specificity=Interval(0.9, 0.85, 0.95),
    auc=Interval(0.95, 0.93, 0.97),
    ece=Interval(0.03, 0.02, 0.05),
    presupposed=0.5,
    miss_cost=2.0,
    population="children",
)
LEAD, NOBODY = Actor("lena", None), Actor(None, None)


def seed(database: Database) -> None:
    """Two pneumonias, one of them missed, and two healthy studies; 1.1 has two films."""
    with database.write() as session:
        for uid, probability, view in (
            ("1.1", 0.3, "PA"),
            ("1.1", 0.9, "AP"),
            ("1.2", 0.2, "AP"),
            ("1.3", 0.1, "AP"),
            ("1.4", 0.6, "AP"),
        ):
            header = a_header(
                accession_number="A9" if uid in ("1.3", "1.4") else f"A{uid[-1]}",
                view_position=view,
                manufacturer="Maker",
                patient_sex="F",
                patient_name="Doe^Jane",
            )
            a_scored_image(session, NOW, probability=probability, study=uid, header=header)


def label(uid: str | None, *, sick: bool, accession: str | None = None) -> StudyLabel:
    return StudyLabel(uid, accession, sick)


def test_labels_find_studies_by_uid_or_accession(database: Database) -> None:
    seed(database)
    with database.read() as session:
        matched = match_labels(
            session,
            [
                label("1.1", sick=True),
                label(None, accession="A2", sick=True),
                label("1.3", sick=False),
                label("1.3", sick=True),
                label("9.9", sick=True),
                # Two studies of one order.
                label(None, accession="A9", sick=False),
            ],
        )
        studies = labelled_studies(session, "1", matched.by_study)
    assert sorted(matched.by_study.values()) == [True, True]
    assert (matched.unknown, matched.ambiguous, matched.contradicted) == (1, 1, 1)
    first, second = sorted(studies, key=lambda study: -study.probability)
    assert (first.probability, first.view, first.scanner, first.sex) == (0.9, "AP", "Maker", "F")
    assert (second.probability, second.sick) == (0.2, True)


def test_a_report_is_kept_and_signed_once_by_an_account(database: Database) -> None:
    seed(database)
    findings = {"1.1": True, "1.2": True, "1.3": False, "1.4": False}
    with database.write() as session:
        for uid, sick in findings.items():
            finding = Finding.PNEUMONIA if sick else Finding.NO_PNEUMONIA
            give_verdict(session, uid, VerdictInput(finding=finding))
        report = make_report(session, PROMISE, verdict_labels(session), "verdicts", NOW)
        number = keep_report(session, report, "root").number
        assert not is_accepted(session, "1")
        with pytest.raises(Misconfigured, match="named account"):
            sign(session, number, NOBODY, NOW)
        with pytest.raises(Misconfigured, match="no acceptance report 99"):
            sign(session, 99, LEAD, NOW)
        assert sign(session, number, LEAD, NOW + timedelta(hours=1)).signed_by == "lena"
        with pytest.raises(Misconfigured, match="signed by lena"):
            sign(session, number, Actor("otto", None), NOW)
    with database.read() as session:
        record = acceptance(session, number)
        assert record is not None
        assert [each.number for each in acceptances(session)] == [number]
        assert is_accepted(session, "1")
        (line,) = entries(session, limit=9, account="lena")
    assert record.report == report
    assert (report.whole.studies, report.whole.sick, report.threshold_version) == (4, 2, 1)
    assert (report.whole.sensitivity.hits, report.whole.specificity.hits) == (1, 1)
    assert (line.action, line.detail["acceptance"]) == ("acceptance_signed", number)
    assert "Doe" not in str(record)


def test_a_report_needs_both_labels_and_a_known_ensemble(database: Database) -> None:
    seed(database)
    with database.write() as session:
        an_ensemble(session, "2")
        nothing = MatchedLabels({})
        with pytest.raises(Misconfigured, match="needs studies with and without"):
            make_report(session, PROMISE, nothing, "none", NOW)
        unknown = replace(PROMISE, ensemble_version="9")
        with pytest.raises(Misconfigured, match="not known here"):
            make_report(session, unknown, nothing, "none", NOW)
