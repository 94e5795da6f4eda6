"""The policy beside a route: found as the router finds the route, and before a body is read."""

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.types import Message, Scope

from db.access import accounts
from db.access.audit import AuditAction
from db.session import Database
from readfirst.access.credentials import digest, new_token
from readfirst.access.roles import Role
from readfirst.settings import Settings
from tests.fixtures.worklist import NOW
from worklist.app import make_app
from worklist.security.policy import Policy, policy, policy_of, public
from worklist.security.routes import MatchedRoute, matched_route, policies

STUDY = "/studies/{study_instance_uid}"
TOKEN = new_token()


def scope_of(method: str, path: str, **more: Any) -> Scope:
    return {"type": "http", "method": method, "path": path, **more}


def test_a_decorator_marks_an_endpoint_and_leaves_it_as_it_is() -> None:
    def endpoint() -> str:
        return "shown"

    marked = policy(Role.LEAD, audit=AuditAction.LIST_VIEWED, attended=False)(endpoint)
    assert marked is endpoint
    assert policy_of(marked) == Policy(Role.LEAD, AuditAction.LIST_VIEWED, attended=False)
    assert policy_of(public(lambda: "all")) == Policy(None)
    assert policy_of(lambda: "nobody") is None


def test_a_policy_allows_its_role_and_those_above() -> None:
    assert [role for role in Role if Policy(Role.LEAD).allows(role)] == [Role.LEAD, Role.ADMIN]
    assert all(Policy(None).allows(role) for role in Role)


@pytest.mark.parametrize(
    ("method", "path", "name", "parameters"),
    [
        ("GET", "/studies/1.2.3", f"GET {STUDY}", {"study_instance_uid": "1.2.3"}),
        ("GET", "/studies/1.2/film", f"GET {STUDY}/film", {"study_instance_uid": "1.2"}),
        ("POST", "/rows", "POST /rows", {}),
        ("GET", "/api/v1/openapi.json", "GET /api/v1/openapi.json", {}),
        ("GET", "/static/worklist/main.js", "GET /static", {}),
        ("DELETE", "/static/worklist/main.js", "GET /static", {}),
    ],
)
def test_a_request_is_matched_as_by_the_router(
    settings: Settings, method: str, path: str, name: str, parameters: dict[str, str]
) -> None:
    app = make_app(settings)
    expected = MatchedRoute(name, policies(app)[name], parameters)
    assert matched_route(app, scope_of(method, path)) == expected


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/rows"), ("HEAD", "/"), ("GET", "/nothing"), ("GET", "/rows/")],
)
def test_where_no_route_answers_none_is_matched(settings: Settings, method: str, path: str) -> None:
    assert matched_route(make_app(settings), scope_of(method, path)) is None


def test_a_route_is_matched_under_the_path_at_which_a_proxy_serves(settings: Settings) -> None:
    match = matched_route(make_app(settings), scope_of("GET", "/rf/watching", root_path="/rf"))
    assert match is not None
    assert match.name == "GET /watching"
    assert match.policy == Policy(Role.LEAD, AuditAction.MONITORING_VIEWED)


def test_the_first_route_that_takes_the_method_is_matched_through_all_routers() -> None:
    inner, outer, app = APIRouter(), APIRouter(prefix="/v1"), FastAPI()

    @app.get("/v1/things")
    def listed() -> None: ...

    @inner.post("/things")
    @policy(Role.READER)
    def added() -> None: ...

    @inner.post("/things")
    @public
    def hidden() -> None: ...

    outer.include_router(inner)
    app.include_router(outer)
    match = matched_route(app, scope_of("POST", "/v1/things"))
    assert match == MatchedRoute("POST /v1/things", Policy(Role.READER), {})


@pytest.mark.parametrize(
    ("token", "status"), [(None, 401), ("wrong", 401), (TOKEN, 403)], ids=["none", "wrong", "role"]
)
def test_no_body_is_read_of_somebody_who_is_not_let_in(
    settings: Settings, database: Database, token: str | None, status: int
) -> None:
    new = accounts.NewAccount(name="pacs", role=Role.SERVICE, token_sha256=digest(TOKEN))
    with database.write() as session:
        accounts.add(session, new, NOW)
    headers = [(b"host", b"testserver"), (b"content-length", b"1000000")]
    if token is not None:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    answered: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("the body is read")

    async def send(message: Message) -> None:
        answered.append(message)

    scope = scope_of(
        "POST",
        "/studies/1.2.3/verdict",
        scheme="http",
        query_string=b"",
        headers=headers,
        client=("127.0.0.1", 1),
        server=("127.0.0.1", 80),
    )
    app = make_app(settings)
    asyncio.run(app(scope, receive, send))
    # Nobody starts and ends this application, which would close it.
    app.state.database.dispose()
    assert [message["type"] for message in answered] == [
        "http.response.start",
        "http.response.body",
    ]
    assert answered[0]["status"] == status
