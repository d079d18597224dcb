"""The sources that were added, in the MongoDB store."""

import msgspec

from smscatch.stores.mongo.scope import Scope
from smscatch.stores.records import AddedSource


async def add(scope: Scope, source: AddedSource) -> bool:
    """See Store.add_source."""
    if await scope.find_one("sources", {"_id": source.name}, ["_id"]) is not None:
        return False
    # Of two transactions that find none, one conflicts with the other, and is tried again.
    await scope.insert("sources", [{"_id": source.name, "json": msgspec.json.encode(source)}])
    return True


async def change(scope: Scope, before: AddedSource, after: AddedSource) -> bool:
    """See Store.change_source."""
    condition = {"_id": before.name, "json": msgspec.json.encode(before)}
    return await scope.update("sources", condition, {"$set": {"json": msgspec.json.encode(after)}}) == 1


async def remove(scope: Scope, name: str) -> bool:
    """See Store.remove_source."""
    return await scope.delete("sources", {"_id": name}) == 1


async def added(scope: Scope) -> list[AddedSource]:
    """See Store.added_sources."""
    found = await scope.find("sources", {}, ["json"], sort=[("_id", 1)])
    return [msgspec.json.decode(one["json"], type=AddedSource) for one in found]
