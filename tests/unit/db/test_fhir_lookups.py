"""From FHIR's names to studies, on both databases."""

from datetime import timedelta

from db.disclosures import collecting
from db.ensembles.versions import promote
from db.fhir.lookups import (
    every_version_once_active,
    studies_with_accession_number,
    study_of_image,
)
from db.session import Database
from db.tables import Image
from readfirst.domain import ImageState
from tests.support.studies import NOW, a_header, a_ready_image, a_scored_image, an_ensemble


def test_a_study_is_named_by_a_scored_film(database: Database) -> None:
    with database.write() as session:
        scored = a_scored_image(session, NOW, probability=0.9, study="1.1")
        waiting = a_ready_image(session, NOW, study="1.2")
        uids = [scored.sop_instance_uid, waiting.sop_instance_uid]
    with database.read() as session:
        assert [study_of_image(session, uid) for uid in [*uids, "9.9"]] == ["1.1", None, None]


def test_a_refused_copy_names_no_study(database: Database) -> None:
    with database.write() as session:
        image = a_scored_image(session, NOW, probability=0.9, study="1.1")
        session.get_one(Image, image.id).state = ImageState.REFUSED
        uid = image.sop_instance_uid
    with database.read() as session:
        assert study_of_image(session, uid) is None


def test_studies_of_an_accession_number_come_latest_first_and_are_noted(
    database: Database,
) -> None:
    with database.write() as session:
        for study, number in (("1.1", "A-1"), ("1.2", "A-2"), ("1.3", "A-1")):
            header = a_header(accession_number=number)
            a_scored_image(session, NOW, probability=0.9, study=study, header=header)
    with database.read() as session, collecting() as disclosures:
        assert studies_with_accession_number(session, "A-1", 9) == ["1.3", "1.1"]
        assert studies_with_accession_number(session, "A-1", 1) == ["1.3"]
        assert studies_with_accession_number(session, "A", 9) == []
    assert disclosures.searches == {"A-1", "A"}


def test_a_version_that_was_never_active_is_nobodys(database: Database) -> None:
    with database.write() as session:
        for number, version in enumerate(("1", "2", "3")):
            an_ensemble(session, version)
            if version != "3":
                promote(session, version, NOW + timedelta(hours=number))
    with database.read() as session:
        assert {each.version for each in every_version_once_active(session)} == {"1", "2"}
