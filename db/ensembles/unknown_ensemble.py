"""The error for an ensemble that the site does not know."""

from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext


def unknown_ensemble(version: str) -> Misconfigured:
    """Return the error, which says where those are that it knows, and how another one comes in."""
    return Misconfigured(
        gettext(
            "Ensemble {version} is not known here. `readfirst models list` shows those that are; "
            "`readfirst models add` brings in another one."
        ).format(version=version)
    )
