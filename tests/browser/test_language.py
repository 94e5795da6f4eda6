"""The page in German: nothing on it stays English, it fits a telephone, and axe finds no fault."""

import re
from functools import cache

from playwright.sync_api import Page, expect

from readfirst.language.languages import read_catalogue
from tests.browser.accessibility import faults
from tests.browser.conftest import NewPage
from tests.browser.crowd import crowd, with_long_values
from tests.browser.page_monitor import PageMonitor
from tests.browser.site import LATER, PASSWORD, Site, add_people
from tests.browser.test_telephone import PHONE, TOO_WIDE
from worklist.http.language import COOKIE

PATHS = (
    "/",
    "/?show=all&sort=probability&arrived=3days",
    "/?show=read",
    "/refused",
    "/studies/{study}",
    "/studies/{study}/film",
    "/studies/9.9",
    "/account",
    *(f"/watching?tab={tab}" for tab in ("flow", "readers", "drift", "alerts")),
    "/watching/night",
    "/admin",
    "/admin/ensembles/compare",
    *(f"/admin/{name}" for name in ("accounts", "audit", "rules", "ensembles", "settings")),
    "/admin/thresholds?method=sensitivity&target=0.95&evidence=reference",
)
#: Without those that nobody has, where nobody logs in.
OPEN_PATHS = tuple(path for path in PATHS if path not in ("/studies/9.9", "/account"))
#: Texts and attributes that a person reads or hears, but of elements in English on purpose.
TEXTS = """() => {
  const texts = [];
  const shown = NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT;
  const walker = document.createTreeWalker(document.body, shown);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    if (element.closest("[lang=en], script, style, noscript, code, kbd")) continue;
    if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
    else for (const name of ["title", "aria-label", "placeholder", "alt", "aria-roledescription"]) {
      if (node.hasAttribute(name)) texts.push(node.getAttribute(name));
    }
  }
  return [document.title, ...texts].map((text) => text.trim()).filter(Boolean);
}"""
#: Values of files and names of accounts, which no language changes.
OF_FILES = ("Study Instance UID", "admin", "lead", "reader", "service")
FILE_NAME = re.compile(r"/\S+|\S+\.(dcm|jpg|png)")
#: Words that only English has, in a text that is put together of several.
ENGLISH_WORDS = re.compile(
    r"\b(the|and|of|is|are|not|no|yet|this|that|study|studies|read|unread|by|with|from|to|"
    r"film|films|image|images|scored|flagged|ago|today|at|has|have)\b",
    re.I,
)


@cache
def english() -> frozenset[str]:
    """The English texts that have another wording in German."""
    texts = set()
    for message in read_catalogue("de"):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        texts |= {str(text) for text in ids if text and text not in strings}
    return frozenset(texts)


def left_in_english(page: Page) -> list[str]:
    """The texts of a page that are not German."""
    texts: list[str] = page.evaluate(TEXTS)
    known = english()
    values_of_files = re.compile("|".join([FILE_NAME.pattern, *map(re.escape, OF_FILES)]))
    plain = [values_of_files.sub("", text).strip() for text in texts]
    return [text for text in plain if text in known or ENGLISH_WORDS.search(text)]


def in_german(page: Page, site: Site) -> Page:
    page.context.add_cookies([{"name": COOKIE, "value": "de", "url": site.address}])
    return page


def test_somebody_chooses_german_and_english_again(site: Site, page: Page) -> None:
    page.goto("/refused")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page).to_have_url(f"{site.address}/refused")
    expect(page.get_by_role("link", name="Arbeitsliste")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("link", name="Worklist")).to_be_visible()


def test_no_text_of_a_page_stays_english_and_axe_finds_no_grave_fault(
    site: Site, page: Page, monitor: PageMonitor
) -> None:
    monitor.expect("404")
    add_people(site)
    in_german(page, site)
    page.goto("/")
    assert left_in_english(page) == [], "log-in"
    log_in_german(page, "admin")
    study = site.study("DEMO-0010")
    left, violations = {}, {}
    for path in PATHS:
        page.goto(path.format(study=study))
        page.wait_for_load_state("networkidle") if "film" in path else None
        left[path], violations[path] = left_in_english(page), faults(page)
    nothing: dict[str, list[str]] = {path: [] for path in PATHS}
    assert left == nothing
    assert violations == nothing


def log_in_german(page: Page, name: str) -> None:
    """Log in at a German page, and choose German for the account."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_a_verdict_is_given_in_german_and_told_so_by_scripts(site: Site, page: Page) -> None:
    in_german(page, site)
    page.goto(f"/studies/{site.study('DEMO-0010')}")
    expect(page.locator("main")).to_have_attribute("data-film", "displayed")
    page.keyboard.press("x")
    expect(page.locator("[data-film=notice-text]")).to_have_text("Gespeichert: keine Pneumonie.")
    expect(page.locator(".current-verdict b")).to_have_text("Keine Pneumonie")
    page.keyboard.press("m")
    expect(page.locator("[data-film=measures]")).to_have_text("Zwei Punkte setzen.")
    page.keyboard.press("z")
    expect(page.locator("[data-film=notice-text]")).to_have_text("Wieder unbefundet.")
    assert left_in_english(page) == []


def test_a_list_that_follows_stays_german(site: Site, page: Page) -> None:
    in_german(page, site)
    page.goto("/")
    uid = site.arrive(LATER[0], probability=0.95)
    expect(page.locator(f"[id='study-{uid}']")).to_contain_text("Pneumonie wahrscheinlich")
    expect(page.locator("#announcer")).to_contain_text("Untersuchung")
    assert left_in_english(page) == []


def test_german_words_fit_a_telephone(site: Site, new_page: NewPage) -> None:
    crowd(site, 5)
    study = site.study("DEMO-0010")
    with_long_values(site, study)
    page = in_german(new_page(**PHONE), site)
    for path in OPEN_PATHS:
        page.goto(path.format(study=study))
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.evaluate(TOO_WIDE) == [], path
        assert faults(page) == [], path
