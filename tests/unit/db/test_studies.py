"""Images of one study, whenever they come; and studies that must be kept apart."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select

from db.lifecycle.work import claim_received
from db.read_models import StudyRecord
from db.session import Database
from db.tables import Image
from db.worklist.filters import EVERYTHING, WorklistFilter
from db.worklist.queries import reading_order, study_detail
from readfirst.domain import FileKind
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.studies.display import DisplayContext
from readfirst.studies.identity import WarningCode
from readfirst.studies.marks import MarkCode, mark
from readfirst.studies.priority import PriorityReason
from tests.support.studies import AS_STORED, NOW, a_header, a_scored_image, an_image, unit_at

MINUTE = timedelta(minutes=1)


def rows_of(
    database: Database, display: DisplayContext = AS_STORED, which: WorklistFilter = EVERYTHING
) -> list[StudyRecord]:
    with database.read() as session:
        return reading_order(session, limit=20, display=display, which=which)


def quiet_before(moment: datetime) -> DisplayContext:
    return replace(AS_STORED, quiet_before=moment)


def test_a_late_image_joins_its_study_and_changes_its_rank(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1, study="1.1")
        a_scored_image(session, NOW - MINUTE, probability=0.2, study="1.2")
    assert [row.study_instance_uid for row in rows_of(database)] == ["1.2", "1.1"]
    with database.write() as session:
        a_scored_image(session, NOW + 60 * MINUTE, probability=0.9, study="1.1")
    first = rows_of(database)[0]
    assert (first.study_instance_uid, first.standing) == ("1.1", PriorityReason.FLAGGED)
    assert len(first.images) == 2
    assert first.received_at == NOW


def test_a_study_is_complete_when_it_has_been_quiet(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
    (row,) = rows_of(database, quiet_before(NOW - MINUTE))
    assert row.flagged, "it ranks at once"
    assert not row.complete
    (row,) = rows_of(database, quiet_before(NOW))
    assert row.complete
    with database.write() as session:
        an_image(session, NOW + MINUTE, study="1.1")
    (row,) = rows_of(database, quiet_before(NOW + 9 * MINUTE))
    assert row.last_received_at == NOW + MINUTE
    assert not row.complete, "an image is in work"


def test_a_picture_is_complete_at_once(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, probability=0.9, header=a_header(kind=FileKind.JPEG))
    (row,) = rows_of(database, quiet_before(NOW - MINUTE))
    assert row.complete, "it is a study of its own, so nothing else can come"


def test_a_file_without_a_header_is_complete_at_once(database: Database) -> None:
    with database.write() as session:
        nothing = an_image(
            session, header=a_header(kind=None), refusal=Refused(RefusalCode.TOO_LARGE)
        )
    (row,) = rows_of(database, quiet_before(NOW - MINUTE))
    assert row.images[0].sha256 == nothing.sha256
    assert row.complete, "no file names its study, so nothing else can come"


def test_a_late_stat_image_raises_those_that_wait(database: Database) -> None:
    with database.write() as session:
        other = an_image(session, NOW)
        early = an_image(session, NOW, study="1.1")
        an_image(session, NOW + MINUTE, study="1.1", header=a_header(stat=True))
    with database.write() as session:
        claimed = claim_received(unit_at(session, NOW))
        assert claimed is not None
        assert claimed.image_id == early.id != other.id
    assert rows_of(database)[0].stat


def test_two_patients_in_one_study_uid_are_kept_apart_and_reported(database: Database) -> None:
    first, other = a_header(patient_id="A"), a_header(patient_id="B")
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.1, study="1.1", header=first)
        a_scored_image(session, NOW, probability=0.9, study="1.1", header=other)
        a_scored_image(session, NOW, probability=0.2, study="1.1", header=other)
        a_scored_image(session, NOW, probability=0.3, study="1.1", header=first)
    rows = {row.patient_id: row for row in rows_of(database)}
    assert {len(row.images) for row in rows.values()} == {2}
    assert (rows["A"].flagged, rows["B"].flagged) == (False, True)
    assert rows["A"].study_instance_uid == rows["B"].shared_study_instance_uid == "1.1"
    assert rows["B"].study_instance_uid.startswith("2.25.")
    for row, sibling in ((rows["A"], rows["B"]), (rows["B"], rows["A"])):
        (warning,) = row.warnings
        assert warning.code is WarningCode.STUDY_OF_TWO_PATIENTS
        assert warning.others == (sibling.study_instance_uid,)
    with database.read() as session:
        detail = study_detail(session, rows["B"].study_instance_uid, display=AS_STORED)
    assert detail is not None
    assert detail.study.warnings == rows["B"].warnings


def test_the_same_id_of_two_issuers_is_kept_apart(database: Database) -> None:
    with database.write() as session:
        for issuer in ("NORTH", "SOUTH"):
            header = a_header(patient_id="1", issuer_of_patient_id=issuer)
            an_image(session, NOW, study="1.1", header=header)
    assert len(rows_of(database)) == 2


def test_an_image_without_patient_joins_one_study_but_never_one_of_two(
    database: Database,
) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.1", header=a_header(patient_id="A"))
        an_image(session, NOW, study="1.1", header=a_header())
        an_image(session, NOW, study="1.1", header=a_header(patient_id="B"))
        an_image(session, NOW, study="1.1", header=a_header())
    rows = rows_of(database)
    assert sorted(len(row.images) for row in rows) == [1, 1, 2]
    assert {row.patient_id: len(row.images) for row in rows} == {"A": 2, "B": 1, None: 1}


def test_a_study_without_patient_takes_the_first_that_is_named(database: Database) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.1", header=a_header())
        an_image(session, NOW, study="1.1", header=a_header(patient_id="A", patient_sex="F"))
    (row,) = rows_of(database)
    assert (row.patient_id, row.patient_sex) == ("A", "F")


def test_two_studies_with_one_accession_number_are_reported_on_both(database: Database) -> None:
    ordered = {"accession_number": "ACC-1"}
    with database.write() as session:
        an_image(session, NOW, study="1.1", header=a_header(patient_id="A", **ordered))
        an_image(session, NOW, study="1.2", header=a_header(patient_id="B", **ordered))
        an_image(session, NOW, study="1.3", header=a_header(accession_number="ACC-2"))
        an_image(session, NOW, study="1.4", header=a_header())
    rows = {row.study_instance_uid: row for row in rows_of(database)}
    assert [warning.others for warning in rows["1.1"].warnings] == [("1.2",)]
    assert [warning.code for warning in rows["1.2"].warnings] == [
        WarningCode.ACCESSION_NUMBER_SHARED
    ]
    assert rows["1.3"].warnings == rows["1.4"].warnings == ()
    (limited,) = rows_of(database, which=WorklistFilter(since=NOW))[:1]
    assert limited.warnings


def test_one_accession_number_for_many_names_few_of_them(database: Database) -> None:
    with database.write() as session:
        for _ in range(60):
            an_image(session, NOW, header=a_header(accession_number="0"))
    rows = rows_of(database)
    assert len(rows) == 20
    assert all(1 <= len(row.warnings[0].others) <= 2 for row in rows)


def test_an_emptied_study_warns_of_nothing(database: Database) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.1", header=a_header(accession_number="A"))
        moved = an_image(session, NOW, study="1.2", header=a_header(accession_number="A"))
        moved.study = an_image(session, NOW, study="1.3").study
    assert all(row.warnings == () for row in rows_of(database))


def test_a_mark_goes_with_the_score_and_never_makes_it_low(database: Database) -> None:
    age = (mark(MarkCode.AGE_UNKNOWN),)
    with database.write() as session:
        for uid, probability in (("1.1", 0.1), ("1.2", 0.9)):
            image = a_scored_image(session, NOW, probability=probability, study=uid)
            image.marks = age
        an_image(session, NOW, study="1.1", refusal=Refused(RefusalCode.ADULT))
    flagged, waiting = rows_of(database)
    assert (flagged.standing, flagged.flagged) == (PriorityReason.FLAGGED, True)
    assert flagged.marks == waiting.marks == flagged.images[0].marks == age
    assert "(threshold " in flagged.why
    assert "not validated" in flagged.why
    assert waiting.standing is PriorityReason.WAITING
    assert "below" not in waiting.why
    assert "not valid: age unknown." in waiting.why


def test_marks_survive_the_database(database: Database) -> None:
    marks = (mark(MarkCode.ADULT, "40 y"), mark(MarkCode.LATERALITY, "L"))
    with database.write() as session:
        an_image(session, NOW).marks = marks
    with database.read() as session:
        assert session.scalars(select(Image)).one().marks == marks
