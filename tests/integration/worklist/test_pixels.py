"""Films for the viewer: their samples before any window, by real decoders."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

from db.session import Database
from ingest.dicom.pixels.display import display_image
from ingest.dicom.pixels.window import Window
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from tests.support.files import a_dataset, a_gradient, dicom_bytes
from tests.support.films import a_kept_film
from tests.support.studies import a_scored_image, an_image


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Films are read from files: one database is enough."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def film_of(client: TestClient, digest: str, **query: int) -> tuple[dict[str, Any], Any, Any]:
    """Facts, table and samples, as the viewer reads them."""
    answer = client.get(f"/api/v1/images/{digest}/pixels", params=query)
    assert answer.status_code == 200, answer.text
    facts = json.loads(answer.headers["readfirst-film"])
    table = np.frombuffer(answer.content[: facts["table_length"]], dtype=np.uint8)
    samples = np.frombuffer(
        answer.content[facts["table_length"] :], dtype=f"<u{facts['bits'] // 8}"
    )
    return facts, table, samples.reshape(facts["sample_rows"], facts["sample_columns"])


def a_lut(entries: np.ndarray, bits: int) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [len(entries), 0, bits]
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return item


TWELVE = a_gradient(60, 80, bits=12)
SIGNED = TWELVE.astype(np.int16) - 2048
LEFT_IS_PADDING = np.where(np.arange(80) < 9, 0, np.maximum(TWELVE, 300)).astype(np.uint16)
SQUARED = a_lut(255 * (np.arange(4096) / 4095) ** 2, bits=8)
FALLING = a_lut(60000 - 10 * np.arange(4096), bits=16)
FALLING.ModalityLUTType = "US"


def twelve(syntax: str | None = None, **attributes: Any) -> bytes:
    """A film of 12 bits."""
    return dicom_bytes(a_dataset(TWELVE, bits=12, **attributes), syntax)


KINDS: dict[str, bytes] = {
    "window": twelve(WindowCenter=2000, WindowWidth=1500),
    "sigmoid": twelve(WindowCenter=2000, WindowWidth=900, VOILUTFunction="SIGMOID"),
    "no window": twelve(),
    "white is low": twelve(
        PhotometricInterpretation="MONOCHROME1", WindowCenter=1000, WindowWidth=700
    ),
    "rescaled": dicom_bytes(
        a_dataset(SIGNED, 12, RescaleSlope=-0.5, RescaleIntercept=9, WindowCenter=5, WindowWidth=90)
    ),
    "padded": dicom_bytes(
        a_dataset(LEFT_IS_PADDING, 12, PixelPaddingValue=0, PhotometricInterpretation="MONOCHROME1")
    ),
    "VOI LUT": twelve(VOILUTSequence=[SQUARED]),
    "modality LUT": twelve(ModalityLUTSequence=[FALLING]),
    "8 bits": dicom_bytes(a_dataset(a_gradient(50, 70))),
    "16 bits": dicom_bytes(a_dataset(a_gradient(60, 80, bits=16))),
    "for processing": twelve(PresentationIntentType="FOR PROCESSING"),
    "colour": dicom_bytes(a_dataset(np.dstack([a_gradient()] * 3))),
    "JPEG 2000": twelve(JPEG2000Lossless, WindowCenter=9, WindowWidth=99),
    "JPEG-LS": twelve(JPEGLSLossless),
    "picture": (FOLDER / "film-01.jpg").read_bytes(),
    "sample": (FOLDER / "study-01.dcm").read_bytes(),
}


def test_a_film_shown_by_its_table_is_the_film_as_rendered(
    client: TestClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    for kind, content in KINDS.items():
        source = tmp_path / kind
        source.write_bytes(content)
        facts, table, samples = film_of(client, a_kept_film(database, settings, source))
        display = display_image(source)
        assert (facts["rows"], facts["columns"], facts["scale"]) == (*display.shape, 1), kind
        assert np.array_equal(table[samples], display), kind


def test_a_window_over_the_samples_is_the_one_that_is_rendered(
    client: TestClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    for kind in ("window", "white is low", "rescaled", "padded", "modality LUT", "VOI LUT"):
        source = tmp_path / kind
        source.write_bytes(KINDS[kind])
        facts, _, samples = film_of(client, a_kept_film(database, settings, source))
        values = facts["slope"] * samples + facts["intercept"]
        window = Window(float(np.median(values)), float(np.ptp(values)) / 3)
        low, high = window.bounds
        grey = np.clip((values - low) / (high - low), 0, 1) * 255
        grey = 255 - grey if facts["slope"] < 0 else grey
        if facts["padded"]:
            grey[samples == 0] = 0
        assert np.abs(grey - display_image(source, window)).max() <= 1, kind


def test_what_a_viewer_must_know_goes_with_the_samples(
    client: TestClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    source = tmp_path / "film.dcm"
    dataset = a_dataset(
        TWELVE,
        bits=12,
        WindowCenter=[2000, 900],
        WindowWidth=[1500, 300],
        WindowCenterWidthExplanation=["NORMAL", "härter\n"],
        ImagerPixelSpacing=[0.2, 0.1],
    )
    source.write_bytes(dicom_bytes(dataset))
    facts, _, _ = film_of(client, a_kept_film(database, settings, source))
    assert (facts["center"], facts["width"], facts["function"]) == (2000, 1500, "LINEAR")
    assert [(each["center"], each["width"]) for each in facts["windows"]] == [
        (2000, 1500),
        (900, 300),
    ]
    assert facts["windows"][0]["name"] == "NORMAL"
    assert (facts["spacing"], facts["spacing_at"]) == ([0.2, 0.1], "detector")
    assert facts["pixel_height"] == 2


def test_a_film_without_a_window_says_which_one_it_is_shown_by(
    client: TestClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    source = tmp_path / "film.dcm"
    source.write_bytes(dicom_bytes(a_dataset(np.maximum(TWELVE, 1000), bits=12)))
    facts, _, _ = film_of(client, a_kept_film(database, settings, source))
    # To one of 256 greys.
    bounds = Window(facts["center"], facts["width"]).bounds
    assert bounds == pytest.approx((1000, 4095), abs=3095 / 255)


@pytest.mark.parametrize("syntax", [None, JPEG2000Lossless])
def test_a_small_film_comes_first_and_is_the_same_film(
    client: TestClient, database: Database, settings: Settings, tmp_path: Path, syntax: str | None
) -> None:
    source = tmp_path / "film.dcm"
    dataset = a_dataset(a_gradient(601, 803, bits=12), bits=12, WindowCenter=2048, WindowWidth=4096)
    source.write_bytes(dicom_bytes(dataset, syntax))
    digest = a_kept_film(database, settings, source)
    facts, table, samples = film_of(client, digest, longest=128)
    assert (facts["rows"], facts["columns"]) == (601, 803)
    assert 64 <= max(samples.shape) <= 128
    whole, whole_table, all_samples = film_of(client, digest)
    every = whole_table[all_samples].astype(float)
    side = facts["scale"]
    assert whole["scale"] == 1
    for row, column in ((0, 0), (40, 50), (samples.shape[0] - 2, samples.shape[1] - 2)):
        square = every[row * side : (row + 1) * side, column * side : (column + 1) * side]
        assert abs(float(table[samples[row, column]]) - square.mean()) <= 2


def test_a_browser_may_keep_the_samples_but_asks_for_them_each_time(
    client: TestClient, database: Database, settings: Settings
) -> None:
    digest = a_kept_film(database, settings, FOLDER / "study-01.dcm")
    address = f"/api/v1/images/{digest}/pixels"
    first = client.get(address)
    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get(address, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    small = client.get(address, params={"longest": 64})
    assert small.headers["etag"] != first.headers["etag"]
    assert client.get(address, params={"longest": 0}).status_code == 422


def test_a_film_that_cannot_be_decoded_says_why(
    client: TestClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    source = tmp_path / "broken.dcm"
    dataset = a_dataset(TWELVE, bits=12)
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    dataset.PixelData = dataset.PixelData[:40] + b"\0" * (len(dataset.PixelData) - 40)
    source.write_bytes(dicom_bytes(dataset))
    answer = client.get(f"/api/v1/images/{a_kept_film(database, settings, source)}/pixels")
    assert answer.status_code == 422
    assert answer.json()["code"] == "pixels_unreadable"


def test_the_page_of_films_names_every_image_and_shows_the_most_suspicious_first(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        lateral = an_image(session, study="1.7", refusal=Refused(RefusalCode.VIEW_NOT_FRONTAL))
        mild = a_scored_image(session, probability=0.2, study="1.7")
        worse = a_scored_image(session, probability=0.4, study="1.7")
        alone = an_image(session, study="1.8")
    page = client.get("/studies/1.7/film")
    assert page.status_code == 200
    assert f'data-first="{worse.sha256}"' in page.text
    chosen = [f'data-sha256="{image.sha256}"' in page.text for image in (lateral, mild, worse)]
    assert chosen == [True] * 3
    assert f'data-first="{alone.sha256}"' in client.get("/studies/1.8/film").text
    assert client.get("/studies/9.9.9/film").status_code == 404
