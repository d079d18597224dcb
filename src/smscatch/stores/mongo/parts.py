"""Long messages in the MongoDB store: parts wait for their others, and become one message with the last of them.

A document of `part_groups` holds all the parts of one message.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec

from smscatch.messages import Message, Part
from smscatch.stores.base import Delivery, Join, group_of
from smscatch.stores.joining import RECENT_GROUPS, Group, find_group, is_sent_again
from smscatch.stores.leasing import Arrival
from smscatch.stores.mongo.scope import Document, Scope
from smscatch.stores.mongo.statements import Batch

FIELDS = ("_id", "total", "message", "parts")


async def add(scope: Scope, deliveries: Sequence[Delivery], join: Join) -> int:
    """Keep messages and parts that are not known yet, in one transaction; return how many."""
    messages = [delivery.message for delivery in deliveries if isinstance(delivery.message, Message)]
    batch = await Batch.open(scope, messages, numbers=len(deliveries))
    added = 0
    for delivery in deliveries:
        added += await _add_one(batch, delivery, join)
    await batch.close()
    return added


async def _add_one(batch: Batch, delivery: Delivery, join: Join) -> bool:
    message, raw, _ = delivery
    if isinstance(message, Part):
        return await _add_part(batch, message, raw, join)
    if batch.is_known(message.id):
        return False
    await batch.add(message, raw, Arrival.of(delivery))
    return True


async def _add_part(batch: Batch, part: Part, raw: bytes, join: Join) -> bool:
    if await batch.scope.find_one("part_groups", {"parts.id": part.id}, ["_id"]):
        return False
    groups = await _recent_groups(batch.scope, part)
    if is_sent_again(part, groups):
        return False
    group = find_group(part, groups) or Group(batch.next_number(), part.total, None)
    await batch.scope.update("part_groups", {"_id": group.number}, kept(part, raw), upsert=True)
    group = group.with_part(part)
    if group.is_complete or group.message_id is not None:
        await _show(batch, group, join)
    return True


def kept(part: Part, raw: bytes) -> Document:
    """Return the change that adds a part to its group, or makes the group."""
    return {
        "$setOnInsert": {"key": group_of(part), "total": part.total, "message": None},
        "$set": {"newest_at": part.received_at},
        "$push": {"parts": {"id": part.id, "json": msgspec.json.encode(part), "raw": raw}},
    }


async def _recent_groups(scope: Scope, part: Part) -> list[Group]:
    """Return the newest groups that `part` may belong to, newest first."""
    key = {"key": group_of(part)}
    found = await scope.find("part_groups", key, FIELDS, sort=[("_id", -1)], limit=RECENT_GROUPS)
    return [_group(group) for group in found]


def _group(found: Document) -> Group:
    parts = tuple(msgspec.json.decode(part["json"], type=Part) for part in found["parts"])
    return Group(found["_id"], found["total"], found["message"], parts)


async def _show(batch: Batch, group: Group, join: Join) -> None:
    """Make a message of the parts there are, or complete the one that is shown already."""
    message = await asyncio.to_thread(join, group.in_order)  # a long text takes time to read
    raw = await _raw_of(batch.scope, group)
    if group.message_id is None:
        await batch.add(message, raw, group.arrival)
        await batch.scope.update("part_groups", {"_id": group.number}, {"$set": {"message": message.id}})
    else:  # if it was deleted meanwhile, it stays so
        await batch.replace(msgspec.structs.replace(message, id=group.message_id), raw)


async def _raw_of(scope: Scope, group: Group) -> bytes:
    (found,) = await scope.find("part_groups", {"_id": group.number}, ["parts.id", "parts.raw"])
    raw = {part["id"]: part["raw"] for part in found["parts"]}
    return b"".join(raw[part.id] for part in group.in_order)


async def waiting(scope: Scope) -> list[Part]:
    """See Store.incomplete."""
    found = await scope.find("part_groups", {"message": None}, FIELDS, sort=[("_id", 1)])
    return [_group(group).newest for group in found]


async def has_overdue(scope: Scope, before: datetime) -> bool:
    """Return whether there is anything to show; asked each second, so not at the price of a transaction."""
    return await scope.find_one("part_groups", _overdue(before), ["_id"]) is not None


async def show_incomplete(scope: Scope, before: datetime, join: Join) -> int:
    """Show the messages whose newest part came before a time, and that still lack some."""
    batch = await Batch.open(scope, (), numbers=1)
    found = await scope.find("part_groups", _overdue(before), FIELDS, sort=[("_id", 1)])
    for group in found:
        await _show(batch, _group(group), join)
    await batch.close()
    return len(found)


def _overdue(before: datetime) -> Document:
    return {"message": None, "newest_at": {"$lt": before}}
