"""The database as commands use it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from db.migrate import upgrade
from db.read_models import OriginalRecord
from db.session import Database, open_database
from db.worklist.refused import find_original
from readfirst.errors import Misconfigured, Unavailable
from readfirst.files.folders import make_home
from readfirst.settings import Settings


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


def find_image(database: Database, name: str) -> OriginalRecord:
    """The image of this number or digest. Raises Misconfigured if there is none, or several."""
    with database.read() as session:
        record = find_original(session, name)
    if record is None:
        raise Misconfigured(f"No image, or more than one, has the number or digest {name}.")
    return record
