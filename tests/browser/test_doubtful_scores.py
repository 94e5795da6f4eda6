"""Scores that are not to be trusted: never shown as low, in the list and on the study's page."""

from playwright.sync_api import Page, expect

from models.manifest import shipped_version
from readfirst.samples import FOLDER
from readfirst.testing import FixedEnsemble
from tests.browser.accessibility import faults_in_each_look
from tests.browser.site import Site


def arrive(site: Site, name: str, probability: float, **options: object) -> str:
    """The UID of a film's study, on which the networks said this."""
    uid = site.arrive(FOLDER / name)
    fixed = FixedEnsemble([probability], version=shipped_version(), **options)  # type: ignore[arg-type]
    while site.worker.prepare_next():
        pass
    site.worker.with_ensemble(fixed).score_batch()
    return uid


def test_a_score_in_doubt_is_not_shown_as_low(site: Site, page: Page) -> None:
    doubtful = arrive(site, "study-06.dcm", 0.5, spread=0.46)
    unlike = arrive(site, "study-07.dcm", 0.03, spread=0.01, unlike=True)
    page.goto("/")
    for uid, words, label in (
        (doubtful, "networks disagree", "Networks disagree"),
        (unlike, "not validated", "Not validated"),
    ):
        row = page.locator(f"tr[data-uid='{uid}']")
        expect(row.locator(".probability")).to_contain_text(words)
        expect(row.locator(".probability svg")).to_have_count(0)
        expect(row.locator(".label.of-marked")).to_have_text(label)
    assert faults_in_each_look(page, 390, 1440) == []
    page.goto(f"/studies/{doubtful}")
    result = page.locator("#ai-result")
    expect(result).to_contain_text("The networks disagree: some of them are above the threshold")
    expect(result).to_contain_text("(4 %, 50 %, 96 %)")
    expect(result.locator(".is-marked")).to_have_count(1)
    expect(page.locator("#labels")).to_contain_text("Networks disagree")
    expect(page.locator("#priority")).to_contain_text("in doubt: networks disagree.")
    assert faults_in_each_look(page, 390, 1440) == []
    page.goto(f"/studies/{unlike}")
    expect(result).to_contain_text("looks unlike those that the networks were validated on.")
    expect(page.locator("#labels")).to_contain_text("Not validated")
