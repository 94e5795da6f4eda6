"""What axe finds in a page. It is called through the debugger, so the page's CSP stays as it is."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: Of axe's four: minor, moderate, serious, critical.
GRAVE = ("serious", "critical")


def faults(page: Page) -> list[str]:
    """The serious and critical violations: rule, places, and what to do about it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]
