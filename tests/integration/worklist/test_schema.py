"""Schemathesis: requests invented from the document. Never a 500, and answers as documented."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from db.session import Database
from readfirst.domain import uid_from_digest
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from tests.support.films import a_kept_film
from worklist.app import make_app

#: What every answer is held to. A cursor that is made up may be refused, though it is text.
HELD_TO = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
#: A stream never ends, so it has tests of its own.
LEFT_OUT = "/api/v1/events/stream"
TRIED = ("/api/", "/dicom-web/", "/metrics")


@pytest.fixture
def database_url(new_postgresql_database: str) -> str:
    """The stricter of the two: it takes no NUL and no number that is too large."""
    return new_postgresql_database


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    with TestClient(make_app(settings), raise_server_exceptions=False) as opened:
        yield opened


def test_invented_requests_are_answered_as_the_document_says(
    client: TestClient, database: Database, settings: Settings
) -> None:
    digest = a_kept_film(database, settings, FOLDER / "film-01.jpg")
    dicom = a_kept_film(database, settings, FOLDER / "study-01.dcm")
    uids = {
        "study_instance_uid": uid_from_digest(dicom, "study"),
        "series_instance_uid": uid_from_digest(dicom, "series"),
        "sop_instance_uid": uid_from_digest(dicom, "instance"),
        "frames": "1",
    }
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", client.app)
    tried = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if operation.path == LEFT_OUT or not operation.path.startswith(TRIED):
            continue
        if operation.path.startswith("/dicom-web/") and operation.method != "get":
            continue

        @given(case=operation.as_strategy())
        @hypothesis_settings(
            max_examples=8,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def try_it(case: schemathesis.Case[Any]) -> None:
            # A film that is there, in every second request for one.
            if "sha256" in case.path_parameters and len(str(case.query)) % 2:
                case.path_parameters["sha256"] = digest
            # Of DICOMweb, in every request whose query is short.
            if case.path.startswith("/dicom-web/") and len(str(case.query)) < 40:
                case.path_parameters.update(
                    {name: uids[name] for name in case.path_parameters if name in uids}
                )
            case.call_and_validate(checks=HELD_TO)

        try_it()
        tried += 1
    assert tried >= 14
