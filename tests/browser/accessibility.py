"""Violations that axe finds. It is called through the debugger, so the CSP stays as it is."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

#: Of axe's four: minor, moderate, serious, critical.
GRAVE = ("serious", "critical")
#: axe, whose colours have private fields by old means, a map of weak keys for each field: a third
#: of its time. Here a field is a property that nobody else can name.
AXE = f"""(() => {{
  class Field {{
    constructor() {{ this.name = Symbol(); }}
    has(owner) {{ return this.name in owner; }}
    get(owner) {{ return owner[this.name]; }}
    set(owner, value) {{ owner[this.name] = value; return this; }}
    add(owner) {{ return this.set(owner, true); }}
  }}
  ((WeakMap, WeakSet) => {{ {AXE_SCRIPT} }})(Field, Field);
}})()"""
#: It parses the colour of each text, and of all behind it, anew: a third of its time for a few
#: colours.
PARSE_ONCE = """() => {
  const { Color } = axe.commons.color;
  const parse = Color.prototype.parseString;
  const parsed = new Map();
  Color.prototype.parseString = function (text) {
    if (!parsed.has(text)) parsed.set(text, parse.call(new Color(0, 0, 0), text));
    const { r, g, b, alpha } = parsed.get(text);
    return Object.assign(this, { r, g, b, alpha });
  };
}"""
#: Only what the rules found wrong is brought over. Stylesheets and media are not fetched once more:
#: of the rules that look into them, one is not tried, and one is of recordings. Nor are rules tried
#: of which no violation is grave: a violation has the impact of its rule, else of its checks.
VIOLATIONS = """async ([chosen, grave]) => {
  const { rules, data } = axe._audit;
  const ofChecks = (rule) => [...rule.any, ...rule.all, ...rule.none]
    .map((check) => data.checks[check.id ?? check].impact);
  const impacts = (rule) => rule.impact ? [rule.impact] : ofChecks(rule);
  const mild = rules.filter((rule) => !impacts(rule).some((impact) => grave.includes(impact)));
  const options = {
    ...(chosen ? { runOnly: chosen } : {}),
    rules: Object.fromEntries(mild.map((rule) => [rule.id, { enabled: false }])),
    resultTypes: ["violations"],
    preload: false,
  };
  return (await axe.run(options)).violations;
}"""
#: The rules that read colours.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
#: What all other rules read, but for sizes.
ELEMENTS = """() => {
  const all = [...document.querySelectorAll("*")];
  const visible = all.map((each) => each.checkVisibility({ visibilityProperty: true }));
  return document.documentElement.outerHTML + visible;
}"""
#: Once the page knows of new looks, colours that are on their way to others are at their end; the
#: end of one may be the begin of one further within.
END_TRANSITIONS = """async () => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const running = () => document.getAnimations().filter((each) => each instanceof CSSTransition);
  for (let each = running(); each.length; each = running()) each.forEach((one) => one.finish());
}"""
#: Of all that one can scroll to.
WHOLE_WIDTH = "document.documentElement.scrollWidth"


def faults(page: Page, rules: list[str] | None = None) -> list[str]:
    """The serious and critical violations: rule, places, and what to do about it.

    rules: those that are tried, else all.
    """
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE)
        page.evaluate(PARSE_ONCE)
    page.evaluate(END_TRANSITIONS)
    violations = page.evaluate(VIOLATIONS, [rules, GRAVE])
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


def faults_in_each_look(page: Page, *widths: int) -> list[str]:
    """The violations in light and in dark, in a window of each width (pixels), or as it is.

    A page that is wider than such a window has a fault too. It is loaded once for all of them; it
    is light again at the end, and of the last width. Where the other colours are all that differs
    in dark, only the rules that read them are tried again.
    """
    violations = []
    for width in widths or (None,):
        if width is not None:
            page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="light")
        violations += [f"light, {width}: {fault}" for fault in faults(page)]
        in_light = page.evaluate(ELEMENTS)
        page.emulate_media(color_scheme="dark")
        rules = OF_COLOURS if page.evaluate(ELEMENTS) == in_light else None
        violations += [f"dark, {width}: {fault}" for fault in faults(page, rules)]
        if width is not None and (whole := page.evaluate(WHOLE_WIDTH)) > width:
            violations.append(f"{width}: it scrolls sideways, over {whole} pixels")
    page.emulate_media(color_scheme="light")
    return violations
