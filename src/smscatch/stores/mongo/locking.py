"""Locks for work that one instance at a time shall do. They expire: whoever holds one may have been killed."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from smscatch.stores.mongo.database import Database
from smscatch.stores.mongo.scope import Document, Scope

FREE = datetime(1970, 1, 1, tzinfo=UTC)


@asynccontextmanager
async def locked(database: Database, name: str, duration: timedelta) -> AsyncIterator[bool]:
    """Yield whether the lock `name` is ours: till the end of the block, or for `duration` by the server's clock."""
    owner = secrets.token_hex(8)
    is_ours = await database.read(_take, name, owner, duration)
    try:
        yield is_ours
    finally:
        if is_ours:
            await database.read(_release, name, owner)


async def _take(scope: Scope, name: str, owner: str, duration: timedelta) -> bool:
    await scope.update("locks", {"_id": name}, {"$setOnInsert": {"until": FREE}}, upsert=True)
    until = {"$add": ["$$NOW", duration // timedelta(milliseconds=1)]}
    is_free: Document = {"_id": name, "$expr": {"$lte": ["$until", "$$NOW"]}}
    return await scope.update("locks", is_free, [{"$set": {"owner": owner, "until": until}}]) == 1


async def _release(scope: Scope, name: str, owner: str) -> None:
    await scope.update("locks", {"_id": name, "owner": owner}, {"$set": {"until": FREE}})
