"""The outcome of a file, by the digest of its content."""

from datetime import UTC, datetime

from db.session import Database
from db.tables import Arrival, IgnoredFile, Image
from db.uploads import UploadState, upload_outcome
from readfirst.domain import ImageState
from readfirst.refusals import RefusalCode
from readfirst.studies.display import DisplayContext
from tests.support.studies import a_scored_image, an_image

NOW = datetime.now(UTC)
SHOWN = DisplayContext(prevalence=None, quiet_before=None, overdue=None)


def outcome_of(database: Database, digest: str) -> tuple[UploadState, bool, str | None]:
    with database.read() as session:
        outcome = upload_outcome(session, digest, display=SHOWN)
    return outcome.state, outcome.done, outcome.study_instance_uid


def test_a_file_is_followed_from_the_inbox_to_its_end(database: Database) -> None:
    assert outcome_of(database, "ab" * 32) == (UploadState.NOT_TAKEN_IN, False, None)
    with database.write() as session:
        image = an_image(session, NOW)
        digest, uid = image.sha256, image.study.study_instance_uid
    assert outcome_of(database, digest) == (UploadState.RECEIVED, False, uid)
    with database.write() as session:
        known = session.query(Image).one()
        known.state, known.code = ImageState.REFUSED, RefusalCode.TRUNCATED
        known.reason = "The file ends before its image does."
    assert outcome_of(database, digest) == (UploadState.REFUSED, True, uid)
    with database.read() as session:
        outcome = upload_outcome(session, digest, display=SHOWN)
    assert outcome.summary == "not scored: The file ends before its image does."


def test_a_score_is_said_in_whole_percent(database: Database) -> None:
    with database.write() as session:
        digest = a_scored_image(session, NOW, probability=0.9996).sha256
    with database.read() as session:
        assert upload_outcome(session, digest, display=SHOWN).summary == "scored > 99 %"


def test_another_copy_of_a_film_leads_to_the_film(database: Database) -> None:
    with database.write() as session:
        image = an_image(session, NOW)
        uid = image.study.study_instance_uid
        session.flush()
        copy = Arrival(
            claim_id="f" * 32,
            image_id=image.id,
            relative_path="copy.dcm",
            sha256="cd" * 32,
            size=1,
            arrived_at=NOW,
            outcome="duplicate",
        )
        session.add(copy)
    assert outcome_of(database, "cd" * 32) == (UploadState.RECEIVED, False, uid)


def test_what_is_no_film_says_so(database: Database) -> None:
    with database.write() as session:
        session.add(
            IgnoredFile(
                claim_id="f" * 32,
                relative_path="DICOMDIR",
                sha256="cd" * 32,
                size=1,
                arrived_at=NOW,
                code=RefusalCode.DICOM_INDEX,
                reason="The index of an export.",
            )
        )
    assert outcome_of(database, "cd" * 32) == (UploadState.IGNORED, True, None)
