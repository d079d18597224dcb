"""Messages in MongoDB: a replica set, from one node on one's own machine to Atlas (`mongodb+srv://`).

What is acknowledged is in the journals of a majority. Many instances may share one database.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

from pymongo.errors import PyMongoError

from smscatch.errors import StoreUnavailable
from smscatch.messages import Lease, Part, Query, Stored
from smscatch.stores.base import Claim, DayCount, Delivery, Join, LineUse, Wish
from smscatch.stores.hearing import Hearing
from smscatch.stores.jobs import Job, SinkUse, State
from smscatch.stores.mongo import deleting, leases, memos, moving, parts, queue, searching, sources, statements
from smscatch.stores.mongo.database import Database
from smscatch.stores.mongo.failing import cannot_open, reason
from smscatch.stores.mongo.listening import Listener
from smscatch.stores.mongo.schema import migrate
from smscatch.stores.mongo.scope import Scope
from smscatch.stores.records import AddedSource, Key, Memo, Read, Record, cannot_load


class MongoStore:
    """The Store in a database of MongoDB; see stores/base.py for what each method promises."""

    def __init__(self, database: Database, join: Join) -> None:
        self._database = database
        self._hearing = Hearing()
        self._join = join

    @classmethod
    async def open(cls, url: str, join: Join) -> "MongoStore":
        """Open the database and bring it up to the present schema.

        Raises as open_store does.
        """
        database = Database.of(url)
        try:
            await database.connect()
            await migrate(database)
        except StoreUnavailable as error:
            await database.close()
            raise cannot_open(error) from error
        except BaseException:
            await database.close()
            raise
        return cls(database, join)

    async def add(self, deliveries: Sequence[Delivery]) -> int:
        """See Store.add."""
        return await self._database.write(parts.add, deliveries, self._join)

    async def show_incomplete(self, before: datetime) -> int:
        """See Store.show_incomplete."""
        if not await self._database.read(parts.has_overdue, before):
            return 0
        return await self._database.write(parts.show_incomplete, before, self._join)

    async def incomplete(self) -> list[Part]:
        """See Store.incomplete."""
        return await self._database.read(parts.waiting)

    async def position(self) -> int:
        """See Store.position."""
        return await self._database.read_newest(statements.position)

    async def check(self) -> None:
        """See Store.check."""
        await self._database.write(statements.take_turn)

    async def after(self, query: Query, position: int, limit: int) -> list[Stored]:
        """See Store.after."""
        return await self._database.read(
            searching.search, query, position, searching.NO_POSITION, limit=limit, newest_first=False
        )

    async def newest(self, query: Query, limit: int, *, before: int | None = None, after: int = 0) -> list[Stored]:
        """See Store.newest."""
        high = searching.NO_POSITION if before is None else before
        return await self._database.read(searching.search, query, after, high, limit=limit, newest_first=True)

    async def senders(self, part: str, limit: int) -> list[str]:
        """See Store.senders."""
        return await self._database.read(searching.senders, part, limit)

    async def get(self, message_id: str) -> Stored | None:
        """See Store.get."""
        return await self._database.read(statements.get, message_id)

    async def messages_by_id(self, ids: Collection[str]) -> dict[str, Stored]:
        """See Store.messages_by_id."""
        return await self._database.read(statements.by_id, ids) if ids else {}

    async def raw(self, message_id: str) -> bytes | None:
        """See Store.raw."""
        return await self._database.read(statements.raw, message_id)

    async def delete(self, message_id: str) -> bool:
        """See Store.delete."""
        return await deleting.delete(self._database, {"_id": message_id}, "_id_") > 0

    async def delete_lines(self, lines: Sequence[str]) -> int:
        """See Store.delete_lines."""
        newest = await self.position()  # what comes meanwhile would have this go on for ever
        of_these = {"line": {"$in": list(lines)}, "position": {"$gt": 0, "$lte": newest}}
        return await deleting.delete(self._database, of_these, "messages_line")

    async def prune(self, since: datetime, before: datetime, *, up_to: int) -> int | None:
        """See Store.prune."""
        return await deleting.prune(self._database, since, before, up_to)

    async def trim(self, keep: int) -> int:
        """See Store.trim."""
        newest = await self._database.read(statements.newest_beyond, keep)
        up_to = {"position": {"$gt": 0, "$lte": newest}}
        return await deleting.delete(self._database, up_to, "messages_position") if newest else 0

    async def size(self) -> int:
        """See Store.size. As Atlas counts it: documents and indexes, uncompressed."""
        return await self._database.size()

    async def lines(self) -> list[LineUse]:
        """See Store.lines."""
        return await self._database.read(statements.lines)

    async def days(self, since: datetime) -> list[DayCount]:
        """See Store.days."""
        return await self._database.read(statements.days, since)

    async def add_key(self, key: Key, secret_hash: bytes) -> None:
        """See Store.add_key."""
        await self._database.write(statements.add_key, key, secret_hash)

    async def find_key(self, secret_hash: bytes) -> Key | None:
        """See Store.find_key."""
        return await self._database.read(statements.find_key, secret_hash)

    async def keys(self) -> list[Key]:
        """See Store.keys."""
        return await self._database.read(statements.keys)

    async def change_key(self, key: Key) -> bool:
        """See Store.change_key."""
        return await self._database.write(statements.change_key, key)

    async def revoke_key(self, key_id: str) -> bool:
        """See Store.revoke_key."""
        return await self._database.write(statements.revoke_key, key_id)

    async def time(self, now: datetime) -> datetime:
        """See Store.time."""
        return await self._database.read(statements.time)

    async def clock_set(self, step: timedelta, now: datetime) -> None:
        """See Store.clock_set."""
        if step:
            await self._database.write(statements.clock_set)

    async def claim(self, wishes: Sequence[Wish], now: datetime, keep_until: datetime) -> list[Claim]:
        """See Store.claim."""
        return await self._database.write(leases.claim, wishes, now, keep_until)

    async def withdraw(self, key: str, ticket: str) -> None:
        """See Store.withdraw."""
        await self._database.write(leases.withdraw, key, ticket)

    async def lease(self, lease_id: str) -> Lease | None:
        """See Store.lease."""
        return await self._database.read(leases.lease, lease_id)

    async def leases_by_id(self, ids: Collection[str]) -> dict[str, Lease]:
        """See Store.leases_by_id."""
        return await self._database.read(leases.by_id, ids) if ids else {}

    async def recent_leases(self, limit: int) -> list[Lease]:
        """See Store.recent_leases."""
        return await self._database.read(leases.recent, limit)

    async def leases(self, now: datetime) -> list[Lease]:
        """See Store.leases."""
        return await self._database.read(leases.leases, now)

    async def leases_of(self, key: str, ticket: str, now: datetime) -> list[Lease]:
        """See Store.leases_of."""
        return await self._database.read(leases.leases_of, key, ticket, now)

    async def change_lease(self, before: Lease, after: Lease, now: datetime) -> bool:
        """See Store.change_lease."""
        return await self._database.write(leases.change, before, after, now)

    async def add_reads(self, reads: Sequence[Read]) -> None:
        """See Store.add_reads."""
        await self._database.write(statements.add_reads, reads)

    async def reads(self, message_id: str) -> list[Read]:
        """See Store.reads."""
        return await self._database.read(statements.reads, message_id)

    async def open_sink(self, sink: str) -> int:
        """See Store.open_sink."""
        return await self._database.read(queue.open_sink, sink)

    async def advance(self, sink: str, before: int, after: int, jobs: Sequence[Job]) -> bool:
        """See Store.advance."""
        return await self._database.write(queue.advance, sink, before, after, jobs=jobs)

    async def take_jobs(self, sink: str, owner: str, limit: int, *, now: datetime, until: datetime) -> list[Job]:
        """See Store.take_jobs."""
        return await self._database.read(queue.take, sink, owner, limit, now=now, until=until)

    async def settle(self, job: Job, owner: str) -> bool:
        """See Store.settle."""
        return await self._database.read(queue.settle, job, owner)

    async def jobs(self, sink: str, state: State, limit: int) -> list[Job]:
        """See Store.jobs."""
        return await self._database.read(queue.jobs, sink, state, limit)

    async def job(self, sink: str, position: int) -> Job | None:
        """See Store.job."""
        return await self._database.read(queue.job, sink, position)

    async def sinks(self) -> list[SinkUse]:
        """See Store.sinks."""
        return await self._database.read(queue.sinks)

    async def add_source(self, source: AddedSource) -> bool:
        """See Store.add_source."""
        return await self._database.write(sources.add, source)

    async def change_source(self, before: AddedSource, after: AddedSource) -> bool:
        """See Store.change_source."""
        return await self._database.write(sources.change, before, after)

    async def remove_source(self, name: str) -> bool:
        """See Store.remove_source."""
        return await self._database.write(sources.remove, name)

    async def added_sources(self) -> list[AddedSource]:
        """See Store.added_sources."""
        return await self._database.read(sources.added)

    async def memo(self, name: str, now: datetime) -> Memo | None:
        """See Store.memo."""
        return await self._database.read(memos.find, name, now)

    async def change_memo(self, name: str, before: Memo | None, after: Memo, now: datetime) -> bool:
        """See Store.change_memo."""
        return await self._database.read(memos.change, name, before, after, now=now)

    async def listen(self, heard: Callable[[], None]) -> None:
        """See Store.listen."""
        await Listener(self._database, heard, self._hearing).run()

    @property
    def hears_late(self) -> str | None:
        """See Store.hears_late."""
        return self._hearing.trouble

    async def dump(self) -> AsyncGenerator[Record, None]:
        """See Store.dump. One that takes longer than the server keeps history, 300 s, ends with StoreUnavailable.

        That is its parameter minSnapshotHistoryWindowInSeconds:
        https://www.mongodb.com/docs/manual/reference/read-concern-snapshot/
        """
        async with (
            self._database.client.start_session(snapshot=True) as session,
            aclosing(moving.dump(Scope(self._database.handle, session))) as pages,
        ):
            while (page := await self._database.read(lambda _: anext(pages, None))) is not None:
                for record in page:
                    yield record

    async def load(self, records: Sequence[Record]) -> None:
        """See Store.load."""
        try:
            await self._database.write_much(moving.load, records)
        except PyMongoError as error:  # those that come of what we ask
            raise cannot_load(reason(error)) from error

    async def close(self) -> None:
        """See Store.close."""
        await self._database.close()
