"""The link that opens a study in the site's own viewer, made from a template. Pure."""

import re
from collections.abc import Mapping
from string import Formatter
from urllib.parse import quote

#: What a template may name. None is the name or number of a patient.
FIELDS = ("study_instance_uid", "accession_number")
#: RFC 3986 3.1, with two slashes: `https://…`, `weasis://…`.
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://[^\s]+", re.IGNORECASE)
#: Schemes by which a link would run in this page, or read this machine.
NO_VIEWERS = {"javascript", "data", "vbscript", "blob", "file", "filesystem", "about"}


def check_template(template: str) -> str:
    """A template that can be used. Raises ValueError with what is wrong."""
    scheme = SCHEME.fullmatch(template)
    if scheme is None or scheme[1].lower() in NO_VIEWERS or not template.isprintable():
        raise ValueError("no address of a viewer, as https://pacs.example/viewer?…")
    named = [(field, form, how) for _, field, form, how in Formatter().parse(template)]
    fields = [field for field, _, _ in named if field is not None]
    if not fields or any(form or how for _, form, how in named):
        raise ValueError(_wanted())
    if set(fields) - set(FIELDS) or "{" in template.split("://")[0]:
        raise ValueError(_wanted())
    return template


def viewer_link(template: str, values: Mapping[str, str | None]) -> str | None:
    """The address for one study, each value percent-encoded; None if a value is missing.

    values: by `FIELDS`.
    """
    fields = {field for _, field, _, _ in Formatter().parse(template) if field}
    if not all(values.get(field) for field in fields):
        return None
    return template.format(**{field: quote(values[field] or "", safe="") for field in fields})


def _wanted() -> str:
    return f"only {' and '.join(f'{{{field}}}' for field in FIELDS)} may be filled in"
