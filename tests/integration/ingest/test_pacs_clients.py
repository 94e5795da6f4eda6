"""A PACS is asked, and gives films: DCMTK's dcmqrscp and Orthanc, by every protocol."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from ingest.inbox.inbox_writer import ARRIVING
from ingest.pacs.client import ClientConfig, PacsClient
from ingest.pacs.open_client import open_client
from readfirst.errors import Misconfigured, SourceUnavailable, Unavailable
from readfirst.pacs.matches import RetrieveTarget, StudyQuery
from readfirst.pacs.source import PacsSource, Retrieval
from tests.support.pacs import KINDS, a_config, a_film, a_listener_of, in_inbox
from tests.support.ports import free_port
from tests.support.waiting import wait_until

DAY = date(2026, 11, 3)
QUERY = StudyQuery(from_date=DAY, to_date=DAY)


@dataclass
class Archive:
    """A PACS with a study of two films of one series, and one of another day."""

    source: PacsSource
    config: ClientConfig
    inbox: Path
    study: str
    series: str
    images: list[str]
    other_study: str

    def client(self) -> PacsClient:
        return open_client(self.source, self.config, threading.Event())


@pytest.fixture(params=KINDS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    open_pacs, retrieval = KINDS[request.param]
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    study, series, other = generate_uid(), generate_uid(), generate_uid()
    images = sorted(str(generate_uid()) for _ in range(2))
    with a_listener_of(inbox) as port, open_pacs(tmp_path / "pacs", retrieval, port) as pacs:
        for number, image in enumerate(images):
            path = tmp_path / f"film-{number}.dcm"
            path.write_bytes(
                a_film(
                    StudyInstanceUID=study,
                    SeriesInstanceUID=series,
                    SOPInstanceUID=image,
                    StudyDate="20261103",
                    StudyTime="081500",
                    StudyID="1",
                    SeriesNumber="1",
                    InstanceNumber=str(number + 1),
                    AccessionNumber="A-1",
                    PatientID="P-1",
                    BodyPartExamined="CHEST",
                )
            )
            pacs.store(path)
        path.write_bytes(a_film(StudyInstanceUID=other, StudyDate="20261105", StudyID="2"))
        pacs.store(path)
        yield Archive(pacs.source, a_config(inbox), inbox, study, series, images, other)


def test_it_answers_and_finds_studies_series_and_images(archive: Archive) -> None:
    with archive.client() as client:
        assert "answered" in client.verify()
        (match,) = client.find_studies(QUERY)
        assert (match.study_instance_uid, match.study_date) == (archive.study, DAY)
        assert (match.accession_number, match.patient_id) == ("A-1", "P-1")
        assert match.may_have_films
        (series,) = client.find_series(archive.study)
        assert (series.series_instance_uid, series.is_film) == (archive.series, True)
        assert sorted(client.find_images(archive.study, archive.series)) == archive.images
        (by_number,) = client.find_studies(StudyQuery(accession_number="A-1"))
        assert by_number.study_instance_uid == archive.study
        since = client.find_studies(StudyQuery(from_date=DAY))
        assert {each.study_instance_uid for each in since} == {archive.study, archive.other_study}


def test_a_study_a_series_and_an_image_come_as_they_are(archive: Archive) -> None:
    with archive.client() as client:
        result = client.retrieve(RetrieveTarget(archive.study))
        assert (result.images, result.failed, result.reason) == (2, 0, None)
        wait_until(lambda: in_inbox(archive.inbox) == archive.images)
        series = client.retrieve(RetrieveTarget(archive.study, archive.series))
        assert series.images == 2
        image = RetrieveTarget(archive.study, archive.series, archive.images[0])
        assert client.retrieve(image).images == 1
    wait_until(lambda: len(in_inbox(archive.inbox)) == 5)
    assert not list((archive.inbox / ARRIVING).iterdir())
    path = next(path for path in archive.inbox.glob("*/*") if path.parent.name[0] != ".")
    assert dcmread(path).PatientName == "Invented^Child"


def test_what_the_pacs_does_not_have_is_nothing(archive: Archive) -> None:
    with archive.client() as client:
        assert client.find_studies(StudyQuery(accession_number="NONE")) == []
        assert client.find_series(generate_uid()) == []


@pytest.mark.parametrize("archive", ["dcmqrscp-get", "orthanc-web"], indirect=True)
def test_a_full_disk_is_no_fault_of_the_pacs(archive: Archive) -> None:
    archive.config = a_config(archive.inbox, has_room=False)
    with archive.client() as client, pytest.raises(Unavailable, match="too little room") as fault:
        client.retrieve(RetrieveTarget(archive.study))
    assert not isinstance(fault.value, SourceUnavailable)
    assert in_inbox(archive.inbox) == []


def test_the_client_goes_on_after_a_rest(archive: Archive) -> None:
    with archive.client() as client:
        assert client.find_studies(QUERY)
        client.rest()
        assert client.find_studies(QUERY)


def a_source(**changes: object) -> PacsSource:
    source = PacsSource(
        name="s", retrieval=Retrieval.C_MOVE, host="127.0.0.1", port=free_port(), ae_title="PACS"
    )
    return replace(source, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("retrieval", Retrieval)
def test_a_pacs_that_is_off_is_said_to_be(retrieval: Retrieval, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/dicom-web"
    source = a_source(retrieval=retrieval, url=url)
    config = a_config(tmp_path)
    with (
        open_client(source, config, threading.Event()) as client,
        pytest.raises(SourceUnavailable, match=r"does not answer|nothing listens"),
    ):
        client.verify()


def test_an_unknown_destination_ends_it_with_what_to_set_up(tmp_path: Path) -> None:
    open_pacs, retrieval = KINDS["dcmqrscp-move"]
    config = replace(a_config(tmp_path), ae_title="STRANGER")
    with open_pacs(tmp_path / "pacs", retrieval, free_port()) as pacs:
        path = tmp_path / "film.dcm"
        path.write_bytes(a_film(StudyInstanceUID="1.2.3", StudyDate="20261103", StudyID="1"))
        pacs.store(path)
        with (
            open_client(pacs.source, config, threading.Event()) as client,
            pytest.raises(SourceUnavailable, match="does not know the AE title STRANGER"),
        ):
            client.retrieve(RetrieveTarget("1.2.3"))


def test_a_destination_that_is_off_is_counted_as_the_pacs_says(tmp_path: Path) -> None:
    open_pacs, retrieval = KINDS["dcmqrscp-move"]
    with open_pacs(tmp_path / "pacs", retrieval, free_port()) as pacs:
        path = tmp_path / "film.dcm"
        path.write_bytes(a_film(StudyInstanceUID="1.2.3", StudyDate="20261103", StudyID="1"))
        pacs.store(path)
        with open_client(pacs.source, a_config(tmp_path), threading.Event()) as client:
            result = client.retrieve(RetrieveTarget("1.2.3"))
    assert result.images == 0
    assert "can it reach the listener" in str(result.reason)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read"), ("", "is empty"), ("two words", "must be one token")],
)
def test_a_token_file_holds_one_token(tmp_path: Path, content: str | None, sentence: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    source = a_source(retrieval=Retrieval.DICOMWEB, url="http://127.0.0.1:1", token_file=path)
    with pytest.raises(Misconfigured, match=sentence):
        open_client(source, a_config(tmp_path), threading.Event())
