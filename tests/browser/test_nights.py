"""The morning in a browser: from the monitoring to what a night changed, and on to a study."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect
from sqlalchemy import select

from db.lifecycle.rescoring import make_ready_again
from db.nights.running import NewNight, begin_night
from db.tables import EnsembleVersion, Image, Study
from models.preprocessing import PREPROCESSING_VERSION
from tests.browser.accessibility import faults_in_each_look
from tests.browser.page_monitor import log_in
from tests.browser.site import Site, add_people
from tests.support.studies import an_ensemble, lifecycle, score_ready


def let_a_night_pass(site: Site) -> str:
    """A night that flags a study that was not: its Study Instance UID."""
    now = datetime.now(UTC)
    with site.worker.database.read() as session:
        query = select(Image.id, Study.study_instance_uid).join(Study)
        query = query.where(~Study.flagged, Study.read_at.is_(None), Study.score_id.is_not(None))
        number, uid = session.execute(query.order_by(Image.id.desc()).limit(1)).one()
    with lifecycle(site.worker.database, now) as unit:
        ensemble = an_ensemble(unit.session, "night", threshold=0.5)
        before = unit.session.scalars(select(EnsembleVersion).where(EnsembleVersion.active)).one()
        before.active = False
        unit.session.flush()
        ensemble.active, ensemble.preprocessing_version = True, PREPROCESSING_VERSION
        new = NewNight(day=now.date(), planned=True, ensemble_version="night", left=1)
        begin_night(unit.session, new, now - timedelta(hours=1))
        make_ready_again(unit, ensemble, limit=1, before_id=number + 1)
        score_ready(unit, now, {number: 0.93}, "night", PREPROCESSING_VERSION)
    return str(uid)


def test_a_lead_sees_in_the_morning_what_the_night_changed(site: Site, page: Page) -> None:
    add_people(site)
    uid = let_a_night_pass(site)
    log_in(page, "lead", "/watching")
    page.get_by_role("link", name="Last night").click()
    expect(page.get_by_role("heading", name="Newly flagged: 1")).to_be_visible()
    expect(page.get_by_role("heading", name="Flag withdrawn: 0")).to_be_visible()
    assert faults_in_each_look(page, 1440, 390) == []
    page.locator(f'a[href="/studies/{uid}"]').first.click()
    expect(page.locator("#priority")).to_have_text(re.compile(r"^Re-scored\. AI 93 %"))
