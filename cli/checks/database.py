"""The database, as `readfirst doctor` sees it."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult


def check_database(settings: Settings) -> CheckResult:
    """See whether the database answers, with the schema of this release."""
    from db.database_roles import alterable_history
    from db.migrate import is_current
    from db.session import open_database

    database = open_database(settings.database)
    kind = database.engine.url.get_backend_name()
    try:
        with database.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        if is_current(database):
            warning = _of_one_role(alterable_history(database))
            found = gettext("{kind}, schema up to date").format(kind=kind)
            return CheckResult("database", True, found, warning=warning)
        advice = gettext("Start any part of ReadFirst once: it brings the schema up to date.")
        found = gettext("{kind}, schema missing or old").format(kind=kind)
        return CheckResult("database", False, found, advice)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        advice = gettext(
            "Check READFIRST_DATABASE_URL, and that the server runs and lets this user in."
        )
        found = gettext("{kind} does not answer: {reason}").format(kind=kind, reason=reason)
        return CheckResult("database", False, found, advice)
    finally:
        database.dispose()


def _of_one_role(tables: Sequence[str]) -> str:
    """A warning where the application's role could change history; else nothing."""
    if not tables:
        return ""
    return gettext(
        "The role in READFIRST_DATABASE_URL owns {tables}, or is a superuser: whoever has it can "
        "change what nobody should. Let another role own them: `readfirst migrate` with "
        "READFIRST_DATABASE_OWNER_URL."
    ).format(tables=", ".join(tables))
