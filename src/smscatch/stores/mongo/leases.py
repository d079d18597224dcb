"""Leases in the MongoDB store: who may have which line is decided by one transaction at a time."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from smscatch.messages import Lease
from smscatch.stores.base import Claim, Wish
from smscatch.stores.leasing import choose, in_order, in_the_way, make_leases
from smscatch.stores.mongo.scope import Document, Scope
from smscatch.stores.mongo.statements import newest_leases, take_turn


async def claim(scope: Scope, wish: Wish, now: datetime, keep_until: datetime) -> Claim:
    """See Store.claim."""
    turn = await take_turn(
        scope, wish.size
    )  # which the messages need too: none slips in beside the lease's first position
    repeated = await leases_of(scope, wish.key, wish.ticket, now)
    if repeated:
        return Claim(tuple(repeated))
    ahead = await _queue_up(scope, wish, turn.number, now=now, keep_until=keep_until)
    newest = await newest_leases(scope, {line for other in (*ahead, wish) for line in other.lines})
    lines = choose(wish, ahead, newest, now)
    if not lines:
        return Claim((), len(ahead), in_the_way(wish, newest, now))
    granted = make_leases(wish, lines, turn.position, now)
    documents = [document(lease, wish.ticket, turn.number + place) for place, lease in enumerate(granted, 1)]
    await scope.insert("leases", documents)
    await withdraw(scope, wish.key, wish.ticket)
    return Claim(granted)


async def leases_of(scope: Scope, key: str, ticket: str, now: datetime) -> list[Lease]:
    """See Store.leases_of."""
    found = await scope.find("leases", {"key": key, "ticket": ticket, "expires_at": {"$gt": now}}, ["json"])
    return in_order(_decode(lease["json"]) for lease in found)


def _own(wish: Wish) -> Document:
    return {"key": wish.key, "ticket": wish.ticket}


async def _queue_up(scope: Scope, wish: Wish, number: int, *, now: datetime, keep_until: datetime) -> list[Wish]:
    """Take the wish's place in the queue, or keep it there; return who is in front."""
    await scope.delete("wishes", {"keep_until": {"$lte": now}})
    kept = {"keep_until": keep_until, "json": msgspec.json.encode(wish)}
    place = {"$set": kept, "$setOnInsert": {"number": number}}
    await scope.update("wishes", _own(wish), place, upsert=True)
    queue = await scope.find("wishes", {}, ["key", "ticket", "json"], sort=[("number", 1)])
    place_of_own = next(place for place, other in enumerate(queue) if _is_own(wish, other))
    return [msgspec.json.decode(other["json"], type=Wish) for other in queue[:place_of_own]]


def _is_own(wish: Wish, other: Document) -> bool:
    return (other["key"], other["ticket"]) == (wish.key, wish.ticket)


def _decode(json: bytes) -> Lease:
    return msgspec.json.decode(json, type=Lease)


def document(lease: Lease, ticket: str, number: int) -> Document:
    """Return a lease as the collection holds it; of a line's leases the highest number is the newest."""
    return {"_id": lease.id, "number": number, "line": lease.line, "key": lease.key, "ticket": ticket, **_ends(lease)}


def _ends(lease: Lease) -> Document:
    return {
        "expires_at": lease.expires_at,
        "rests_until": lease.rests_until,
        "json": msgspec.json.encode(lease),
    }


async def withdraw(scope: Scope, key: str, ticket: str) -> None:
    """See Store.withdraw."""
    await scope.delete("wishes", {"key": key, "ticket": ticket})


async def lease(scope: Scope, lease_id: str) -> Lease | None:
    """See Store.lease."""
    found = await scope.find_one("leases", {"_id": lease_id}, ["json"])
    return _decode(found["json"]) if found else None


async def by_id(scope: Scope, ids: Collection[str]) -> dict[str, Lease]:
    """See Store.leases_by_id."""
    found = await scope.find("leases", {"_id": {"$in": list(ids)}}, ["_id", "json"])
    return {lease["_id"]: _decode(lease["json"]) for lease in found}


async def recent(scope: Scope, limit: int) -> list[Lease]:
    """See Store.recent_leases."""
    found = await scope.find("leases", {}, ["json"], sort=[("number", -1)], limit=limit)
    return [_decode(lease["json"]) for lease in found]


async def leases(scope: Scope, now: datetime) -> list[Lease]:
    """See Store.leases."""
    newest = await newest_leases(scope)
    return sorted((lease for lease in newest.values() if lease.rests_until > now), key=lambda lease: lease.line)


async def change(scope: Scope, before: Lease, after: Lease, now: datetime) -> bool:
    """See Store.change_lease."""
    running = {"_id": before.id, "expires_at": {"$eq": before.expires_at, "$gt": now}}
    # The condition is the lock: of two changes one fails, and what ended stays so.
    return await scope.update("leases", running, {"$set": _ends(after)}) == 1
