"""No page has a serious or critical fault by axe: light and dark, wide and narrow."""

from playwright.sync_api import Page

from models.manifest import shipped_version
from tests.browser.accessibility import faults, faults_in_each_look
from tests.browser.page_monitor import log_in
from tests.browser.site import Site, add_people

WIDTHS = (1400, 400)
PATHS = (
    "/",
    "/?show=all",
    "/refused",
    "/studies/{study}",
    "/account",
    "/ensembles/{ensemble}/card",
)
#: Hides the words of a page that is dark and narrow; the CSP lets no other style in.
DARK_AND_NARROW = """() => {
  const sheet = new CSSStyleSheet();
  const look = "(prefers-color-scheme: dark) and (max-width: 500px)";
  sheet.replaceSync(`@media ${look} { .sentence { color: #333 !important; } }`);
  document.adoptedStyleSheets.push(sheet);
}"""

#: Adds two pictures without words for them, one for dark pages and one for narrow ones.
PICTURES = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`#dark, #narrow { display: none }
    @media (prefers-color-scheme: dark) { #dark { display: block } }
    @media (max-width: 500px) { #narrow { display: block } }`);
  document.adoptedStyleSheets.push(sheet);
  for (const id of ["dark", "narrow"]) {
    document.querySelector("main").append(Object.assign(new Image(9, 9), { id }));
  }
}"""


def test_no_page_has_a_grave_fault(site: Site, page: Page) -> None:
    add_people(site)
    page.goto("/")
    assert faults_in_each_look(page, *WIDTHS) == [], "log-in"
    log_in(page, "lead", None)
    violations = {}
    for path in PATHS:
        page.goto(path.format(study=site.study("DEMO-0010"), ensemble=shipped_version()))
        violations[path] = faults_in_each_look(page, *WIDTHS)
    assert violations == {path: [] for path in PATHS}


def test_a_grave_fault_is_found(site: Site, page: Page) -> None:
    page.goto("/refused")
    page.evaluate("document.querySelector('.sentence').style.color = '#eee'")
    (fault,) = faults(page)
    assert fault.startswith("color-contrast")


def test_a_grave_fault_of_one_look_is_found(site: Site, page: Page) -> None:
    page.goto("/refused")
    page.evaluate(DARK_AND_NARROW)
    (fault,) = faults_in_each_look(page, *WIDTHS)
    assert fault.startswith("dark, 400: color-contrast")


def test_a_grave_fault_of_what_stands_in_one_look_alone_is_found(site: Site, page: Page) -> None:
    page.goto("/refused")
    page.evaluate(PICTURES)
    violations = faults_in_each_look(page, *WIDTHS)
    assert [violation.split(" ", 5)[:4] for violation in violations] == [
        ["dark,", "1400:", "image-alt:", "['#dark']"],
        ["light,", "400:", "image-alt:", "['#narrow']"],
        ["dark,", "400:", "image-alt:", "['#dark']"],
        ["dark,", "400:", "image-alt:", "['#narrow']"],
    ]
