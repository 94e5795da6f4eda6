"""Connections are closed with their database."""

import sqlite3

import psycopg
import pytest

from db.session import open_database


def test_a_connection_in_use_is_closed_when_it_is_given_back(database_url: str) -> None:
    database = open_database(database_url)
    with database.read() as session:
        connection = session.connection().connection.dbapi_connection
        assert connection is not None
        database.dispose()
    with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError), match="closed"):
        connection.cursor().execute("SELECT 1")
    database.dispose()
