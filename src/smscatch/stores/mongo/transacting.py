"""How the MongoDB store writes: one transaction at a time in this process, tried again when another is in its way."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pymongo
from bson.binary import Binary
from pymongo import ReadPreference, WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from smscatch.stores.mongo.scope import Document, Scope

R = TypeVar("R")

# What is acknowledged is in the journals of a majority, and only that is read: no failover takes it back.
SAFE = WriteConcern("majority", j=True)
FIRST_PAUSE_SECONDS = 0.004
LONGEST_PAUSE_SECONDS = 0.03  # a busy instance leaves gaps of a millisecond, which the others must hit
PATIENCE_SECONDS = 1.0
INTERRUPTED = 11601  # what our session was doing when another instance ended it
REGISTER_SECONDS = 3600.0
FORGOTTEN_MS = 86_400_000


class Transactor:
    """The transactions of this process, all in one session, which other instances can end if we die in the middle."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._database = database
        self._session: AsyncClientSession | None = None
        self._registered_at = 0.0
        # A conflict with ourselves would cost a round of pauses; waiting here costs nothing, and is fair.
        self._turn = asyncio.Lock()

    async def run(self, work: Callable[[Scope], Awaitable[R]], seconds: float) -> R:
        """Return what `work` does in a transaction. Raises TimeoutError if our other writers take all of the time."""
        deadline = _now() + seconds
        async with asyncio.timeout_at(deadline):
            await self._turn.acquire()
        try:
            with pymongo.timeout(max(0.1, deadline - _now())):
                session = await self._own_session()
                return await self._transact(session, work, deadline)
        finally:
            self._turn.release()

    async def _own_session(self) -> AsyncClientSession:
        """Return the session of this process, made known to the other instances.

        A process that is killed leaves its transaction open, for 60 to 90 s by the server's defaults, and nobody can
        write until its session is ended. What we left open ourselves ends with the next transaction of the session.
        """
        if self._session is None:
            self._session = self._database.client.start_session()
        if not self._registered_at or _now() - self._registered_at > REGISTER_SECONDS:
            own = {"_id": self._session.session_id["id"]}
            writers = self._database["writers"]
            await writers.update_one(own, {"$currentDate": {"seen_at": True}}, upsert=True)
            long_ago = {"$subtract": ["$$NOW", FORGOTTEN_MS]}
            await writers.delete_many({"$expr": {"$lt": ["$seen_at", long_ago]}})
            self._registered_at = _now()
        return self._session

    async def _transact(self, session: AsyncClientSession, work: Callable[[Scope], Awaitable[R]], deadline: float) -> R:
        pause, began, pulse = FIRST_PAUSE_SECONDS, _now(), None
        while True:
            try:
                return await self._attempt(session, work, deadline)
            except PyMongoError as error:
                if not _is_passing(error) or _now() + pause > deadline:
                    raise
            if _now() - began > PATIENCE_SECONDS:
                last, pulse, began = pulse, await self._pulse(), _now()
                if pulse == last:
                    await self._end_others(session)
            # Who lost to another writer comes back at a time of its own, or the two would meet again.
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _attempt(self, session: AsyncClientSession, work: Callable[[Scope], Awaitable[R]], deadline: float) -> R:
        await session.start_transaction(ReadConcern("snapshot"), SAFE, ReadPreference.PRIMARY)
        try:
            result = await work(Scope(self._database, session))
        except BaseException:
            await session.abort_transaction()
            raise
        while True:
            try:
                await session.commit_transaction()
            except PyMongoError as error:
                # Committing again what is committed is safe; doing the work again would not tell what was new.
                is_unknown = error.has_error_label("UnknownTransactionCommitResult") or _is_interrupted(error)
                if not is_unknown or _now() + FIRST_PAUSE_SECONDS > deadline:
                    raise
                await asyncio.sleep(FIRST_PAUSE_SECONDS)
            else:
                return result

    async def _pulse(self) -> Document | None:
        """Return what changes with every transaction that takes a turn, and stands still while a dead one holds it."""
        return await self._database["counters"].find_one()

    async def _end_others(self, session: AsyncClientSession) -> None:
        """End what the other instances have open: one may be dead, and those that live just try again."""
        own: Binary = session.session_id["id"]
        others = await self._database["writers"].find({"_id": {"$ne": own}}, {"_id": True}).to_list()
        if others:
            with contextlib.suppress(OperationFailure):  # where that is forbidden, the server's time limit has to do
                await self._database.command("killSessions", [{"id": other["_id"]} for other in others])

    async def close(self) -> None:
        """End the session."""
        if self._session is None:
            return
        with contextlib.suppress(PyMongoError), pymongo.timeout(PATIENCE_SECONDS):
            await self._database["writers"].delete_one({"_id": self._session.session_id["id"]})
        await self._session.end_session()


def _is_passing(error: PyMongoError) -> bool:
    return error.has_error_label("TransientTransactionError") or _is_interrupted(error)


def _is_interrupted(error: PyMongoError) -> bool:
    return isinstance(error, OperationFailure) and error.code == INTERRUPTED


def _now() -> float:
    return asyncio.get_running_loop().time()
