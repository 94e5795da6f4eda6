"""A patient's other studies, the neighbours in a list, and the most urgent unread study."""

from dataclasses import replace
from datetime import date, timedelta

from db.access.audit import Actor, AuditAction, first_view, note
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.tables import Account
from db.worklist.adjacent_studies import AdjacentStudies, adjacent_studies, most_urgent_unread
from db.worklist.filters import WorklistFilter
from db.worklist.patients import other_studies
from db.worklist.sorting import READING_ORDER, Order, Sort
from readfirst.access.roles import Role
from readfirst.domain import Header
from readfirst.studies.findings import Finding
from tests.support.studies import AS_STORED, NOW, a_header, a_scored_image, an_image, give_verdict

HOUR = timedelta(hours=1)
NOBODY = Actor(None, None)


def of_patient(patient_id: str | None, **values: object) -> Header:
    return a_header(patient_id=patient_id, modality="DX", view_position="PA", **values)


def test_other_studies_are_those_of_the_same_patient_the_latest_first(database: Database) -> None:
    with database.write() as session:
        for uid, header in {
            "1.1": of_patient("P1", issuer_of_patient_id="A"),
            "1.2": of_patient("P1", issuer_of_patient_id="A"),
            "1.3": of_patient("P1"),
            "2.1": of_patient("P1", issuer_of_patient_id="B"),
            "2.2": of_patient("P2"),
            "2.3": of_patient(None),
        }.items():
            at = NOW + int(uid[-1]) * HOUR
            a_scored_image(session, at, probability=0.9, study=uid, header=header)
        give_verdict(session, "1.2", VerdictInput(finding=Finding.NO_PNEUMONIA), NOBODY, NOW)
    with database.read() as session:
        others = other_studies(session, "1.1", display=AS_STORED)
        assert other_studies(session, "2.3", display=AS_STORED) == []
        assert other_studies(session, "9.9", display=AS_STORED) == []
    assert [other.study_instance_uid for other in others] == ["1.3", "1.2"]
    assert others[0].views == ("DX PA",)
    assert (others[0].probability, others[0].threshold, others[0].flagged) == (0.9, 0.5, True)
    assert others[0].verdict is None
    assert others[1].verdict is not None
    assert others[1].verdict.finding is Finding.NO_PNEUMONIA


def test_who_shares_an_id_and_nothing_else_is_another_patient(database: Database) -> None:
    lucia = of_patient("P1", patient_name="Díaz^Lucía", patient_birth_date=date(2021, 1, 1))
    other = of_patient("P1", patient_name="Weber^Max", patient_birth_date=date(2022, 2, 2))
    with database.write() as session:
        a_scored_image(session, probability=0.9, study="1.1", header=lucia)
        a_scored_image(session, probability=0.9, study="1.2", header=other)
    with database.read() as session:
        assert other_studies(session, "1.1", display=AS_STORED) == []


def test_studies_of_others_with_the_same_id_hide_none_of_the_patients_own(
    database: Database,
) -> None:
    own = of_patient("P1", issuer_of_patient_id="A", patient_name="Díaz^Lucía")
    born = date(2021, 1, 1)
    elsewhere = of_patient("P1", issuer_of_patient_id="B", patient_name="Díaz^Lucía")
    nowhere = of_patient("P1", patient_name="Weber^Max", patient_birth_date=date(2022, 2, 2))
    with database.write() as session:
        header = replace(own, patient_birth_date=born)
        an_image(session, NOW, study="1.1", header=header)
        an_image(session, NOW + HOUR, study="1.2", header=header)
        for number in range(25):
            an_image(session, NOW + 2 * HOUR, study=f"2.{number}", header=elsewhere)
            an_image(session, NOW + 2 * HOUR, study=f"3.{number}", header=nowhere)
    with database.read() as session:
        others = other_studies(session, "1.1", display=AS_STORED)
    assert [other.study_instance_uid for other in others] == ["1.2"]


def test_no_more_other_studies_than_asked_for(database: Database) -> None:
    with database.write() as session:
        for number in range(6):
            an_image(session, NOW + number * HOUR, study=f"1.{number}", header=of_patient("P1"))
    with database.read() as session:
        others = other_studies(session, "1.0", display=AS_STORED, limit=3)
    assert [other.study_instance_uid for other in others] == ["1.5", "1.4", "1.3"]


def test_a_study_that_is_not_scored_has_no_probability(database: Database) -> None:
    with database.write() as session:
        an_image(session, study="1.1", header=of_patient("P1"))
        an_image(session, study="1.2", header=of_patient("P1"))
    with database.read() as session:
        (other,) = other_studies(session, "1.1", display=AS_STORED)
    assert (other.probability, other.threshold, other.flagged) == (None, None, False)


def test_neighbours_follow_the_list_even_of_a_study_that_left_it(database: Database) -> None:
    with database.write() as session:
        for hour, uid in enumerate(("1.1", "1.2", "1.3", "1.4")):
            a_scored_image(session, NOW + hour * HOUR, probability=0.1 * hour, study=uid)
        give_verdict(session, "1.2", VerdictInput(), NOBODY, NOW)

    def around(
        uid: str, order: Order = READING_ORDER, unread: bool | None = True
    ) -> AdjacentStudies:
        with database.read() as session:
            return adjacent_studies(session, uid, which=WorklistFilter(unread=unread), order=order)

    assert around("1.1") == AdjacentStudies(None, "1.3")
    assert around("1.2") == AdjacentStudies("1.1", "1.3")
    assert around("1.2", unread=None) == AdjacentStudies("1.1", "1.3")
    assert around("1.3", unread=None) == AdjacentStudies("1.2", "1.4")
    assert around("1.4", Order(Sort.PROBABILITY)) == AdjacentStudies(None, "1.3")
    assert around("9.9") == AdjacentStudies(None, None)


def test_the_most_urgent_unread_study_is_next_wherever_one_is(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1, study="1.1")
        a_scored_image(session, NOW + HOUR, probability=0.9, study="1.2")
        a_scored_image(session, NOW + 2 * HOUR, probability=0.1, study="1.3")
    with database.read() as session:
        assert most_urgent_unread(session) == "1.2"
        assert most_urgent_unread(session, but="1.2") == "1.1"
    with database.write() as session:
        for uid in ("1.1", "1.2"):
            give_verdict(session, uid, VerdictInput(), NOBODY, NOW)
        assert most_urgent_unread(session) == "1.3"
        assert most_urgent_unread(session, but="1.3") is None


def test_a_study_is_first_opened_by_a_person_and_not_by_a_program(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, probability=0.9, study="1.1")
        session.add(Account(name="bridge", role=Role.SERVICE, token_sha256="ab", created_at=NOW))
        for account in ("bridge", "anna", "ben"):
            actor = Actor(account, "127.0.0.1")
            note(session, actor, AuditAction.STUDY_VIEWED, NOW, study_instance_uid="1.1")
    with database.read() as session:
        viewing = first_view(session, "1.1")
        assert first_view(session, "1.2") is None
    assert viewing is not None
    assert viewing.account == "anna"
