"""How the MongoDB store deletes: in transactions of bounded size, none of which keeps the writers waiting for long."""

from collections import Counter
from datetime import datetime

from smscatch.stores.jobs import DEAD, DONE
from smscatch.stores.mongo.database import Database
from smscatch.stores.mongo.locking import locked
from smscatch.stores.mongo.scope import Document, Scope
from smscatch.stores.mongo.statements import count_lines, take_turn

BATCH = 250  # of messages that are deleted in one transaction: meanwhile nobody can add


async def delete(database: Database, condition: Document, hint: str) -> int:
    """Delete the messages under `condition`, and remember their ids; return how many."""
    return await _delete_all(database, condition, hint, is_remembered=True)


async def prune(database: Database, since: datetime, before: datetime, up_to: int) -> int | None:
    """See Store.prune."""
    async with locked(database, "prune") as is_ours:
        if not is_ours:
            return None
        received = {"received_at": {"$gte": since, "$lt": before}}
        condition = received | {"position": {"$gt": 0, "$lte": up_to}}
        pruned = await _delete_all(database, condition, "messages_received", is_remembered=False)
        await database.write_much(_forget, since, before)
    return pruned


async def _delete_all(database: Database, condition: Document, hint: str, *, is_remembered: bool) -> int:
    deleted = 0
    while batch := await database.write(_delete_some, condition, hint, is_remembered):
        deleted += batch
        if batch < BATCH:
            break
    return deleted


async def _delete_some(scope: Scope, condition: Document, hint: str, is_remembered: bool) -> int:
    # First, and not where the lines are counted: who adds changes that count too, and would undo all our work.
    await take_turn(scope)
    found = await scope.find("messages", condition, ["_id", "line", "received_at"], limit=BATCH, hint=hint)
    if not found:
        return 0
    ids = [message["_id"] for message in found]
    deleted = await scope.delete("messages", {"_id": {"$in": ids}})
    await scope.delete("reads", {"message": {"$in": ids}})
    if is_remembered:
        kept = [({"_id": gone["_id"]}, {"$set": {"received_at": gone["received_at"]}}) for gone in found]
        await scope.update_each("deleted", kept)
    await count_lines(scope, Counter({line: -n for line, n in Counter(gone["line"] for gone in found).items()}))
    return deleted


async def _forget(scope: Scope, since: datetime, before: datetime) -> None:
    """Forget what is known of messages that are gone, and of keys, leases and jobs that ended."""
    between = {"$gte": since, "$lt": before}
    await scope.delete("deleted", {"received_at": between})
    await scope.delete("part_groups", {"message": {"$ne": None}, "newest_at": between})
    await scope.delete("keys", {"expires_at": {"$lt": before}})
    await scope.delete("memos", {"until": {"$lt": before}})
    await scope.delete("leases", {"rests_until": {"$lt": before}})
    await scope.delete("jobs", {"state": {"$in": [DONE, DEAD]}, "due_at": {"$lt": before}})
