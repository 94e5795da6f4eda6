"""The status of the site: page and API, and the checks of the doctor as the page runs them."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from cli.checks.database import check_database
from cli.checks.ensembles import check_weights
from cli.checks.folders import check_disk
from cli.checks.settings import check_settings
from cli.doctor import CHECKS
from db.access.audit import AuditAction, entries
from db.inbox.inbox_issues import replace_inbox_issues
from db.session import Database
from db.site.heartbeats import ProcessId, beat
from readfirst.inbox_issues import InboxIssue, InboxIssueCode
from readfirst.settings import Settings
from readfirst.site.checks import CHECK_WORDS, CheckResult
from readfirst.site.parts import Part
from tests.support.studies import an_image
from tests.support.waiting import TIMEOUT
from worklist.admin.live_checks import LiveChecks, name_of
from worklist.app import make_app
from worklist.http.language import COOKIE


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """A server with checks of `readfirst doctor` that need no other process."""
    checks = (check_settings, check_disk, check_database, check_weights)
    with TestClient(make_app(settings, checks=checks)) as opened:
        yield opened


def test_the_status_has_checks_parts_queue_disk_inbox_and_sources(
    client: TestClient, database: Database
) -> None:
    # A sign of life is fresh for a minute or so: not since this module was read.
    now = datetime.now(UTC)
    with database.write() as session:
        beat(session, Part.INGESTER, ProcessId("here", 7), now, now)
        an_image(session, now, study="1.1")
        issue = InboxIssue(InboxIssueCode.LINK, "ward/link.dcm", "")
        replace_inbox_issues(session, {issue}, now)
    status = client.get("/api/v1/admin/status").json()
    checks = {check["name"]: check for check in status["checks"]}
    assert checks["database"]["well"], checks["database"]
    assert list(checks) == ["settings", "disk", "database", "weights"]
    running = {part["part"]: part["processes"] for part in status["parts"]}
    assert running == {"page": 0, "ingester": 1, "prepare": 0, "score": 0, "clock": 0}
    assert status["queue"][0]["images"] == 1
    assert status["disk"]["free_bytes"] > 0
    assert [row["relative_path"] for row in status["inbox"]] == ["ward/link.dcm"]
    assert len(status["last_films"]) == 1
    page = client.get("/admin", headers={"Accept": "text/html"}).text
    for words in ("Ingester (inbox)", "ward/link.dcm", "Not running", "on here"):
        assert words in page


def test_looking_is_noted_and_the_refreshing_page_only_of_what_is_new(
    client: TestClient, database: Database
) -> None:
    def noted() -> int:
        with database.read() as session:
            rows = entries(session, limit=100)
        return sum(row.action == AuditAction.ADMIN_VIEWED for row in rows)

    client.get("/admin")
    assert noted() == 1
    client.get("/admin/status")
    assert noted() == 1
    client.get("/api/v1/admin/status")
    assert noted() == 2


def test_the_checks_are_kept_for_some_seconds(settings: Settings) -> None:
    runs = []

    def check_count(_: Settings) -> CheckResult:
        runs.append(1)
        return CheckResult("count", True, str(len(runs)))

    kept = LiveChecks(settings, [check_count], kept_seconds=TIMEOUT)
    assert kept.results() == kept.results() == [CheckResult("count", True, "1")]
    fresh = LiveChecks(settings, [check_count], kept_seconds=0)
    assert fresh.results() != fresh.results()


def test_each_language_has_its_own_results(client: TestClient) -> None:
    english = client.get("/api/v1/admin/status").json()["checks"]
    german = client.get("/admin", headers={"Cookie": f"{COOKIE}=de"}).text
    again = client.get("/admin").text
    results = {check["name"]: check["found"] for check in english}
    assert results["database"].endswith("schema up to date")
    for words in ("Schema aktuell", "Datenbank", "GiB frei in"):
        assert words in german
        assert words not in again
    assert "schema up to date" in again


def test_every_check_has_words_for_its_name() -> None:
    assert {name_of(check) for check in CHECKS} == set(CHECK_WORDS)


def test_a_check_that_hangs_is_told_and_is_not_begun_again(settings: Settings) -> None:
    end, begun = threading.Event(), []

    def check_share(_: Settings) -> CheckResult:
        begun.append(1)
        end.wait(TIMEOUT)
        return CheckResult("share", True, "there")

    def check_fault(_: Settings) -> CheckResult:
        raise OSError(5, "Input/output error")

    checks = LiveChecks(settings, [check_share, check_fault], limit_seconds=0.05, kept_seconds=0)
    first, second = checks.results(), checks.results()
    assert [(check.name, check.well) for check in first] == [("share", False), ("fault", False)]
    assert "no answer" in first[0].found
    assert first[1].found == "failed: OSError"
    assert second[0] == first[0]
    assert begun == [1]
    end.set()
    settled = LiveChecks(settings, [check_share], limit_seconds=TIMEOUT)
    assert settled.results() == [CheckResult("share", True, "there")]
