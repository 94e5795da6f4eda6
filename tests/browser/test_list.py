"""The list in a real browser: keys, live arrival, filters in the address, a text in none."""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from db.access.audit import Actor
from db.ensembles.versions import EnsembleFacts, promote, register
from db.lifecycle.rescoring import make_ready_again
from db.lifecycle.verdicts import VerdictInput
from db.tables import Image, Study
from models.preprocessing import PREPROCESSING_VERSION
from readfirst.formatting import short_duration
from readfirst.studies.findings import Finding
from tests.browser.accessibility import faults
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import PageMonitor, event_stream, intercept, wait_until
from tests.browser.site import LATER, Site
from tests.support.studies import give_verdict, lifecycle, score_ready

LOW = {"width": 1400, "height": 420}
#: What the page tells the browser's notifications, shown as its title.
OVERHEAR = """window.Notification = class extends Notification {
  constructor(title, options) { super(title, options); document.title += `: ${options.body}`; }
};"""
#: Counts the lists that the page has put in: it remembers the order of each.
COUNT_LISTS = """window.lists = 0;
const remember = Storage.prototype.setItem;
Storage.prototype.setItem = function (name, value) {
  if (name === "readfirst.order") window.lists += 1;
  return remember.call(this, name, value);
};"""


def row(page: Page, uid: str) -> Locator:
    return page.locator(f"[id='study-{uid}']")


def top(locator: Locator) -> float:
    """Where it stands in the window."""
    box = locator.bounding_box()
    assert box is not None
    return box["y"]


def is_live(page: Page) -> None:
    """Wait until the page hears of events, has asked for the list once more and has put it in.

    A list that has come and is not put in yet would wait for a menu or a mouse of the test, and no
    other would be asked for.
    """
    page.add_init_script(COUNT_LISTS)
    with event_stream(page), page.expect_response(re.compile("/rows")):
        page.goto("/")
    wait_until(page, lambda: page.evaluate("() => window.lists >= 2"))


def look_at(page: Page, uid: str) -> None:
    """Have the film of a study displayed: before that it takes no verdict."""
    page.goto(f"/studies/{uid}")
    expect(page.locator("main")).to_have_attribute("data-film", "displayed")


def test_keys_walk_the_list_and_give_verdicts(site: Site, page: Page) -> None:
    flagged, other = site.study("DEMO-0010"), site.study("DEMO-0016")
    look_at(page, flagged)
    page.goto("/")
    expect(row(page, flagged).locator(".open")).to_be_focused()
    expect(row(page, flagged)).to_have_class(re.compile("is-selected"))
    page.keyboard.press("a")
    expect(page.locator("#undo-bar")).to_contain_text("pneumonia; agrees with the AI.")
    expect(row(page, flagged)).to_have_count(0)
    expect(row(page, other).locator(".open")).to_be_focused()
    page.keyboard.press("z")
    expect(row(page, flagged).locator(".open")).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator("#undo-bar")).to_contain_text("no pneumonia; AI false positive.")
    page.keyboard.press("u")
    expect(page).to_have_url(f"{site.address}/?show=all")
    expect(row(page, flagged)).to_contain_text("Read: no pneumonia, AI false positive")
    expect(row(page, other)).to_have_class(re.compile("is-selected"))


def test_somebody_comes_back_to_where_they_were(site: Site, page: Page) -> None:
    uid = site.study("DEMO-0016")
    page.goto("/?sort=patient")
    row(page, uid).locator(".open").focus()
    page.keyboard.press("h")
    expect(page).to_have_url(f"{site.address}/studies/{uid}#heat-map")
    expect(page.locator("[data-film=heat-map]")).to_have_attribute("aria-pressed", "true")
    with site.worker.database.write() as session:
        verdict = VerdictInput(finding=Finding.PNEUMONIA)
        give_verdict(session, uid, verdict, Actor(None, "x"), datetime.now(UTC))
    page.locator("#back").click()
    expect(page).to_have_url(f"{site.address}/?sort=patient")
    expect(row(page, uid)).to_have_count(0)
    # What stood behind it has its place now.
    expect(page.locator("tr.is-selected .open")).to_have_text("No name film-01.jpg")
    expect(page.locator("tr.is-selected .open")).to_be_focused()


def test_a_verdict_on_what_changed_meanwhile_is_not_taken(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    uid = site.study("DEMO-0010")
    intercept(page)
    look_at(page, uid)
    page.goto("/?show=all")
    page.route("**/rows?*", lambda route: route.abort())
    monitor.expect("net::ERR_FAILED", "409")
    row(page, uid).locator(".open").focus()
    with site.worker.database.write() as session:
        verdict = VerdictInput(finding=Finding.CANNOT_TELL)
        give_verdict(session, uid, verdict, Actor(None, "x"), datetime.now(UTC))
    page.keyboard.press("a")
    expect(page.locator("#undo-bar")).to_contain_text("was not saved.")


def test_keys_do_nothing_while_somebody_types_and_help_tells_them(site: Site, page: Page) -> None:
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("jja?")
    expect(page.locator("#search input")).to_have_value("jja?")
    expect(page.locator("tr.is-selected")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("j")
    expect(page.locator("tr.is-selected")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    expect(page.locator("#search input")).to_have_value("")
    expect(page.locator("tbody tr[data-uid]").first).to_be_visible()
    page.keyboard.press("k")
    expect(page.locator("tr.is-selected")).to_have_count(1)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_study_slides_in_above_and_nothing_moves_under_the_mouse(
    site: Site, new_page: NewPage, motion: Literal["no-preference", "reduce"]
) -> None:
    page = new_page(viewport=LOW)
    page.emulate_media(reduced_motion=motion)
    is_live(page)
    pointed = row(page, site.study("DEMO-0017"))
    pointed.hover()
    before = top(pointed)
    uid = site.arrive(LATER[0], probability=0.97)
    expect(row(page, uid)).to_have_count(1)
    expect(row(page, uid)).to_have_class(re.compile("is-flagged"))
    assert top(row(page, uid)) < before
    assert top(pointed) == pytest.approx(before, abs=1)
    expect(page.locator("#announcer")).to_have_text(re.compile("1 study came in|1 study flagged"))
    page.mouse.move(5, 5)
    page.evaluate(
        """() => {
          addEventListener("scrollend", () => { window.hasScrolled = true; }, { once: true });
        }"""
    )
    page.get_by_role("button", name="1 new study above").click()
    # Not only on its way.
    wait_until(page, lambda: bool(page.evaluate("window.hasScrolled")))
    expect(row(page, uid)).to_be_in_viewport(ratio=1)
    expect(page.locator("#new-above")).to_be_hidden()


def test_the_selected_study_stays_where_it_is(site: Site, new_page: NewPage) -> None:
    page = new_page(viewport=LOW)
    is_live(page)
    for _ in range(5):
        page.keyboard.press("j")
    selected = page.locator("tr.is-selected")
    uid, before = selected.get_attribute("data-uid"), top(selected)
    arrived = site.arrive(LATER[0], probability=0.97)
    expect(row(page, arrived)).to_have_class(re.compile("is-flagged"))
    assert selected.get_attribute("data-uid") == uid
    assert top(selected) == pytest.approx(before, abs=1)
    page.reload()
    assert page.locator("tr.is-selected").get_attribute("data-uid") == uid


def test_what_somebody_else_reads_stays_under_the_mouse_until_it_leaves(
    site: Site, page: Page
) -> None:
    uid, pointed = site.study("DEMO-0010"), row(page, site.study("DEMO-0011"))
    is_live(page)
    pointed.hover()
    before = top(pointed)
    with site.worker.database.write() as session:
        verdict = VerdictInput(finding=Finding.PNEUMONIA)
        give_verdict(session, uid, verdict, Actor(None, "x"), datetime.now(UTC))
    expect(row(page, uid)).to_have_class(re.compile("is-gone"))
    assert top(pointed) == pytest.approx(before, abs=1)
    page.mouse.move(5, 5)
    expect(row(page, uid)).to_have_count(0)


def test_nothing_changes_under_an_open_menu(site: Site, page: Page) -> None:
    is_live(page)
    page.locator("summary", has_text="Arrived").click()
    with page.expect_response(re.compile("/rows")):
        uid = site.arrive(LATER[0], probability=0.97)
    # The page has had time to show them, if it were to.
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    expect(row(page, uid)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(row(page, uid)).to_have_count(1)


def test_filters_and_order_stand_in_the_address(site: Site, page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Flagged", exact=True).click()
    expect(page).to_have_url(f"{site.address}/?flagged=true")
    expect(page.locator("tr[data-uid]")).to_have_count(3)
    page.get_by_role("link", name="Patient").click()
    expect(page).to_have_url(f"{site.address}/?flagged=true&sort=patient")
    expect(page.locator("tr[data-uid]").first).to_contain_text("Beispiel")
    page.reload()
    expect(page.locator("tr[data-uid]").first).to_contain_text("Beispiel")
    page.get_by_role("link", name="Back to reading order").click()
    expect(page).to_have_url(f"{site.address}/?flagged=true")
    page.go_back()
    expect(page).to_have_url(f"{site.address}/?flagged=true&sort=patient")
    page.locator("summary", has_text="Arrived").click()
    page.get_by_role("link", name="Today").click()
    expect(page).to_have_url(f"{site.address}/?flagged=true&arrived=today&sort=patient")


def test_a_text_stands_in_no_address_and_no_log(
    site: Site, page: Page, capfd: pytest.CaptureFixture[str]
) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    is_live(page)
    page.keyboard.press("/")
    page.keyboard.type("voorbeeld")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-uid]")).to_have_count(1)
    page.keyboard.press("j")
    expect(page.locator("tr.is-selected")).to_contain_text("Voorbeeld")
    page.reload()
    expect(page.locator("tr[data-uid]")).to_have_count(1)
    expect(page.locator("#search input")).to_have_value("voorbeeld")
    for late in LATER:
        with page.expect_response(re.compile("/rows")):
            site.arrive(late, probability=0.97)
        expect(page.locator("tr[data-uid]")).to_have_count(1)
    page.locator("#search input").fill("")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-uid]")).to_have_count(12)
    logs = capfd.readouterr()
    everything = " ".join([*addresses, logs.out, logs.err]).lower()
    assert "voorbeeld" not in everything
    assert len(addresses) > 10


def test_a_stream_that_is_cut_is_said_quietly(site: Site, page: Page, monitor: PageMonitor) -> None:
    monitor.expect("net::ERR_FAILED")
    page.route("**/events/stream", lambda route: route.abort())
    page.clock.install()
    page.goto("/")
    for _ in range(4):
        page.clock.run_for(4_000)
    expect(page.locator("#live")).to_have_text("not connected: updated every 20 s")
    expect(page.locator("#connection")).to_be_hidden()
    page.unroute("**/events/stream")
    page.clock.run_for(20_000)
    expect(page.locator("#live")).to_have_text("")


def test_a_flagged_study_is_told_of_by_choice_and_without_a_name(
    site: Site, permitted_page: Page
) -> None:
    page = permitted_page
    page.add_init_script(OVERHEAR)
    is_live(page)
    uid = site.arrive(LATER[0], probability=0.97)
    expect(row(page, uid)).to_have_class(re.compile("is-flagged"))
    expect(page).to_have_title("ReadFirst worklist")
    page.locator("summary", has_text="Alerts").click()
    page.get_by_label("A notification").check()
    page.get_by_label("A short tone").check()
    is_live(page)
    page.locator("summary", has_text="Alerts").click()
    expect(page.get_by_label("A notification")).to_be_checked()
    expect(page.get_by_label("A short tone")).to_be_checked()
    site.arrive(LATER[1], probability=0.97)
    expect(page).to_have_title("ReadFirst worklist: A flagged study has come in")


def test_a_flag_of_a_study_that_was_read_long_ago_tells_nobody(
    site: Site, permitted_page: Page
) -> None:
    """After a night the row follows, without a notification and without a tone."""
    uid = site.arrive(LATER[0], probability=0.1)
    page = permitted_page
    page.add_init_script(OVERHEAR)
    page.goto("/?show=all")
    assert page.evaluate("Notification.permission") == "granted"
    page.locator("summary", has_text="Alerts").click()
    page.get_by_label("A notification").check()
    with page.expect_response(re.compile("/rows")):
        page.goto("/?show=all")
    with lifecycle(site.worker.database, datetime.now(UTC)) as unit:
        give_verdict(unit, uid, VerdictInput())
        version = "after-the-night"
        register(unit.session, EnsembleFacts(version, 0.5, PREPROCESSING_VERSION), unit.at)
        ensemble = promote(unit.session, version, unit.at)
        of_study = select(Image.id).join(Study).where(Study.study_instance_uid == uid)
        number = unit.session.scalars(of_study).one()
        make_ready_again(unit, ensemble, limit=1, before_id=number + 1)
        score_ready(unit, unit.at, {number: 0.97}, version, PREPROCESSING_VERSION)
    expect(row(page, uid)).to_have_class(re.compile("is-flagged"))
    expect(page).to_have_title("ReadFirst worklist")


def test_a_study_that_is_sent_again_as_stat_rises_at_once(site: Site, page: Page) -> None:
    uid = site.arrive(LATER[0], probability=0.1)
    is_live(page)
    expect(row(page, uid)).not_to_have_class(re.compile(r"\bstat\b"))
    with page.expect_response(re.compile("/rows")):
        site.arrive(LATER[0], name="stat/again.dcm")
    expect(row(page, uid)).to_have_class(re.compile(r"\bstat\b"))


def test_waiting_times_go_on_as_the_server_writes_them(site: Site, page: Page) -> None:
    # A stream that opened would put the list in anew, with times as they were.
    page.route("**/events/stream", lambda _: None)
    page.clock.install()
    page.goto("/")
    seconds = [0, 59, 60, 3599, 3600, 11_100, 86_399, 86_400, 200_000]
    script = "async (all) => all.map((await import('/static/worklist/clock.js')).shortDuration)"
    assert page.evaluate(script, seconds) == [
        short_duration(timedelta(0, each)) for each in seconds
    ]
    waiting = page.locator("time").first
    waiting.evaluate("time => time.setAttribute('datetime', '2020-01-01T00:00:00Z')")
    page.clock.fast_forward(10_000)
    expect(waiting).to_have_text(re.compile(r"\d{4} d \d+ h"))


def test_the_list_is_never_wider_than_the_window(site: Site, page: Page) -> None:
    page.goto("/")
    for width in (1920, 1080, 1000, 900, 770, 769, 400, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        name = page.locator(".open").first
        assert (name.bounding_box() or {"width": 0})["width"] > 60, width
