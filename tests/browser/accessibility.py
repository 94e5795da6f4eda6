"""Violations that axe finds. It is called through the debugger, so the CSP stays as it is."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

#: Of axe's four: minor, moderate, serious, critical.
GRAVE = ("serious", "critical")
#: All rules are tried; only what they found wrong is brought over. Stylesheets and media are not
#: fetched once more: of the rules that look into them, one is not tried, and one is of recordings.
VIOLATIONS = """async () => (await axe.run({ resultTypes: ['violations'], preload: false }))
  .violations"""


def faults(page: Page) -> list[str]:
    """The serious and critical violations: rule, places, and what to do about it."""
    page.evaluate(AXE_SCRIPT)
    violations = page.evaluate(VIOLATIONS)
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
