"""A candidate in shadow, and the page that compares it with the active ensemble, in a browser."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from db.ensembles.thresholds import active_thresholds
from db.lifecycle.scoring import BatchTime, new_score
from db.lifecycle.verdicts import VerdictInput
from db.tables import Image
from readfirst.domain import ImageScore, ImageState
from readfirst.studies.findings import Finding
from tests.browser.accessibility import faults_in_each_look
from tests.browser.page_monitor import log_in
from tests.browser.site import Site, add_people
from tests.support.studies import an_ensemble, give_verdict


def seed_shadow(site: Site) -> None:
    """Let 9.9 have scored every film otherwise, and readers have read them."""
    now = datetime.now(UTC)
    with site.worker.database.write() as session:
        ensemble = an_ensemble(session, "9.9")
        threshold = active_thresholds(session).by_ensemble["9.9"]
        films = session.scalars(
            select(Image).where(Image.state == ImageState.SCORED).order_by(Image.id)
        ).all()
        for number, image in enumerate(films):
            before = image.scores[0].probability
            now_said = (0.8, 0.3, before)[number % 3]
            score = ImageScore(now_said, {"cnn": now_said})
            took = BatchTime(0.9, 9)
            session.add(new_score(image.id, score, ensemble.version, threshold, now, took))
            finding = Finding.PNEUMONIA if before > 0.5 else Finding.NO_PNEUMONIA
            verdict = VerdictInput(finding=finding)
            give_verdict(session, image.study.study_instance_uid, verdict, at=now)


@pytest.fixture
def compared(site: Site) -> Site:
    add_people(site)
    seed_shadow(site)
    return site


def test_one_is_let_score_in_shadow_compared_and_followed_to_a_study(
    compared: Site, page: Page
) -> None:
    log_in(page, "admin", "/admin/ensembles")
    page.get_by_role("button", name="Score in shadow 9.9").click()
    expect(page.get_by_role("status")).to_contain_text("9.9 scores in shadow")
    expect(page.get_by_role("row", name="9.9")).to_contain_text("In shadow")
    page.get_by_role("link", name="Compare 9.9").click()
    expect(page.get_by_role("heading", name="Compare ensembles")).to_be_visible()
    expect(page.get_by_text("Both have scored")).to_be_visible()
    page.get_by_role("heading", name="Newly flagged by 9.9").scroll_into_view_if_needed()
    page.locator("section", has_text="Newly flagged by 9.9").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("/studies/[0-9.]+$"))


def test_it_has_no_grave_fault_and_does_not_scroll_sideways(compared: Site, page: Page) -> None:
    log_in(page, "admin", "/admin/ensembles")
    page.get_by_role("button", name="Score in shadow 9.9").click()
    for path in ("/admin/ensembles", "/admin/ensembles/compare"):
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
            assert faults_in_each_look(page) == [], (path, width)
