"""The OpenAPI document is one that a good client can be generated of."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from db.uploads import UploadOutcome
from tests.unit.interface.interfaces import openapi
from worklist.api.heat_maps import HeatMapWish
from worklist.api.verdicts import NewVerdict
from worklist.api.worklist import Search
from worklist.api_document.document import PUBLIC_PATHS, operations
from worklist.api_document.examples import EXAMPLES
from worklist.observability.health import Alive
from worklist.upload_endpoints.form import Uploaded

#: What an operation does not begin with: it does something to something.
NO_VERBS = "rows|row|counts|count|where|of|is|has|study|studies|image|images|worklist|api|the"
#: What an example is, where the program has a class for it.
MODELS: dict[str, type[BaseModel]] = {
    "searchWorklist": Search,
    "giveVerdict": NewVerdict,
    "requestHeatMap": HeatMapWish,
}
ANSWERS: dict[str, Any] = {
    "uploadFiles": list[Uploaded],
    "getUploadOutcome": UploadOutcome,
    "getLiveness": Alive,
}
#: Statuses that STOW-RS answers with a body of its own (PS3.18 10.5.3).
STORE = ("409",)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of a new application."""
    return openapi(tmp_path_factory.mktemp("home"))


def test_every_operation_is_a_verb_and_a_noun_and_has_one_name(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) > 30
    form = rf"(?!({NO_VERBS})[A-Z])[a-z]+([A-Z][a-z]+)+"
    assert [name for name in names if not re.fullmatch(form, name)] == []
    summaries = [operation["summary"] for _, operation in operations(document)]
    assert len(set(names)) == len(set(summaries)) == len(names)


def test_every_operation_says_what_it_does_and_how_it_may_fail(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        assert operation["tags"], path
        assert operation["description"], path
        assert any(status.startswith("2") for status in operation["responses"]), path
        if path not in PUBLIC_PATHS:
            assert {"401", "403", "422", "503"} <= set(operation["responses"]), path
        for status, answer in operation["responses"].items():
            is_store = path.startswith("/dicom-web") and status in STORE
            if status.startswith("4") and not is_store:
                assert list(answer["content"]) == ["application/problem+json"], (path, status)
        if operation["operationId"].startswith(("upload", "store", "search", "give")):
            assert operation["requestBody"]["content"], path


def test_a_program_knows_where_to_ask_and_what_to_send_along(document: dict[str, Any]) -> None:
    assert document["servers"] == [{"url": "/", "description": "This server."}]
    schemes = document["components"]["securitySchemes"]
    assert {(each["type"], each.get("scheme", each.get("in"))) for each in schemes.values()} == {
        ("http", "bearer"),
        ("apiKey", "cookie"),
    }
    assert [name for each in document["security"] for name in each] == list(schemes)
    open_to_all = {path for path, each in operations(document) if each.get("security") == []}
    assert open_to_all == set(PUBLIC_PATHS)


def test_examples_are_what_the_program_takes_and_answers(document: dict[str, Any]) -> None:
    by_id = {operation["operationId"]: operation for _, operation in operations(document)}
    for name, example in EXAMPLES.items():
        if example.body is not None:
            MODELS[name].model_validate(example.body)
            (content,) = by_id[name]["requestBody"]["content"].values()
            assert content["example"] == example.body
        if name in ANSWERS:
            TypeAdapter(ANSWERS[name]).validate_python(example.answer)


def test_the_page_of_the_document_is_in_the_notice() -> None:
    root = Path(__file__).parents[3]
    source = (root / "worklist/static/vendor/swagger-ui-bundle.js").read_text()
    version = re.search(r'PACKAGE_VERSION:"([\d.]+)"', source)
    assert version is not None
    assert f"Swagger UI {version[1]}" in (root / "NOTICE").read_text()
