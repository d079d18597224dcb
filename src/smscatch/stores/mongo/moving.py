"""Everything out of the MongoDB store and into it, as records (stores/records.py)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from smscatch.messages import Lease, Part, decode_message
from smscatch.stores.base import group_of
from smscatch.stores.mongo import leases, statements
from smscatch.stores.mongo.scope import Document, Scope
from smscatch.stores.records import (
    DeletedRecord,
    Key,
    KeyRecord,
    LeaseRecord,
    MessageRecord,
    PartRecord,
    PositionRecord,
    Read,
    Record,
)

PAGE = 500


async def dump_position(scope: Scope) -> PositionRecord:
    """Return the newest position."""
    return PositionRecord(position=await statements.position(scope))


async def dump_messages(scope: Scope, after: int, up_to: int) -> list[MessageRecord]:
    """Return the next messages between two positions."""
    between = {"position": {"$gt": after, "$lte": up_to}}
    found = await scope.find("messages", between, ["json", "raw"], sort=[("position", 1)], limit=PAGE)
    return [MessageRecord(message=decode_message(message["json"]), raw=message["raw"]) for message in found]


async def dump_rest(scope: Scope) -> list[Record]:
    """Return everything but the messages."""

    async def all_of(collection: str, order: Sequence[str], *fields: str) -> list[Document]:
        return await scope.find(collection, {}, fields, sort=[(field, 1) for field in order])

    groups = await all_of("part_groups", ["_id"], "_id", "parts", "newest_at", "message")
    deleted = await all_of("deleted", ["_id"], "_id", "received_at")
    keys = await all_of("keys", ["_id"], "json", "hash")
    given = await all_of("leases", ["number"], "json", "ticket")
    reads = await all_of("reads", ["message", "at", "key"], "json")
    return [
        *(record for group in groups for record in _parts(group)),
        *(DeletedRecord(id=gone["_id"], received_at=gone["received_at"]) for gone in deleted),
        *(KeyRecord(key=_decode(key, Key), secret_hash=key["hash"]) for key in keys),
        *(LeaseRecord(lease=_decode(lease, Lease), ticket=lease["ticket"]) for lease in given),
        *(_decode(read, Read) for read in reads),
    ]


def _decode(found: Document, kind: Any) -> Any:
    return msgspec.json.decode(found["json"], type=kind)


def _parts(group: Document) -> list[PartRecord]:
    return [
        PartRecord(
            group=group["_id"],
            part=_decode(part, Part),
            raw=part["raw"],
            newest_at=group["newest_at"],
            message=group["message"],
        )
        for part in sorted(group["parts"], key=lambda part: str(part["id"]))
    ]


async def load(scope: Scope, records: Sequence[Record]) -> None:
    """See Store.load."""
    turn = await statements.take_turn(scope, len(records))
    messages = [record for record in records if isinstance(record, MessageRecord)]
    await scope.insert("messages", [_message(record) for record in messages])
    await statements.count_lines(scope, Counter(record.message.line for record in messages))
    for number, record in enumerate(records, turn.number + 1):
        await _load(scope, record, number)


def _message(record: MessageRecord) -> Document:
    return statements.document(int(record.message.cursor), record.message, record.raw)


async def _load(scope: Scope, record: Record, number: int) -> None:
    match record:
        case PositionRecord():
            await scope.update("counters", statements.COUNTER, {"$set": {"value": record.position}})
        case PartRecord():
            await _load_part(scope, record)
        case DeletedRecord():
            await scope.insert("deleted", [{"_id": record.id, "received_at": record.received_at}])
        case KeyRecord():
            await statements.add_key(scope, record.key, record.secret_hash)
        case LeaseRecord():
            await scope.insert("leases", [leases.document(record.lease, record.ticket, number)])
        case Read():
            await statements.add_reads(scope, [record])


async def _load_part(scope: Scope, record: PartRecord) -> None:
    part = record.part
    facts = {"key": group_of(part), "total": part.total, "message": record.message, "newest_at": record.newest_at}
    kept = {"id": part.id, "json": msgspec.json.encode(part), "raw": record.raw}
    change = {"$setOnInsert": facts, "$push": {"parts": kept}}
    await scope.update("part_groups", {"_id": record.group}, change, upsert=True)
    # Groups that begin from now on must be newer than those.
    await scope.update("counters", statements.COUNTER, {"$max": {"turn": record.group}})
