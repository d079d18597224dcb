"""What the SQLite store asks of its database: each function is one transaction on a connection.

No threads and no event loop here.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from smscatch.messages import Message, Stored, decode_message, encode_message
from smscatch.numbers import fold_sender
from smscatch.stores.base import revise
from smscatch.stores.records import Key, Read

INDEX_BATCH = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

INSERT = """
    INSERT INTO messages (position, id, line, sender, text, has_code, received_at, lease, json, raw)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
KNOWN = """
    SELECT value FROM json_each(?)
    WHERE EXISTS (SELECT 1 FROM messages WHERE id = value) OR EXISTS (SELECT 1 FROM deleted WHERE id = value)
"""
NTH_BEHIND = "SELECT position FROM messages WHERE position > ? ORDER BY position LIMIT 1 OFFSET ?"
INDEX = """
    INSERT INTO trigrams (rowid, text) SELECT position, text FROM messages WHERE position > ? AND position <= ?
"""
# Counted by triggers: counting a million messages takes longer than a page may.
LINES = """
    SELECT line, messages, (
        SELECT received_at FROM messages WHERE messages.line = line_counts.line ORDER BY position DESC LIMIT 1
    ) FROM line_counts WHERE messages > 0 ORDER BY line
"""
NEWEST_BEYOND = "SELECT position FROM messages ORDER BY position DESC LIMIT 1 OFFSET ?"
# https://www.sqlite.org/pragma.html#pragfunc
SIZE = """
    SELECT (page_count - freelist_count) * page_size
    FROM pragma_page_count, pragma_freelist_count, pragma_page_size
"""
DAY = 86_400_000
DAYS = f"""
    SELECT line, received_at / {DAY} AS day, count(*) FROM messages WHERE received_at >= ? GROUP BY line, day
    ORDER BY line, day
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
    """Return the counter `position`, `indexed` or `clock_set`, the position when our clock was last set; 0 if never."""
    found = rows(connection, "SELECT value FROM counters WHERE name = ?", name)
    return int(found[0][0]) if found else 0


def milliseconds(time: datetime) -> int:
    """Return a time as the tables hold it: down to the millisecond."""
    return (time - EPOCH) // MILLISECOND


def take_turn(connection: sqlite3.Connection) -> None:
    """Take the write lock, which is refused where the file is read-only or another process keeps it, and let go."""
    with transaction(connection):
        pass


def marks(values: Collection[object]) -> str:
    """Return as many question marks as there are values."""
    return ", ".join("?" * len(values))


def known(connection: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    """Return those of these messages that are kept, or were kept and deleted."""
    return {id_ for (id_,) in rows(connection, KNOWN, msgspec.json.encode(ids).decode())}


def by_id(connection: sqlite3.Connection, ids: Collection[str]) -> dict[str, Stored]:
    """See Store.messages_by_id."""
    found = rows(connection, f"SELECT id, position, json FROM messages WHERE id IN ({marks(ids)})", *ids)
    return {id_: Stored(position, json) for id_, position, json in found}


def insert_all(connection: sqlite3.Connection, messages: Sequence[tuple[Message, bytes]]) -> None:
    """Insert messages at the next positions, which only one transaction at a time can take; with what they came in."""
    if not messages:
        return
    first = counter(connection, "position") + 1
    connection.executemany(INSERT, [_row(position, *one) for position, one in enumerate(messages, first)])
    last = first + len(messages) - 1
    connection.execute("UPDATE counters SET value = ? WHERE name = 'position'", [last])


def insert_at(connection: sqlite3.Connection, position: int, message: Message, raw: bytes) -> None:
    """Insert a message at a position."""
    connection.execute(INSERT, _row(position, message, raw))


def replace(connection: sqlite3.Connection, message: Message, raw: bytes) -> bool:
    """Put a message in the place of the one with its id, at a new position; return False if that one is gone."""
    connection.execute(FORGET_INDEXED.format(condition="id = ?"), [message.id])
    found = rows(connection, "DELETE FROM messages WHERE id = ? RETURNING json", message.id)
    if found:
        old = decode_message(found[0][0])
        insert_all(connection, [(revise(message, old), raw)])
    return bool(found)


def _row(position: int, message: Message, raw: bytes) -> tuple[object, ...]:
    return (
        position,
        message.id,
        message.line,
        fold_sender(message.sender),
        message.text.casefold(),
        message.code is not None,
        milliseconds(message.received_at),
        message.lease or "",
        encode_message(msgspec.structs.replace(message, cursor=str(position))),
        raw,
    )


def index_some(connection: sqlite3.Connection) -> bool:
    """Bring the trigrams up to date with the next few messages; return whether there may be more.

    This goes on behind the commits because a merge of the index's segments takes 24 ms at a million messages. It does
    not wait for the disk, as the next commit of a message does for it: what a power cut takes from it is done again.
    https://www.sqlite.org/pragma.html#pragma_synchronous
    """
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        return _index_some(connection)
    finally:
        connection.execute("PRAGMA synchronous = FULL")


def _index_some(connection: sqlite3.Connection) -> bool:
    with transaction(connection):
        start, newest = counter(connection, "indexed"), counter(connection, "position")
        found = rows(connection, NTH_BEHIND, start, INDEX_BATCH - 1)
        end = found[0][0] if found else newest  # by messages, not by positions: there may be gaps of any size
        connection.execute(INDEX, [start, end])
        connection.execute("UPDATE counters SET value = ? WHERE name = 'indexed'", [end])
    return end < newest


def add_reads(connection: sqlite3.Connection, reads: Sequence[Read]) -> None:
    """See Store.add_reads."""
    with transaction(connection):
        for read in reads:
            add_read(connection, read)


def add_read(connection: sqlite3.Connection, read: Read) -> None:
    """Keep one read, unless that key has read that message before, or the message is gone."""
    connection.execute(
        "INSERT OR IGNORE INTO reads (message, key, at, json) SELECT id, ?2, ?3, ?4 FROM messages WHERE id = ?1",
        [read.message, read.key, milliseconds(read.at), msgspec.json.encode(read)],
    )


def add_key(connection: sqlite3.Connection, key: Key, secret_hash: bytes) -> None:
    """See Store.add_key."""
    connection.execute(
        "INSERT OR REPLACE INTO keys (id, hash, parent, expires_at, json) VALUES (?, ?, ?, ?, ?)",
        [
            *(key.id, secret_hash, key.parent),
            key.expires_at and milliseconds(key.expires_at),
            msgspec.json.encode(key),
        ],
    )


def find_key(connection: sqlite3.Connection, secret_hash: bytes) -> Key | None:
    """See Store.find_key."""
    found = rows(connection, "SELECT json FROM keys WHERE hash = ?", secret_hash)
    return msgspec.json.decode(found[0][0], type=Key) if found else None


def change_key(connection: sqlite3.Connection, key: Key) -> bool:
    """See Store.change_key."""
    with transaction(connection):
        connection.execute("DELETE FROM keys WHERE parent = ?", [key.id])
        changed = connection.execute(
            "UPDATE keys SET expires_at = ?, json = ? WHERE id = ?",
            [key.expires_at and milliseconds(key.expires_at), msgspec.json.encode(key), key.id],
        )
    return changed.rowcount == 1


def delete(connection: sqlite3.Connection, condition: str, *parameters: object) -> int:
    """Delete the messages under `condition`, and remember their ids; return how many."""
    with transaction(connection):
        return _delete(connection, condition, *parameters)


def prune(connection: sqlite3.Connection, since: int, before: int, up_to: int) -> int:
    """Delete what was received between two times, in milliseconds, up to a position, and forget it; return how many."""
    with transaction(connection):
        pruned = _delete(connection, "received_at >= ? AND received_at < ? AND position <= ?", since, before, up_to)
        connection.execute("DELETE FROM deleted WHERE received_at >= ? AND received_at < ?", [since, before])
        old = "SELECT number FROM part_groups WHERE newest_at >= ? AND newest_at < ? AND message_id IS NOT NULL"
        connection.execute(f"DELETE FROM parts WHERE group_number IN ({old})", [since, before])
        connection.execute(f"DELETE FROM part_groups WHERE number IN ({old})", [since, before])
        connection.execute("DELETE FROM keys WHERE expires_at < ?", [before])
        connection.execute("DELETE FROM memos WHERE until < ?", [before])
        connection.execute("DELETE FROM leases WHERE rests_until < ?", [before])
        connection.execute("DELETE FROM jobs WHERE state <> 'open' AND due_at < ?", [before])
    return pruned


def _delete(connection: sqlite3.Connection, condition: str, *parameters: object) -> int:
    connection.execute(
        f"INSERT OR IGNORE INTO deleted SELECT id, received_at FROM messages WHERE {condition}", parameters
    )
    connection.execute(FORGET_INDEXED.format(condition=condition), parameters)
    of_these = f"SELECT id FROM messages WHERE {condition}"
    connection.execute(f"DELETE FROM reads WHERE message IN ({of_these})", parameters)
    return connection.execute(f"DELETE FROM messages WHERE {condition}", parameters).rowcount
