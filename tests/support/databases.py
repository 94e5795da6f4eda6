"""The databases that a test with values of its own runs on."""

from collections.abc import Iterable

import pytest


def on_both(name: str, values: Iterable[object]) -> pytest.MarkDecorator:
    """Every value on SQLite, and the first on PostgreSQL too: for values that no query sees.

    As those that are in the header or the pixels of a file alone.
    """
    first, *others = values
    cases = [("sqlite", first), ("postgresql", first), *(("sqlite", each) for each in others)]
    return pytest.mark.parametrize(("database_url", name), cases, indirect=["database_url"])
