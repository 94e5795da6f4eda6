"""Strangers: through a proxy where only this machine may look, and with odd forms and addresses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.access import accounts
from db.session import Database
from readfirst.access.addresses import (
    gateways_of_ipv4,
    gateways_of_ipv6,
    network_of,
    shared_addresses,
)
from readfirst.access.credentials import hash_password
from readfirst.access.roles import Role
from readfirst.settings import Settings
from tests.support.browsers import token_in
from tests.support.people import PASSWORD
from tests.unit.worklist.test_access import NOW
from worklist.app import make_app

LOCAL = "http://127.0.0.1:8080"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Both kinds of database are nothing to these."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """Somebody on this machine, where there is no account."""
    with TestClient(make_app(settings), base_url=LOCAL, follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def anna(database: Database) -> str:
    name = "anna"
    with database.write() as session:
        kept = hash_password(PASSWORD)
        accounts.add(
            session, accounts.NewAccount(name=name, role=Role.READER, password_hash=kept), NOW
        )
    return name


def log_in_from(settings: Settings, address: str, name: str, password: str) -> int:
    app = make_app(settings)
    with TestClient(app, base_url=LOCAL, follow_redirects=False, client=(address, 50000)) as client:
        form = client.get("/login").text
        token = token_in(form)
        sent = {"name": name, "password": password, "form_token": token}
        return client.post("/login", data=sent).status_code


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Anything",
        "Forwarded", "Via", "X-Real-IP", "CF-Connecting-IP", "CF-Ray", "True-Client-IP",
        "X-Client-IP", "X-Cluster-Client-IP", "X-Original-URL", "X-Envoy-External-Address",
        "X-Amzn-Trace-Id", "Fastly-Client-IP", "X-Azure-ClientIP", "Tailscale-User-Login",
        "Client-IP", "CDN-Loop", "x-proxyuser-ip",
    ],
)  # fmt: skip
def test_without_an_account_nobody_comes_through_a_proxy(client: TestClient, header: str) -> None:
    for path in ("/", "/api/v1/worklist", "/rows"):
        assert client.get(path).status_code in (200, 405), path
        refused = client.get(path, headers={header: "8.8.8.8"})
        assert refused.status_code == 403
        assert "readfirst accounts add" in refused.json()["detail"]


def test_without_an_account_a_trusted_proxy_is_none_either(
    settings: Settings, database: Database
) -> None:
    trusting = settings.model_copy(update={"trusted_proxies": ("127.0.0.1",)})
    with TestClient(make_app(trusting), base_url=LOCAL, client=("127.0.0.1", 5)) as client:
        assert client.get("/").status_code == 200
        assert client.get("/", headers={"X-Forwarded-For": "8.8.8.8"}).status_code == 403


def test_without_an_account_another_name_is_told_what_to_do(client: TestClient) -> None:
    refused = client.get("/", headers={"Host": "elsewhere.example"})
    assert refused.status_code == 421
    assert "readfirst accounts add" in refused.json()["detail"]


@pytest.mark.usefixtures("anna")
def test_with_an_account_proxies_are_welcome(client: TestClient) -> None:
    for header in ("X-Forwarded-For", "Via"):
        assert client.get("/api/v1/worklist", headers={header: "8.8.8.8"}).status_code == 401


@pytest.mark.parametrize(
    "charset", ["unicode_escape", "raw_unicode_escape", "utf-7", "idna", "undefined", "hex", "a\tb"]
)
@pytest.mark.parametrize("field", ["name", "password", "form_token", "next", "text"])
def test_a_form_of_an_odd_character_set_is_refused(
    client: TestClient, charset: str, field: str
) -> None:
    for content in (rb"\ud800", b"+2AA-", b"\xff\xfe\x00\xd8"):
        part = f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n'.encode()
        body = part + content + b"\r\n--x--\r\n"
        kind = f"multipart/form-data; boundary=x; charset={charset}"
        for path in ("/login", "/logout", "/account/password", "/rows", "/"):
            answer = client.post(path, content=body, headers={"Content-Type": kind})
            assert answer.status_code == 415, path


def test_a_form_in_utf_8_that_says_so_is_taken(client: TestClient) -> None:
    kind = "application/x-www-form-urlencoded; charset=UTF-8"
    answer = client.post("/rows", content=b"text=%C3%A9", headers={"Content-Type": kind})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body", [rb'{"text": "\ud800"}', rb'{"\ud800": 1}', rb'"\ud800"', b'{"text": "\xed\xa0\x80"}']
)
def test_half_a_character_in_json_is_not_understood(client: TestClient, body: bytes) -> None:
    kind = {"Content-Type": "application/json"}
    for path in ("/api/v1/worklist/search", "/api/v1/studies/1.2/verdicts"):
        assert client.post(path, content=body, headers=kind).status_code in (400, 403, 404, 422)


def test_all_addresses_of_a_network_of_ipv6_are_locked_together(
    settings: Settings, anna: str
) -> None:
    strict = settings.model_copy(update={"lockout_failures": 1})
    for n in range(11):
        log_in_from(strict, f"2001:db8:1:2::{n:x}", f"nobody-{n}", "wrong wrong wrong")
    assert log_in_from(strict, "2001:db8:1:2:ffff::1", anna, PASSWORD) == 401
    assert log_in_from(strict, "2001:db8:1:3::1", anna, PASSWORD) == 303


def test_a_gateway_is_not_locked_for_all_who_come_through_it(
    settings: Settings, anna: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readfirst.access.addresses.gateways", lambda: frozenset({"172.18.0.1"}))
    strict = settings.model_copy(update={"lockout_failures": 1})
    for address in ("172.18.0.1", "172.18.0.2"):
        for n in range(11):
            log_in_from(strict, address, f"nobody-{address}-{n}", "wrong wrong wrong")
    assert log_in_from(strict, "172.18.0.1", anna, PASSWORD) == 303
    assert log_in_from(strict, "172.18.0.2", anna, PASSWORD) == 401
    # A name is locked wherever it is tried from.
    assert log_in_from(strict, "172.18.0.1", anna, "wrong wrong wrong") == 401
    assert log_in_from(strict, "172.18.0.1", anna, PASSWORD) == 401


def test_the_gateways_are_those_of_the_tables_of_linux() -> None:
    ipv4 = (
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
        "eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\n"
        "eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\n"
    )
    assert gateways_of_ipv4(ipv4) == {"172.18.0.1"}
    zero, gateway = "0" * 32, "fe800000000000000000000000000001"
    ipv6 = f"{zero} 00 {zero} 00 {gateway} 00000400 00000001 00000000 00000003 eth0\n"
    assert gateways_of_ipv6(ipv6) == {"fe80::/64"}
    assert gateways_of_ipv4("") == gateways_of_ipv6("") == frozenset()


def test_places() -> None:
    assert network_of("10.1.2.3") == network_of("::ffff:10.1.2.3") == "10.1.2.3"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") == "2001:db8::/64"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("::1") == "::1"
    assert network_of("testclient") == "testclient"
    is_shared = shared_addresses(["10.0.0.0/8"])
    assert is_shared("10.1.2.3")
    assert not is_shared("203.0.113.7")
    assert not is_shared("testclient")
