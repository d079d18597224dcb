"""What the PostgreSQL store asks of its database: each function is one transaction on a connection, or part of one.

No pool, no timeouts and no driver's errors here.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec

from smscatch.messages import Message, decode_message, encode_message
from smscatch.numbers import fold_sender
from smscatch.stores.base import revise
from smscatch.stores.postgres.listening import CHANNEL
from smscatch.stores.postgres.session import Connection
from smscatch.stores.records import Key, Read

Rows = list[tuple[Any, ...]]
BATCH = 1000  # of messages that are deleted in one transaction: meanwhile nobody can add
NUL_IN_SEARCH = "\uffff"  # which is no character, so it stands for nothing else

# The lock on this row is held until the commit is seen by all: so who takes the next position is seen later.
LOCK = "SELECT value FROM counters WHERE name = 'position' FOR UPDATE"
END = "UPDATE counters SET value = {position} WHERE name = 'position'; NOTIFY {channel}; COMMIT"
# Counted with each statement: counting a million messages takes longer than a page may.
INSERT = """
    WITH inserted AS (
        INSERT INTO messages (position, id, line, sender, text, code, received_at, sent_at, lease,
            sender_folded, text_folded, json, raw)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING line, received_at::date AS day
    )
    INSERT INTO day_counts (line, day, messages) SELECT line, day, 1 FROM inserted
    ON CONFLICT (line, day) DO UPDATE SET messages = day_counts.messages + 1
"""
UNCOUNT = """
    UPDATE day_counts SET messages = day_counts.messages - lost.messages
    FROM (SELECT line, received_at::date AS day, count(*) AS messages FROM gone GROUP BY line, day) AS lost
    WHERE lost.line = day_counts.line AND lost.day = day_counts.day
"""
TAKE_OUT = f"""
    WITH gone AS (DELETE FROM messages WHERE id = %s RETURNING line, received_at, json), uncounted AS ({UNCOUNT})
    SELECT json FROM gone
"""
DELETE = f"""
    WITH gone AS (DELETE FROM messages WHERE {{condition}} RETURNING id, line, received_at),
        remembered AS (INSERT INTO deleted SELECT id, received_at FROM gone ON CONFLICT DO NOTHING),
        unread AS (DELETE FROM reads WHERE message IN (SELECT id FROM gone)),
        uncounted AS ({UNCOUNT})
    SELECT count(*) FROM gone
"""
SOME = f"position IN (SELECT position FROM messages WHERE {{condition}} LIMIT {BATCH})"
OLD = SOME.format(condition="received_at >= %s AND received_at < %s AND position <= %s")
OF_LINES = SOME.format(condition="line = ANY (%s::text[]) AND position <= %s")
UP_TO = SOME.format(condition="position <= %s")
NEWEST_BEYOND = "SELECT position FROM messages ORDER BY position DESC LIMIT 1 OFFSET %s"
# Files of PostgreSQL keep their size when rows go. So the rows that there are count, with as much for indexes as the
# files have: both have grown with the same rows.
SIZE = """
    SELECT ceil(sum_of_rows * pg_total_relation_size('messages') / greatest(pg_table_size('messages'), 1))::bigint
    FROM (SELECT coalesce(sum(pg_column_size(messages)), 0) AS sum_of_rows FROM messages) AS measured
"""
LINES = """
    SELECT line, sum(messages)::bigint, (
        SELECT received_at FROM messages WHERE messages.line = day_counts.line ORDER BY position DESC LIMIT 1
    ) FROM day_counts GROUP BY line HAVING sum(messages) > 0 ORDER BY line
"""
DAYS = "SELECT line, day, messages FROM day_counts WHERE day >= %s::date AND messages > 0 ORDER BY line, day"


ADD_READS = """
    INSERT INTO reads (message, key, at, json) SELECT message, key, at, json
    FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::bytea[]) AS given (message, key, at, json)
    WHERE EXISTS (SELECT FROM messages WHERE id = given.message)
    ON CONFLICT DO NOTHING
"""


async def rows(connection: Connection, sql: str, *parameters: object) -> Rows:
    """Run one statement; return its rows."""
    async with connection.settled():
        return await (await connection.execute(sql, parameters, binary=True)).fetchall()


async def run(connection: Connection, sql: str, *parameters: object) -> int:
    """Run one statement; return how many rows it was about."""
    async with connection.settled():
        return (await connection.execute(sql, parameters)).rowcount


def rounded(time: datetime) -> datetime:
    """Return a time as all stores keep it: down to the millisecond."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


async def position(connection: Connection) -> int:
    """Return the newest position."""
    found = await rows(connection, "SELECT value FROM counters WHERE name = 'position'")
    return int(found[0][0])


class Turn:
    """A transaction that only one at a time of all instances can have. It gives the positions that follow `position`.

    What it inserts is sent at its end, or by `send`.
    """

    def __init__(self, connection: Connection, position: int) -> None:
        self.connection = connection
        self.position = position
        self._inserts: list[tuple[object, ...]] = []

    def insert(self, message: Message, raw: bytes) -> None:
        """Insert a message at the next position."""
        self.position += 1
        self.insert_at(self.position, message, raw)

    def insert_at(self, position: int, message: Message, raw: bytes) -> None:
        """Insert a message at a position."""
        self._inserts.append(_row(position, message, raw))

    async def replace(self, message: Message, raw: bytes) -> None:
        """Put a message in the place of the one with its id, at a new position, unless that one is gone."""
        await self.send()
        for (json,) in await rows(self.connection, TAKE_OUT, message.id):
            self.insert(revise(message, decode_message(json)), raw)

    async def send(self) -> None:
        """Do the inserts."""
        if len(self._inserts) == 1:
            await self.connection.execute(INSERT, self._inserts[0])
        elif self._inserts:
            await self.connection.cursor().executemany(INSERT, self._inserts)
        self._inserts.clear()


@asynccontextmanager
async def turn(connection: Connection) -> AsyncGenerator[Turn, None]:
    """Wait for our turn, and commit what the block does. After an error the caller closes the connection."""
    cursor = await connection.execute(f"{connection.begin()}; {LOCK}")
    while cursor.nextset():  # that of the lock is the last
        pass
    found = await cursor.fetchone()
    first = int(found[0]) if found else 0
    own = Turn(connection, first)
    yield own
    await own.send()
    await connection.execute("COMMIT" if own.position == first else END.format(position=own.position, channel=CHANNEL))


async def time(connection: Connection) -> datetime:
    """See Store.time."""
    found = await rows(connection, "SELECT clock_timestamp()")
    now: datetime = found[0][0]
    return now


async def clock_set(connection: Connection) -> None:
    """See Store.clock_set: leases are kept by the database's clock, only those of SMSCs were read with ours."""
    async with turn(connection) as own:
        sql = "INSERT INTO counters VALUES ('clock_set', %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        await run(connection, sql, own.position)


async def check(connection: Connection) -> None:
    """See Store.check. A server that is read-only, as a standby is, refuses the lock already."""
    async with turn(connection):
        pass


def _row(position: int, message: Message, raw: bytes) -> tuple[object, ...]:
    return (
        *(position, message.id, message.line, message.sender, message.text, message.code),
        *(rounded(message.received_at), message.sent_at and rounded(message.sent_at), message.lease),
        *(fold_sender(message.sender), fold_text(message.text)),
        *(encode_message(msgspec.structs.replace(message, cursor=str(position))), raw),
    )


def fold_text(text: str) -> str:
    """Return the form in which texts are searched."""
    return text.casefold().replace("\0", NUL_IN_SEARCH)


async def add_reads(connection: Connection, reads: Iterable[Read]) -> None:
    """See Store.add_reads. In a turn: a message that is deleted meanwhile takes its reads with it, or gets none."""
    async with turn(connection):
        await insert_reads(connection, reads)


async def insert_reads(connection: Connection, reads: Iterable[Read]) -> None:
    """Keep reads of messages that are there, inside a turn."""
    first: dict[tuple[str, str], Read] = {}
    for read in sorted(reads, key=lambda read: read.at):
        first.setdefault((read.message, read.key), read)
    kept = first.values()
    messages, keys = [read.message for read in kept], [read.key for read in kept]
    times, jsons = [rounded(read.at) for read in kept], [msgspec.json.encode(read) for read in kept]
    await run(connection, ADD_READS, messages, keys, times, jsons)


async def add_key(connection: Connection, key: Key, secret_hash: bytes) -> None:
    """See Store.add_key."""
    async with turn(connection):
        await insert_key(connection, key, secret_hash)


async def change_key(connection: Connection, key: Key) -> bool:
    """See Store.change_key."""
    async with connection.transaction_of_its_own():
        await run(connection, "DELETE FROM keys WHERE parent = %s", key.id)
        sql = "UPDATE keys SET expires_at = %s, json = %s WHERE id = %s"
        expires_at = key.expires_at and rounded(key.expires_at)
        return await run(connection, sql, expires_at, msgspec.json.encode(key), key.id) == 1


async def insert_key(connection: Connection, key: Key, secret_hash: bytes) -> None:
    """Keep a key, inside a transaction."""
    await run(connection, "DELETE FROM keys WHERE id = %s OR hash = %s", key.id, secret_hash)
    await run(
        connection,
        "INSERT INTO keys (id, hash, parent, expires_at, json) VALUES (%s, %s, %s, %s, %s)",
        *(key.id, secret_hash, key.parent, key.expires_at and rounded(key.expires_at), msgspec.json.encode(key)),
    )


async def delete(connection: Connection, condition: str, *parameters: object) -> int:
    """Delete the messages under `condition`, and remember their ids; return how many."""
    async with turn(connection):  # or a part that comes meanwhile would bring back what we delete
        return await _delete(connection, condition, *parameters)


async def _delete(connection: Connection, condition: str, *parameters: object) -> int:
    found = await rows(connection, DELETE.format(condition=condition), *parameters)
    return int(found[0][0])


@asynccontextmanager
async def _turn_to_prune(connection: Connection) -> AsyncGenerator[bool, None]:
    """Yield whether nobody else prunes; in a turn, and only then."""
    await connection.execute(connection.begin())
    is_ours = bool(await rows(connection, "SELECT FROM counters WHERE name = 'prune' FOR UPDATE SKIP LOCKED"))
    if is_ours:
        await connection.execute(LOCK)
    yield is_ours
    await connection.execute("COMMIT")


async def prune_some(connection: Connection, since: datetime, before: datetime, up_to: int) -> int | None:
    """Delete up to BATCH messages of those that Store.prune is about; return how many, None if another is at it."""
    async with _turn_to_prune(connection) as is_ours:
        return await _delete(connection, OLD, rounded(since), rounded(before), up_to) if is_ours else None


async def forget(connection: Connection, since: datetime, before: datetime) -> None:
    """Forget what goes with messages that were pruned, and leases and keys that are over."""
    start, end = rounded(since), rounded(before)
    async with _turn_to_prune(connection) as is_ours:
        if not is_ours:
            return
        old = "newest_at >= %s AND newest_at < %s AND message_id IS NOT NULL"
        await run(connection, "DELETE FROM deleted WHERE received_at >= %s AND received_at < %s", start, end)
        await run(connection, f"DELETE FROM part_groups WHERE {old}", start, end)  # and, by its key, their parts
        await run(connection, "DELETE FROM keys WHERE expires_at < %s", end)
        await run(connection, "DELETE FROM memos WHERE until < %s", end)
        await run(connection, "DELETE FROM leases WHERE rests_until < %s", end)
        await run(connection, "DELETE FROM jobs WHERE state <> 'open' AND due_at < %s", end)
        await run(connection, "DELETE FROM day_counts WHERE messages = 0")
