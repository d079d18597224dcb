"""Leases in the MongoDB store: who may have which line is decided by one transaction at a time."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec

from smscatch.messages import Lease
from smscatch.stores.base import Claim, Ticket, Wish
from smscatch.stores.leasing import decide, in_order
from smscatch.stores.mongo.scope import Document, Scope
from smscatch.stores.mongo.statements import newest_leases, take_turn


async def claim(scope: Scope, wishes: Sequence[Wish], now: datetime, keep_until: datetime) -> list[Claim]:
    """See Store.claim."""
    # The messages need the turn too: none slips in beside a lease's first position.
    turn = await take_turn(scope, sum(wish.size for wish in wishes))
    claims = await _repeated(scope, wishes, now)
    asked = {wish.name: wish for wish in wishes if wish.name not in claims}
    queue = await _queue_up(scope, asked, turn.number, now=now, keep_until=keep_until)
    newest = await newest_leases(scope, {line for wish in queue.values() for line in wish.lines})
    decided = decide(asked, queue, newest, now, position=turn.position)
    granted = [(lease, ticket) for (_, ticket), claimed in decided.items() for lease in claimed.leases]
    numbers = itertools.count(turn.number + 1)
    await scope.insert("leases", [document(lease, ticket, next(numbers)) for lease, ticket in granted])
    for name, claimed in decided.items():
        if claimed.leases:
            await withdraw(scope, *name)
    return [(claims | decided)[wish.name] for wish in wishes]


async def _repeated(scope: Scope, wishes: Sequence[Wish], now: datetime) -> dict[Ticket, Claim]:
    """Return what tickets got that ask again."""
    of_these = {"$or": [_named(*wish.name) for wish in wishes], "expires_at": {"$gt": now}}
    leases: dict[Ticket, list[Lease]] = {}
    for found in await scope.find("leases", of_these, ["key", "ticket", "json"]):
        leases.setdefault((found["key"], found["ticket"]), []).append(_decode(found["json"]))
    return {name: Claim(tuple(in_order(of_one))) for name, of_one in leases.items()}


def _named(key: str, ticket: str) -> Document:
    return {"key": key, "ticket": ticket}


async def leases_of(scope: Scope, key: str, ticket: str, now: datetime) -> list[Lease]:
    """See Store.leases_of."""
    found = await scope.find("leases", {"key": key, "ticket": ticket, "expires_at": {"$gt": now}}, ["json"])
    return in_order(_decode(lease["json"]) for lease in found)


async def _queue_up(
    scope: Scope, wishes: Mapping[Ticket, Wish], first: int, *, now: datetime, keep_until: datetime
) -> dict[int, Wish]:
    """Have wishes take their places in the queue, or keep them there; return the queue up to the last of them."""
    await scope.delete("wishes", {"keep_until": {"$lte": now}})
    if not wishes:
        return {}
    await scope.update_each(
        "wishes",
        [
            (_named(*name), _place(wish, keep_until, number))
            for number, (name, wish) in enumerate(wishes.items(), first)
        ],
    )
    queue = await scope.find("wishes", {}, ["key", "ticket", "number", "json"], sort=[("number", 1)])
    last = max(other["number"] for other in queue if (other["key"], other["ticket"]) in wishes)
    return {
        other["number"]: msgspec.json.decode(other["json"], type=Wish) for other in queue if other["number"] <= last
    }


def _place(wish: Wish, keep_until: datetime, number: int) -> Document:
    """Return the change that gives a wish its place, or lets it keep the one that it has."""
    kept = {"keep_until": keep_until, "json": msgspec.json.encode(wish)}
    return {"$set": kept, "$setOnInsert": {"number": number}}


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
