"""The administrator's pages in a real browser, each driven by mouse and keyboard."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from db.lifecycle.verdicts import VerdictInput
from db.site.heartbeats import ProcessId, beat
from db.tables import OutgoingResult, Study
from readfirst.destinations.forms import Form as ResultForm
from readfirst.destinations.states import SendingState
from readfirst.site.parts import Part
from readfirst.studies.findings import Finding
from tests.browser.accessibility import faults, faults_in_each_look
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import PageMonitor, log_in
from tests.browser.site import LATER, Site, add_people
from tests.support.destinations import a_destination
from tests.support.studies import an_ensemble, give_verdict

PATHS = (
    "/admin",
    "/admin/accounts",
    "/admin/audit",
    "/admin/rules",
    "/admin/ensembles",
    "/admin/thresholds",
    "/admin/acceptance",
    "/admin/destinations",
    "/admin/messages",
    "/admin/settings",
)


@pytest.fixture
def admin(site: Site, page: Page) -> Page:
    """The page of an administrator who has just logged in."""
    add_people(site)
    log_in(page, "admin", None)
    return page


def test_only_admins_are_shown_the_way(site: Site, new_page: NewPage, admin: Page) -> None:
    lead = new_page()
    log_in(lead, "lead")
    expect(lead.get_by_role("navigation", name="Pages").get_by_text("Site")).to_have_count(0)
    admin.goto("/")
    admin.get_by_role("link", name="Site").click()
    expect(admin.get_by_role("heading", name="Status")).to_be_visible()


def test_the_status_page_follows_what_happens(site: Site, admin: Page) -> None:
    admin.clock.install()
    admin.goto("/admin")
    row = admin.locator("#part-ingester")
    expect(row).to_contain_text("Not running")
    with site.worker.database.write() as session:
        now = datetime.now(UTC)
        beat(session, Part.INGESTER, ProcessId("here", 7), now, now)
    admin.clock.fast_forward(16_000)
    expect(row).to_contain_text("Running")


def test_no_page_has_a_grave_fault_or_scrolls_sideways(admin: Page) -> None:
    for path in PATHS:
        admin.set_viewport_size({"width": 1440, "height": 900})
        admin.goto(path)
        assert faults_in_each_look(admin, 1440, 390) == [], path
        for width in (390, 360):
            admin.set_viewport_size({"width": width, "height": 800})
            assert admin.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_a_destination_is_mended_tried_and_gets_what_was_given_up(
    site: Site, admin: Page, tmp_path: Path
) -> None:
    folder = tmp_path / "results"
    with site.worker.database.write() as session:
        destination = a_destination(
            session, "share", ResultForm.SR, address={"path": str(folder)}, at=datetime.now(UTC)
        )
        study = session.scalars(select(Study).where(Study.flagged)).first()
        assert study is not None
        session.add(
            OutgoingResult(
                destination_id=destination.number,
                study_id=study.id,
                form=ResultForm.SR.value,
                state=SendingState.GIVEN_UP,
                wanted_at=datetime.now(UTC),
                ended_at=datetime.now(UTC),
                reason="The folder was not there.",
                objects=[],
            )
        )
    admin.goto("/admin/destinations")
    expect(admin.get_by_role("cell", name="The folder was not there.")).to_be_visible()
    assert faults(admin) == []
    admin.get_by_role("button", name="Test share").click()
    expect(admin.get_by_role("alert")).to_contain_text("is not there")
    folder.mkdir()
    admin.get_by_role("button", name="Test share").click()
    expect(admin.get_by_role("status")).to_contain_text("A file can be written into")
    admin.get_by_role("button", name="Send all again share").click()
    expect(admin.get_by_role("status")).to_contain_text("Sent again to share within seconds: 1.")
    expect(admin.get_by_role("heading", name="Given up")).to_have_count(0)
    site.worker.send_next()
    admin.goto("/admin/destinations")
    expect(admin.locator("#destination-share")).to_contain_text("1 in all")
    admin.get_by_role("button", name="Disable share").click()
    expect(admin.locator("#destination-share")).to_contain_text("Off")


def test_an_account_is_added_reset_and_disabled_by_keyboard(
    admin: Page, monitor: PageMonitor
) -> None:
    # The last admin cannot be disabled.
    monitor.expect("422")
    admin.goto("/admin/accounts")
    admin.get_by_label("Name", exact=True).fill("lea")
    admin.get_by_role("form", name="Add an account").get_by_role("combobox").select_option("lead")
    admin.keyboard.press("Tab")
    admin.keyboard.press("Tab")
    admin.keyboard.press("Enter")
    expect(admin.get_by_role("status")).to_have_text('Account "lea" added with role lead.')
    first = admin.locator(".secret code").inner_text()
    row = admin.locator("#account-lea")
    row.get_by_text("Reset password").click()
    row.get_by_role("button", name="Set password of lea").click()
    expect(admin.get_by_role("status")).to_have_text('Password of "lea" changed.')
    assert admin.locator(".secret code").inner_text() != first
    admin.locator("#account-lea").get_by_role("button", name="Disable lea").click()
    expect(admin.locator("#account-lea")).to_contain_text("Disabled")
    admin.locator("#account-admin").get_by_role("button", name="Disable admin").click()
    expect(admin.get_by_role("alert")).to_contain_text("is the last admin")


def test_the_log_in_tells_of_caps_lock(site: Site, new_page: NewPage) -> None:
    add_people(site)
    page = new_page()
    page.goto("/login")
    field = page.get_by_label("Password")
    # Chromium's debugger has no caps-lock key: the event is made as the browser makes it.
    press = """(field, on) => field.dispatchEvent(new KeyboardEvent("keydown",
        { key: "A", bubbles: true, modifierCapsLock: on }))"""
    field.evaluate(press, True)
    expect(page.get_by_text("Caps lock is on.")).to_be_visible()
    field.evaluate(press, False)
    expect(page.get_by_text("Caps lock is on.")).to_have_count(0)
    assert faults(page) == []


def test_the_audit_log_is_searched_and_taken_along(site: Site, admin: Page) -> None:
    admin.goto("/admin/audit")
    admin.locator("select[name=action]").select_option("logged in")
    admin.get_by_role("combobox", name="Account", exact=True).fill("admin")
    admin.get_by_role("button", name="Search").click()
    rows = admin.locator("table.audit tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("127.0.0.1")
    with admin.expect_download() as download:
        admin.get_by_role("link", name="CSV of all matching lines").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 2
    assert "logged_in" in lines[1]


def test_the_settings_name_their_source(admin: Page) -> None:
    admin.goto("/admin/settings")
    row = admin.locator("#READFIRST_DECODE_SECONDS")
    expect(row).to_contain_text("command line")
    expect(admin.locator("#READFIRST_DATABASE_URL td").first).to_have_text("set")


def test_a_film_is_explained_and_does_not_come_in(site: Site, admin: Page) -> None:
    admin.goto("/admin/rules")
    admin.get_by_label("A film, to see which rule decides").set_input_files(LATER[0])
    admin.get_by_role("button", name="Explain").click()
    expect(admin.get_by_role("status")).to_contain_text("This film would be")
    assert list((site.settings.home_path / "explained").iterdir()) == []
    assert faults(admin) == []


def test_an_ensemble_is_promoted_and_rolled_back(site: Site, admin: Page) -> None:
    with site.worker.database.write() as session:
        an_ensemble(session, "9.9")
    admin.goto("/admin/ensembles")
    row = admin.get_by_role("row", name="9.9")
    expect(row).to_contain_text("Candidate")
    row.get_by_text("Promote").click()
    row.get_by_role("button", name="Make active 9.9").click()
    expect(admin.get_by_role("status")).to_contain_text("Ensemble 9.9 is active.")
    row = admin.get_by_role("row", name="9.9")
    expect(row).to_contain_text("Active")
    row.get_by_text("Roll back").click()
    row.get_by_role("button", name="Go back to").click()
    expect(admin.get_by_role("status")).to_contain_text("is active again")
    expect(admin.get_by_role("row", name="9.9")).to_contain_text("Retired")


def test_a_lead_looks_at_another_threshold_and_makes_it_the_one(
    site: Site, new_page: NewPage
) -> None:
    add_people(site)
    lead = new_page()
    log_in(lead, "lead", "/watching?tab=readers")
    lead.get_by_role("link", name="Choose another threshold").click()
    lead.get_by_label("Chosen by").select_option("This threshold")
    lead.get_by_label("As 0.95, or 5 false alarms").fill("0.05")
    lead.get_by_role("button", name="What would it change?").click()
    expect(lead.get_by_role("heading", name="Threshold 5 % instead of")).to_be_visible()
    assert faults(lead) == []
    lead.get_by_role("button", name="Make 5 % the threshold").click()
    expect(lead.get_by_role("status")).to_contain_text("Threshold 2 of ensemble")
    lead.get_by_role("button", name="Go back to it").click()
    expect(lead.get_by_role("status")).to_contain_text("is active again")


def test_a_lead_measures_the_ensemble_and_signs(site: Site, new_page: NewPage) -> None:
    add_people(site)
    with site.worker.database.write() as session:
        for study in session.scalars(select(Study).where(Study.probability.is_not(None))).all():
            finding = Finding.PNEUMONIA if study.flagged else Finding.NO_PNEUMONIA
            give_verdict(session, study.study_instance_uid, VerdictInput(finding=finding))
    lead = new_page()
    log_in(lead, "lead", "/watching?tab=readers")
    lead.get_by_role("link", name="Accept the ensemble").click()
    lead.get_by_role("button", name="Measure ensemble").click()
    expect(lead.get_by_role("heading", name="Report 1: ensemble")).to_contain_text("Not signed")
    assert faults(lead) == []
    lead.locator("summary", has_text="Sign").click()
    lead.get_by_role("button", name="Accept by report 1").click()
    expect(lead.get_by_role("status")).to_contain_text("Report 1 is signed.")
    with lead.expect_download() as download:
        lead.get_by_role("link", name="The whole report 1").click()
    assert "Accepted by lead" in download.value.path().read_text()
