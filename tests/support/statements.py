"""The statements that are sent to a database, for tests of how many they are and what they read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event


@contextmanager
def statements(of: Connection | Engine) -> Iterator[list[str]]:
    """The statements that are sent within the block, but for those that begin transactions."""
    sent: list[str] = []

    def keep(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(of, "before_cursor_execute", keep)
    yield sent
    event.remove(of, "before_cursor_execute", keep)
