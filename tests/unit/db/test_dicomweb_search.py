"""DICOM images across studies, each UID once, on both databases."""

from datetime import timedelta

from db.dicomweb.search import StudyMatch, dicom_study, find_studies
from db.dicomweb.search_images import ImageMatch, find_images
from db.session import Database
from readfirst.domain import FileKind
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from tests.support.studies import NOW, a_header, an_image

ANY = ImageMatch(study=StudyMatch())
OLDER = NOW - timedelta(days=1)


def test_of_one_uid_the_accepted_image_is_given_and_pictures_are_not(database: Database) -> None:
    with database.write() as session:
        refused = an_image(session, OLDER, study="1.1", refusal=Refused(RefusalCode.TRUNCATED))
        accepted = an_image(session, OLDER, study="1.1")
        accepted.sop_instance_uid = refused.sop_instance_uid
        accepted.series_instance_uid = refused.series_instance_uid = "1.1.1"
        second = an_image(session, OLDER, study="1.1")
        second.series_instance_uid = "1.1.1"
        latest = an_image(session, NOW, study="1.2", header=a_header(modality="DX"))
        an_image(session, NOW, study="1.3", header=a_header(kind=FileKind.JPEG))
        digests = accepted.sha256, second.sha256, latest.sha256
    with database.read() as session:
        pairs = find_images(session, ANY, limit=10)
        assert [image.sha256 for _, image in pairs] == [digests[2], *digests[:2]]
        assert [study.study_instance_uid for study, _ in pairs] == ["1.2", "1.1", "1.1"]
        series = find_images(session, ANY, limit=10, by_series=True)
        assert [image.sha256 for _, image in series] == [digests[2], digests[0]]
        of_modality = ImageMatch(study=StudyMatch(), modalities=("DX",))
        assert [each.sha256 for _, each in find_images(session, of_modality, limit=10)] == [
            digests[2]
        ]
        assert find_images(session, ANY, limit=10, offset=3) == []
        study = dicom_study(session, "1.1")
        assert study is not None
        assert [image.sha256 for image in study.images] == list(digests[:2])
        assert dicom_study(session, "1.3") is None
        assert [
            each.study_instance_uid for each in find_studies(session, StudyMatch(), limit=9)
        ] == [
            "1.2",
            "1.1",
        ]


def test_signs_of_like_stand_for_themselves_and_names_know_no_capitals(database: Database) -> None:
    with database.write() as session:
        for number, name in enumerate(("Díaz^Lucía", "D_az^100%", "Daaz^1000")):
            header = a_header(patient_name=name, patient_id=f"P-{number}")
            an_image(session, NOW + timedelta(hours=number), header=header)

    def names(**texts: str) -> list[str | None]:
        match = StudyMatch(texts=tuple(texts.items()))
        with database.read() as session:
            return [study.patient_name for study in find_studies(session, match, limit=9)]

    assert names(patient_name="DÍAZ^LUCÍA") == names(patient_name="díaz*") == ["Díaz^Lucía"]
    assert names(patient_name="d_az*") == names(patient_name="*100%") == ["D_az^100%"]
    assert names(patient_name="d?az*") == ["Daaz^1000", "D_az^100%", "Díaz^Lucía"]
    assert names(patient_id="p-0") == []
    assert names(patient_id="P-0") == ["Díaz^Lucía"]
