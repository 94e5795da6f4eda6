"""Every page of a site with something of everything, in a language of marks.

What has no marks would stay English on a German page: it has to be data, or bear `lang="en"`.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from cli.doctor import CHECKS
from db.ensembles.acceptance import VERDICTS, keep_report, make_report, verdict_labels
from db.ensembles.shadows import begin_shadow
from db.ensembles.versions import register
from db.inbox.inbox_issues import replace_inbox_issues
from db.lifecycle.verdicts import VerdictInput
from db.nights.counting import RankingScore, Rescored, count_rescored
from db.nights.running import NewNight, begin_night
from db.session import Database
from db.site.heartbeats import ProcessId, beat
from db.tables import Image
from models.acceptance import promise_of
from models.manifest import available_manifest, shipped_version
from readfirst.access.roles import Role
from readfirst.destinations.forms import Form
from readfirst.domain import Header
from readfirst.errors import Refused
from readfirst.inbox_issues import InboxIssue, InboxIssueCode
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from readfirst.site.parts import Part
from readfirst.studies.findings import Finding
from tests.support.access_table import PATH_VALUES, POLICIES, filled
from tests.support.bare_texts import LETTERS
from tests.support.browsers import FORM, logged_in
from tests.support.compared import a_compared_film
from tests.support.destinations import a_destination, give_up_one
from tests.support.hl7 import an_order_message, services
from tests.support.pseudo_language import CODE, speak_marks, unmarked
from tests.support.studies import (
    a_doubtful_image,
    a_header,
    a_ready_image,
    an_image,
    give_verdict,
    score_ready,
)
from worker.ris.take_message import take_message
from worker.scoring.ensemble_registry import facts
from worklist.admin.setting_sources import setting_records
from worklist.app import make_app

NOW = datetime.now(UTC) - timedelta(hours=3)
STUDY, WAITING = "1.1", "1.7"
#: Answers that are no pages, and the page of the API's document.
NO_PAGES = ("/api/v1/", "/dicom-web/", "/fhir", "/static", "/thumbnails", "/metrics", "/healthz")
#: Of routes with something more to be seen, or another page: the rest of their addresses.
QUERIES = {
    "/": ("?show=all", "?show=all&sort=probability&arrived=3days&q=zq", "?show=priors"),
    "/watching": tuple(f"?tab={tab}" for tab in ("flow", "readers", "drift", "alerts")),
    "/admin/ensembles/compare": ("?first=1&second=2", "?first=1&second=1", "?first=1&second=9"),
    "/admin/thresholds": (
        "?method=sensitivity&target=0.9",
        "?method=miss_cost&target=5&evidence=verdicts",
    ),
    "/admin/audit": ("?account=lead",),
}
#: Forms of the administrator's pages, each with its fields: some are taken, others refused.
ANSWERED = (
    ("/admin/accounts", {"name": "zq!", "role": "reader", "password": "zqzqzqzqzqzqzq"}),
    ("/admin/accounts", {"name": "zq", "role": "reader", "password": "short"}),
    ("/admin/accounts", {"name": "zq", "role": "reader", "password": ""}),
    ("/admin/accounts/admin", {"change": "disable"}),
    ("/admin/accounts/zq", {"change": "disable"}),
    ("/admin/ensembles", {"change": "promote", "version": "9"}),
    ("/admin/ensembles", {"change": "end_shadow", "version": "2"}),
    ("/admin/thresholds", {"change": "roll_back"}),
    ("/admin/acceptance", {}),
    ("/admin/acceptance", {"number": "1"}),
    ("/admin/acceptance", {"number": "1"}),
    *(
        ("/admin/destinations/zqshare", {"action": action})
        for action in ("test", "send_again", "disable", "enable")
    ),
    ("/account/password", {"current": "zq", "new": "short", "again": "short"}),
)
#: No words of a language: what the site holds (`zq…`), paths and digests, names of settings,
#: accounts, formats, standards and parts of the machine, units, and codes.
DATA = re.compile(
    r"\S*zq\S*|/\S+|\S+\.(dcm|json|safetensors)\b|\b[0-9a-f]{12,64}\b|\{\w+\}|"
    r"\bREADFIRST\w*|\b(\d?admin|lead|reader|service|testclient|here|folder)\b|\bsr\d*\b|"
    r"\b(min|GiB|UTC|STAT|AUC|PPV|CSV|VR|HL7|DICOM|SHA-256|DX|\d*AP|\d*PA)\b|"
    r"\b(ORM\^O01|RIS|HOSP|ReadFirst|English|Deutsch|Landlock|\d*seccomp|sqlite)\b|"
    r"charts \(never trained\)|"
    rf"\b({'|'.join(RefusalCode)})\b",
    re.I,
)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """No text is another one on PostgreSQL."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def scored(session: Session, uid: str, probability: float, header: Header | None = None) -> Image:
    """A film that the active ensemble has scored."""
    image = a_ready_image(session, NOW, study=uid, header=header)
    score_ready(session, NOW, {image.id: probability}, version=shipped_version())
    return image


def add_studies(database: Database) -> None:
    """Studies of every kind, and a report on the two that are read."""
    manifest = available_manifest(shipped_version(), Path())
    chest = {"modality": "DX", "manufacturer": "zqMaker", "body_part_examined": "zqCHEST"}
    with database.write() as session:
        register(session, facts(manifest), NOW)
        for uid, probability, finding in (
            (STUDY, 0.97, Finding.PNEUMONIA),
            ("1.2", 0.1, Finding.NO_PNEUMONIA),
        ):
            header = a_header(patient_name="zqDoe^zqJane", patient_id="zq1", **chest)
            scored(session, uid, probability, header)
            give_verdict(session, uid, VerdictInput(finding=finding), at=NOW + timedelta(minutes=5))
        labels = verdict_labels(session)
        report = make_report(session, promise_of(manifest), labels, VERDICTS, NOW, 0.1)
        keep_report(session, report, "lead")
        a_doubtful_image(session, NOW, members=[0.2, 0.9], study="1.3", unlike=True)
        an_image(session, NOW, study="1.4", refusal=Refused(RefusalCode.TRUNCATED))
        an_image(session, NOW, study="1.5", refusal=Refused(RefusalCode.NOT_A_CHEST_RADIOGRAPH))
        for first, second, finding_ in ((0.9, 0.2, Finding.PNEUMONIA), (0.1, 0.8, None)):
            a_compared_film(session, first, second, finding_)
        begin_shadow(session, "2", NOW)


def add_site(database: Database, folder: Path) -> None:
    """Add parts, an inbox issue, a message, results on their way to a folder, and a night."""
    take_message(services(database), an_order_message(accession=""))
    with database.write() as session:
        beat(session, Part.INGESTER, ProcessId("here", 7), NOW, NOW)
        replace_inbox_issues(session, {InboxIssue(InboxIssueCode.LINK, "zq/link.dcm", "")}, NOW)
        a_destination(session, "zqshare", Form.SR, address={"path": str(folder)})
        for uid in ("1.8", "1.9"):
            scored(session, uid, 0.9)
        give_up_one(session, NOW, "zqfull", "zqaway")
        new = NewNight(day=NOW.date(), planned=True, ensemble_version="1", left=2)
        begin_night(session, new, NOW)
        image = scored(session, "1.10", 0.9)
        changed = Rescored(
            RankingScore("0", 0.1, False), RankingScore("1", 0.9, True), was_read=False
        )
        count_rescored(session, {image.study_id: changed}, scored=1, failed=0, at=NOW)
        an_image(session, NOW, study=WAITING)


@pytest.fixture
def client(
    settings: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """The browser of an administrator who has chosen the language of marks."""
    monkeypatch.setenv("READFIRST_ZQXYZ", "1")
    speak_marks(tmp_path / "marks", monkeypatch)
    add_studies(database)
    add_site(database, tmp_path)
    app = make_app(settings, checks=CHECKS)
    with logged_in(app, database, Role.ADMIN) as opened:
        form = FORM | {"language": CODE, "back": "/"}
        assert opened.post("/language", data=form).status_code == 303
        yield opened


def pages(sha256: str) -> list[str]:
    """The addresses of all pages, some with a query too."""
    values = {"study_instance_uid": STUDY, "sha256": sha256, "version": shipped_version()}
    paths = [name.removeprefix("GET ") for name in POLICIES if name.startswith("GET ")]
    studies = [f"/studies/{uid}" for uid in (WAITING, "1.3", "1.4", "9.9")]
    return studies + [
        filled(path, **(PATH_VALUES | values)) + query
        for path in paths
        if not path.startswith(NO_PAGES) and not path.endswith((".csv", "readyz"))
        for query in ("", *QUERIES.get(path, ()))
    ]


def left_unmarked(page: str, values: set[str]) -> list[str]:
    """The texts without marks that are no data. values: of the site's settings."""
    texts = (" ".join(DATA.sub(" ", text).split()) for text in unmarked(page) if text not in values)
    return sorted({text for text in texts if LETTERS.search(text)})


def test_no_page_has_a_text_that_no_catalogue_holds(client: TestClient, settings: Settings) -> None:
    study = client.get(f"/api/v1/studies/{STUDY}").json()["study"]
    values = {text for row in setting_records(settings) for text in (row.value, row.default)}
    addresses = pages(study["images"][0]["sha256"])
    left, seen = [], set()
    for address in addresses:
        answer = client.get(address, headers={"Accept": "text/html"})
        if answer.headers.get("content-language") == CODE:
            seen.add(address)
            left += [f"{address}: {text}" for text in left_unmarked(answer.text, values)]
    for address, fields in ANSWERED:
        answer = client.post(address, data=FORM | fields)
        assert answer.headers.get("content-language") == CODE, (address, answer.text)
        texts = left_unmarked(answer.text, values)
        left += [f"{address} {fields}: {text}" for text in texts]
    assert "\n".join(left) == ""
    assert set(addresses) - seen == {"/login", "/next"}, "these lead elsewhere"
