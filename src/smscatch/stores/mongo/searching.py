"""How the MongoDB store finds messages: filters to a condition, and the index that it reads.

Whatever a client sent stands where MongoDB takes it for a value. `contains` is the one pattern, of escaped characters.
"""

import re
from datetime import datetime

from smscatch.messages import Query, Stored
from smscatch.stores.mongo.scope import Document, Scope

NO_POSITION = 2**62  # behind every position there will be
# Of so many lines MongoDB merges the ends of the index; of more it would sort all their messages.
MERGED_LINES = 100


async def search(scope: Scope, query: Query, low: int, high: int, *, limit: int, newest_first: bool) -> list[Stored]:
    """Return up to `limit` matches at positions between `low` and `high`, both excluded."""
    if query.since is not None:
        low = max(low, await _position_before(scope, query.since))
    found = await scope.find(
        "messages",
        {"position": {"$gt": max(low, 0), "$lt": high}} | _condition(query),
        ["position", "json"],
        sort=[("position", -1 if newest_first else 1)],
        limit=limit,
        hint=_index(query),
    )
    return [Stored(int(message["position"]), message["json"]) for message in found]


async def _position_before(scope: Scope, time: datetime) -> int:
    stages: list[Document] = [
        {"$match": {"received_at": {"$gte": time}, "position": {"$gt": 0}}},
        {"$group": {"_id": None, "first": {"$min": "$position"}}},
    ]
    found = await scope.aggregate("messages", stages, hint="messages_received")  # in it is all that is asked for
    return found[0]["first"] - 1 if found else NO_POSITION


def _condition(query: Query) -> Document:
    condition: Document = {}
    if query.lines is not None:
        condition["line"] = {"$in": list(query.lines)}
    if query.sender is not None:
        condition["folded.sender"] = {"$in": list(query.senders)}
    received = {"$gte": query.since, "$lt": query.until}
    if query.since is not None or query.until is not None:
        condition["received_at"] = {name: time for name, time in received.items() if time is not None}
    if query.has_code:
        condition["code"] = {"$type": "string"}
    if query.lease is not None:
        condition["lease"] = {"$eq": query.lease or None}
    if query.leases is not None:
        condition["lease"] = {"$in": list(query.leases)}
    if query.sender_part is not None:
        condition.setdefault("folded.sender", {})["$regex"] = literal(query.sender_part)
    if query.contains is not None:
        condition["folded.text"] = {"$regex": literal(query.contains.casefold())}
    return condition


def literal(text: str) -> str:
    """Return the pattern that finds `text`, whatever is in it. A NUL would end the pattern for MongoDB."""
    return re.escape(text).replace("\0", r"\x00")


def _index(query: Query) -> str:
    """Name the index to read: MongoDB's own choice depends on what was asked before, and is sometimes very wrong."""
    if query.lease or query.leases is not None:
        return "messages_lease"
    if query.lines is not None and len(query.lines) <= MERGED_LINES:
        return "messages_line"
    if query.sender is not None:
        return "messages_sender"
    return "messages_position" if query.contains is None else "messages_text"


async def senders(scope: Scope, part: str, limit: int) -> list[str]:
    """See Store.senders. Grouped by the field of an index alone, MongoDB steps from one value to the next in it."""
    stages: list[Document] = [
        {"$sort": {"folded.sender": 1, "position": 1}},
        {"$group": {"_id": "$folded.sender"}},
        {"$match": {"_id": {"$regex": literal(part)}}},
        {"$sort": {"_id": 1}},
        {"$limit": limit},
    ]
    return [found["_id"] for found in await scope.aggregate("messages", stages, hint="messages_sender")]
