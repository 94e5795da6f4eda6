"""The three interfaces as they are now: the OpenAPI document, the help texts, the schema.

    python -m tests.unit.interface.interfaces FOLDER

writes them into a folder, as those beside this module were written, from commit e3503c0.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer
from sqlalchemy import Inspector, inspect, text

from cli import app
from db.migrate import upgrade
from db.session import Database, open_database
from readfirst.settings import Settings
from worklist.app import make_app

#: Wider than any sentence: each option stands on one line.
WIDTH = 10_000
#: Widest line of the JSON; what does not fit is spread over several.
LINE = 100


def openapi(home: Path) -> dict[str, Any]:
    """The OpenAPI document of an application."""
    document: dict[str, Any] = make_app(Settings(home=home)).openapi()
    return document


def help_texts() -> str:
    """`--help` of each command and sub-command, without colours, at a fixed width."""
    return "\n".join(_help_texts(typer.main.get_command(app), "readfirst", None))


def _help_texts(command: Any, name: str, parent: Any) -> Iterator[str]:
    command.rich_markup_mode = None
    context = command.make_context(
        name.split()[-1],
        [],
        parent,
        resilient_parsing=True,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
    )
    lines = (line.rstrip() for line in command.get_help(context).splitlines())
    yield f"## {name}\n" + "\n".join(re.sub(r"(?<=\S)  +", "  ", line) for line in lines if line)
    for child, each in getattr(command, "commands", {}).items():
        yield from _help_texts(each, f"{name} {child}", context)


def schema(folder: Path) -> str:
    """The schema that the migrations make in SQLite, sorted, a column, key or index a line."""
    database = open_database(f"sqlite:///{folder / 'schema.db'}")
    upgrade(database)
    inspector: Inspector = inspect(database.engine)
    tables = [name for name in inspector.get_table_names() if name != "alembic_version"]
    lines = [line for table in tables for line in _table(inspector, table)]
    lines += _triggers(database)
    database.dispose()
    return "\n".join(sorted(lines)) + "\n"


def _table(inspector: Inspector, table: str) -> Iterator[str]:
    for column in inspector.get_columns(table):
        null = "" if column["nullable"] else " NOT NULL"
        default = "" if column["default"] is None else f" DEFAULT {column['default']}"
        yield f"{table}.{column['name']} {column['type']}{null}{default}"
    yield f"{table} PRIMARY KEY {inspector.get_pk_constraint(table)['constrained_columns']}"
    for key in inspector.get_foreign_keys(table):
        referred = f"{key['referred_table']} {key['referred_columns']}"
        yield f"{table} FOREIGN KEY {key['constrained_columns']} {referred} {key['options']}"
    for unique in inspector.get_unique_constraints(table):
        yield f"{table} UNIQUE {unique['column_names']} {unique['name']}"
    for check in inspector.get_check_constraints(table):
        yield f"{table} CHECK {_spaced(check['sqltext'])} {check['name']}"
    for index in inspector.get_indexes(table):
        columns = index.get("expressions") or index["column_names"]
        where = index.get("dialect_options", {}).get("sqlite_where")
        kind = "UNIQUE INDEX" if index["unique"] else "INDEX"
        which = "" if where is None else f" WHERE {_spaced(str(where))}"
        yield f"{table} {kind} {index['name']} {columns}{which}"


def _triggers(database: Database) -> list[str]:
    query = text("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
    with database.read() as session:
        return [f"{table} {_spaced(sql)}" for table, sql in session.execute(query)]


def _spaced(sql: str) -> str:
    return " ".join(sql.split())


def as_json(value: Any, indent: int = 0) -> str:
    """Sorted JSON in which whatever fits stands on one line."""
    line = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if len(line) + indent <= LINE or not value or not isinstance(value, dict | list):
        return line
    margin = " " * (indent + 1)
    if isinstance(value, list):
        inner = [as_json(each, indent + 1) for each in value]
        return "[\n" + ",\n".join(margin + each for each in inner) + f"\n{' ' * indent}]"
    inner = [f"{json.dumps(name)}: {as_json(value[name], indent + 1)}" for name in sorted(value)]
    return "{\n" + ",\n".join(margin + each for each in inner) + f"\n{' ' * indent}}}"


def flat(value: Any, path: str = "") -> Iterator[str]:
    """A document as lines: the way to each value, and the value. Lists of names are sets."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from flat(each, f"{path} {name}" if path else name)
        if not value:
            yield f"{path}: {{}}"
    elif isinstance(value, list):
        for number, each in enumerate(value):
            named = isinstance(each, Mapping) and each.get("name")
            is_name = isinstance(each, str)
            yield from flat(each, path if is_name else f"{path} {named or number}")
    else:
        yield f"{path}: {value}"


def write(folder: Path) -> None:
    """Write all three into a folder."""
    with TemporaryDirectory() as home:
        (folder / "openapi.json").write_text(as_json(openapi(Path(home))) + "\n")
        (folder / "schema.txt").write_text(schema(Path(home)))
    (folder / "help.txt").write_text(help_texts() + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
