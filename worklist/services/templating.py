"""The templates, and the names that each of them may use."""

from pathlib import Path

from fastapi import Request
from fastapi.templating import Jinja2Templates
from jinja2 import Environment

from db.monitoring.alerts import open_counts
from readfirst import DISCLAIMER
from readfirst.formatting import readable_percent, readable_share
from readfirst.language import texts
from readfirst.language.formats import moment_text, number_text
from readfirst.language.languages import NAMES, script_texts
from worklist.security.routes import may_see

TEMPLATES = Jinja2Templates(directory=Path(__file__).parents[1] / "templates")


def is_part(request: Request) -> bool:
    """Return whether a page asks for a part of itself, by htmx."""
    return request.headers.get("hx-request") == "true"


def is_silent(request: Request) -> bool:
    """Tell whether the site is in silent mode: nothing of the AI is shown."""
    return bool(request.app.state.settings.is_silent)


def alert_count(request: Request) -> int:
    """Count the alerts that hold now, for the link to the lead's page."""
    with request.app.state.database.read() as session:
        return sum(open_counts(session).values())


def _install(env: Environment) -> None:
    """Give the templates their functions, filters and translated texts."""
    env.add_extension("jinja2.ext.i18n")
    env.policies["ext.i18n.trimmed"] = True
    # Of the extension, which has no types.
    env.install_gettext_callables(  # type: ignore[attr-defined]
        texts.gettext,
        texts.ngettext,
        newstyle=True,
        pgettext=texts.pgettext,
        npgettext=texts.npgettext,
    )
    env.globals |= {
        "disclaimer": DISCLAIMER,
        "may_see": may_see,
        "alert_count": alert_count,
        "is_silent": is_silent,
        "language": texts.current_language,
        "languages": NAMES,
        "script_texts": script_texts,
        "translated": texts.gettext,
    }
    env.filters |= {
        "percent": readable_percent,
        "share": readable_share,
        "moment": moment_text,
        "number": number_text,
    }


_install(TEMPLATES.env)
