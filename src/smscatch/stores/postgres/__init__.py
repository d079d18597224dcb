"""Messages in PostgreSQL, for any number of instances at a time.

A message is durable when `add` returns: synchronous_commit is never off
(https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT).
"""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

import msgspec
import psycopg

from smscatch.errors import CannotStart
from smscatch.messages import Lease, Part, Query, Stored
from smscatch.stores.base import Claim, DayCount, Delivery, Join, LineUse, Wish
from smscatch.stores.hearing import Hearing
from smscatch.stores.jobs import Job, SinkUse, State
from smscatch.stores.postgres import leases, memos, moving, parts, queue, sources, statements
from smscatch.stores.postgres.address import DatabaseAddress, parse_address
from smscatch.stores.postgres.connections import OUR_FAULT, Connections
from smscatch.stores.postgres.failing import cannot_open, no_options, reason, unavailable
from smscatch.stores.postgres.listening import Listener
from smscatch.stores.postgres.schema import migrate
from smscatch.stores.postgres.searching import NO_POSITION, Span, search, senders
from smscatch.stores.postgres.session import connect
from smscatch.stores.records import AddedSource, Key, Memo, Read, Record, cannot_load

ANSWER_SECONDS = 4.0
SEARCH_SECONDS = 120.0  # also for what keeps nobody waiting
MIGRATE_SECONDS = 1800.0
DUMP_SECONDS = 1800.0  # for one page of it: the first of a kind may have to be sorted
FOR_THE_VALUES = "force_custom_plan"  # a plan for any values at all would not make use of a range of positions


class PostgresStore:
    """The Store in PostgreSQL; see stores/base.py for what each method promises."""

    def __init__(
        self, address: DatabaseAddress, listen_address: DatabaseAddress, join: Join, *, is_indexed: bool
    ) -> None:
        # One that writes: two would only wait for each other, in the database, where it costs more.
        self._writer = Connections(address, 1, ANSWER_SECONDS)
        self._reader = Connections(address, 4, ANSWER_SECONDS, plans=FOR_THE_VALUES)
        # Nobody who waits for a position waits for these.
        self._searcher = Connections(address, 2, SEARCH_SECONDS, plans=FOR_THE_VALUES)
        self._address = address
        self._listen_address = listen_address
        self._hearing = Hearing()
        self._join = join
        self._is_indexed = is_indexed

    @classmethod
    async def open(cls, url: str, join: Join, listen_url: str | None = None) -> "PostgresStore":
        """Open the database and bring its tables up to date. `listen_url` leads past a pooler that `url` leads to.

        Raises as open_store does.
        """
        address = parse_address(url)
        listen_address = address if listen_url is None else parse_address(listen_url, "store_listen")
        try:
            async with await connect(address, MIGRATE_SECONDS) as connection:
                if connection.is_pooled and address.has_options:
                    raise CannotStart(f"The database {address.name} cannot be used.{no_options()}")
                is_indexed = await migrate(connection, address.name)
            return cls(address, listen_address, join, is_indexed=is_indexed)
        except (psycopg.Error, TimeoutError, OSError) as error:
            raise await cannot_open(address, error) from error

    async def add(self, deliveries: Sequence[Delivery]) -> int:
        """See Store.add."""
        return await self._writer.run(parts.add, deliveries, self._join)

    async def show_incomplete(self, before: datetime) -> int:
        """See Store.show_incomplete."""
        if not await self._reader.run(parts.is_overdue, before):
            return 0
        return await self._writer.run(parts.show_incomplete, before, self._join)

    async def incomplete(self) -> list[Part]:
        """See Store.incomplete."""
        return await self._reader.run(parts.waiting)

    async def position(self) -> int:
        """See Store.position."""
        return await self._reader.run(statements.position)

    async def check(self) -> None:
        """See Store.check."""
        await self._writer.run(statements.check)

    async def _search(self, query: Query, span: Span) -> list[Stored]:
        is_quick = query.contains is None and query.sender_part is None
        connections = self._reader if is_quick else self._searcher
        return await connections.run(search, query, span, self._is_indexed)

    async def after(self, query: Query, position: int, limit: int) -> list[Stored]:
        """See Store.after."""
        return await self._search(query, Span(position, NO_POSITION, limit, newest_first=False))

    async def newest(self, query: Query, limit: int, *, before: int | None = None, after: int = 0) -> list[Stored]:
        """See Store.newest."""
        high = NO_POSITION if before is None else before
        return await self._search(query, Span(after, high, limit, newest_first=True))

    async def senders(self, part: str, limit: int) -> list[str]:
        """See Store.senders."""
        return await self._searcher.run(senders, part, limit)

    async def get(self, message_id: str) -> Stored | None:
        """See Store.get."""
        rows = await self._reader.run(statements.rows, "SELECT position, json FROM messages WHERE id = %s", message_id)
        return Stored(*rows[0]) if rows else None

    async def messages_by_id(self, ids: Collection[str]) -> dict[str, Stored]:
        """See Store.messages_by_id."""
        sql = "SELECT id, position, json FROM messages WHERE id = ANY (%s::text[])"
        found = await self._reader.run(statements.rows, sql, list(ids)) if ids else []
        return {id_: Stored(position, json) for id_, position, json in found}

    async def raw(self, message_id: str) -> bytes | None:
        """See Store.raw."""
        rows = await self._reader.run(statements.rows, "SELECT raw FROM messages WHERE id = %s", message_id)
        return rows[0][0] if rows else None

    async def delete(self, message_id: str) -> bool:
        """See Store.delete."""
        return await self._writer.run(statements.delete, "id = %s", message_id) > 0

    async def delete_lines(self, lines: Sequence[str]) -> int:
        """See Store.delete_lines. Some may be gone when an error ends it."""
        newest = await self.position()  # what comes meanwhile stays
        return await self._delete_all(statements.OF_LINES, list(lines), newest)

    async def _delete_all(self, condition: str, *parameters: object) -> int:
        deleted = 0
        while some := await self._searcher.run(statements.delete, condition, *parameters):
            deleted += some
        return deleted

    async def prune(self, since: datetime, before: datetime, *, up_to: int) -> int | None:
        """See Store.prune. Some may be gone when an error ends it."""
        pruned = 0
        while some := await self._searcher.run(statements.prune_some, since, before, up_to):
            pruned += some
        if some is None:
            return pruned or None
        await self._searcher.run(statements.forget, since, before)
        return pruned

    async def trim(self, keep: int) -> int:
        """See Store.trim. Some may be gone when an error ends it."""
        newest = await self._searcher.run(statements.rows, statements.NEWEST_BEYOND, keep)
        return await self._delete_all(statements.UP_TO, *newest[0]) if newest else 0

    async def size(self) -> int:
        """See Store.size. Reads all rows of messages."""
        rows = await self._searcher.run(statements.rows, statements.SIZE)
        return int(rows[0][0])

    async def lines(self) -> list[LineUse]:
        """See Store.lines."""
        return [LineUse(*row) for row in await self._reader.run(statements.rows, statements.LINES)]

    async def days(self, since: datetime) -> list[DayCount]:
        """See Store.days."""
        return [DayCount(*row) for row in await self._reader.run(statements.rows, statements.DAYS, since)]

    async def add_key(self, key: Key, secret_hash: bytes) -> None:
        """See Store.add_key."""
        await self._writer.run(statements.add_key, key, secret_hash)

    async def find_key(self, secret_hash: bytes) -> Key | None:
        """See Store.find_key."""
        rows = await self._reader.run(statements.rows, "SELECT json FROM keys WHERE hash = %s", secret_hash)
        return msgspec.json.decode(rows[0][0], type=Key) if rows else None

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
        sql = "DELETE FROM keys WHERE id = %s OR parent = %s"
        return await self._writer.run(statements.run, sql, key_id, key_id) > 0

    async def time(self, now: datetime) -> datetime:
        """See Store.time."""
        return await self._reader.run(statements.time)

    async def clock_set(self, step: timedelta, now: datetime) -> None:
        """See Store.clock_set."""
        if step:
            await self._writer.run(statements.clock_set)

    async def claim(self, wishes: Sequence[Wish], now: datetime, keep_until: datetime) -> list[Claim]:
        """See Store.claim."""
        return await self._writer.run(leases.claim, wishes, now, keep_until)

    async def withdraw(self, key: str, ticket: str) -> None:
        """See Store.withdraw."""
        await self._writer.run(leases.withdraw, key, ticket)

    async def lease(self, lease_id: str) -> Lease | None:
        """See Store.lease."""
        return await self._reader.run(leases.lease, lease_id)

    async def leases_by_id(self, ids: Collection[str]) -> dict[str, Lease]:
        """See Store.leases_by_id."""
        return await self._reader.run(leases.by_id, ids) if ids else {}

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
        sql = "SELECT json FROM reads WHERE message = %s ORDER BY at"
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
        """See Store.listen. Calls `heard` once at the start, too."""
        await Listener(self._address, self._listen_address, heard, self._hearing).run()

    @property
    def hears_late(self) -> str | None:
        """See Store.hears_late."""
        return self._hearing.trouble

    async def dump(self) -> AsyncGenerator[Record, None]:
        """See Store.dump."""
        try:
            # On a connection of its own: a transaction stays open between the records.
            async with (
                await connect(self._address, DUMP_SECONDS) as connection,
                aclosing(moving.dump(connection)) as records,
            ):
                async for record in records:
                    yield record
        except (psycopg.Error, TimeoutError, OSError) as error:
            raise unavailable(self._address, error) from error

    async def load(self, records: Sequence[Record]) -> None:
        """See Store.load."""
        try:
            await self._searcher.run_once(moving.load, records)
        except OUR_FAULT as error:
            raise cannot_load(reason(error)) from error

    async def close(self) -> None:
        """See Store.close."""
        for connections in (self._writer, self._reader, self._searcher):
            await connections.close()
