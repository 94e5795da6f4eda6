"""Violations that axe finds. It is called through the debugger, so the CSP stays as it is."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: Of axe's four: minor, moderate, serious, critical.
GRAVE = ("serious", "critical")


def faults(page: Page) -> list[str]:
    """The serious and critical violations: rule, places, and what to do about it."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
