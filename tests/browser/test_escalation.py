"""A reader acknowledges that a study was escalated."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from db.escalation.escalate import EscalationPolicy, escalate_due
from db.lifecycle.outbox import Channel
from tests.browser.accessibility import faults
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import log_in
from tests.browser.site import Site, add_people
from tests.browser.test_verdict import FLAGGED
from tests.support.studies import lifecycle

RULE = EscalationPolicy(
    after=timedelta(minutes=30), stat=True, flagged=True, channels=(Channel.MAIL,)
)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "dark")])
def test_an_escalated_study_is_acknowledged_by_its_button(
    site: Site, new_page: NewPage, width: int, scheme: str
) -> None:
    add_people(site)
    with lifecycle(site.worker.database, datetime.now(UTC) + timedelta(hours=1)) as unit:
        assert escalate_due(unit, RULE) > 0
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    log_in(page, "reader", f"/studies/{site.study(FLAGGED)}")
    banner = page.locator(".escalation")
    expect(banner).to_contain_text("nobody had read this flagged study in time")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults(page) == []
    page.get_by_role("button", name="Acknowledge").click()
    expect(banner).to_have_count(0)
    expect(page.locator(".steps")).to_contain_text("Escalation acknowledged by reader")
