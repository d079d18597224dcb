"""The sources that were added, in the SQLite store."""

import sqlite3

import msgspec

from smscatch.stores.records import AddedSource
from smscatch.stores.sqlite.statements import rows


def add(connection: sqlite3.Connection, source: AddedSource) -> bool:
    """See Store.add_source."""
    sql = "INSERT INTO sources (name, json) VALUES (?, ?) ON CONFLICT DO NOTHING"
    return connection.execute(sql, [source.name, msgspec.json.encode(source)]).rowcount == 1


def change(connection: sqlite3.Connection, before: AddedSource, after: AddedSource) -> bool:
    """See Store.change_source."""
    sql = "UPDATE sources SET json = ? WHERE name = ? AND json = ?"
    values = [msgspec.json.encode(after), before.name, msgspec.json.encode(before)]
    return connection.execute(sql, values).rowcount == 1


def remove(connection: sqlite3.Connection, name: str) -> bool:
    """See Store.remove_source."""
    return connection.execute("DELETE FROM sources WHERE name = ?", [name]).rowcount == 1


def added(connection: sqlite3.Connection) -> list[AddedSource]:
    """See Store.added_sources."""
    found = rows(connection, "SELECT json FROM sources ORDER BY name")
    return [msgspec.json.decode(row[0], type=AddedSource) for row in found]
