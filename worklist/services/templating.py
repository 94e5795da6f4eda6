"""The templates, and the names that each of them may use."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.templating import Jinja2Templates
from jinja2 import Environment
from markupsafe import Markup

from db.monitoring.alerts import count_open
from readfirst import DISCLAIMER
from readfirst.formatting import readable_percent, readable_share
from readfirst.language import texts
from readfirst.language.formats import moment_text, number_text
from readfirst.language.languages import NAMES, script_texts
from readfirst.studies.marks import validity_label, validity_words
from readfirst.studies.score_marks import of_image
from worklist.http.static_files import PREFIX
from worklist.security.routes import may_see
from worklist.services.study_texts import scanner_text

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
        return count_open(session)


@lru_cache(maxsize=4096)
def _plain_text(language: str, message: str) -> Markup:
    """A text without values, as HTML. language: the one that is spoken, so that none is mixed."""
    del language
    return Markup(texts.gettext(message) % {})  # noqa: S704 - of a template or a catalogue


def template_text(message: str, **values: Any) -> Markup:
    """Translate a text of a template; values are escaped. Called most often, so made once."""
    if not values:
        return _plain_text(texts.current_language().code, message)
    return Markup(texts.gettext(message)) % values  # noqa: S704 - as above


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
        "_": template_text,
        "gettext": template_text,
        "disclaimer": DISCLAIMER,
        "may_see": may_see,
        "alert_count": alert_count,
        "is_silent": is_silent,
        "language": texts.current_language,
        "languages": NAMES,
        "script_texts": script_texts,
        "static": PREFIX,
        "translated": texts.gettext,
    }
    env.filters |= {
        "percent": readable_percent,
        "share": readable_share,
        "moment": moment_text,
        "number": number_text,
        "of_image": of_image,
        "scanner": scanner_text,
        "validity_label": validity_label,
        "validity_words": validity_words,
    }


_install(TEMPLATES.env)
