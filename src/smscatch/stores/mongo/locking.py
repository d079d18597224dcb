"""Locks for work that one instance at a time shall do. They expire: whoever holds one may have been killed."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from smscatch.errors import StoreUnavailable
from smscatch.stores.mongo.database import Database
from smscatch.stores.mongo.scope import Document, Scope

FREE = datetime(1970, 1, 1, tzinfo=UTC)
HELD = timedelta(seconds=30)  # without a word of the holder, who is dead then


@asynccontextmanager
async def locked(database: Database, name: str) -> AsyncIterator[bool]:
    """Yield whether the lock `name` is ours: to the end of the block, or until we have been silent for HELD."""
    owner = secrets.token_hex(8)
    if not await database.read(_take, name, owner):
        yield False
        return
    renewing = asyncio.create_task(_keep_renewing(database, name, owner))
    try:
        yield True
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        await database.read(_release, name, owner)


async def holder_of(database: Database, name: str) -> str | None:
    """Return which host and process has the lock `name`; None if nobody has."""
    return await database.read(_holder, name)


async def _holder(scope: Scope, name: str) -> str | None:
    found = await scope.find_one("locks", {"_id": name, "until": {"$gt": FREE}}, ["holder"])
    return None if found is None else str(found.get("holder", "another instance"))


async def _take(scope: Scope, name: str, owner: str) -> bool:
    await scope.update("locks", {"_id": name}, {"$setOnInsert": {"until": FREE}}, upsert=True)
    is_free: Document = {"_id": name, "$expr": {"$lte": ["$until", "$$NOW"]}}
    holder = {"$literal": f"process {os.getpid()} of {socket.gethostname()}"}
    return await scope.update("locks", is_free, [{"$set": {"owner": owner, "holder": holder, "until": _end()}}]) == 1


async def _keep_renewing(database: Database, name: str, owner: str) -> None:
    while True:
        await asyncio.sleep(HELD.total_seconds() / 3)
        with contextlib.suppress(StoreUnavailable):  # the next time makes up for it
            await database.read(_renew, name, owner)


async def _renew(scope: Scope, name: str, owner: str) -> None:
    await scope.update("locks", {"_id": name, "owner": owner}, [{"$set": {"until": _end()}}])


def _end() -> Document:
    return {"$add": ["$$NOW", HELD // timedelta(milliseconds=1)]}


async def _release(scope: Scope, name: str, owner: str) -> None:
    await scope.update("locks", {"_id": name, "owner": owner}, {"$set": {"until": FREE}})
