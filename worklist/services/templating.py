"""The templates, and the names that each of them may use."""

from pathlib import Path

from fastapi import Request
from fastapi.templating import Jinja2Templates

from db.monitoring.alerts import open_counts
from readfirst import DISCLAIMER
from readfirst.formatting import readable_percent, readable_share
from worklist.security.routes import may_see

TEMPLATES = Jinja2Templates(directory=Path(__file__).parents[1] / "templates")
TEMPLATES.env.globals["disclaimer"] = DISCLAIMER
TEMPLATES.env.filters["percent"] = readable_percent
TEMPLATES.env.filters["share"] = readable_share


def is_part(request: Request) -> bool:
    """Return whether a page asks for a part of itself, by htmx."""
    return request.headers.get("hx-request") == "true"


def alert_count(request: Request) -> int:
    """Count the alerts that hold now, for the link to the lead's page."""
    with request.app.state.database.read() as session:
        return sum(open_counts(session).values())


TEMPLATES.env.globals["may_see"] = may_see
TEMPLATES.env.globals["alert_count"] = alert_count
