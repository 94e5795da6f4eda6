"""Films by the API: rendered by real decoders, windowed, kept, removed and broken."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from db.lifecycle.retention import original_removed
from db.session import Database
from db.tables import Image as ImageRow
from ingest.dicom.pixels.display import display_image
from ingest.dicom.pixels.window import Window
from ingest.inbox.store import Store
from readfirst.derived_images import DerivedImages
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from tests.support.films import a_kept_film
from tests.support.studies import lifecycle

DICOM, JPEG = FOLDER / "study-01.dcm", FOLDER / "film-01.jpg"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Films are read from files: one database is enough."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        return np.asarray(image)


@pytest.mark.usefixtures("shared_reader")
def test_a_film_is_rendered_with_every_pixel(
    client: TestClient, database: Database, settings: Settings
) -> None:
    for source in (DICOM, JPEG):
        digest = a_kept_film(database, settings, source)
        answer = client.get(f"/api/v1/images/{digest}/rendered")
        assert answer.headers["content-type"] == "image/png"
        assert np.array_equal(pixels(answer.content), display_image(source))
        known = {"if-none-match": answer.headers["etag"]}
        again = client.get(f"/api/v1/images/{digest}/rendered", headers=known)
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.usefixtures("shared_reader")
def test_a_window_is_the_one_of_the_standard(
    client: TestClient, database: Database, settings: Settings
) -> None:
    """PS3.3 C.11.2.1.2.1: below c - 0.5 - (w - 1) / 2 black, above c - 0.5 + (w - 1) / 2 white."""
    digest = a_kept_film(database, settings, DICOM)
    dataset = pydicom.dcmread(DICOM)
    assert dataset.PhotometricInterpretation == "MONOCHROME2"
    stored = dataset.pixel_array.astype(float)
    center, width = float(np.median(stored)), float(np.ptp(stored)) / 4
    window = {"center": center, "width": width}
    rendered = pixels(client.get(f"/api/v1/images/{digest}/rendered", params=window).content)
    low, high = Window(center, width).bounds
    assert rendered[stored <= low].max() == 0
    assert rendered[stored > high].min() == 255
    between = (stored > low) & (stored <= high)
    expected = 255 * ((stored[between] - (center - 0.5)) / (width - 1) + 0.5)
    assert np.abs(rendered[between] - expected).max() <= 1
    plain = client.get(f"/api/v1/images/{digest}/rendered")
    assert not np.array_equal(rendered, pixels(plain.content))


@pytest.mark.usefixtures("shared_reader")
def test_a_picture_is_windowed_by_its_shades(
    client: TestClient, database: Database, settings: Settings
) -> None:
    digest = a_kept_film(database, settings, JPEG)
    window = {"center": 100.5, "width": 1}
    rendered = pixels(client.get(f"/api/v1/images/{digest}/rendered", params=window).content)
    assert np.array_equal(rendered, np.where(display_image(JPEG) > 100, 255, 0))


def test_a_window_without_width_or_with_an_odd_one_is_refused(
    client: TestClient, database: Database, settings: Settings
) -> None:
    path = f"/api/v1/images/{a_kept_film(database, settings, JPEG)}/rendered"
    for query in ("center=1", "width=1", "center=nan&width=9", "center=1&width=0", "width=inf"):
        assert client.get(f"{path}?{query}").status_code == 422, query


def test_the_original_is_given_back_byte_for_byte(
    client: TestClient, database: Database, settings: Settings
) -> None:
    for source, media_type in ((DICOM, "application/dicom"), (JPEG, "image/jpeg")):
        digest = a_kept_film(database, settings, source)
        answer = client.get(f"/api/v1/images/{digest}/original")
        assert answer.content == source.read_bytes()
        assert answer.headers["content-type"] == media_type
        assert answer.headers["etag"] == f'"{digest}"'
        assert answer.headers["content-disposition"].startswith("attachment")
        part = client.get(f"/api/v1/images/{digest}/original", headers={"range": "bytes=0-9"})
        assert (part.status_code, part.content) == (206, source.read_bytes()[:10])
        known = {"if-none-match": f'"{digest}"'}
        again = client.get(f"/api/v1/images/{digest}/original", headers=known)
        assert again.status_code == 304


def test_what_is_prepared_is_shown_and_what_is_not_is_not_found(
    client: TestClient, database: Database, settings: Settings
) -> None:
    digest = a_kept_film(database, settings, JPEG)
    for name in ("thumbnail", "model-ready"):
        assert client.get(f"/api/v1/images/{digest}/{name}").status_code == 404
    prepared = DerivedImages(settings.prepared_path)
    with database.write() as session:
        session.get_one(ImageRow, 1).preprocessing_version = "9"
    for path in (prepared.thumbnail(digest), prepared.model_input(digest, "9")):
        path.parent.mkdir(parents=True)
        Image.new("L", (3, 2)).save(path)
    for name in ("thumbnail", "model-ready"):
        answer = client.get(f"/api/v1/images/{digest}/{name}")
        assert pixels(answer.content).shape == (2, 3)
        known = {"if-none-match": answer.headers["etag"]}
        assert client.get(f"/api/v1/images/{digest}/{name}", headers=known).status_code == 304


def test_an_image_says_what_it_is(
    client: TestClient, database: Database, settings: Settings
) -> None:
    digest = a_kept_film(database, settings, DICOM)
    image = client.get(f"/api/v1/images/{digest}").json()
    assert (image["rows"], image["columns"]) == display_image(DICOM).shape
    assert image["image"]["state"] == "received"
    assert client.get(f"/api/v1/studies/{image['study_instance_uid']}").status_code == 200
    unknown = "ab" * 32
    for path in ("", "/rendered", "/original", "/thumbnail", "/model-ready"):
        assert client.get(f"/api/v1/images/{unknown}{path}").status_code == 404
    assert client.get("/api/v1/images/..%2f..%2freadfirst.db/original").status_code == 404


def test_an_original_that_is_gone_is_told_apart_from_one_that_never_was(
    client: TestClient, database: Database, settings: Settings
) -> None:
    digest = a_kept_film(database, settings, JPEG)
    Store(settings.store_path).path(digest).unlink()
    assert client.get(f"/api/v1/images/{digest}/rendered").status_code == 404
    with lifecycle(database) as unit:
        original_removed(unit, unit.session.get_one(ImageRow, 1))
    assert client.get(f"/api/v1/images/{digest}/rendered").status_code == 410
    assert client.get(f"/api/v1/images/{digest}/original").status_code == 410


@pytest.mark.usefixtures("shared_reader")
def test_a_film_that_cannot_be_decoded_is_a_problem_with_its_code(
    client: TestClient, database: Database, settings: Settings
) -> None:
    digest = a_kept_film(database, settings, JPEG)
    path = Store(settings.store_path).path(digest)
    path.write_bytes(path.read_bytes()[:2000])
    answer = client.get(f"/api/v1/images/{digest}/rendered")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] in ("truncated", "pixels_unreadable")
