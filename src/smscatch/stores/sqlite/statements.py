"""What the SQLite store asks of its database: each function is one transaction on a connection.

No threads and no event loop here.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec

from smscatch.messages import Message, Query, Stored, encode_message
from smscatch.numbers import fold_sender
from smscatch.stores.base import Delivery

NO_POSITION = 2**62  # behind every position there will be
INDEX_BATCH = 500
TRIGRAM = 3

INSERT = """
    INSERT INTO messages (position, id, line, sender, text, has_code, received_at, json, raw)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
IS_KNOWN = """
    SELECT EXISTS (SELECT 1 FROM messages WHERE id = ?1) OR EXISTS (SELECT 1 FROM deleted WHERE id = ?1)
"""
INDEX = """
    INSERT INTO trigrams (rowid, text) SELECT position, text FROM messages WHERE position > ? AND position <= ?
"""
FORGET_INDEXED = """
    INSERT INTO trigrams (trigrams, rowid, text) SELECT 'delete', position, text FROM messages
    WHERE {condition} AND position <= (SELECT value FROM counters WHERE name = 'indexed')
"""


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Commit what the block does, or nothing of it. IMMEDIATE takes the write lock before the first read."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise


def rows(connection: sqlite3.Connection, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Run one statement; return its rows."""
    return connection.execute(sql, parameters).fetchall()


def counter(connection: sqlite3.Connection, name: str) -> int:
    """Return the counter `position` or `indexed`."""
    value: int = rows(connection, "SELECT value FROM counters WHERE name = ?", name)[0][0]
    return value


def milliseconds(time: datetime) -> int:
    """Return a time as the tables hold it."""
    return round(time.timestamp() * 1000)


def marks(values: Sequence[object]) -> str:
    """Return as many question marks as there are values."""
    return ", ".join("?" * len(values))


def add(connection: sqlite3.Connection, deliveries: Sequence[Delivery]) -> int:
    """Insert the messages that are not known yet; return how many."""
    with transaction(connection):
        first = position = counter(connection, "position")
        for message, raw in deliveries:
            if rows(connection, IS_KNOWN, message.id)[0][0]:
                continue
            position += 1
            connection.execute(INSERT, _row(position, message, raw))
        connection.execute("UPDATE counters SET value = ? WHERE name = 'position'", [position])
    return position - first


def _row(position: int, message: Message, raw: bytes) -> tuple[object, ...]:
    return (
        position,
        message.id,
        message.line,
        fold_sender(message.sender),
        message.text.casefold(),
        message.code is not None,
        milliseconds(message.received_at),
        encode_message(msgspec.structs.replace(message, cursor=str(position))),
        raw,
    )


def index_some(connection: sqlite3.Connection) -> bool:
    """Bring the trigrams up to date with the next few messages; return whether there may be more.

    This goes on behind the commits because a merge of the index's segments takes 24 ms at a million messages.
    """
    with transaction(connection):
        start, newest = counter(connection, "indexed"), counter(connection, "position")
        end = min(start + INDEX_BATCH, newest)
        connection.execute(INDEX, [start, end])
        connection.execute("UPDATE counters SET value = ? WHERE name = 'indexed'", [end])
    return end < newest


def delete(connection: sqlite3.Connection, condition: str, *parameters: object) -> int:
    """Delete the messages under `condition`, and remember their ids; return how many."""
    with transaction(connection):
        return _delete(connection, condition, *parameters)


def prune(connection: sqlite3.Connection, before: int) -> int:
    """Delete what was received before a time, in milliseconds, and forget its ids; return how many messages."""
    with transaction(connection):
        pruned = _delete(connection, "received_at < ?", before)
        connection.execute("DELETE FROM deleted WHERE received_at < ?", [before])
    return pruned


def _delete(connection: sqlite3.Connection, condition: str, *parameters: object) -> int:
    connection.execute(
        f"INSERT OR IGNORE INTO deleted SELECT id, received_at FROM messages WHERE {condition}", parameters
    )
    connection.execute(FORGET_INDEXED.format(condition=condition), parameters)
    return connection.execute(f"DELETE FROM messages WHERE {condition}", parameters).rowcount


def search(
    connection: sqlite3.Connection, query: Query, low: int, high: int, *, limit: int, newest_first: bool
) -> list[Stored]:
    """Return up to `limit` matches at positions between `low` and `high`, both excluded."""
    with transaction(connection, "DEFERRED"):  # the parts below must see one state
        if query.since is not None:
            low = max(low, _position_before(connection, query.since))
        found: list[tuple[Any, ...]] = []
        for table, start, end in _parts(connection, query, low, high, newest_first=newest_first):
            found += _search_part(
                connection, query, (table, start, end), limit=limit - len(found), newest_first=newest_first
            )
            if len(found) >= limit:
                break
    return [Stored(position, json) for position, json in found]


def _position_before(connection: sqlite3.Connection, time: datetime) -> int:
    found = rows(connection, "SELECT min(position) FROM messages WHERE received_at >= ?", milliseconds(time))[0][0]
    return NO_POSITION if found is None else found - 1


def _parts(
    connection: sqlite3.Connection, query: Query, low: int, high: int, *, newest_first: bool
) -> list[tuple[str, int, int]]:
    """Return which tables to search in which order, with the range of positions of each.

    The trigrams find a rare text among a million at once, but lag behind; what they lack is read in full.
    """
    text = query.contains
    if text is None or len(text.casefold()) < TRIGRAM or "\0" in text:
        return [("messages", low, high)]
    indexed = counter(connection, "indexed")
    parts = [("trigrams", low, min(high, indexed + 1)), ("messages", max(low, indexed), high)]
    return parts[::-1] if newest_first else parts


def _search_part(
    connection: sqlite3.Connection, query: Query, part: tuple[str, int, int], *, limit: int, newest_first: bool
) -> list[tuple[Any, ...]]:
    table, low, high = part
    conditions, parameters = _conditions(query)
    if table == "trigrams":
        source, order = "trigrams JOIN messages ON messages.position = trigrams.rowid", "trigrams.rowid"
        phrase = str(query.contains).casefold().replace('"', '""')
        conditions, parameters = ["trigrams MATCH ?", *conditions], [f'"{phrase}"', *parameters]
    else:
        source, order = "messages", "position"
    where = " AND ".join([f"{order} > ?", f"{order} < ?", *conditions])
    direction = "DESC" if newest_first else "ASC"
    sql = f"SELECT position, json FROM {source} WHERE {where} ORDER BY {order} {direction} LIMIT ?"
    return rows(connection, sql, low, high, *parameters, limit)


def _conditions(query: Query) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    parameters: list[object] = []
    if query.lines is not None:
        conditions.append(f"line IN ({marks(query.lines)})")
        parameters += query.lines
    if query.sender is not None:
        conditions.append("sender = ?")
        parameters.append(fold_sender(query.sender))
    if query.since is not None:
        conditions.append("received_at >= ?")
        parameters.append(milliseconds(query.since))
    if query.until is not None:
        conditions.append("received_at < ?")
        parameters.append(milliseconds(query.until))
    if query.has_code:
        conditions.append("has_code")
    if query.contains is not None:
        conditions.append("instr(messages.text, ?) > 0")
        parameters.append(query.contains.casefold())
    return conditions, parameters
