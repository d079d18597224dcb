"""How the SQLite store finds messages: filters to SQL, and the index of trigrams for parts of texts."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from smscatch.messages import Query, Stored
from smscatch.stores.sqlite.statements import counter, marks, milliseconds, rows, transaction

NO_POSITION = 2**62  # behind every position there will be
TRIGRAM = 3


def search(
    connection: sqlite3.Connection, query: Query, low: int, high: int, *, limit: int, newest_first: bool
) -> list[Stored]:
    """Return up to `limit` matches at positions between `low` and `high`, both excluded."""
    with transaction(connection, "DEFERRED"):  # the parts must be of one state
        return search_within(connection, query, low, high, limit=limit, newest_first=newest_first)


def search_within(
    connection: sqlite3.Connection, query: Query, low: int, high: int, *, limit: int, newest_first: bool
) -> list[Stored]:
    """Do the same inside a transaction."""
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
    # With the '+' SQLite reads the few rows from the index of times; without it looks through all, by position.
    sql = "SELECT min(+position) FROM messages WHERE received_at >= ?"
    found = rows(connection, sql, milliseconds(time))[0][0]
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
        conditions.append(f"sender IN ({marks(query.senders)})")
        parameters += query.senders
    if query.since is not None:
        conditions.append("received_at >= ?")
        parameters.append(milliseconds(query.since))
    if query.until is not None:
        conditions.append("received_at < ?")
        parameters.append(milliseconds(query.until))
    if query.has_code:
        conditions.append("has_code")
    for condition, values in _names(query):
        conditions.append(condition)
        parameters += values
    if query.contains is not None:
        conditions.append("instr(messages.text, ?) > 0")
        parameters.append(query.contains.casefold())
    return conditions, parameters


def _names(query: Query) -> Iterator[tuple[str, list[object]]]:
    """Yield the conditions on leases and parts of senders."""
    if query.lease is not None:
        # Spelt out where it holds for many rows, so that SQLite does not look through the index of leases.
        yield ("lease = ? AND lease <> ''" if query.lease else "+lease = ?"), [query.lease]
    if query.leases is not None:
        yield f"lease IN ({marks(query.leases)}) AND lease <> ''", [*query.leases]
    if query.sender_part is not None:
        yield "instr(sender, ?) > 0", [query.sender_part]


# Steps from one sender to the next in the index: as many steps as there are senders, however many messages.
_SENDERS = """
    WITH RECURSIVE names (name) AS (
        SELECT min(sender) FROM messages
        UNION ALL
        SELECT (SELECT min(sender) FROM messages WHERE sender > name) FROM names WHERE name IS NOT NULL
    )
    SELECT name FROM names WHERE instr(name, ?) > 0 LIMIT ?
"""


def senders(connection: sqlite3.Connection, part: str, limit: int) -> list[str]:
    """See Store.senders."""
    return [name for (name,) in rows(connection, _SENDERS, part, limit)]
