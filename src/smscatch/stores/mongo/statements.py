"""What the MongoDB store asks of its collections, inside a transaction or not. No search, no parts, no leases."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from bson.int64 import Int64

from smscatch.errors import StoreUnavailable
from smscatch.messages import Lease, Message, Stored, decode_message, encode_message
from smscatch.numbers import fold_sender
from smscatch.stores.base import DayCount, LineUse, revise
from smscatch.stores.leasing import CLOCK_REACH, CLOCK_TEXTS, Arrival, attribute, clock_query
from smscatch.stores.mongo.scope import Document, Scope
from smscatch.stores.mongo.searching import NO_POSITION, search
from smscatch.stores.records import Key, Read

COUNTER = {"_id": "position"}


class Turn(NamedTuple):
    """What a transaction got with the counter: the newest position, and the number before those it may give.

    `clock_set_at` is the position when the clock of an instance was last set.
    """

    position: int
    number: int
    clock_set_at: int = 0


async def take_turn(scope: Scope, numbers: int = 1, positions: int = 0) -> Turn:
    """Shut out every other transaction that gives positions or leases; return where it begins.

    Two transactions cannot change one document: the second fails at once and is tried again. So positions follow the
    order of commits. Takes `positions` in advance, which saves a round trip where the guess is right.
    """
    before = await scope.change("counters", COUNTER, {"$inc": {"turn": numbers, "value": positions}})
    if before is None:
        raise _counter_gone()
    return Turn(before["value"], before["turn"], before.get("clock_set", 0))


def _counter_gone() -> StoreUnavailable:
    return StoreUnavailable(
        "The counter of positions is gone from the database: it was dropped, or restored without it. Restore all of it,"
        " or start smscatch again, which makes what is missing."
    )


async def time(scope: Scope) -> datetime:
    """See Store.time."""
    found = await scope.aggregate("counters", [{"$match": COUNTER}, {"$project": {"now": "$$NOW"}}])
    if not found:
        raise _counter_gone()
    now: datetime = found[0]["now"]
    return now


async def clock_set(scope: Scope) -> None:
    """See Store.clock_set: leases are kept by the database's clock, only those of SMSCs were read with ours."""
    await scope.update("counters", COUNTER, [{"$set": {"clock_set": "$value"}}])


async def newest_beyond(scope: Scope, keep: int) -> int:
    """Return the position of the newest message that is not one of the newest `keep`; 0 if there is none."""
    stages: list[Document] = [
        {"$match": {"position": {"$gt": 0}}},
        {"$sort": {"position": -1}},
        {"$skip": keep},
        {"$limit": 1},
        {"$project": {"position": 1}},
    ]
    found = await scope.aggregate("messages", stages, hint="messages_position")
    return int(found[0]["position"]) if found else 0


async def position(scope: Scope) -> int:
    """Return the newest position that was given."""
    found = await scope.find_one("counters", COUNTER, ["value"])
    return int(found["value"]) if found else 0  # bson has an Int64 of its own, which is no JSON


class Batch:
    """Messages on their way in, in one transaction: each gets its position at once, all are written at the end."""

    def __init__(self, scope: Scope, turn: Turn, expected: int) -> None:
        self.scope = scope
        self._position = turn.position
        self._expected = turn.position + expected
        self._number = turn.number
        self._clock_set_at = turn.clock_set_at
        self._known: set[str] = set()
        self._leases: dict[str, Lease | None] = {}
        self._documents: list[Document] = []
        self._lines: Counter[str] = Counter()

    @classmethod
    async def open(cls, scope: Scope, messages: Sequence[Message], numbers: int) -> "Batch":
        """Take the turn, for giving up to so many numbers, and look up what is to be known about these messages."""
        batch = cls(scope, await take_turn(scope, numbers, len(messages)), len(messages))
        if messages:
            await batch._look_up([message.id for message in messages], {message.line for message in messages})
        return batch

    async def _look_up(self, ids: list[str], lines: set[str]) -> None:
        """Learn which ids are known, and the newest leases: one round trip instead of three, 20 ms each to Atlas."""
        known = [{"$match": {"_id": {"$in": ids}}}, {"$project": {"_id": True}}]
        stages: list[Document] = [
            {"$match": COUNTER},
            {"$lookup": {"from": "messages", "pipeline": known, "as": "kept"}},
            {"$lookup": {"from": "deleted", "pipeline": known, "as": "deleted"}},
            {"$lookup": {"from": "leases", "pipeline": _newest_of(lines), "as": "leases"}},
        ]
        (found,) = await self.scope.aggregate("counters", stages)
        self._known = {other["_id"] for other in (*found["kept"], *found["deleted"])}
        self._leases = dict.fromkeys(lines) | _leases(found["leases"])

    def is_known(self, message_id: str) -> bool:
        """Return whether a message is kept, or was kept and deleted."""
        return message_id in self._known

    def next_number(self) -> int:
        """Return a number higher than all before."""
        self._number += 1
        return self._number

    async def add(self, message: Message, raw: bytes, arrival: Arrival) -> None:
        """Add a message at the next position, to the lease that it belongs to, if any."""
        if message.line not in self._leases:
            newest = await newest_leases(self.scope, [message.line])
            self._leases[message.line] = newest.get(message.line)
        self._insert(await self._attributed(message, self._leases[message.line], arrival), raw)

    async def _attributed(self, message: Message, newest: Lease | None, arrival: Arrival) -> Message:
        earlier: list[Message] = []
        query = clock_query(message, newest, arrival)
        if query is not None:
            await self._write()  # they may be ours
            low = max(self._position - CLOCK_REACH, self._clock_set_at)
            texts = await search(self.scope, query, low, NO_POSITION, limit=CLOCK_TEXTS, newest_first=True)
            earlier = [stored.message for stored in texts]
        return attribute(message, newest, arrival, earlier)

    async def replace(self, message: Message, raw: bytes) -> bool:
        """Put a message in the place of the one with its id, at a new position; return False if that one is gone."""
        await self._write()  # it may be one of ours
        found = await self.scope.take("messages", {"_id": message.id}, ["line", "json"])
        if found is not None:
            self._lines[found["line"]] -= 1
            self._insert(revise(message, decode_message(found["json"])), raw)
        return found is not None

    def _insert(self, message: Message, raw: bytes) -> None:
        self._position += 1
        self._known.add(message.id)
        self._lines[message.line] += 1
        self._documents.append(document(self._position, message, raw))

    async def _write(self) -> None:
        await self.scope.insert("messages", self._documents)
        self._documents = []

    async def close(self) -> None:
        """Write what was added. Nothing is kept without this."""
        await self._write()
        await count_lines(self.scope, self._lines)
        if self._position != self._expected:
            await self.scope.update("counters", COUNTER, {"$set": {"value": self._position}})


async def newest_leases(scope: Scope, lines: Iterable[str] | None = None) -> dict[str, Lease]:
    """Return the newest lease of each of these lines, or of all, that has any."""
    return _leases(await scope.aggregate("leases", _newest_of(lines)))


def _newest_of(lines: Iterable[str] | None) -> list[Document]:
    # In this form MongoDB jumps from line to line in the index (DISTINCT_SCAN), over all the leases that ended.
    chosen: list[Document] = [] if lines is None else [{"$match": {"line": {"$in": list(lines)}}}]
    newest = {"_id": "$line", "json": {"$first": "$json"}}
    return [*chosen, {"$sort": {"line": -1, "number": -1}}, {"$group": newest}]


def _leases(found: Iterable[Document]) -> dict[str, Lease]:
    return {lease["_id"]: msgspec.json.decode(lease["json"], type=Lease) for lease in found}


def document(position: int, message: Message, raw: bytes) -> Document:
    """Return a message as the collection holds it, see schema.py."""
    message = msgspec.structs.replace(message, cursor=str(position))
    json = encode_message(message)  # first: what cannot be written as JSON is kept in no form
    fields: Document = msgspec.to_builtins(message, builtin_types=(datetime,))
    return {
        "_id": fields.pop("id"),
        "position": Int64(position),
        **fields,
        "number": message.sender,
        "timestamp": message.received_at,
        "folded": {"sender": fold_sender(message.sender), "text": message.text.casefold()},
        "json": json,
        "raw": raw,
    }


async def get(scope: Scope, message_id: str) -> Stored | None:
    """See Store.get."""
    found = await scope.find_one("messages", {"_id": message_id}, ["position", "json"])
    return Stored(int(found["position"]), found["json"]) if found else None


async def by_id(scope: Scope, ids: Collection[str]) -> dict[str, Stored]:
    """See Store.messages_by_id."""
    found = await scope.find("messages", {"_id": {"$in": list(ids)}}, ["_id", "position", "json"])
    return {one["_id"]: Stored(int(one["position"]), one["json"]) for one in found}


async def raw(scope: Scope, message_id: str) -> bytes | None:
    """See Store.raw."""
    found = await scope.find_one("messages", {"_id": message_id}, ["raw"])
    return found["raw"] if found else None


async def count_lines(scope: Scope, more: Counter[str]) -> None:
    """Change the counts of messages of lines. Counting a million when asked would take longer than a page may."""
    counted = [({"_id": line}, {"$inc": {"messages": count}}) for line, count in more.items() if count]
    await scope.update_each("lines", counted)


async def lines(scope: Scope) -> list[LineUse]:
    """See Store.lines."""
    counts = await scope.find("lines", {"messages": {"$gt": 0}}, ["_id", "messages"], sort=[("_id", 1)])
    newest: list[Document] = [
        {"$match": {"line": {"$in": [line["_id"] for line in counts]}}},
        {"$sort": {"line": -1, "position": -1}},
        {"$group": {"_id": "$line", "last": {"$first": "$received_at"}}},
    ]
    last = {line["_id"]: line["last"] for line in await scope.aggregate("messages", newest)}
    return [LineUse(line["_id"], line["messages"], last[line["_id"]]) for line in counts if line["_id"] in last]


async def days(scope: Scope, since: datetime) -> list[DayCount]:
    """See Store.days."""
    start = since.replace(hour=0, minute=0, second=0, microsecond=0)
    by_day = {"line": "$line", "day": {"$dateTrunc": {"date": "$received_at", "unit": "day"}}}
    stages: list[Document] = [
        {"$match": {"received_at": {"$gte": start}, "position": {"$gt": 0}}},
        {"$group": {"_id": by_day, "messages": {"$sum": 1}}},
        {"$sort": {"_id.line": 1, "_id.day": 1}},
    ]
    found = await scope.aggregate("messages", stages, hint="messages_received")
    return [DayCount(day["_id"]["line"], day["_id"]["day"].date(), day["messages"]) for day in found]


async def add_reads(scope: Scope, reads: Iterable[Read]) -> None:
    """See Store.add_reads."""
    await take_turn(scope)  # a message that is deleted meanwhile takes its reads with it, or gets none
    await insert_reads(scope, reads)


async def insert_reads(scope: Scope, reads: Iterable[Read]) -> None:
    """Keep reads of messages that are there, in a transaction with a turn."""
    reads = sorted(reads, key=lambda read: read.at)
    ids = list({read.message for read in reads})
    there = {found["_id"] for found in await scope.find("messages", {"_id": {"$in": ids}}, ["_id"], hint="_id_")}
    for read in (read for read in reads if read.message in there):
        own = {"message": read.message, "key": read.key}
        kept = {"at": read.at, "json": msgspec.json.encode(read)}
        await scope.update("reads", own, {"$setOnInsert": kept}, upsert=True)


async def reads(scope: Scope, message_id: str) -> list[Read]:
    """See Store.reads."""
    found = await scope.find("reads", {"message": message_id}, ["json"], sort=[("at", 1)])
    return [msgspec.json.decode(read["json"], type=Read) for read in found]


async def add_key(scope: Scope, key: Key, secret_hash: bytes) -> None:
    """See Store.add_key."""
    await scope.delete("keys", {"$or": [{"_id": key.id}, {"hash": secret_hash}]})
    kept = {"parent": key.parent, "expires_at": key.expires_at, "json": msgspec.json.encode(key)}
    await scope.insert("keys", [{"_id": key.id, "hash": secret_hash, **kept}])


async def find_key(scope: Scope, secret_hash: bytes) -> Key | None:
    """See Store.find_key."""
    found = await scope.find_one("keys", {"hash": secret_hash}, ["json"])
    return msgspec.json.decode(found["json"], type=Key) if found else None


async def keys(scope: Scope) -> list[Key]:
    """See Store.keys."""
    found = await scope.find("keys", {"parent": None}, ["json"])
    return sorted((msgspec.json.decode(key["json"], type=Key) for key in found), key=lambda key: key.created_at)


async def change_key(scope: Scope, key: Key) -> bool:
    """See Store.change_key."""
    await scope.delete("keys", {"parent": key.id})
    changed = {"$set": {"expires_at": key.expires_at, "json": msgspec.json.encode(key)}}
    return await scope.update("keys", {"_id": key.id}, changed) == 1


async def revoke_key(scope: Scope, key_id: str) -> bool:
    """See Store.revoke_key."""
    return await scope.delete("keys", {"$or": [{"_id": key_id}, {"parent": key_id}]}) > 0
