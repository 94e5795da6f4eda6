"""Who may look: each route by each role, log-in, sessions, other sites' pages, the audit log."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from starlette.types import Message

from db.access import accounts
from db.access.audit import AuditAction, AuditRecord, entries
from db.session import Database
from db.tables import LoginSession
from readfirst.access.credentials import digest, verify_password
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from readfirst.settings import Settings
from tests.support.access_table import POLICIES, filled
from tests.support.browsers import token_in
from tests.support.filled_databases import FilledOnce
from tests.support.people import PASSWORD, PASSWORD_HASH, TOKEN, add_people
from tests.support.studies import a_scored_image
from worklist.app import make_app
from worklist.security.access_policy import check_may_listen
from worklist.security.routes import policies
from worklist.security.session_expiry import SessionExpiry

NOW = datetime.now(UTC)
PAGE = {"Accept": "text/html"}
STUDY = "1.2.3"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Tests of both kinds of database stand in `tests/unit/db/test_accounts.py`."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def _add_people(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study=STUDY)
    add_people(database, NOW)


_people = FilledOnce(_add_people)


@pytest.fixture
def people(database: Database) -> None:
    """An account of each role, of its role's name."""
    _people.into(database)


@pytest.fixture
def client(settings: Settings, people: None) -> Iterator[TestClient]:
    with TestClient(make_app(settings), follow_redirects=False) as opened:
        yield opened


def log_in(client: TestClient, name: str, password: str = PASSWORD, **values: str) -> int:
    """Fill in the form as a browser does. Returns the status."""
    form = client.get("/login", headers=PAGE).text
    token = token_in(form)
    sent = {"name": name, "password": password, "form_token": token} | values
    return client.post("/login", data=sent).status_code


def audited(database: Database, *actions: AuditAction) -> list[AuditRecord]:
    with database.read() as session:
        audit_entries = entries(session, limit=1000)
    return [entry for entry in audit_entries if not actions or entry.action in actions]


def as_role(client: TestClient, role: Role | None) -> dict[str, str]:
    """Log in, and the headers that go along."""
    client.cookies.clear()
    if role is Role.SERVICE:
        return {"Authorization": f"Bearer {TOKEN}"}
    if role is not None:
        assert log_in(client, role.value) == 303
    return {}


def test_every_route_has_a_policy_and_no_other_than_the_table_says(settings: Settings) -> None:
    by_route = policies(make_app(settings))
    without = {name for name, policy in by_route.items() if policy is None}
    assert without == set(), "nobody is let in there: see worklist/security/policy.py"
    assert by_route == POLICIES


#: Their forms carry a token, which a bare request lacks.
FORMS = ("POST /account/", "POST /admin/", "POST /language", "POST /refused/", "POST /studies/")


@pytest.mark.parametrize("role", [None, *Role])
def test_each_route_is_for_its_role_and_those_above(client: TestClient, role: Role | None) -> None:
    headers = as_role(client, role)
    for name, policy in POLICIES.items():
        method, path = name.split(" ")
        if name in ("GET /login", "POST /login", "POST /logout"):
            continue
        wants_a_form = name.startswith(FORMS)
        path = "/static/common/base.css" if path == "/static" else path
        path = filled(path, study_instance_uid=STUDY, sha256="ab" * 32)
        # An odd event: the stream, which would never end, says so to whoever is let in.
        own = {"Sec-Fetch-Site": "same-origin", "Last-Event-ID": "odd"}
        status = client.request(method, path, headers=headers | own).status_code
        if policy.least is None or (role is not None and role.may(policy.least)):
            # Let in: what the route itself says of an empty body or an unknown film is its own.
            assert status not in (401, 303), (name, role, status)
            assert status != 403 or wants_a_form, (name, role)
        else:
            assert status == (401 if role is None else 403), (name, role, status)


def test_the_roles_are_a_ladder() -> None:
    assert [role for role in Role if role.may(Role.READER)] == [Role.READER, Role.LEAD, Role.ADMIN]
    assert all(role.may(Role.SERVICE) for role in Role)


def test_a_route_without_a_policy_is_for_nobody(settings: Settings, people: None) -> None:
    app = make_app(settings)

    @app.get("/new")
    def new() -> str:
        return "shown to nobody"

    with TestClient(app, follow_redirects=False) as client:
        assert client.get("/new").status_code == 401
        headers = as_role(client, Role.ADMIN)
        assert client.get("/new", headers=headers).status_code == 403


def test_a_page_leads_to_the_log_in_and_back(client: TestClient) -> None:
    answer = client.get("/refused?code=truncated", headers=PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Frefused%3Fcode%3Dtruncated"
    page = client.get(answer.headers["location"], headers=PAGE)
    assert 'name="next" value="/refused?code=truncated"' in page.text
    assert log_in(client, "reader", next="/refused?code=truncated") == 303
    assert client.get("/refused?code=truncated", headers=PAGE).status_code == 200
    assert "reader" in client.get("/", headers=PAGE).text


def test_the_log_in_says_why_one_is_here_and_how_long_to_wait(
    client: TestClient, database: Database, settings: Settings
) -> None:
    assert "You were logged out" not in client.get("/login").text
    assert "not a medical device" in client.get("/login").text
    log_in(client, "reader")
    idle = timedelta(minutes=settings.session_idle_minutes)
    with database.write() as session:
        session.execute(update(LoginSession).values(used_at=NOW - idle - timedelta(minutes=2)))
    # Somebody else's log-in, which forgets old sessions, does not forget this one yet.
    with TestClient(client.app, follow_redirects=False) as other:
        assert log_in(other, "lead") == 303
    client.get("/", headers=PAGE)
    assert f"You were logged out after {settings.session_idle_minutes:g} minutes." in (
        client.get("/login").text
    )
    over = timedelta(hours=settings.session_hours + 1)
    with database.write() as session:
        session.execute(update(LoginSession).values(opened_at=NOW - over))
    assert f"after {settings.session_hours:g} hours." in client.get("/login").text
    token = token_in(client.get("/login").text)
    for name in ("reader", "nobody-at-all"):
        sent = {"name": name, "password": "wrong", "form_token": token}
        answer = client.post("/login", data=sent).text
        assert f"or wait {settings.lockout_minutes:g} minutes." in answer, name


def test_a_list_that_refreshes_itself_is_told_and_not_sent_on(client: TestClient) -> None:
    assert client.get("/rows").status_code == 401
    fragment = client.get("/rows", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["hx-redirect"]) == (401, "/login?next=%2F")
    page = "http://testserver/studies/1.1?heat=1#heat-map"
    fragment = client.get("/rows", headers={"HX-Request": "true", "HX-Current-URL": page})
    assert fragment.headers["hx-redirect"] == "/login?next=%2Fstudies%2F1.1%3Fheat%3D1"


def test_nobody_is_sent_elsewhere_by_the_log_in(client: TestClient) -> None:
    for elsewhere in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil",
        "evil",
    ]:
        client.cookies.clear()
        form = client.get("/login", params={"next": elsewhere}).text
        assert 'name="next" value="/"' in form
        token = token_in(form)
        sent = {"name": "reader", "password": PASSWORD, "form_token": token, "next": elsewhere}
        assert client.post("/login", data=sent).headers["location"] == "/"


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(
    client: TestClient, settings: Settings
) -> None:
    plain = client.get("/login").headers["set-cookie"]
    assert plain.startswith("readfirst=")
    assert "HttpOnly" in plain
    assert "SameSite=lax" in plain
    with TestClient(make_app(settings), base_url="https://site.example") as secure:
        cookie = secure.get("/login").headers["set-cookie"]
        assert cookie.startswith("__Host-readfirst=")
        assert {"Secure", "Path=/", "HttpOnly"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
        assert "max-age=31536000" in secure.get("/login").headers["strict-transport-security"]
    assert "strict-transport-security" not in client.get("/login").headers


def test_a_session_that_somebody_else_planted_is_not_logged_in(client: TestClient) -> None:
    client.cookies.set("readfirst", "planted")
    assert log_in(client, "reader") == 303
    cookies = [cookie.value for cookie in client.cookies.jar]
    client.cookies.clear()
    client.cookies.set("readfirst", "planted")
    assert client.get("/api/v1/worklist").status_code == 401
    assert [value for value in cookies if value != "planted"], "a new secret was given"


def test_the_database_holds_no_secret_that_logs_in(client: TestClient, database: Database) -> None:
    log_in(client, "reader")
    (secret,) = [cookie.value for cookie in client.cookies.jar]
    assert secret is not None
    with database.read() as session:
        kept = str(session.execute(text("SELECT * FROM login_sessions")).all())
        kept += str(session.execute(text("SELECT * FROM accounts")).all())
    assert digest(secret) in kept
    assert not any(value in kept for value in (secret, TOKEN, PASSWORD))
    assert kept.count("$argon2id$") == 3


def test_logging_out_ends_the_session_at_the_server(client: TestClient, database: Database) -> None:
    log_in(client, "reader")
    cookies = dict(client.cookies)
    page = client.get("/", headers=PAGE).text
    token = token_in(page)
    assert client.post("/logout", data={"form_token": "wrong"}).status_code == 403
    own = {"Sec-Fetch-Site": "same-origin"}
    assert client.post("/logout", data={"form_token": "wrong"}, headers=own).status_code == 403
    assert client.post("/logout", data={"form_token": token}, headers=own).status_code == 303
    client.cookies.update(cookies)
    assert client.get("/api/v1/worklist").status_code == 401
    assert [entry.account for entry in audited(database, AuditAction.LOGGED_OUT)] == ["reader"]


@pytest.mark.parametrize(
    ("column", "age"), [("used_at", timedelta(minutes=61)), ("opened_at", timedelta(hours=13))]
)
def test_a_session_ends_by_itself(
    client: TestClient, database: Database, column: str, age: timedelta
) -> None:
    log_in(client, "reader")
    assert client.get("/api/v1/worklist").status_code == 200
    with database.write() as session:
        session.execute(update(LoginSession).values({column: datetime.now(UTC) - age}))
    assert client.get("/api/v1/worklist").status_code == 401


def test_a_page_left_open_keeps_nobody_logged_in(client: TestClient, database: Database) -> None:
    log_in(client, "reader")
    long_ago = datetime.now(UTC) - timedelta(minutes=50)
    with database.write() as session:
        session.execute(update(LoginSession).values(used_at=long_ago))

    def used_at() -> datetime:
        with database.read() as session:
            return session.query(LoginSession).one().used_at

    assert client.get("/rows").status_code == 200
    assert used_at() == long_ago
    assert client.get("/").status_code == 200
    assert used_at() > long_ago


def test_who_is_disabled_or_has_a_new_password_is_out_at_once(
    client: TestClient, database: Database
) -> None:
    log_in(client, "reader")
    with database.write() as session:
        accounts.set_password_hash(session, "reader", PASSWORD_HASH)
    assert client.get("/api/v1/worklist").status_code == 401
    log_in(client, "reader")
    program = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/api/v1/worklist", headers=program).status_code == 200
    with database.write() as session:
        for name in ("reader", "service"):
            accounts.disable(session, name, NOW)
    assert client.get("/api/v1/worklist").status_code == 401
    assert client.get("/api/v1/worklist", headers=program).status_code == 401
    assert log_in(client, "reader") == 401


def change(client: TestClient, current: str, new: str, again: str | None = None) -> Response:
    page = client.get("/account", headers=PAGE).text
    token = token_in(page)
    sent = {"current": current, "new": new, "again": again or new, "form_token": token}
    return client.post("/account/password", data=sent, headers={"Sec-Fetch-Site": "same-origin"})


def test_people_change_their_own_password(
    client: TestClient, settings: Settings, database: Database
) -> None:
    log_in(client, "reader")
    with TestClient(make_app(settings), follow_redirects=False) as other:
        assert log_in(other, "reader") == 303
        changed = change(client, PASSWORD, "another few words")
        assert (changed.status_code, changed.headers["location"]) == (303, "/account?changed=true")
        assert "is changed" in client.get(changed.headers["location"]).text
        assert other.get("/api/v1/worklist").status_code == 401, "other browsers are out"
        assert log_in(other, "reader") == 401
        assert log_in(other, "reader", "another few words") == 303
    assert [entry.account for entry in audited(database, AuditAction.PASSWORD_SET)] == ["reader"]


@pytest.mark.parametrize(
    ("current", "new", "again", "status", "sentence"),
    [
        (PASSWORD, "short", None, 422, "A password has 12 to 256 characters"),
        (PASSWORD, "another few words", "another few worms", 422, "differ"),
        ("a wrong password", "another few words", None, 403, "is wrong"),
    ],
)
def test_a_password_is_changed_for_nothing_less(
    client: TestClient, current: str, new: str, again: str | None, status: int, sentence: str
) -> None:
    log_in(client, "reader")
    refused = change(client, current, new, again)
    assert refused.status_code == status
    assert sentence in refused.text
    assert client.get("/account").status_code == 200, "still logged in"
    client.cookies.clear()
    assert log_in(client, "reader") == 303


def test_a_password_is_guessed_no_more_often_by_who_is_logged_in(
    client: TestClient, settings: Settings
) -> None:
    log_in(client, "reader")
    for n in range(settings.lockout_failures):
        assert change(client, f"a wrong guess {n}", "another few words").status_code == 403
    assert change(client, PASSWORD, "another few words").status_code == 403


def test_another_role_holds_from_the_next_request_on(
    client: TestClient, database: Database
) -> None:
    log_in(client, "reader")
    with database.write() as session:
        accounts.set_role(session, "reader", Role.LEAD)
    assert "lead" in client.get("/account").text
    with database.write() as session, pytest.raises(Misconfigured, match="program"):
        accounts.set_role(session, "reader", Role.SERVICE)


def test_after_some_failures_even_the_right_password_waits(
    client: TestClient, database: Database, settings: Settings
) -> None:
    answers = set()
    for password in ["wrong"] * settings.lockout_failures + [PASSWORD]:
        assert log_in(client, "reader", password) == 401
    for name in ("reader", "nobody"):
        form = client.get("/login").text
        token = token_in(form)
        sent = {"name": name, "password": "wrong", "form_token": token}
        answer = client.post("/login", data=sent)
        answers.add((answer.status_code, answer.text.replace(token, "")))
    assert len(answers) == 1, "the answer tells which accounts there are"
    assert log_in(client, "lead") == 303
    assert [entry.account for entry in audited(database, AuditAction.LOCKED_OUT)] == ["reader"]
    assert len(audited(database, AuditAction.LOGIN_FAILED)) == settings.lockout_failures + 1
    with database.write() as session:
        accounts.set_password_hash(session, "reader", PASSWORD_HASH)
    client.cookies.clear()
    assert log_in(client, "reader") == 303


def test_an_address_that_tries_many_names_waits_too(settings: Settings, people: None) -> None:
    strict = settings.model_copy(update={"lockout_failures": 1})
    with TestClient(make_app(strict), follow_redirects=False) as client:
        for n in range(10):
            assert log_in(client, f"name-{n}") == 401
        assert log_in(client, "reader") == 401


def test_attempts_at_the_same_moment_are_all_counted(
    client: TestClient, database: Database, settings: Settings
) -> None:
    client.get("/login")
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda n: log_in(client, "reader", f"guess {n}"), range(8)))
    assert set(statuses) == {401}
    assert len(audited(database, AuditAction.LOGIN_FAILED)) == settings.lockout_failures


def test_what_is_typed_into_the_wrong_field_is_not_kept(
    client: TestClient, database: Database
) -> None:
    log_in(client, "my secret password", "reader")
    with database.read() as session:
        kept = str(session.execute(text("SELECT * FROM audit")).all())
        kept += str(session.execute(text("SELECT * FROM login_attempts")).all())
    assert "login_failed" in kept
    assert "secret" not in kept


def test_pages_of_other_sites_change_nothing_by_somebodys_session(
    client: TestClient,
) -> None:
    log_in(client, "reader")
    sent: list[tuple[dict[str, str], int]] = [
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://testserver"}, 415),
        ({"Sec-Fetch-Site": "same-origin"}, 415),
    ]
    for headers, status in sent:
        assert client.post("/api/v1/uploads", headers=headers).status_code == status


def test_a_form_of_another_browser_does_not_log_in(client: TestClient) -> None:
    with TestClient(client.app) as other:
        form = other.get("/login").text
    token = token_in(form)
    client.get("/login")
    sent = {"name": "reader", "password": PASSWORD, "form_token": token}
    assert client.post("/login", data=sent).status_code == 403
    client.cookies.clear()
    assert client.post("/login", data=sent).status_code == 403


def test_who_looked_at_which_study_is_noted_and_nothing_else_of_it(
    client: TestClient, database: Database
) -> None:
    log_in(client, "reader")
    client.get(f"/api/v1/studies/{STUDY}")
    client.get("/api/v1/studies/DOE^JANE-19700101")
    client.get("/")
    client.get("/rows")
    seen = audited(database, AuditAction.STUDY_VIEWED, AuditAction.LIST_VIEWED)
    noted = [(each.action, each.account, each.study_instance_uid, each.detail) for each in seen]
    assert noted == [
        ("list_viewed", "reader", None, {"studies": [STUDY]}),
        ("study_viewed", "reader", STUDY, {}),
    ]
    assert seen[0].address == "testclient"
    assert "DOE" not in str(audited(database))


def test_what_cannot_be_noted_is_not_shown(client: TestClient, database: Database) -> None:
    log_in(client, "reader")
    with database.write() as session:
        session.execute(text("ALTER TABLE audit RENAME TO audit_away"))
    answer = client.get(f"/api/v1/studies/{STUDY}")
    assert answer.status_code == 503
    assert "probability" not in answer.text


def test_what_a_role_may_not_and_wrong_tokens_are_noted(
    client: TestClient, database: Database, settings: Settings
) -> None:
    client.get("/", headers={"Authorization": f"Bearer {TOKEN}"})
    (denied,) = audited(database, AuditAction.DENIED)
    assert (denied.account, denied.detail) == ("service", {"route": "GET /"})
    for _ in range(settings.lockout_failures + 3):
        assert client.get("/", headers={"Authorization": "Bearer none"}).status_code == 401
    assert len(audited(database, AuditAction.TOKEN_REFUSED)) == settings.lockout_failures
    basic = {"Authorization": f"Basic {TOKEN}"}
    assert client.get("/api/v1/worklist", headers=basic).status_code == 401


@pytest.mark.parametrize("change", ["UPDATE audit SET account = 'nobody'", "DELETE FROM audit"])
def test_the_audit_log_cannot_be_changed(
    client: TestClient, database: Database, change: str
) -> None:
    log_in(client, "reader")
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(change))


def test_no_spelling_of_a_path_goes_round_the_guard(client: TestClient) -> None:
    for path in [
        "//api/v1/worklist",
        "/api/v1/worklist/",
        "/./api/v1/worklist",
        "/static/../api/v1/worklist",
        "/static/..%2f..%2fapi/worklist",
        "/static%2f..%2fapi%2fv1%2fworklist",
        "/healthz/../api/v1/worklist",
        "/%61pi/worklist",
        "/API/v1/worklist",
        "/login/../",
        "/api/v1/studies/1.2.3?x=/static/",
        "/thumbnails/../../readfirst.db",
    ]:
        # As bytes on the wire: a client would tidy the path up.
        from httpx2 import URL

        url = URL("http://testserver").copy_with(raw_path=path.encode())
        assert client.get(url).status_code in (401, 404), path
        assert STUDY not in client.get(url).text


def test_no_method_goes_round_the_guard(client: TestClient) -> None:
    for method in ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "POST"]:
        assert client.request(method, f"/api/v1/studies/{STUDY}").status_code == 401


def test_a_long_body_is_cut_off_before_anybody_reads_it(client: TestClient) -> None:
    assert client.post("/login", content=b"x" * 70_000).status_code == 413
    assert client.post("/api/v1/uploads", content=b"x" * 70_000).status_code == 401


def test_a_name_is_never_a_query(client: TestClient) -> None:
    for name in ["' OR '1'='1", "reader'--", "reader\x00", "%", "READER\u202e"]:
        assert log_in(client, name) == 401
    client.cookies.clear()
    for secret in ("' OR 1=1", "%", 'x" OR "1'):
        cookie, token = {"Cookie": f"readfirst={secret}"}, {"Authorization": f"Bearer {secret}"}
        assert client.get("/api/v1/worklist", headers=cookie).status_code == 401
        assert client.get("/api/v1/worklist", headers=token).status_code == 401


def test_on_loopback_without_accounts_everybody_looks_until_the_first_account(
    settings: Settings, database: Database
) -> None:
    with TestClient(make_app(settings), follow_redirects=False) as client:
        assert client.get("/").status_code == 200
        assert "Log out" not in client.get("/").text
        assert client.get("/login").headers["location"] == "/"
        assert [entry.account for entry in audited(database, AuditAction.LIST_VIEWED)] == [
            None,
            None,
        ]
        new = accounts.NewAccount(name="anna", role=Role.ADMIN, password_hash=PASSWORD_HASH)
        with database.write() as session:
            accounts.add(session, new, NOW)
        assert client.get("/").status_code == 401


def test_off_loopback_or_where_it_is_required_nobody_looks_without_an_account(
    settings: Settings, database: Database
) -> None:
    for change in ({"host": "0.0.0.0"}, {"auth": "required"}):
        with TestClient(make_app(settings.model_copy(update=change))) as client:
            assert client.get("/api/v1/worklist").status_code == 401
            assert client.get("/healthz").status_code == 200


def test_the_server_does_not_start_where_others_would_look(
    settings: Settings, database: Database
) -> None:
    reached = settings.model_copy(update={"host": "0.0.0.0"})
    with database.read() as session:
        check_may_listen(settings, session)
        check_may_listen(reached.model_copy(update={"auth": "required"}), session)
        with pytest.raises(Misconfigured, match="accounts add"):
            check_may_listen(reached, session)
    new = accounts.NewAccount(name="anna", role=Role.ADMIN, password_hash=PASSWORD_HASH)
    with database.write() as session:
        accounts.add(session, new, NOW)
        check_may_listen(reached, session)


def test_only_a_trusted_proxy_says_who_asks_and_how(
    settings: Settings, people: None, database: Database
) -> None:
    behind = settings.model_copy(update={"trusted_proxies": ("10.1.0.0/16",)})
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    app = make_app(behind)
    with TestClient(app, client=("10.1.2.3", 1)) as client:
        cookie = client.get("/login", headers=forwarded).headers["set-cookie"]
        assert cookie.startswith("__Host-")
        client.get("/api/v1/worklist", headers=forwarded | {"Authorization": "Bearer wrong"})
        assert audited(database)[0].address == "203.0.113.9"
    with TestClient(app, client=("192.0.2.1", 1)) as client:
        cookie = client.get("/login", headers=forwarded).headers["set-cookie"]
        assert cookie.startswith("readfirst=")
        client.get("/api/v1/worklist", headers=forwarded | {"Authorization": "Bearer wrong"})
        assert audited(database)[0].address == "192.0.2.1"


def test_half_a_certificate_is_named(settings: Settings, database: Database) -> None:
    half = settings.model_copy(update={"tls_certificate": settings.home / "none.pem"})
    with database.read() as session, pytest.raises(Misconfigured, match="TLS needs both"):
        check_may_listen(half, session)


def test_a_certificate_that_is_none_is_named(settings: Settings, database: Database) -> None:
    settings.home.mkdir(exist_ok=True)
    text = settings.home / "text.pem"
    text.write_text("no certificate")
    wrong = settings.model_copy(update={"tls_certificate": text, "tls_key": text})
    with database.read() as session, pytest.raises(Misconfigured) as mistake:
        check_may_listen(wrong, session)
    assert str(mistake.value) == (
        f"READFIRST_TLS_CERTIFICATE is {text} and READFIRST_TLS_KEY is {text}; they must be a "
        "certificate and its private key, both in PEM."
    )


def test_while_it_is_open_the_page_answers_to_this_machines_names_alone(
    settings: Settings, database: Database
) -> None:
    named = settings.model_copy(update={"hosts": ("reading.example",)})
    with TestClient(make_app(named)) as client:
        for host in ("localhost:8080", "127.0.0.1", "[::1]:8080", "reading.example", "LOCALHOST"):
            assert client.get("/", headers={"Host": host}).status_code == 200, host
        for host in ("evil.example", "127.0.0.1.evil.example", "[", "", "evil@localhost.example"):
            answer = client.get("/", headers={"Host": host})
            assert answer.status_code == 421, host
        assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 200


def test_behind_a_log_in_any_name_will_do_unless_there_is_a_list(
    settings: Settings, people: None
) -> None:
    program = {"Authorization": f"Bearer {TOKEN}", "Host": "any.example"}
    for hosts, status in (((), 200), (("reading.example",), 421)):
        app = make_app(settings.model_copy(update={"hosts": hosts}))
        with TestClient(app) as client:
            assert client.get("/api/v1/worklist", headers=program).status_code == status


def test_a_stream_ends_when_its_reader_is_let_in_no_more() -> None:
    passed: list[Message] = []
    allowed = [True, False, True]

    async def send(message: Message) -> None:
        passed.append(message)

    async def still_in() -> bool:
        return allowed.pop(0)

    async def stream() -> None:
        expiring = SessionExpiry(send, still_in, check_every=0.0)
        for number in range(4):
            event = {"type": "http.response.body", "body": bytes([number]), "more_body": True}
            await expiring(event)

    asyncio.run(stream())
    assert [message["body"] for message in passed] == [b"\0", b""]
    assert passed[-1]["more_body"] is False


def test_an_unknown_name_takes_as_long_as_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Since the same is reckoned: with the same parameters, once."""
    hashes: list[str] = []
    verify = PasswordHasher.verify

    def noted(hasher: PasswordHasher, kept: str, password: str) -> bool:
        hashes.append(kept)
        return verify(hasher, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    for kept in (None, PASSWORD_HASH):
        assert not verify_password("wrong", kept)
    unknown, wrong = map(extract_parameters, hashes)
    assert unknown == wrong
