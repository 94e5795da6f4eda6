"""Verdicts are given of films that were displayed, told wherever one looks, and not lost."""

import re

from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from db.tables import Image
from db.verdicts import all_verdicts
from readfirst.studies.findings import Finding
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import PageMonitor, intercept, log_in, send_log_in, wait_until
from tests.browser.site import Site, add_people
from tests.browser.test_film import part
from tests.browser.test_verdict import FLAGGED, ROUTINE, displayed, settled, stands
from tests.support.serving import served

PIXELS = re.compile(r"/pixels(\?.*)?$")
ROWS = re.compile(r"/rows\?")
VERDICTS = re.compile(r"/verdicts$")


def verdicts(site: Site) -> list[Finding | None]:
    """The findings that were given, the latest first."""
    with site.worker.database.read() as session:
        return [verdict.finding for verdict in all_verdicts(session, limit=20)]


def digest_of(site: Site, study: str) -> str:
    with site.worker.database.read() as session:
        of_study = select(Image.sha256).where(Image.study.has(study_instance_uid=study))
        return session.scalars(of_study).one()


def test_no_verdict_is_taken_while_the_film_is_loading(site: Site, page: Page) -> None:
    waiting: list[Route] = []
    released: list[bool] = []
    page.route(PIXELS, lambda route: route.continue_() if released else waiting.append(route))
    page.goto(f"/studies/{site.study(FLAGGED)}")
    expect(part(page, "message")).to_have_text("Loading the film …")
    for key in "pxce":
        page.keyboard.press(key)
        expect(page.locator("#update-notice")).to_contain_text("not displayed yet")
    page.locator('#verdict button[value="pneumonia"]').click()
    expect(stands(page)).to_have_count(0)
    wait_until(page, lambda: waiting)
    released.append(True)
    for route in waiting:
        route.continue_()
    displayed(page)
    assert verdicts(site) == []
    # A capital is the same key.
    page.keyboard.press("P")
    expect(stands(page)).to_contain_text("Pneumonia agrees with the AI")
    expect(page.locator("#update-notice")).to_be_hidden()


def test_a_preview_is_no_film_yet(site: Site, page: Page) -> None:
    page.route(re.compile(r"/pixels$"), lambda _: None)
    page.goto(f"/studies/{site.study(FLAGGED)}")
    expect(part(page, "message")).to_have_text("Loading every pixel …")
    page.keyboard.press("p")
    expect(page.locator("#update-notice")).to_contain_text("not displayed yet")
    assert verdicts(site) == []


def test_the_server_takes_no_verdict_of_a_page_that_displayed_nothing(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("409")
    page.goto("/")
    answer = page.evaluate(
        """uid => fetch(`/api/v1/studies/${uid}/verdicts`, {
            method: "POST", headers: {"Content-Type": "application/json"},
            body: JSON.stringify({finding: "pneumonia", verdicts_seen: 0, images_seen: 1}),
        }).then(async response => [response.status, (await response.json()).detail])""",
        site.study(FLAGGED),
    )
    assert answer == [409, "The film has not been displayed yet. Look at it first."]
    assert verdicts(site) == []


def test_from_the_list_a_study_that_was_not_seen_is_opened_instead(site: Site, page: Page) -> None:
    page.goto("/?show=all&sort=patient")
    page.keyboard.press("j")
    name = page.locator("tr.is-selected .open").inner_text()
    page.keyboard.press("x")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    displayed(page)
    assert verdicts(site) == []
    page.keyboard.press("l")
    page.wait_for_url("**/?show=all&sort=patient")
    expect(page.locator("tr.is-selected .open")).to_have_text(name)
    page.keyboard.press("x")
    expect(page.locator("#undo-bar")).to_contain_text(f"{name}: no pneumonia")
    assert verdicts(site) == [Finding.NO_PNEUMONIA]
    page.keyboard.press("z")
    expect(page.locator("#undo-bar")).to_contain_text("taken back")


def test_in_full_screen_a_verdict_is_told_on_the_film_and_taken_back(
    site: Site, page: Page
) -> None:
    page.goto(f"/studies/{site.study(FLAGGED)}")
    displayed(page)
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.keyboard.press("x")
    expect(part(page, "notice")).to_be_visible()
    expect(part(page, "notice")).to_contain_text("Recorded: no pneumonia.")
    expect(part(page, "identity")).to_be_visible()
    settled(page)
    part(page, "undo").click()
    expect(part(page, "notice")).to_contain_text("Unread again.")
    expect(part(page, "undo")).to_be_hidden()
    assert page.evaluate("document.fullscreenElement !== null")
    assert len(verdicts(site)) == 2


def test_a_film_that_cannot_be_displayed_takes_no_finding(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("404")
    for path in site.settings.store_path.rglob("*"):
        if path.is_file():
            path.unlink()
    page.goto(f"/studies/{site.study(FLAGGED)}")
    expect(page.locator("main")).to_have_attribute("data-film", "failed")
    page.keyboard.press("p")
    expect(page.locator("#update-notice")).to_contain_text("it takes no finding")
    assert verdicts(site) == []
    page.keyboard.press("e")
    expect(stands(page)).to_contain_text("Marked as read")


def test_a_verdict_after_the_session_has_ended_is_not_lost(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("401")
    add_people(site)
    path = f"/studies/{site.study(FLAGGED)}"
    log_in(page, "reader", path)
    displayed(page)
    page.get_by_label("Comment").fill("Right lower lobe.")
    page.keyboard.press("Escape")
    page.context.clear_cookies()
    page.keyboard.press("x")
    page.wait_for_url("**/login?next=*")
    send_log_in(page, "reader")
    page.wait_for_url(f"**{path}")
    notice = page.locator("#update-notice")
    expect(notice).to_contain_text("“no pneumonia” was not saved, since your session had ended")
    expect(page.get_by_label("Comment")).to_have_value("Right lower lobe.")
    assert verdicts(site) == []
    displayed(page)
    notice.get_by_role("button", name="Save it now").click()
    expect(stands(page)).to_contain_text("No pneumonia")
    expect(stands(page)).to_contain_text("Right lower lobe.")
    page.reload()
    expect(notice).to_be_hidden()


def list_after_a_film(site: Site, page: Page) -> None:
    """The list, after the film of a study was displayed; its session has just ended.

    The study's row has the focus.
    """
    add_people(site)
    uid = site.study(FLAGGED)
    log_in(page, "reader", f"/studies/{uid}")
    displayed(page)
    page.goto("/?show=all")
    page.locator(f"[id='study-{uid}'] .open").focus()
    page.context.clear_cookies()


def paused(page: Page, url: str | re.Pattern[str]) -> list[Route]:
    """The requests for an address, as they come; each waits until it is let go on."""
    routes: list[Route] = []
    page.route(url, lambda route: routes.append(route))
    return routes


def expect_offer_after_log_in(site: Site, page: Page) -> None:
    """Log in; the list then says that `pneumonia` was not saved."""
    page.wait_for_url("**/login?next=*")
    send_log_in(page, "reader")
    page.wait_for_url("**/?show=all")
    expect(page.locator("#undo-bar")).to_contain_text("“pneumonia” was not saved")
    assert verdicts(site) == []


def test_from_the_list_the_log_in_leads_back_and_says_what_was_not_saved(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("401")
    # A refresh would notice the end of the session before.
    paused(page, ROWS)
    list_after_a_film(site, page)
    page.keyboard.press("p")
    expect_offer_after_log_in(site, page)


def test_a_refresh_that_finds_the_session_ended_waits_for_the_verdict_that_is_being_saved(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("401")
    refreshes, saved = paused(page, ROWS), paused(page, VERDICTS)
    list_after_a_film(site, page)
    # The list is fetched anew as its stream of events opens, at the latest.
    wait_until(page, lambda: refreshes)
    page.keyboard.press("p")
    wait_until(page, lambda: saved)
    with page.expect_response(ROWS):
        refreshes[0].continue_()
    settled(page)
    assert "/login" not in page.url
    saved[0].continue_()
    expect_offer_after_log_in(site, page)


def test_a_verdict_while_the_page_goes_to_the_log_in_is_not_lost(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("401")
    refreshes = paused(page, ROWS)
    list_after_a_film(site, page)
    logins = paused(page, "**/login?next=*")
    wait_until(page, lambda: refreshes)
    refreshes[0].continue_()
    wait_until(page, lambda: logins)
    page.keyboard.press("p")
    logins[0].continue_()
    expect_offer_after_log_in(site, page)


def test_when_the_server_does_not_answer_the_verdict_is_tried_again(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("net::ERR_FAILED", "htmx:sendError", "htmx:afterRequest")
    intercept(page)
    page.goto(f"/studies/{site.study(FLAGGED)}")
    displayed(page)
    page.route("**/verdict", lambda route: route.abort())
    page.keyboard.press("x")
    notice = page.locator("#update-notice")
    expect(notice).to_contain_text("“no pneumonia” was not saved: the server does not answer.")
    expect(notice.get_by_role("link")).to_be_hidden()
    page.unroute("**/verdict")
    notice.get_by_role("button", name="Try again").click()
    expect(stands(page)).to_contain_text("No pneumonia")
    expect(notice).to_be_hidden()


def test_the_page_goes_on_if_that_is_wanted_and_the_next_film_is_there_before(
    site: Site, page: Page
) -> None:
    flagged, following = site.study(FLAGGED), site.study("DEMO-0013")
    page.goto(f"/studies/{flagged}")
    displayed(page)
    with page.expect_request(re.compile(rf"/{digest_of(site, following)}/pixels$")):
        page.get_by_label("Go on to the next unread study").check()
    page.keyboard.press("x")
    expect(page.locator("#update-notice")).to_contain_text("Going on")
    page.wait_for_url(f"**/studies/{following}")
    expect(page.get_by_label("Go on to the next unread study")).to_be_checked()
    displayed(page)
    page.keyboard.press("x")
    expect(stands(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#update-notice")).to_be_hidden()
    assert following in page.url


def test_the_keys_of_older_releases_still_answer(site: Site, page: Page) -> None:
    page.goto(f"/studies/{site.study(ROUTINE)}")
    displayed(page)
    page.keyboard.press("a")
    expect(stands(page)).to_contain_text("No pneumonia agrees with the AI")
    settled(page)
    page.keyboard.press("d")
    expect(stands(page)).to_contain_text("Pneumonia missed by the AI")


def test_the_own_window_follows_the_first_to_the_next_patient(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    page.goto("/?show=all&sort=patient")
    names = page.locator("a.open").all_inner_texts()
    page.locator("a.open").nth(0).click()
    displayed(page)
    with page.context.expect_page() as opening:
        page.get_by_role("link", name="New window").click()
    second = opening.value
    monitor.watch(second)
    expect(part(second, "identity")).to_contain_text(names[0])
    assert second.title() == "ReadFirst: film"
    expect(part(second, "facts")).to_contain_text("%")
    second.keyboard.press("?")
    expect(second.get_by_role("dialog")).to_be_visible()
    second.keyboard.press("Escape")
    page.bring_to_front()
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text(names[1])
    expect(part(second, "identity")).to_contain_text(names[1])
    expect(part(second, "notice")).to_be_hidden()
    assert names[0] not in second.locator("main").inner_text()
    expect(part(second, "facts")).to_contain_text("%")
    page.keyboard.press("l")
    expect(part(second, "notice")).to_contain_text("shows no study now")
    expect(part(second, "identity")).to_contain_text(names[1])


def test_the_ai_is_hidden_until_the_verdict_and_the_verdict_is_blind(
    site: Site, new_page: NewPage
) -> None:
    flagged = site.study(FLAGGED)
    hiding = site.settings.model_copy(update={"hide_ai_until_verdict": True})
    with served(hiding) as (address, _):
        page = new_page(base_url=address)
        page.goto("/")
        row = page.locator(f"[id='study-{flagged}']")
        expect(row).to_contain_text("hidden")
        for words in ("Pneumonia likely", "97 %", "Flagged", "reaches"):
            expect(row).not_to_contain_text(words)
        expect(page.get_by_role("link", name="Flagged")).to_have_count(0)
        page.goto(f"/studies/{flagged}")
        displayed(page)
        expect(page.locator("#ai-result")).to_contain_text("Hidden until a verdict is given.")
        expect(part(page, "heat-map")).to_be_disabled()
        page.keyboard.press("h")
        text = page.locator("main").text_content() or ""
        assert "97 %" not in text
        assert "lagged" not in text
        assert "0.97" not in text
        page.keyboard.press("x")
        expect(stands(page)).to_contain_text("AI false positive")
        expect(stands(page)).to_contain_text("before the AI’s result was shown")
        expect(page.locator("#ai-result")).to_contain_text("97 %")
        expect(page.locator("#labels")).to_contain_text("Pneumonia likely")
        expect(part(page, "heat-map")).to_be_enabled()
        settled(page)
        page.keyboard.press("p")
        expect(stands(page)).to_contain_text("agrees with the AI")
    with site.worker.database.read() as session:
        blind = [verdict.blind for verdict in all_verdicts(session, limit=9)]
    assert blind == [False, True]
