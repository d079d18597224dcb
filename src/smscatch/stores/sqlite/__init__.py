"""Messages in one SQLite file. One thread writes, one reads; the event loop waits for neither.

What is asked with each request is one row that is in memory, and the loop reads it itself: that takes microseconds, the
way to a thread and back a hundred, and on a busy machine far more.

A message is durable when `add` returns: WAL with synchronous=FULL (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from smscatch.errors import CannotStart, StoreUnavailable
from smscatch.messages import Lease, Part, Query, Stored
from smscatch.stores.base import Claim, DayCount, Delivery, Join, LineUse, Wish
from smscatch.stores.jobs import Job, SinkUse, State
from smscatch.stores.records import AddedSource, Key, Memo, Read, Record, cannot_load
from smscatch.stores.sqlite import leases, memos, moving, parts, queue, searching, sources, statements
from smscatch.stores.sqlite.schema import migrate
from smscatch.stores.sqlite.worker import OUR_FAULT, Worker, cannot_open, connect

T = TypeVar("T")
R = TypeVar("R")
LISTEN_SECONDS = 5.0
INDEX_SECONDS = 0.5  # from the first text that the trigrams lack


class SqliteStore:
    """The Store in a file; see stores/base.py for what each method promises."""

    def __init__(self, path: str, writer: Worker, join: Join) -> None:
        self._writer = writer
        self._reader = Worker(path)
        self._searcher = Worker(path)  # a search may take long; nobody who waits for a position shall wait for it
        self._own = connect(path, patience_seconds=0)
        self._join = join
        self._indexing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @classmethod
    async def open(cls, path: str, join: Join) -> "SqliteStore":
        """Open or create the database. Raises as open_store does."""
        folder = Path(path).parent
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Ours alone, whoever may enter the folder: it holds texts. SQLite gives its log the same mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            writer = Worker(path)
        except (OSError, sqlite3.DatabaseError) as error:
            raise cannot_open(path, error) from error
        try:
            await writer.run(migrate, path)
            return cls(path, writer, join)
        except StoreUnavailable as error:
            writer.close()
            raise cannot_open(path, error.__cause__ or error) from error
        except CannotStart:
            writer.close()
            raise

    async def add(self, deliveries: Sequence[Delivery]) -> int:
        """See Store.add."""
        added = await self._writer.run(parts.add, deliveries, self._join)
        self._start_indexing()
        return added

    async def show_incomplete(self, before: datetime) -> int:
        """See Store.show_incomplete."""
        shown = await self._writer.run(parts.show_incomplete, statements.milliseconds(before), self._join)
        self._start_indexing()
        return shown

    def _start_indexing(self) -> None:
        if self._indexing is None or self._indexing.done():
            self._indexing = asyncio.create_task(self._index())

    async def _index(self) -> None:
        """Bring the trigrams up to date a while after they fell behind: not text by text, but with all that came.

        It takes small transactions, between which commits have their turn. A search reads in full what they lack.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(INDEX_SECONDS):
                await self._closing.wait()
        while await self._writer.run(statements.index_some):
            pass

    async def incomplete(self) -> list[Part]:
        """See Store.incomplete."""
        return await self._reader.run(parts.waiting)

    async def _ask(self, work: Callable[[sqlite3.Connection, T], R], parameter: T) -> R:
        """Return what `work` does on the loop's own connection; in the reader's thread if someone is in the way."""
        try:
            return work(self._own, parameter)
        except sqlite3.DatabaseError:
            return await self._reader.run(work, parameter)

    async def position(self) -> int:
        """See Store.position."""
        return await self._ask(statements.counter, "position")

    def _reader_for(self, query: Query) -> Worker:
        return self._reader if query.contains is None and query.sender_part is None else self._searcher

    async def after(self, query: Query, position: int, limit: int) -> list[Stored]:
        """See Store.after."""
        return await self._reader_for(query).run(
            searching.search, query, position, searching.NO_POSITION, limit=limit, newest_first=False
        )

    async def newest(self, query: Query, limit: int, *, before: int | None = None, after: int = 0) -> list[Stored]:
        """See Store.newest."""
        high = searching.NO_POSITION if before is None else before
        return await self._reader_for(query).run(searching.search, query, after, high, limit=limit, newest_first=True)

    async def senders(self, part: str, limit: int) -> list[str]:
        """See Store.senders."""
        return await self._searcher.run(searching.senders, part, limit)

    async def get(self, message_id: str) -> Stored | None:
        """See Store.get."""
        rows = await self._reader.run(statements.rows, "SELECT position, json FROM messages WHERE id = ?", message_id)
        return Stored(*rows[0]) if rows else None

    async def messages_by_id(self, ids: Collection[str]) -> dict[str, Stored]:
        """See Store.messages_by_id."""
        return await self._reader.run(statements.by_id, ids) if ids else {}

    async def raw(self, message_id: str) -> bytes | None:
        """See Store.raw."""
        rows = await self._reader.run(statements.rows, "SELECT raw FROM messages WHERE id = ?", message_id)
        return rows[0][0] if rows else None

    async def check(self) -> None:
        """See Store.check."""
        await self._writer.run(statements.take_turn)
        await self._writer.check_room()

    async def delete(self, message_id: str) -> bool:
        """See Store.delete."""
        return await self._writer.run(statements.delete, "id = ?", message_id) > 0

    async def delete_lines(self, lines: Sequence[str]) -> int:
        """See Store.delete_lines."""
        newest = await self.position()  # what comes while we wait for our turn stays
        of_these = f"line IN ({statements.marks(lines)}) AND position <= ?"
        return await self._writer.run(statements.delete, of_these, *lines, newest)

    async def prune(self, since: datetime, before: datetime, *, up_to: int) -> int | None:
        """See Store.prune. Here it is always ours: others wait for the transaction."""
        start, end = statements.milliseconds(since), statements.milliseconds(before)
        return await self._writer.run(statements.prune, start, end, up_to)

    async def trim(self, keep: int) -> int:
        """See Store.trim."""
        newest = await self._reader.run(statements.rows, statements.NEWEST_BEYOND, keep)
        return await self._writer.run(statements.delete, "position <= ?", *newest[0]) if newest else 0

    async def size(self) -> int:
        """See Store.size. What is on pages that are free, and will be used again, does not count."""
        rows = await self._reader.run(statements.rows, statements.SIZE)
        return int(rows[0][0])

    async def lines(self) -> list[LineUse]:
        """See Store.lines."""
        rows = await self._reader.run(statements.rows, statements.LINES)
        return [LineUse(line, count, datetime.fromtimestamp(last / 1000, UTC)) for line, count, last in rows]

    async def days(self, since: datetime) -> list[DayCount]:
        """See Store.days."""
        day = statements.milliseconds(since) // statements.DAY
        rows = await self._searcher.run(statements.rows, statements.DAYS, day * statements.DAY)
        first = statements.EPOCH.date()
        return [DayCount(line, first + timedelta(days=number), count) for line, number, count in rows]

    async def add_key(self, key: Key, secret_hash: bytes) -> None:
        """See Store.add_key."""
        await self._writer.run(statements.add_key, key, secret_hash)

    async def find_key(self, secret_hash: bytes) -> Key | None:
        """See Store.find_key."""
        return await self._ask(statements.find_key, secret_hash)

    async def keys(self) -> list[Key]:
        """See Store.keys."""
        rows = await self._reader.run(statements.rows, "SELECT json FROM keys WHERE parent IS NULL")
        keys = [msgspec.json.decode(row[0], type=Key) for row in rows]
        return sorted(keys, key=lambda key: key.created_at)

    async def change_key(self, key: Key) -> bool:
        """See Store.change_key."""
        return await self._writer.run(statements.change_key, key)

    async def revoke_key(self, key_id: str) -> bool:
        """See Store.revoke_key."""
        removed = await self._writer.run(
            statements.rows, "DELETE FROM keys WHERE id = ?1 OR parent = ?1 RETURNING id", key_id
        )
        return bool(removed)

    async def time(self, now: datetime) -> datetime:
        """See Store.time. SQLite has no clock but ours."""
        return now

    async def clock_set(self, step: timedelta, now: datetime) -> None:
        """See Store.clock_set."""
        await self._writer.run(parts.clock_set, step, now)

    async def claim(self, wishes: Sequence[Wish], now: datetime, keep_until: datetime) -> list[Claim]:
        """See Store.claim."""
        return await self._writer.run(leases.claim, wishes, now, keep_until)

    async def withdraw(self, key: str, ticket: str) -> None:
        """See Store.withdraw."""
        await self._writer.run(leases.withdraw, key, ticket)

    async def lease(self, lease_id: str) -> Lease | None:
        """See Store.lease."""
        return await self._ask(leases.lease, lease_id)

    async def leases_by_id(self, ids: Collection[str]) -> dict[str, Lease]:
        """See Store.leases_by_id."""
        return await self._ask(leases.by_id, ids) if ids else {}

    async def recent_leases(self, limit: int) -> list[Lease]:
        """See Store.recent_leases."""
        return await self._reader.run(leases.recent, limit)

    async def leases(self, now: datetime) -> list[Lease]:
        """See Store.leases."""
        return await self._reader.run(leases.leases, now)

    async def leases_of(self, key: str, ticket: str, now: datetime) -> list[Lease]:
        """See Store.leases_of."""
        return await self._reader.run(leases.leases_of, key, ticket, now)

    async def change_lease(self, before: Lease, after: Lease, now: datetime) -> bool:
        """See Store.change_lease."""
        return await self._writer.run(leases.change, before, after, now)

    async def add_reads(self, reads: Sequence[Read]) -> None:
        """See Store.add_reads."""
        await self._writer.run(statements.add_reads, reads)

    async def reads(self, message_id: str) -> list[Read]:
        """See Store.reads."""
        sql = "SELECT json FROM reads WHERE message = ? ORDER BY at"
        found = await self._reader.run(statements.rows, sql, message_id)
        return [msgspec.json.decode(row[0], type=Read) for row in found]

    async def open_sink(self, sink: str) -> int:
        """See Store.open_sink."""
        return await self._writer.run(queue.open_sink, sink)

    async def advance(self, sink: str, before: int, after: int, jobs: Sequence[Job]) -> bool:
        """See Store.advance."""
        return await self._writer.run(queue.advance, sink, before, after, jobs=jobs)

    async def take_jobs(self, sink: str, owner: str, limit: int, *, now: datetime, until: datetime) -> list[Job]:
        """See Store.take_jobs."""
        if not await self._reader.run(queue.has_due, sink, now):
            return []
        return await self._writer.run(queue.take, sink, owner, limit, now=now, until=until)

    async def settle(self, job: Job, owner: str) -> bool:
        """See Store.settle."""
        return await self._writer.run(queue.settle, job, owner)

    async def jobs(self, sink: str, state: State, limit: int) -> list[Job]:
        """See Store.jobs."""
        return await self._reader.run(queue.jobs, sink, state, limit)

    async def job(self, sink: str, position: int) -> Job | None:
        """See Store.job."""
        return await self._reader.run(queue.job, sink, position)

    async def sinks(self) -> list[SinkUse]:
        """See Store.sinks."""
        return await self._reader.run(queue.sinks)

    async def add_source(self, source: AddedSource) -> bool:
        """See Store.add_source."""
        return await self._writer.run(sources.add, source)

    async def change_source(self, before: AddedSource, after: AddedSource) -> bool:
        """See Store.change_source."""
        return await self._writer.run(sources.change, before, after)

    async def remove_source(self, name: str) -> bool:
        """See Store.remove_source."""
        return await self._writer.run(sources.remove, name)

    async def added_sources(self) -> list[AddedSource]:
        """See Store.added_sources."""
        return await self._reader.run(sources.added)

    async def memo(self, name: str, now: datetime) -> Memo | None:
        """See Store.memo."""
        return await self._reader.run(memos.find, name, now)

    async def change_memo(self, name: str, before: Memo | None, after: Memo, now: datetime) -> bool:
        """See Store.change_memo."""
        return await self._writer.run(memos.change, name, before, after, now=now)

    async def listen(self, heard: Callable[[], None]) -> None:
        """See Store.listen. SQLite does not tell what another process wrote; that is looked for on a slow timer."""
        while True:
            await asyncio.sleep(LISTEN_SECONDS)
            heard()

    @property
    def hears_late(self) -> str | None:
        """See Store.hears_late. The timer is all there is to expect, as one server is meant to use the file."""
        return None

    async def dump(self) -> AsyncGenerator[Record, None]:
        """See Store.dump."""
        # On a connection of its own: a transaction stays open between the pages.
        with contextlib.closing(await self._reader.twin()) as worker:
            pages = moving.dump(worker.connection)
            try:
                while page := await worker.run(lambda _: next(pages, [])):
                    for record in page:
                        yield record
            finally:
                await worker.run(lambda _: pages.close())

    async def load(self, records: Sequence[Record]) -> None:
        """See Store.load."""
        try:
            await self._writer.run(moving.load, records)
        except OUR_FAULT as error:
            raise cannot_load(str(error)) from error
        self._start_indexing()

    async def close(self) -> None:
        """See Store.close."""
        self._closing.set()
        if self._indexing is not None:
            await asyncio.gather(self._indexing, return_exceptions=True)  # what it missed, the next add indexes
        self._own.close()
        self._reader.close()
        self._searcher.close()
        self._writer.close()
