"""A reader acknowledges that a study was escalated."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from db.escalation.escalate import EscalationPolicy, escalate_due
from db.lifecycle.outbox import Channel
from tests.browser.accessibility import faults_in_each_look
from tests.browser.page_monitor import log_in
from tests.browser.site import Site, add_people
from tests.browser.test_verdict import FLAGGED
from tests.support.studies import lifecycle

RULE = EscalationPolicy(
    after=timedelta(minutes=30), stat=True, flagged=True, channels=(Channel.MAIL,)
)


def test_an_escalated_study_is_acknowledged_by_its_button(site: Site, page: Page) -> None:
    add_people(site)
    with lifecycle(site.worker.database, datetime.now(UTC) + timedelta(hours=1)) as unit:
        assert escalate_due(unit, RULE) > 0
    log_in(page, "reader", f"/studies/{site.study(FLAGGED)}")
    banner = page.locator(".escalation")
    expect(banner).to_contain_text("nobody had read this flagged study in time")
    assert faults_in_each_look(page, 1440, 390) == []
    page.get_by_role("button", name="Acknowledge").click()
    expect(banner).to_have_count(0)
    expect(page.locator(".steps")).to_contain_text("Escalation acknowledged by reader")
