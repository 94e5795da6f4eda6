"""Query parameters that an operation does not have."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.support.access_table import filled
from worklist.security.routes import policies


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Names are compared before a database is asked."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def faults(client: TestClient, path: str) -> list[str]:
    answer = client.get(path)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert {fault["where"] for fault in answer.json()["faults"]} == {"query"}
    return [fault["what"] for fault in answer.json()["faults"]]


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("flaged=1", "flagged"),
        ("Flagged=1", "flagged"),
        ("limits=2", "limit"),
        ("institutions=North", "institution"),
        ("unred=true", "unread"),
        ("form=csv", "format"),
        ("sort-by=patient", "sort"),
    ],
)
def test_the_nearest_name_is_told(client: TestClient, query: str, nearest: str) -> None:
    (sentence,) = faults(client, f"/api/v1/worklist?{query}")
    assert sentence == f"Parameter 1 is not known here; did you mean `{nearest}`?"


def test_the_names_are_told_where_none_is_near(client: TestClient) -> None:
    (sentence,) = faults(client, "/api/v1/refusals?Díaz=1&limit=1")
    assert sentence.startswith("Parameter 1 is not known here; known are ")
    assert "`limit`" in sentence
    (sentence,) = faults(client, "/api/v1/events/stream?limit=1")
    assert sentence == "Parameter 1 is not known here; none is."


def test_each_of_several_is_told(client: TestClient) -> None:
    sentences = faults(client, "/api/v1/worklist?limit=1&flaged=1&cursr=x&flaged=2")
    assert [sentence.split()[1] for sentence in sentences] == ["2", "3"]


def test_every_operation_of_the_api_knows_its_own_parameters(client: TestClient) -> None:
    documented = client.get("/api/v1/openapi.json").json()["paths"]
    values = {"sha256": "0" * 64, "study_instance_uid": "1.2.3", "method": "grad-cam"}
    requests = 0
    for path, operations in documented.items():
        for method, operation in operations.items():
            if not path.startswith("/api/"):
                continue
            answer = client.request(method, filled(path, **values), params={"?": "1"})
            assert answer.status_code == 422, path
            parameters = operation.get("parameters", ())
            names = [f"`{each['name']}`" for each in parameters if each["in"] == "query"]
            known = f"known are {', '.join(names)}" if names else "none is"
            assert f"Parameter 1 is not known here; {known}." in answer.text, path
            requests += 1
    assert requests > 20


@pytest.mark.parametrize("path", ["/", "/rows", "/refused", "/watching", "/healthz", "/metrics"])
def test_pages_and_monitors_may_be_asked_with_more(client: TestClient, path: str) -> None:
    """Old bookmarks, and what other programs put behind an address."""
    assert isinstance(client.app, FastAPI)
    assert path in {name.removeprefix("GET ") for name in policies(client.app)}
    plain = client.get(path).status_code
    assert client.get(f"{path}?utm_source=mail&_=1").status_code == plain != 422
