"""`migrate`: the database's schema, by the role that owns it."""

from cli.common.console import notice
from db.database_roles import migrate_as_owner
from db.migrate import upgrade
from db.session import open_database
from readfirst.settings import load_settings


def migrate() -> None:
    """Bring the database's schema up to date; with an owner's URL, give the application its rights.

    With READFIRST_DATABASE_OWNER_URL the owner's role does it, and the role in
    READFIRST_DATABASE_URL may then read and add, and change nothing of audit log, scores, events
    and verdicts.
    """
    settings = load_settings()
    owner_url = settings.database_owner_url
    settings.home_path.mkdir(parents=True, exist_ok=True)
    database = open_database(owner_url.get_secret_value() if owner_url else settings.database)
    try:
        if owner_url is None:
            upgrade(database)
            notice("The schema is up to date.")
            return
        role = migrate_as_owner(database, settings.database)
    finally:
        database.dispose()
    notice(f"The schema is up to date; {role} may read it and add to it.")
