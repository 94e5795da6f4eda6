"""No page has a serious or critical fault by axe: light and dark, wide and narrow."""

import pytest

from models.manifest import shipped_version
from tests.browser.accessibility import faults
from tests.browser.conftest import NewPage
from tests.browser.page_monitor import log_in
from tests.browser.site import Site, add_people

WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 400, "height": 800}
PATHS = (
    "/",
    "/?show=all",
    "/refused",
    "/studies/{study}",
    "/account",
    "/ensembles/{ensemble}/card",
)


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_page_has_a_grave_fault(
    site: Site, new_page: NewPage, colours: str, viewport: dict[str, int]
) -> None:
    add_people(site)
    page = new_page(color_scheme=colours, viewport=viewport)
    page.goto("/")
    assert faults(page) == [], "log-in"
    log_in(page, "lead", None)
    violations = {}
    for path in PATHS:
        page.goto(path.format(study=site.study("DEMO-0010"), ensemble=shipped_version()))
        violations[path] = faults(page)
    assert violations == {path: [] for path in PATHS}


def test_a_grave_fault_is_found(site: Site, new_page: NewPage) -> None:
    page = new_page()
    page.goto("/refused")
    page.evaluate("document.querySelector('.sentence').style.color = '#eee'")
    (fault,) = faults(page)
    assert fault.startswith("color-contrast")
