"""The rights of other users of this machine to what ReadFirst keeps: seen, and taken away."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from ingest.inbox.file_names import CLAIMED
from ingest.inbox.inbox_writer import ARRIVING
from readfirst.files.private_files import OpenPath, open_alone, open_paths, take_rights_away
from readfirst.settings import Settings


def open_to_others(settings: Settings) -> Iterator[OpenPath]:
    """All that others may look into: the home, the database beside it, and ReadFirst's own folders
    in the inbox.
    """
    home, inbox = settings.home_path, settings.inbox_path
    yield from open_paths(home, inbox)
    folders = (inbox / CLAIMED, inbox / ARRIVING)
    for path in (*folders, *_database_files(settings)):
        yield from open_alone(path)


def close_to_others(settings: Settings) -> list[tuple[Path, str]]:
    """Let nobody else look into them. Returns those that could not be closed, with the reason."""
    left = []
    for path in list(open_to_others(settings)):
        try:
            take_rights_away(path)
        except OSError as error:
            left.append((path.path, error.strerror or ""))
    return left


def _database_files(settings: Settings) -> list[Path]:
    """The files of a SQLite database that lies outside of the home."""
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite" or not url.database:
        return []
    database = Path(url.database).absolute()
    if settings.home_path in database.parents:
        return []
    return [database.with_name(database.name + end) for end in ("", "-wal", "-shm")]
