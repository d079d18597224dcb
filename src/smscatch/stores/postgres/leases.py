"""Leases in the PostgreSQL store: who may have which line is decided in a turn, so only one can."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from smscatch.messages import Lease
from smscatch.stores.base import Claim, Ticket, Wish
from smscatch.stores.leasing import decide, in_order
from smscatch.stores.postgres.session import Connection
from smscatch.stores.postgres.statements import rounded, rows, run, turn

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
    INSERT INTO wishes (key, ticket, keep_until, json)
    SELECT key, ticket, %s, json FROM unnest(%s::text[], %s::text[], %s::bytea[])
    WITH ORDINALITY AS given (key, ticket, json, place) ORDER BY place
    ON CONFLICT (key, ticket) DO UPDATE SET keep_until = excluded.keep_until, json = excluded.json
    RETURNING number
"""
REPEATED = """
    SELECT key, ticket, json FROM leases
    WHERE (key, ticket) IN (SELECT * FROM unnest(%s::text[], %s::text[])) AND expires_at > %s
"""


async def claim(connection: Connection, wishes: Sequence[Wish], now: datetime, keep_until: datetime) -> list[Claim]:
    """See Store.claim."""
    async with turn(connection) as own:
        claims = await _repeated(connection, wishes, now)
        asked = {wish.name: wish for wish in wishes if wish.name not in claims}
        queue = await _queue_up(connection, asked, now, keep_until)
        newest = await newest_of(connection, {line for wish in queue.values() for line in wish.lines})
        claims |= decide(asked, queue, newest, now, position=own.position)
        for key, ticket in asked:
            for lease in claims[key, ticket].leases:
                await insert(connection, lease, ticket)
            if claims[key, ticket].leases:
                await withdraw(connection, key, ticket)
    return [claims[wish.name] for wish in wishes]


async def _repeated(connection: Connection, wishes: Sequence[Wish], now: datetime) -> dict[Ticket, Claim]:
    """Return what tickets got that ask again."""
    found = await rows(connection, REPEATED, *_columns(wish.name for wish in wishes), rounded(now))
    leases: dict[Ticket, list[Lease]] = {}
    for key, ticket, json in found:
        leases.setdefault((key, ticket), []).append(_decode(json))
    return {name: Claim(tuple(in_order(of_one))) for name, of_one in leases.items()}


def _columns(tickets: Iterable[Ticket]) -> tuple[list[str], list[str]]:
    keys, names = zip(*tickets, strict=True)
    return [*keys], [*names]


async def leases_of(connection: Connection, key: str, ticket: str, now: datetime) -> list[Lease]:
    """See Store.leases_of."""
    sql = "SELECT json FROM leases WHERE key = %s AND ticket = %s AND expires_at > %s"
    return in_order(_decode(row[0]) for row in await rows(connection, sql, key, ticket, rounded(now)))


async def _queue_up(
    connection: Connection, wishes: Mapping[Ticket, Wish], now: datetime, keep_until: datetime
) -> dict[int, Wish]:
    """Have wishes take their places in the queue, or keep them there; return the queue up to the last of them."""
    await run(connection, "DELETE FROM wishes WHERE keep_until <= %s", rounded(now))
    if not wishes:
        return {}
    jsons = [msgspec.json.encode(wish) for wish in wishes.values()]
    own = await rows(connection, QUEUE_UP, rounded(keep_until), *_columns(wishes), jsons)
    last = max(number for (number,) in own)
    queue = await rows(connection, "SELECT number, json FROM wishes WHERE number <= %s ORDER BY number", last)
    return {number: msgspec.json.decode(json, type=Wish) for number, json in queue}


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
