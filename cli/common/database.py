"""The database as commands use it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from db.access.audit import Actor
from db.migrate import upgrade
from db.read_models import OriginalRecord
from db.session import Database, open_database
from db.worklist.queries import study_exists, study_of_number
from db.worklist.refused import find_original
from readfirst.errors import NotThere, Unavailable
from readfirst.files.folders import make_home
from readfirst.settings import Settings

#: Whoever reaches the database here may do all, and is no account of the page.
TERMINAL = Actor(None, None)
NO_STUDY = "No study has the number or UID {}."


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Open the database at its newest schema. Raises Unavailable when it does not answer."""
    make_home(settings.home_path, to_write=settings.database_url is None)
    database = open_database(settings.database)
    try:
        upgrade(database)
        yield database
    except DBAPIError as error:
        raise Unavailable(database.fault(error)) from error
    finally:
        database.dispose()


def find_study(session: Session, name: str) -> str:
    """The Study Instance UID of a study that is named by it or by its number, as `12` or `#12`.

    A name that is neither is returned as it is: no study has it.
    """
    number = name.removeprefix("#")
    if name != number or not study_exists(session, name):
        return study_of_number(session, number) or name
    return name


def find_image(database: Database, name: str) -> OriginalRecord:
    """The image of this number or digest. Raises NotThere if there is none, or several."""
    with database.read() as session:
        record = find_original(session, name)
    if record is None:
        raise NotThere(f"No image, or more than one, has the number or digest {name}.")
    return record
