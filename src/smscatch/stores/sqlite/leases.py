"""Leases in the SQLite store: who may have which line is decided under the write lock, so only one can."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from smscatch.messages import Lease, Message
from smscatch.stores.base import Claim, Wish
from smscatch.stores.leasing import (
    CLOCK_REACH,
    CLOCK_TEXTS,
    Arrival,
    attribute,
    clock_query,
    decide,
    in_order,
    moved,
)
from smscatch.stores.sqlite.searching import NO_POSITION, search_within
from smscatch.stores.sqlite.statements import MILLISECOND, counter, marks, milliseconds, rows, transaction

# Who has a place in the queue asks again much more often.
LONGEST_PLACE = timedelta(minutes=1)
# Jumps from line to line in the index, over all the leases that ended; GROUP BY would read each of them.
NEWEST = """
    WITH RECURSIVE leased (line) AS (
        SELECT min(line) FROM leases UNION ALL
        SELECT (SELECT min(line) FROM leases WHERE line > leased.line) FROM leased WHERE leased.line IS NOT NULL
    )
    SELECT (SELECT max(number) FROM leases WHERE leases.line = leased.line) FROM leased
"""


def claim(connection: sqlite3.Connection, wishes: Sequence[Wish], now: datetime, keep_until: datetime) -> list[Claim]:
    """See Store.claim."""
    with transaction(connection):
        claims = {wish.name: Claim(tuple(leases_of(connection, *wish.name, now))) for wish in wishes}
        asked = {wish.name: wish for wish in wishes if not claims[wish.name].leases}
        queue = _queue_up(connection, asked.values(), now, keep_until)
        newest = _newest_of_these(connection, {line for wish in queue.values() for line in wish.lines})
        decided = decide(asked, queue, newest, now, position=counter(connection, "position"))
        for (key, ticket), claimed in decided.items():
            for lease in claimed.leases:
                insert(connection, lease, ticket)
            if claimed.leases:
                withdraw(connection, key, ticket)
    return [(claims | decided)[wish.name] for wish in wishes]


def leases_of(connection: sqlite3.Connection, key: str, ticket: str, now: datetime) -> list[Lease]:
    """See Store.leases_of."""
    sql = "SELECT json FROM leases WHERE key = ? AND ticket = ? AND expires_at > ?"
    return in_order(_decode(row[0]) for row in rows(connection, sql, key, ticket, milliseconds(now)))


def _queue_up(
    connection: sqlite3.Connection, wishes: Iterable[Wish], now: datetime, keep_until: datetime
) -> dict[int, Wish]:
    """Have wishes take their places in the queue, or keep them there; return the queue up to the last of them."""
    connection.execute("DELETE FROM wishes WHERE keep_until <= ?", [milliseconds(now)])
    last = 0
    for wish in wishes:
        ((number,),) = rows(
            connection,
            "INSERT INTO wishes (key, ticket, keep_until, json) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (key, ticket) DO UPDATE SET keep_until = excluded.keep_until, json = excluded.json"
            " RETURNING number",
            *(*wish.name, milliseconds(keep_until), msgspec.json.encode(wish)),
        )
        last = max(last, number)
    queue = rows(connection, "SELECT number, json FROM wishes WHERE number <= ? ORDER BY number", last)
    return {number: msgspec.json.decode(json, type=Wish) for number, json in queue}


def _newest_of_these(connection: sqlite3.Connection, lines: Collection[str]) -> dict[str, Lease]:
    """Return the newest lease of each of these lines that has any: of virtual lines there are thousands."""
    found = ((line, newest_of(connection, line)) for line in lines)
    return {line: lease for line, lease in found if lease is not None}


def newest_of_each(connection: sqlite3.Connection) -> dict[str, Lease]:
    """Return the newest lease of each line."""
    found = rows(connection, f"SELECT line, json FROM leases WHERE number IN ({NEWEST})")
    return {line: _decode(json) for line, json in found}


def _decode(json: bytes) -> Lease:
    return msgspec.json.decode(json, type=Lease)


def insert(connection: sqlite3.Connection, lease: Lease, ticket: str) -> None:
    """Keep a lease."""
    values = [lease.id, lease.line, lease.key, ticket, *_changing(lease)]
    connection.execute(
        f"INSERT INTO leases (id, line, key, ticket, expires_at, rests_until, json) VALUES ({marks(values)})",
        values,
    )


def _changing(lease: Lease) -> tuple[object, ...]:
    return milliseconds(lease.expires_at), milliseconds(lease.rests_until), msgspec.json.encode(lease)


def withdraw(connection: sqlite3.Connection, key: str, ticket: str) -> None:
    """See Store.withdraw."""
    connection.execute("DELETE FROM wishes WHERE key = ? AND ticket = ?", [key, ticket])


def lease(connection: sqlite3.Connection, lease_id: str) -> Lease | None:
    """See Store.lease."""
    found = rows(connection, "SELECT json FROM leases WHERE id = ?", lease_id)
    return _decode(found[0][0]) if found else None


def by_id(connection: sqlite3.Connection, ids: Collection[str]) -> dict[str, Lease]:
    """See Store.leases_by_id."""
    found = rows(connection, f"SELECT id, json FROM leases WHERE id IN ({marks(ids)})", *ids)
    return {id_: _decode(json) for id_, json in found}


def recent(connection: sqlite3.Connection, limit: int) -> list[Lease]:
    """See Store.recent_leases."""
    return [_decode(row[0]) for row in rows(connection, "SELECT json FROM leases ORDER BY number DESC LIMIT ?", limit)]


def leases(connection: sqlite3.Connection, now: datetime) -> list[Lease]:
    """See Store.leases."""
    sql = f"SELECT json FROM leases WHERE number IN ({NEWEST}) AND rests_until > ? ORDER BY line"
    return [_decode(row[0]) for row in rows(connection, sql, milliseconds(now))]


def change(connection: sqlite3.Connection, before: Lease, after: Lease, now: datetime) -> bool:
    """See Store.change_lease."""
    changed = connection.execute(
        "UPDATE leases SET expires_at = ?, rests_until = ?, json = ?"
        " WHERE id = ? AND expires_at = ? AND expires_at > ?",
        [*_changing(after), before.id, milliseconds(before.expires_at), milliseconds(now)],
    )
    return changed.rowcount == 1  # the condition is the lock: of two changes one fails, and what ended stays so


def move(connection: sqlite3.Connection, step: timedelta, now: datetime) -> None:
    """Have leases, rests and the queue move with the clock. Of each line the newest lease counts."""
    for lease in newest_of_each(connection).values():
        sql = "UPDATE leases SET expires_at = ?, rests_until = ?, json = ? WHERE id = ?"
        connection.execute(sql, [*_changing(moved(lease, step, now)), lease.id])
    latest = milliseconds(now + LONGEST_PLACE)
    connection.execute("UPDATE wishes SET keep_until = min(keep_until + ?, ?)", [step // MILLISECOND, latest])


def newest_of(connection: sqlite3.Connection, line: str) -> Lease | None:
    """Return the newest lease of a line."""
    found = rows(connection, "SELECT json FROM leases WHERE line = ? ORDER BY number DESC LIMIT 1", line)
    return _decode(found[0][0]) if found else None


def attributed(connection: sqlite3.Connection, message: Message, newest: Lease | None, arrival: Arrival) -> Message:
    """Return a message with the lease that it belongs to, if any; inside the transaction that stores it."""
    earlier: list[Message] = []
    query = clock_query(message, newest, arrival)
    if query is not None:
        low = max(counter(connection, "position") - CLOCK_REACH, counter(connection, "clock_set"))
        texts = search_within(connection, query, low, NO_POSITION, limit=CLOCK_TEXTS, newest_first=True)
        earlier = [stored.message for stored in texts]
    return attribute(message, newest, arrival, earlier)
