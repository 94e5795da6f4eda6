"""Shared by the checks of `doctor`: an answer of the database, if it gives one."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult

Answer = TypeVar("Answer")


def from_database(settings: Settings, read: Callable[[Session], Answer]) -> Answer | None:
    """Read from the database as it is. None where it fails: the check of the database says why."""
    from db.session import open_database

    database = open_database(settings.database)
    try:
        with database.read() as session:
            return read(session)
    except SQLAlchemyError:
        return None
    finally:
        database.dispose()


def unknown(name: str) -> CheckResult:
    """Make the result of a check for which the database does not answer."""
    return CheckResult(name, True, gettext("unknown without the database"))


def answer_text(well: bool) -> str:
    """Say whether a server answers, behind its name."""
    return gettext("answers") if well else gettext("does not answer")
