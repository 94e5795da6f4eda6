"""Studies by DICOMweb, with the client of others over a socket."""

import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from dicomweb_client import DICOMwebClient
from PIL import Image as PillowImage
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import (
    UID,
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    KeyObjectSelectionDocumentStorage,
)
from structlog.testing import capture_logs

from db.access.audit import AuditAction, AuditRecord, entries
from db.session import Database
from db.tables import Image
from ingest.inbox.claim import Claim
from readfirst.domain import FileKind
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from tests.support.filled_databases import FilledDatabases
from tests.support.orthanc import DICOMWEB_PLUGIN, an_orthanc
from tests.support.people import TOKEN, add_people
from tests.support.requirements import require
from tests.support.results import saved
from tests.support.serving import served
from tests.support.waiting import TIMEOUT
from tests.support.workers import Worker

Drop = Callable[..., Claim]
FILM = FOLDER / "study-02.dcm"
ROOT = "/dicom-web"
GUIDE = Path(__file__).parents[3] / "docs/how-to/open-studies-in-a-viewer.md"


@pytest.fixture
def film() -> Dataset:
    return dcmread(FILM)


class ScoredSites:
    """Sites with the same scored films, made once for each kind of database and then copied."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.databases = FilledDatabases()

    def fill(self, worker: Worker, drop: Drop) -> None:
        """Fill rows and home of a site that has nothing yet."""

        def take_in() -> None:
            for path in (FILM, FOLDER / "study-01.dcm", FOLDER / "film-01.jpg"):
                worker.take_in(drop(path))
            worker.score_all()

        self.databases.fill(worker.database, take_in)
        home = worker.settings.home_path
        kept = self._folder / worker.database.engine.dialect.name
        source, target = (kept, home) if kept.exists() else (home, kept)
        shutil.copytree(source, target, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def scored_sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoredSites]:
    sites = ScoredSites(tmp_path_factory.mktemp("scored"))
    yield sites
    sites.databases.close()


@pytest.fixture
def scored(worker: Worker, drop: Drop, scored_sites: ScoredSites) -> None:
    """A study that is flagged, another that is not, and a picture."""
    scored_sites.fill(worker, drop)


@pytest.fixture
def address(settings: Settings, scored: None) -> Iterator[str]:
    with served(settings) as (address, _):
        yield address + ROOT


@pytest.fixture
def client(address: str) -> DICOMwebClient:
    return DICOMwebClient(address)


def audited(database: Database) -> list[AuditRecord]:
    with database.read() as session:
        return entries(session, limit=100)


def test_a_client_walks_from_the_list_to_the_film_and_the_result(
    client: DICOMwebClient, film: Dataset
) -> None:
    rows = client.search_for_studies(search_filters={"PatientID": film.PatientID})
    (row,) = [Dataset.from_json(each) for each in rows]
    assert row.StudyInstanceUID == film.StudyInstanceUID
    assert (row.PatientName, row.AccessionNumber) == (film.PatientName, film.AccessionNumber)
    assert (row.StudyDate, row.StudyTime) == (film.StudyDate, film.StudyTime)
    assert row.ModalitiesInStudy == film.Modality
    assert (row.NumberOfStudyRelatedSeries, row.NumberOfStudyRelatedInstances) == (1, 1)
    series = [Dataset.from_json(each) for each in client.search_for_series(row.StudyInstanceUID)]
    assert [each.Modality for each in series] == [film.Modality, "SR", "KO"]
    assert series[0].SeriesInstanceUID == film.SeriesInstanceUID
    instances = client.search_for_instances(row.StudyInstanceUID, film.SeriesInstanceUID)
    (instance,) = [Dataset.from_json(each) for each in instances]
    assert (instance.SOPClassUID, instance.Rows) == (film.SOPClassUID, film.Rows)
    assert instance.AvailableTransferSyntaxUID == film.file_meta.TransferSyntaxUID
    urls = [each.RetrieveURL for each in (row, series[0], instance)]
    assert urls[2] == ROOT + instance_path(film)
    assert urls[2].startswith(f"{urls[1]}/")
    assert urls[1].startswith(f"{urls[0]}/")
    report, flag = (
        client.retrieve_series(row.StudyInstanceUID, each.SeriesInstanceUID)[0]
        for each in series[1:]
    )
    assert report.PatientID == flag.PatientID == film.PatientID
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == film.SOPInstanceUID


def test_an_instance_is_byte_for_byte_what_came_in(
    client: DICOMwebClient, address: str, film: Dataset
) -> None:
    path = instance_path(film)
    answer = requests.get(address + path, headers={"Accept": "application/dicom"}, timeout=60)
    assert answer.content == FILM.read_bytes()
    assert answer.headers["Content-Type"].startswith("application/dicom; transfer-syntax=1.2.840")
    parts = requests.get(address + path, timeout=60)
    assert FILM.read_bytes() in parts.content
    assert len(parts.content) == int(parts.headers["Content-Length"])
    whole = client.retrieve_study(film.StudyInstanceUID)
    assert [each.Modality for each in whole] == [film.Modality, "SR", "KO"]
    assert whole[0] == film
    assert client.retrieve_instance(*uids(film)) == film


def test_metadata_say_what_the_file_says_but_for_its_pixels(
    client: DICOMwebClient, film: Dataset
) -> None:
    (metadata,) = client.retrieve_series_metadata(film.StudyInstanceUID, film.SeriesInstanceUID)
    read = Dataset.from_json(metadata)
    del film.PixelData
    for element in film:
        if element.keyword != "SpecificCharacterSet":
            assert read[element.tag].value == element.value, element
    assert "PixelData" not in read
    assert len(client.retrieve_study_metadata(film.StudyInstanceUID)) == 3
    assert client.retrieve_instance_metadata(*uids(film)) == metadata


def test_a_viewer_that_asks_for_everything_at_once_gets_it(address: str, film: Dataset) -> None:
    paths = [f"{address}{instance_path(film)}{path}" for path in ("/metadata", "/frames/1")] * 12
    with ThreadPoolExecutor(len(paths)) as pool:
        answers = pool.map(lambda path: requests.get(path, timeout=60).status_code, paths)
        assert set(answers) == {200}


def test_frames_are_the_stored_values(client: DICOMwebClient, film: Dataset) -> None:
    (frame,) = client.retrieve_instance_frames(*uids(film), frame_numbers=[1])
    assert frame == film.pixel_array.astype("<u2" if film.BitsAllocated == 16 else "u1").tobytes()


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_compressed_frames_are_given_as_stored_or_decoded(
    worker: Worker, drop: Drop, settings: Settings, film: Dataset, tmp_path: Path, syntax: str
) -> None:
    film.decompress()
    plain = film.pixel_array
    film.compress(syntax, generate_instance_uid=False)
    worker.take_in(drop(saved(film, tmp_path / "film.dcm")))
    with served(settings) as (address, _):
        url = address + ROOT + instance_path(film) + "/frames/1"
        stored = parts_of(
            url, 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
        )
        assert stored[0][0].endswith(f"transfer-syntax={syntax}")
        assert stored[0][1] == get_frame(film.PixelData, 0, number_of_frames=1)
        for accept in (
            "application/octet-stream",
            'multipart/related; type="application/octet-stream"',
        ):
            (decoded,) = parts_of(url, accept)
            assert decoded[0].endswith(f"transfer-syntax={ExplicitVRLittleEndian}")
            assert np.array_equal(
                np.frombuffer(decoded[1], plain.dtype).reshape(plain.shape), plain
            )
        other = requests.get(url, headers={"Accept": "image/png"}, timeout=60)
        assert other.status_code == 406
        assert str(syntax) in other.json()["detail"]


def test_a_film_is_rendered_as_the_page_shows_it(
    client: DICOMwebClient, address: str, film: Dataset
) -> None:
    picture = PillowImage.open(
        io.BytesIO(client.retrieve_instance_rendered(*uids(film), media_types=("image/png",)))
    )
    assert picture.size == (film.Columns, film.Rows)
    assert np.asarray(picture).std() > 10
    url = f"{address}{instance_path(film)}/rendered?viewport=100,100&quality=50&window=100,20"
    small = requests.get(url, timeout=60)
    assert small.headers["Content-Type"] == "image/jpeg"
    assert max(PillowImage.open(io.BytesIO(small.content)).size) == 100
    for level in ("", f"/series/{film.SeriesInstanceUID}", None):
        path = instance_path(film) if level is None else f"/studies/{film.StudyInstanceUID}{level}"
        thumbnail = requests.get(f"{address}{path}/thumbnail", timeout=60)
        assert max(PillowImage.open(io.BytesIO(thumbnail.content)).size) <= 256


#: Queries, and the samples that they match.
SEARCHES = [
    ("", ["01", "02"]),
    ("PatientID={id}", ["02"]),
    ("00100020={id}", ["02"]),
    ("PatientID=DEMO-*", ["01", "02"]),
    ("PatientID=nobody", []),
    ("PatientName={name}", ["02"]),
    ("PatientName=*{family}*", ["02"]),
    ("AccessionNumber={accession}", ["02"]),
    ("StudyDate={day}", ["01", "02"]),
    ("StudyDate={day}-", ["01", "02"]),
    ("StudyDate=-19991231", []),
    ("ModalitiesInStudy=MR,{modality}", ["02"]),
    ("ModalitiesInStudy=MR", []),
    ("StudyInstanceUID={uid},1.2.3", ["02"]),
    ("StudyDescription=&PatientName=*", ["01", "02"]),
    ("limit=0", []),
    ("fuzzymatching=false&includefield=all&includefield=00081030", ["01", "02"]),
]


def test_studies_are_searched_for(address: str, film: Dataset) -> None:
    known = {dcmread(FOLDER / f"study-{name}.dcm").StudyInstanceUID: name for name in ("01", "02")}
    for query, names in SEARCHES:
        filled = query.format(
            id=film.PatientID,
            name=str(film.PatientName).upper(),
            family=film.PatientName.family_name.lower(),
            accession=film.AccessionNumber,
            day=film.StudyDate,
            modality=film.Modality,
            uid=film.StudyInstanceUID,
        )
        answer = requests.get(f"{address}/studies?{filled}", timeout=60)
        assert answer.status_code == (200 if names else 204), (query, answer.text)
        rows = answer.json() if names else []
        assert sorted(known[row["0020000D"]["Value"][0]] for row in rows) == names, query


def test_series_and_instances_are_searched_for_across_studies(
    client: DICOMwebClient, address: str, film: Dataset
) -> None:
    for search in (client.search_for_series, client.search_for_instances):
        assert len(search()) == 2
        (row,) = search(search_filters={"PatientID": film.PatientID, "Modality": film.Modality})
        read = Dataset.from_json(row)
        assert (read.StudyInstanceUID, read.PatientName) == (
            film.StudyInstanceUID,
            film.PatientName,
        )
        assert read.SeriesInstanceUID == film.SeriesInstanceUID
        assert search(search_filters={"Modality": "MR"}) == []
    (instance,) = client.search_for_instances(
        search_filters={"SOPInstanceUID": film.SOPInstanceUID}
    )
    assert instance["00080016"]["Value"] == [film.SOPClassUID]
    page = requests.get(f"{address}/instances?limit=1", timeout=60)
    assert "additional results" in page.headers["Warning"]


def test_a_search_goes_on_where_the_page_before_ended(address: str) -> None:
    pages = [
        requests.get(f"{address}/studies?limit=1&offset={offset}", timeout=60)
        for offset in (0, 1, 2)
    ]
    assert [page.status_code for page in pages] == [200, 200, 204]
    assert "additional results" in pages[0].headers["Warning"]
    assert "Warning" not in pages[1].headers
    assert pages[0].json() != pages[1].json()
    fuzzy = requests.get(f"{address}/studies?fuzzymatching=true", timeout=60)
    assert "fuzzymatching parameter is not supported" in fuzzy.headers["Warning"]


#: Requests, the statuses that they are answered by, and a part of the sentence.
REFUSED = [
    ("/studies?PatientsName=x", "*/*", 400, "PatientName"),
    ("/studies?StudyDate=yesterday", "*/*", 400, "20260301"),
    ("/studies?StudyDate=20260230", "*/*", 400, "20260301"),
    (f"/studies?PatientName={'*a' * 9}", "*/*", 400, "too long"),
    ("/studies", "a" * 3000, 400, "too great length"),
    ("/studies?limit=-1", "*/*", 400, "limit"),
    ("/studies?includefield=Nothing", "*/*", 400, "includefield"),
    ("/studies?fuzzymatching=perhaps", "*/*", 400, "fuzzymatching"),
    ("/studies", "application/dicom+xml", 406, "application/dicom+json"),
    ("/studies/1.2.3/series", "*/*", 404, "Study Instance UID"),
    ("/studies/not-a-uid", "*/*", 400, "digits and dots"),
    ("/studies/{study}/series/1.2.3", "*/*", 404, "series"),
    ("/studies/{study}", "application/dicom", 406, "multipart/related"),
    (
        "/studies/{study}",
        'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.50',
        406,
        "transfer-syntax=1.2.840.10008.1.2",
    ),
    ("{instance}/frames/2", "*/*", 404, "1 to 1"),
    ("{instance}/frames/0", "*/*", 400, "first frame"),
    ("{instance}/frames/1,1", "*/*", 400, "once"),
    ("{instance}/frames/one", "*/*", 400, "whole numbers"),
    ("{instance}/frames/1", "video/mpeg", 406, "octet-stream"),
    ("{instance}/rendered", "image/gif", 406, "image/jpeg"),
    ("{instance}/rendered?window=1", "*/*", 400, "window"),
    ("{instance}/rendered?viewport=0,0", "*/*", 400, "columns"),
    ("{instance}/rendered?quality=0", "*/*", 400, "1 to 100"),
    ("{instance}/rendered?colour=red", "*/*", 400, "viewport"),
    ("{report}/rendered", "*/*", 406, "no pixels"),
]


def test_what_cannot_be_given_is_said(client: DICOMwebClient, address: str, film: Dataset) -> None:
    rows = client.search_for_instances(film.StudyInstanceUID, search_filters={"Modality": "SR"})
    names = {
        "study": film.StudyInstanceUID,
        "instance": instance_path(film),
        "report": instance_path(Dataset.from_json(rows[0])),
    }
    for path, accept, status, word in REFUSED:
        url = address + path.format(**names)
        answer = requests.get(url, headers={"Accept": accept}, timeout=60)
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert word in answer.json()["detail"], path


def test_a_hidden_ai_is_not_given_away(settings: Settings, scored: None, film: Dataset) -> None:
    for name, value in (("hide_ai_until_verdict", True), ("mode", "silent")):
        hiding = settings.model_copy(update={name: value})
        with served(hiding) as (address, _):
            client = DICOMwebClient(address + ROOT)
            rows = client.search_for_series(film.StudyInstanceUID)
            assert [row["00080060"]["Value"] for row in rows] == [[film.Modality]]
            assert len(client.retrieve_study(film.StudyInstanceUID)) == 1
            assert len(client.retrieve_study_metadata(film.StudyInstanceUID)) == 1


def test_an_original_that_was_removed_is_gone_and_listed(
    settings: Settings, database: Database, scored: None, film: Dataset
) -> None:
    with database.write() as session:
        for image in session.query(Image).filter(Image.kind == FileKind.DICOM):
            image.original_removed_at = datetime.now(UTC)
    with served(settings) as (address, _):
        client = DICOMwebClient(address + ROOT)
        (row,) = client.search_for_instances(film.StudyInstanceUID)
        assert row["00080056"]["Value"] == ["UNAVAILABLE"]
        assert row["00080018"]["Value"] == [film.SOPInstanceUID]
        for path in ("", "/metadata", "/rendered", "/frames/1"):
            answer = requests.get(address + ROOT + instance_path(film) + path, timeout=60)
            assert answer.status_code == 410
            assert "was removed" in answer.json()["detail"]
        thumbnail = requests.get(address + ROOT + instance_path(film) + "/thumbnail", timeout=60)
        assert thumbnail.status_code == 200


def test_a_study_of_which_one_original_is_gone_says_that_it_is_a_part(
    settings: Settings,
    database: Database,
    worker: Worker,
    drop: Drop,
    scored: None,
    film: Dataset,
    tmp_path: Path,
) -> None:
    film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = UID("1.2.826.77")
    worker.take_in(drop(saved(film, tmp_path / "second.dcm")))
    with database.write() as session:
        for image in session.query(Image).filter(Image.sop_instance_uid == "1.2.826.77"):
            image.original_removed_at = datetime.now(UTC)
    with served(settings) as (address, _):
        url = f"{address}{ROOT}/studies/{film.StudyInstanceUID}"
        answer = requests.get(url, timeout=60)
        assert answer.status_code == 206
        assert "were removed" in answer.headers["Warning"]
        assert FILM.read_bytes() in answer.content
        assert "were removed" in requests.get(f"{url}/metadata", timeout=60).headers["Warning"]


def test_the_log_notes_who_saw_what_and_no_log_has_the_query(
    address: str, database: Database, film: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as lines:
        requests.get(f"{address}/studies?PatientID={film.PatientID}", timeout=60)
        requests.get(f"{address}/studies?PatientID=DEMO-SECRET&StudyDate=x", timeout=60)
        requests.get(f"{address}{instance_path(film)}", timeout=60)
        requests.get(f"{address}{instance_path(film)}/frames/1", timeout=60)
        metrics = requests.get(address.removesuffix(ROOT) + "/metrics", timeout=60).text
    kept = audited(database)
    actions = [(each.action, each.study_instance_uid) for each in kept]
    assert (AuditAction.ORIGINAL_TAKEN, film.StudyInstanceUID) in actions
    assert (AuditAction.IMAGE_VIEWED, film.StudyInstanceUID) in actions
    (listed,) = [each for each in kept if each.action == AuditAction.LIST_VIEWED]
    assert listed.detail == {"search": True, "studies": [film.StudyInstanceUID]}
    texts = [repr(lines), caplog.text, metrics, *(json.dumps(each.detail) for each in kept)]
    assert not [text for text in texts if film.PatientID in text or "DEMO-SECRET" in text]


def uids(dataset: Dataset) -> tuple[str, str, str]:
    return dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID


def instance_path(dataset: Dataset) -> str:
    study, series, instance = uids(dataset)
    return f"/studies/{study}/series/{series}/instances/{instance}"


def parts_of(url: str, accept: str) -> list[tuple[str, bytes]]:
    """The parts of an answer, or all of it, each with its media type."""
    answer = requests.get(url, headers={"Accept": accept}, timeout=60)
    assert answer.status_code == 200, answer.text
    kind = answer.headers["Content-Type"]
    if not kind.startswith("multipart/"):
        return [(kind, answer.content)]
    boundary = kind.split("boundary=")[1].encode()
    parts: list[Any] = [
        each.split(b"\r\n\r\n", 1) for each in answer.content.split(b"--" + boundary)
    ]
    return [
        (head.decode().strip().removeprefix("Content-Type: "), body[:-2])
        for head, body in (each for each in parts if len(each) == 2)
    ]


def test_the_notebook_of_the_documents_reads_films_and_results(
    settings: Settings, database: Database, scored: None, film: Dataset
) -> None:
    add_people(database, datetime.now(UTC))
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 10
    with served(settings) as (address, _):
        notebook = subprocess.run(
            [sys.executable, "-c", code.replace("http://127.0.0.1:8080", address)],
            env={"READFIRST_TOKEN": TOKEN},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    assert notebook.returncode == 0, notebook.stderr
    lines = [line for line in notebook.stdout.splitlines() if film.StudyInstanceUID in line]
    assert [line.split()[1] for line in lines] == [film.Modality, "SR", "KO"]


def test_a_pacs_of_others_retrieves_a_study_with_its_results(
    settings: Settings, database: Database, scored: None, film: Dataset, tmp_path: Path
) -> None:
    require("orthanc dicomweb", DICOMWEB_PLUGIN.is_file())
    add_people(database, datetime.now(UTC))
    with served(settings) as (address, _):
        readfirst = {"Url": address + ROOT, "HttpHeaders": {"Authorization": f"Bearer {TOKEN}"}}
        config = {
            "Plugins": [str(DICOMWEB_PLUGIN)],
            "DicomWeb": {"Enable": True, "Servers": {"readfirst": readfirst}},
        }
        with an_orthanc(tmp_path, config) as orthanc:
            answer = requests.post(
                f"http://127.0.0.1:{orthanc.http_port}/dicom-web/servers/readfirst/retrieve",
                json={"Resources": [{"Study": film.StudyInstanceUID}]},
                timeout=60,
            )
            assert answer.status_code == 200, answer.text
            study = orthanc.find("Study", StudyInstanceUID=film.StudyInstanceUID)
            instances = orthanc.instances(study["ID"])
    assert instances[film.SOPInstanceUID] == film.SOPClassUID
    assert sorted(instances.values()) == sorted(
        [film.SOPClassUID, ComprehensiveSRStorage, KeyObjectSelectionDocumentStorage]
    )
