"""Memos in the MongoDB store: small things that are kept under a name for a while. Each change is one statement."""

from datetime import datetime

from pymongo.errors import DuplicateKeyError

from smscatch.stores.mongo.scope import Document, Scope
from smscatch.stores.records import Memo


async def find(scope: Scope, name: str, now: datetime) -> Memo | None:
    """See Store.memo."""
    found = await scope.find_one("memos", {"_id": name, "until": {"$gt": now}}, ["content", "until"])
    return Memo(found["content"], found["until"]) if found else None


async def change(scope: Scope, name: str, before: Memo | None, after: Memo, *, now: datetime) -> bool:
    """See Store.change_memo. The condition is the lock: of two who change the same memo one is first."""
    changed = {"$set": {"content": after.content, "until": after.until}}
    if before is None:
        free: Document = {"_id": name, "$or": [{"until": {"$lte": now}}, {"content": after.content}]}
        try:
            return await scope.update("memos", free, changed, upsert=True) == 1
        except DuplicateKeyError:  # another one is there
            return False
    of_these = {"$in": [before.content, after.content]}
    return await scope.update("memos", {"_id": name, "until": {"$gt": now}, "content": of_these}, changed) == 1
