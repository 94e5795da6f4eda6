"""The one place that knows where the templates are, and what each of them may name."""

from pathlib import Path

from fastapi.templating import Jinja2Templates

from readfirst import DISCLAIMER

TEMPLATES = Jinja2Templates(directory=Path(__file__).parents[1] / "templates")
TEMPLATES.env.globals["disclaimer"] = DISCLAIMER
