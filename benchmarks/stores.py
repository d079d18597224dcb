"""How a store answers when it holds many messages, as ratios to its bare driver doing the same statement.

usage: python benchmarks/stores.py [COUNT [STORE]]

COUNT messages (1,000,000 by default; takes some minutes, and for SQLite 1 GB of /tmp) go into an empty STORE, a
postgresql:// or mongodb:// address as SMSCATCH_STORE takes it, or SQLite in a temporary folder. It is left filled.
"""

import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from smscatch.messages import Message, Query
from smscatch.sources import join_parts
from smscatch.stores import Delivery, Store, Wish, open_store

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 500
ROUNDS = 40
LINES = 20
LINE = "+447700900007"
RARE = f"{7919:06d}"  # the code of the second message, and of one in a million


def message(n: int) -> Message:
    """The n-th message, made without looking for codes: that is measured elsewhere."""
    code = f"{n * 7919 % 1_000_000:06d}"
    return Message(
        id=f"{n:032x}",
        line=f"+4477009000{n % LINES:02d}",
        sender=f"Service{n % 100}",
        text=f"{code} is your verification code for service {n % 100}. Do not share it with anyone. ref {n:x}",
        received_at=START + timedelta(seconds=n),
        source="gammu",
        code=code,
    )


async def fill(store: Store, count: int) -> None:
    """Store `count` messages."""
    for start in range(0, count, BATCH):
        await store.add([Delivery(message(n), b"raw") for n in range(start, min(start + BATCH, count))])


class Bare(Protocol):
    """A driver without us: the least that the same answers cost."""

    async def newest(self) -> object:
        """Read the newest 50 of a line."""

    async def after(self, position: int) -> object:
        """Read the message behind a position."""

    async def search(self) -> object:
        """Find the newest 50 with a rare text, by the index that there is for it."""

    async def write(self) -> object:
        """Write a row of the size of a message, durably, and nothing else."""


class BareSqlite:
    """sqlite3."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE bench (json BLOB)")

    async def newest(self) -> object:
        """See Bare."""
        sql = "SELECT position, json FROM messages WHERE line = ? ORDER BY position DESC LIMIT 50"
        return self._db.execute(sql, [LINE]).fetchall()

    async def after(self, position: int) -> object:
        """See Bare."""
        sql = "SELECT position, json FROM messages WHERE position > ? ORDER BY position LIMIT 1"
        return self._db.execute(sql, [position]).fetchall()

    async def search(self) -> object:
        """See Bare."""
        sql = (
            "SELECT position, json FROM trigrams JOIN messages ON messages.position = trigrams.rowid"
            " WHERE trigrams MATCH ? ORDER BY trigrams.rowid DESC LIMIT 50"
        )
        return self._db.execute(sql, [f'"{RARE}"']).fetchall()

    async def write(self) -> object:
        """See Bare."""
        return self._db.execute("INSERT INTO bench VALUES (?)", [ROW])


class BarePostgres:
    """psycopg."""

    _db: Any

    @classmethod
    async def open(cls, url: str) -> "BarePostgres":
        """Connect."""
        import psycopg  # noqa: PLC0415 - only the driver of the store in question

        self = cls()
        self._db = await psycopg.AsyncConnection.connect(url, autocommit=True)
        await self._db.execute("CREATE TABLE bench (json BYTEA)")
        return self

    async def newest(self) -> object:
        """See Bare."""
        sql = "SELECT position, json FROM messages WHERE line = %s ORDER BY position DESC LIMIT 50"
        return await (await self._db.execute(sql, [LINE])).fetchall()

    async def after(self, position: int) -> object:
        """See Bare."""
        sql = "SELECT position, json FROM messages WHERE position > %s ORDER BY position LIMIT 1"
        return await (await self._db.execute(sql, [position])).fetchall()

    async def search(self) -> object:
        """See Bare."""
        sql = "SELECT position, json FROM messages WHERE text_folded LIKE %s ORDER BY position + 0 DESC LIMIT 50"
        return await (await self._db.execute(sql, [f"%{RARE}%"])).fetchall()

    async def write(self) -> object:
        """See Bare."""
        return await self._db.execute("INSERT INTO bench VALUES (%s)", [ROW])


class BareMongo:
    """pymongo."""

    _db: Any

    def __init__(self, url: str) -> None:
        import pymongo  # noqa: PLC0415 - only the driver of the store in question

        self._db = pymongo.AsyncMongoClient(url, w="majority", journal=True).get_default_database()

    async def newest(self) -> object:
        """See Bare."""
        found = self._db.messages.find({"line": LINE}, {"position": 1, "json": 1})
        return await found.sort("position", -1).limit(50).to_list()

    async def after(self, position: int) -> object:
        """See Bare."""
        found = self._db.messages.find({"position": {"$gt": position}}, {"position": 1, "json": 1})
        return await found.sort("position", 1).limit(1).to_list()

    async def search(self) -> object:
        """See Bare."""
        found = self._db.messages.find({"position": {"$gt": 0}, "folded.text": {"$regex": RARE}}, {"json": 1})
        return await found.hint("messages_text").sort("position", -1).limit(50).to_list()

    async def write(self) -> object:
        """See Bare."""
        return await self._db.bench.insert_one({"json": ROW})


ROW = msgspec.json.encode(message(1))


async def open_bare(url: str) -> Bare:
    """Return the driver for a store's URL."""
    if url.startswith("sqlite"):
        return BareSqlite(url.removeprefix("sqlite:///"))
    return await BarePostgres.open(url) if url.startswith("postgresql") else BareMongo(url)


Ask = Callable[[], Awaitable[object]]


def compared(store: Store, bare: Bare, count: int) -> dict[str, tuple[Ask, Ask]]:
    """Return what store and driver do alike."""
    line = Query(lines=(LINE,))
    return {
        "newest 50 of a line": (lambda: store.newest(line, 50), bare.newest),
        "one message behind a cursor": (
            lambda: store.after(Query(), count - 2, 1),
            lambda: bare.after(count - 2),
        ),
        "a rare text of 6 characters": (lambda: store.newest(Query(contains=RARE), 50), bare.search),
        "one message stored, against one row written": (lambda: store.add([another(count)]), bare.write),
        "a lease and its release, against two rows": (
            lambda: lease_and_release(store),
            lambda: twice(bare.write),
        ),
    }


def questions(store: Store, count: int) -> dict[str, Ask]:
    """Return what only the store can do."""
    line = Query(lines=(LINE,))
    return {
        "newest 50 of a sender": lambda: store.newest(Query(sender="service42"), 50),
        "since an hour ago": lambda: store.after(Query(since=START + timedelta(seconds=count - 3600)), 0, 50),
        "a text that all have": lambda: store.newest(Query(contains="verification"), 50),
        "a text that none has": lambda: store.newest(Query(contains="absent!"), 50),
        "a rare text on one line": lambda: store.newest(Query(lines=line.lines, contains=f"ref {7:x}"), 50),
        "2 characters that none has": lambda: store.newest(Query(contains="~q"), 50),
        "the newest position": store.position,
        "all lines with their counts": store.lines,
    }


def another(count: int) -> Delivery:
    """Return a message that is not there yet."""
    made = message(count + 1)
    return Delivery(msgspec.structs.replace(made, id=f"{time.time_ns():032x}"), b"raw")


async def lease_and_release(store: Store) -> None:
    """Take a line, and give it back."""
    now = datetime.now(UTC)
    wish = Wish(
        ticket=f"{time.time_ns()}",
        key="bench",
        lines=(LINE,),
        holder="bench",
        ttl=timedelta(seconds=60),
        rest=timedelta(0),
        tolerance=timedelta(0),
    )
    (lease,) = (await store.claim([wish], now, now))[0].leases  # or the line is not free
    await store.change_lease(lease, msgspec.structs.replace(lease, expires_at=now, rests_until=now), now)


async def twice(ask: Ask) -> None:
    """Do it twice."""
    await ask()
    await ask()


async def medians_ms(*asks: Ask) -> list[float]:
    """Return how long each takes, in milliseconds, taking turns so that noise hits them alike."""
    times: list[list[float]] = [[] for _ in asks]
    for _ in range(ROUNDS):
        for taken, ask in zip(times, asks, strict=True):
            begin = time.perf_counter()
            await ask()
            taken.append(time.perf_counter() - begin)
    return [statistics.median(taken) * 1000 for taken in times]


async def run(url: str, count: int) -> None:
    """Fill a store and print one row a question."""
    store = await open_store(url, join_parts)
    begin = time.perf_counter()
    await fill(store, count)
    await store.close()  # SQLite waits for its index of trigrams
    print(f"{count:,} messages stored and indexed in {time.perf_counter() - begin:.0f} s")
    store = await open_store(url, join_parts)
    bare = await open_bare(url)
    for name, (ours, theirs) in compared(store, bare, count).items():
        mine, floor = await medians_ms(ours, theirs)
        print(f"{mine:9.2f} ms  {mine / floor:8.1f} x bare  {name}")
    for name, ask in questions(store, count).items():
        (taken,) = await medians_ms(ask)
        print(f"{taken:9.2f} ms                  {name}")
    await store.close()


def main() -> None:
    """Run it on the store that the command line names."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        asyncio.run(run(sys.argv[2], count))
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(f"sqlite:///{folder}/bench.db", count))


if __name__ == "__main__":
    main()
