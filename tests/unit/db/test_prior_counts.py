"""The number of priors of a study: earlier studies of the same patient, and of nobody else."""

from datetime import timedelta

from db.session import Database
from db.worklist.prior_counts import MOST
from db.worklist.queries import reading_order, study_detail
from tests.support.studies import AS_STORED, NOW, a_header, an_image

DAY = timedelta(days=1)


def counts(database: Database) -> dict[str, int]:
    with database.read() as session:
        rows = reading_order(session, limit=1000, display=AS_STORED)
    return {row.study_instance_uid: row.prior_count for row in rows}


def test_earlier_studies_of_the_same_patient_are_counted(database: Database) -> None:
    with database.write() as session:
        for uid, days in (("1.1", 400), ("1.2", 20), ("1.3", 0)):
            header = a_header(patient_id="A", study_datetime=NOW - days * DAY)
            an_image(session, NOW, study=uid, header=header)
        # Neither another patient's, nor another issuer's, nor who has no ID.
        an_image(session, NOW, study="2.1", header=a_header(patient_id="B"))
        other = a_header(patient_id="A", issuer_of_patient_id="SOUTH", patient_name="X^Y")
        an_image(session, NOW, study="2.2", header=other)
        an_image(session, NOW, study="2.3")
        an_image(session, NOW, study="2.4")
    priors = counts(database)
    assert {uid: priors[uid] for uid in ("1.1", "1.2", "1.3")} == {"1.1": 0, "1.2": 1, "1.3": 2}
    assert priors["2.1"] == priors["2.3"] == priors["2.4"] == 0
    with database.read() as session:
        detail = study_detail(session, "1.3", display=AS_STORED)
    assert detail is not None
    assert detail.study.prior_count == 2


def test_a_number_that_stands_for_unknown_has_no_priors(database: Database) -> None:
    with database.write() as session:
        for number in range(MOST + 1):
            header = a_header(patient_id="UNKNOWN", study_datetime=NOW + number * DAY)
            an_image(session, NOW, study=f"3.{number + 1}", header=header)
    assert set(counts(database).values()) == {0}
