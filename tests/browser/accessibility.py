"""Violations that axe finds. It is called through the debugger, so the CSP stays as it is."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

#: Of axe's four: minor, moderate, serious, critical.
GRAVE = ("serious", "critical")
#: All rules are tried; only what they found wrong is brought over. Stylesheets and media are not
#: fetched once more: of the rules that look into them, one is not tried, and one is of recordings.
VIOLATIONS = """async () => (await axe.run({ resultTypes: ['violations'], preload: false }))
  .violations"""
#: Once the page knows of new looks, colours that are on their way to others are at their end; the
#: end of one may be the begin of one further within.
END_TRANSITIONS = """async () => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const running = () => document.getAnimations().filter((each) => each instanceof CSSTransition);
  for (let each = running(); each.length; each = running()) each.forEach((one) => one.finish());
}"""
#: Of all that one can scroll to.
WHOLE_WIDTH = "document.documentElement.scrollWidth"


def faults(page: Page) -> list[str]:
    """The serious and critical violations: rule, places, and what to do about it."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    page.evaluate(END_TRANSITIONS)
    violations = page.evaluate(VIOLATIONS)
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


def faults_in_each_look(page: Page, *widths: int) -> list[str]:
    """The violations in light and in dark, in a window of each width (pixels), or as it is.

    A page that is wider than such a window has a fault too. It is loaded once for all of them; it
    is light again at the end, and of the last width.
    """
    violations = []
    for width in widths or (None,):
        if width is not None:
            page.set_viewport_size({"width": width, "height": 900})
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)
            violations += [f"{colours}, {width}: {fault}" for fault in faults(page)]
        if width is not None and (whole := page.evaluate(WHOLE_WIDTH)) > width:
            violations.append(f"{width}: it scrolls sideways, over {whole} pixels")
    page.emulate_media(color_scheme="light")
    return violations
