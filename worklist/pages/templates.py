"""The one place that knows where the templates are, and what each of them may name."""

from pathlib import Path

from fastapi import Request
from fastapi.templating import Jinja2Templates

from readfirst import DISCLAIMER
from readfirst.words import readable_percent
from worklist.security.rules import may_see

TEMPLATES = Jinja2Templates(directory=Path(__file__).parents[1] / "templates")
TEMPLATES.env.globals["disclaimer"] = DISCLAIMER
TEMPLATES.env.filters["percent"] = readable_percent


def is_part(request: Request) -> bool:
    """Whether a page asks for a part of itself, by htmx."""
    return request.headers.get("hx-request") == "true"


TEMPLATES.env.globals["may_see"] = may_see
