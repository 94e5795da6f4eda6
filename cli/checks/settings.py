"""The settings and the scope rules of a site, as `readfirst doctor` sees them."""

from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.settings import Settings, unknown_settings
from readfirst.site.checks import CheckResult


def check_settings(settings: Settings) -> CheckResult:
    """Reaching this point, they are valid; show which ones were chosen, and what is none."""
    chosen = ", ".join(sorted(f"READFIRST_{name.upper()}" for name in settings.model_fields_set))
    warning = " ".join(unknown.sentence for unknown in unknown_settings())
    return CheckResult(
        "settings", True, chosen or gettext("all at their defaults"), warning=warning
    )


def check_scope(settings: Settings) -> CheckResult:
    """See whether the rules of what may be scored can be read, and each has an effect."""
    from ingest.scope.scope_rules import load_rules
    from ingest.scope.unused_patterns import unused_patterns

    try:
        rules = load_rules(settings.scope)
    except Misconfigured as error:
        return CheckResult(
            "scope",
            False,
            str(error),
            gettext("Set it right; docs/reference/scope.md says how."),
        )
    found = str(settings.scope or gettext("the rules that come with ReadFirst"))
    warning = " ".join(unused.sentence for unused in unused_patterns(rules))
    return CheckResult("scope", True, found, warning=warning)
