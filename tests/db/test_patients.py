"""A patient's other studies, the neighbours in a list, and the most urgent unread study."""

from datetime import date, timedelta

from db.access_tables import Account
from db.audit import Action, Actor, first_view, note
from db.filters import WorklistFilter
from db.neighbours import Neighbours, most_urgent_unread, neighbours
from db.patients import other_studies
from db.session import Database
from db.sorting import READING_ORDER, Order, Sort
from db.verdicts import Opinion, give
from readfirst.domain import Header
from readfirst.findings import Finding
from readfirst.roles import Role
from tests.db.builders import NOW, a_header, a_scored_image, an_image

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
        give(session, "1.2", Opinion(finding=Finding.NO_PNEUMONIA), NOBODY, NOW, seen=None)
    with database.read() as session:
        found = other_studies(session, "1.1")
        assert other_studies(session, "2.3") == []
        assert other_studies(session, "9.9") == []
    assert [other.study_instance_uid for other in found] == ["1.3", "1.2"]
    assert found[0].views == ("DX PA",)
    assert (found[0].probability, found[0].threshold, found[0].flagged) == (0.9, 0.5, True)
    assert found[0].verdict is None
    assert found[1].verdict is not None
    assert found[1].verdict.finding is Finding.NO_PNEUMONIA


def test_who_shares_an_id_and_nothing_else_is_another_patient(database: Database) -> None:
    one = of_patient("P1", patient_name="Díaz^Lucía", patient_birth_date=date(2021, 1, 1))
    other = of_patient("P1", patient_name="Weber^Max", patient_birth_date=date(2022, 2, 2))
    with database.write() as session:
        a_scored_image(session, probability=0.9, study="1.1", header=one)
        a_scored_image(session, probability=0.9, study="1.2", header=other)
    with database.read() as session:
        assert other_studies(session, "1.1") == []


def test_a_study_that_is_not_scored_has_no_probability(database: Database) -> None:
    with database.write() as session:
        an_image(session, study="1.1", header=of_patient("P1"))
        an_image(session, study="1.2", header=of_patient("P1"))
    with database.read() as session:
        (other,) = other_studies(session, "1.1")
    assert (other.probability, other.threshold, other.flagged) == (None, None, False)


def test_neighbours_follow_the_list_even_of_a_study_that_left_it(database: Database) -> None:
    with database.write() as session:
        for hour, uid in enumerate(("1.1", "1.2", "1.3", "1.4")):
            a_scored_image(session, NOW + hour * HOUR, probability=0.1 * hour, study=uid)
        give(session, "1.2", Opinion(), NOBODY, NOW, seen=None)

    def around(uid: str, order: Order = READING_ORDER, unread: bool | None = True) -> Neighbours:
        with database.read() as session:
            return neighbours(session, uid, which=WorklistFilter(unread=unread), order=order)

    assert around("1.1") == Neighbours(None, "1.3")
    assert around("1.2") == Neighbours("1.1", "1.3")
    assert around("1.2", unread=None) == Neighbours("1.1", "1.3")
    assert around("1.3", unread=None) == Neighbours("1.2", "1.4")
    assert around("1.4", Order(Sort.PROBABILITY)) == Neighbours(None, "1.3")
    assert around("9.9") == Neighbours(None, None)


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
            give(session, uid, Opinion(), NOBODY, NOW, seen=None)
        assert most_urgent_unread(session) == "1.3"
        assert most_urgent_unread(session, but="1.3") is None


def test_a_study_is_first_opened_by_a_person_and_not_by_a_program(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, probability=0.9, study="1.1")
        session.add(Account(name="bridge", role=Role.SERVICE, token_sha256="ab", created_at=NOW))
        for account in ("bridge", "anna", "ben"):
            actor = Actor(account, "127.0.0.1")
            note(session, actor, Action.STUDY_VIEWED, NOW, study_instance_uid="1.1")
    with database.read() as session:
        found = first_view(session, "1.1")
        assert first_view(session, "1.2") is None
    assert found is not None
    assert found.account == "anna"
