"""The forms and queries of DICOMweb, as clients write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from fastapi import HTTPException
from starlette.datastructures import URL
from starlette.requests import Request

from ingest.dicom.pixels.window import Window
from worklist.dicomweb.json_model import JsonObject
from worklist.dicomweb.media_types import DICOM, OCTET_STREAM, MediaType, chosen
from worklist.dicomweb.query import INSTANCE_KEYS, STUDY_KEYS, read_query
from worklist.dicomweb.rendering import read_rendering

PLAIN, JPEG_2000 = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90"
#: A compressed frame: decoded, as it is stored, and by its media type.
FRAME = (
    MediaType(OCTET_STREAM, multipart=True, transfer_syntax=PLAIN, converted=True),
    MediaType(OCTET_STREAM, multipart=True, transfer_syntax=JPEG_2000),
    MediaType("image/jp2", multipart=True, transfer_syntax=JPEG_2000),
    MediaType(OCTET_STREAM, transfer_syntax=PLAIN, converted=True),
)
INSTANCE = (
    MediaType(DICOM, multipart=True, transfer_syntax=JPEG_2000),
    MediaType(DICOM, transfer_syntax=JPEG_2000),
)
OCTETS = 'multipart/related; type="application/octet-stream"'


def a_request(query: str = "", accept: str | None = None) -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    url = URL(f"http://here/?{query}")
    return Request({"type": "http", "headers": headers, "query_string": url.query.encode()})


@pytest.mark.parametrize(
    ("accept", "offered", "number"),
    [
        (None, FRAME, 0),
        ("*/*", FRAME, 0),
        (OCTETS, FRAME, 0),
        ("multipart/related; type=application/octet-stream; transfer-syntax=*", FRAME, 1),
        (f"{OCTETS}; transfer-syntax={JPEG_2000}", FRAME, 1),
        ("multipart/related;type=image/jp2", FRAME, 2),
        ('multipart/related; type="image/*"', FRAME, 2),
        ("application/octet-stream", FRAME, 3),
        (f'{OCTETS}; q=0.5, multipart/related; type="image/jp2"; q=0.9', FRAME, 2),
        (f'{OCTETS};q=0, multipart/related; type="image/jp2"', FRAME, 2),
        ('multipart/related; type="application/dicom"', INSTANCE, 0),
        (f'multipart/related; type="application/dicom"; transfer-syntax={PLAIN}', INSTANCE, None),
        ("application/dicom", INSTANCE, 1),
        ("application/*", INSTANCE, 1),
        ("Application/DICOM; transfer-syntax=*", INSTANCE, 1),
        ("text/html, */*;q=0.1", INSTANCE, 0),
        ("image/png", INSTANCE, None),
        ("nonsense", INSTANCE, None),
        (";;;,,", INSTANCE, None),
    ],
)
def test_the_first_form_is_chosen_that_is_accepted(
    accept: str | None, offered: tuple[MediaType, ...], number: int | None
) -> None:
    request = a_request(accept=accept)
    if number is None:
        with pytest.raises(HTTPException) as error:
            chosen(request, offered)
        assert error.value.status_code == 406
    else:
        assert chosen(request, offered) is offered[number]


def test_the_query_goes_before_the_header() -> None:
    request = a_request("accept=application/dicom", accept="image/png")
    assert chosen(request, INSTANCE) is INSTANCE[1]


@pytest.mark.parametrize(
    ("date", "since", "until"),
    [
        ("20260301", datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 1, 23, tzinfo=UTC)),
        ("20260329-", datetime(2026, 3, 28, 23, tzinfo=UTC), None),
        ("-20260329", None, datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("", None, None),
        ("*", None, None),
    ],
)
def test_days_are_those_of_the_site(
    date: str, since: datetime | None, until: datetime | None
) -> None:
    match = read_query(a_request(f"StudyDate={date}"), STUDY_KEYS).study_match(
        ZoneInfo("Europe/Madrid")
    )
    assert (match.since, match.until) == (since, until)


@pytest.mark.parametrize("date", ["-", "2026-03-01", "20260332", "99991231", "20260301-x"])
def test_what_is_no_day_is_refused(date: str) -> None:
    query = read_query(a_request(f"StudyDate={date}"), STUDY_KEYS)
    with pytest.raises(HTTPException) as error:
        query.study_match(ZoneInfo("Europe/Madrid"))
    assert error.value.status_code == 400


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [1, 2, 3]),
        ("InstanceNumber=2", [2]),
        ("00200013=2", [2]),
        ("InstanceNumber=?", [1, 2, 3]),
        ("SOPInstanceUID=1.1,1.3", [1, 3]),
        ("SOPInstanceUID=", [1, 2, 3]),
        ("SOPInstanceUID=*", [1, 2, 3]),
        ("SOPClassUID=1.9", []),
        ("limit=1&offset=1", [2]),
    ],
)
def test_instances_of_a_study_are_matched_by_what_their_files_say(
    query: str, numbers: list[int]
) -> None:
    rows: list[JsonObject] = [
        {
            "00080018": {"vr": "UI", "Value": [f"1.{number}"]},
            "00200013": {"vr": "IS", "Value": [number]},
        }
        for number in (1, 2, 3)
    ]
    page = read_query(a_request(query), INSTANCE_KEYS).page(rows)
    assert [row["00200013"]["Value"][0] for row in page] == numbers


def test_a_picture_is_described_by_its_query() -> None:
    rendering = read_rendering(a_request("window=40,400,linear&viewport=512,256&quality=75"))
    assert rendering.window == Window(40, 400)
    assert (rendering.most, rendering.quality) == ((512, 256), 75)
    assert read_rendering(a_request()).window is None


@pytest.mark.parametrize(
    "query",
    [
        "window=1", "window=a,b", "window=nan,1", "window=1,0", "window=1,2,sigmoid", "viewport=1",
        "viewport=0,1", "viewport=1,2,3,4", "viewport=70000,1", "quality=101", "quality=x", "x=1",
    ],
)  # fmt: skip
def test_a_picture_that_cannot_be_made_is_refused(query: str) -> None:
    with pytest.raises(HTTPException) as error:
        read_rendering(a_request(query))
    assert error.value.status_code == 400
