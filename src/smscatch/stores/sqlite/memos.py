"""Memos in the SQLite store: small things that are kept under a name for a while."""

import sqlite3
from datetime import UTC, datetime, timedelta

from smscatch.stores.records import Memo
from smscatch.stores.sqlite.statements import MILLISECOND, milliseconds, rows

# The condition is the lock: of two who change the same memo one is first.
MAKE = """
    INSERT INTO memos (name, content, until) VALUES (?1, ?2, ?3)
    ON CONFLICT (name) DO UPDATE SET content = ?2, until = ?3 WHERE until <= ?4 OR content = ?2
"""
CHANGE = "UPDATE memos SET content = ?, until = ? WHERE name = ? AND until > ? AND content IN (?, ?)"


def find(connection: sqlite3.Connection, name: str, now: datetime) -> Memo | None:
    """See Store.memo."""
    sql = "SELECT content, until FROM memos WHERE name = ? AND until > ?"
    found = rows(connection, sql, name, milliseconds(now))
    return Memo(found[0][0], datetime.fromtimestamp(found[0][1] / 1000, UTC)) if found else None


def change(connection: sqlite3.Connection, name: str, before: Memo | None, after: Memo, *, now: datetime) -> bool:
    """See Store.change_memo."""
    until, at = milliseconds(after.until), milliseconds(now)
    if before is None:
        return connection.execute(MAKE, [name, after.content, until, at]).rowcount == 1
    values = [after.content, until, name, at, before.content, after.content]
    return connection.execute(CHANGE, values).rowcount == 1


def move(connection: sqlite3.Connection, step: timedelta) -> None:
    """Have the ends of memos move with the clock."""
    connection.execute("UPDATE memos SET until = until + ?", [step // MILLISECOND])
