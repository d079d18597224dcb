"""Leases in the PostgreSQL store: who may have which line is decided in a turn, so only one can."""

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec

from smscatch.messages import Lease
from smscatch.stores.base import Claim, Wish
from smscatch.stores.leasing import choose, in_order, in_the_way, make_leases
from smscatch.stores.postgres.session import Connection
from smscatch.stores.postgres.statements import Turn, rounded, rows, run, turn

NEWEST = """
    SELECT newest.json FROM unnest(%s::text[]) AS wanted (line) CROSS JOIN LATERAL (
        SELECT json FROM leases WHERE leases.line = wanted.line ORDER BY number DESC LIMIT 1
    ) AS newest
"""
PRESENT = """
    SELECT json FROM leases AS this WHERE rests_until > %s
    AND number = (SELECT max(number) FROM leases WHERE leases.line = this.line) ORDER BY line
"""
QUEUE_UP = """
    INSERT INTO wishes (key, ticket, keep_until, json) VALUES (%s, %s, %s, %s)
    ON CONFLICT (key, ticket) DO UPDATE SET keep_until = excluded.keep_until, json = excluded.json
    RETURNING number
"""


async def claim(connection: Connection, wish: Wish, now: datetime, keep_until: datetime) -> Claim:
    """See Store.claim."""
    async with turn(connection) as own:
        repeated = await leases_of(connection, wish.key, wish.ticket, now)
        if repeated:
            return Claim(tuple(repeated))
        ahead = await _queue_up(connection, wish, now, keep_until)
        newest = await newest_of(connection, {line for other in (*ahead, wish) for line in other.lines})
        lines = choose(wish, ahead, newest, now)
        if lines:
            return Claim(await _grant(own, wish, lines, now))
        return Claim((), len(ahead), in_the_way(wish, newest, now))


async def leases_of(connection: Connection, key: str, ticket: str, now: datetime) -> list[Lease]:
    """See Store.leases_of."""
    sql = "SELECT json FROM leases WHERE key = %s AND ticket = %s AND expires_at > %s"
    return in_order(_decode(row[0]) for row in await rows(connection, sql, key, ticket, rounded(now)))


async def _queue_up(connection: Connection, wish: Wish, now: datetime, keep_until: datetime) -> list[Wish]:
    """Take the wish's place in the queue, or keep it there; return who is in front."""
    await run(connection, "DELETE FROM wishes WHERE keep_until <= %s", rounded(now))
    own = await rows(connection, QUEUE_UP, wish.key, wish.ticket, rounded(keep_until), msgspec.json.encode(wish))
    ahead = await rows(connection, "SELECT json FROM wishes WHERE number < %s ORDER BY number", own[0][0])
    return [msgspec.json.decode(row[0], type=Wish) for row in ahead]


async def _grant(own: Turn, wish: Wish, lines: tuple[str, ...], now: datetime) -> tuple[Lease, ...]:
    granted = make_leases(wish, lines, own.position, now)
    for lease in granted:
        await insert(own.connection, lease, wish.ticket)
    await withdraw(own.connection, wish.key, wish.ticket)
    return granted


async def newest_of(connection: Connection, lines: Iterable[str]) -> dict[str, Lease]:
    """Return the newest lease of each of these lines."""
    return by_line(row[0] for row in await rows(connection, NEWEST, list(lines)))


def by_line(jsons: Iterable[bytes]) -> dict[str, Lease]:
    """Return leases under their lines."""
    return {lease.line: lease for lease in map(_decode, jsons)}


def _decode(json: bytes) -> Lease:
    return msgspec.json.decode(json, type=Lease)


async def insert(connection: Connection, lease: Lease, ticket: str) -> None:
    """Keep a lease."""
    await run(
        connection,
        "INSERT INTO leases (id, line, key, ticket, started_at, expires_at, rests_until, json)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        *(lease.id, lease.line, lease.key, ticket, rounded(lease.started_at), *_changing(lease)),
    )


def _changing(lease: Lease) -> tuple[object, ...]:
    return rounded(lease.expires_at), rounded(lease.rests_until), msgspec.json.encode(lease)


async def withdraw(connection: Connection, key: str, ticket: str) -> None:
    """See Store.withdraw."""
    await run(connection, "DELETE FROM wishes WHERE key = %s AND ticket = %s", key, ticket)


async def lease(connection: Connection, lease_id: str) -> Lease | None:
    """See Store.lease."""
    found = await rows(connection, "SELECT json FROM leases WHERE id = %s", lease_id)
    return _decode(found[0][0]) if found else None


async def by_id(connection: Connection, ids: Collection[str]) -> dict[str, Lease]:
    """See Store.leases_by_id."""
    found = await rows(connection, "SELECT id, json FROM leases WHERE id = ANY (%s::text[])", list(ids))
    return {id_: _decode(json) for id_, json in found}


async def recent(connection: Connection, limit: int) -> list[Lease]:
    """See Store.recent_leases."""
    found = await rows(connection, "SELECT json FROM leases ORDER BY number DESC LIMIT %s", limit)
    return [_decode(row[0]) for row in found]


async def leases(connection: Connection, now: datetime) -> list[Lease]:
    """See Store.leases."""
    return [_decode(row[0]) for row in await rows(connection, PRESENT, rounded(now))]


async def change(connection: Connection, before: Lease, after: Lease, now: datetime) -> bool:
    """See Store.change_lease."""
    changed = await run(
        connection,
        "UPDATE leases SET expires_at = %s, rests_until = %s, json = %s"
        " WHERE id = %s AND expires_at = %s AND expires_at > %s",
        *(*_changing(after), before.id, rounded(before.expires_at), rounded(now)),
    )
    return changed == 1  # the condition is the lock: of two changes one fails, and what ended stays so
