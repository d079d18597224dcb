"""Long messages in the PostgreSQL store: parts wait for their others, and become one message with the last of them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from smscatch.messages import Lease, Message, Part
from smscatch.stores.base import Delivery, Join, group_of
from smscatch.stores.joining import RECENT_GROUPS, Group, find_group, is_sent_again
from smscatch.stores.leasing import CLOCK_REACH, CLOCK_TEXTS, Arrival, attribute, clock_query
from smscatch.stores.postgres import leases
from smscatch.stores.postgres.searching import NO_POSITION, Span, search
from smscatch.stores.postgres.session import Connection
from smscatch.stores.postgres.statements import Rows, Turn, rounded, rows, run, turn

# In one statement: each costs more on its way than in the database.
KNOWN = f"""
    SELECT ARRAY (SELECT id FROM messages WHERE id = ANY (%s::text[])),
        ARRAY (SELECT id FROM deleted WHERE id = ANY (%s::text[])), ARRAY ({leases.NEWEST})
"""
GROUPS = """
    SELECT number, total, message_id, ARRAY (SELECT json FROM parts WHERE group_number = number) FROM part_groups
"""
OPEN = "message_id IS NULL"


async def add(connection: Connection, deliveries: Sequence[Delivery], join: Join) -> int:
    """Keep messages and parts that are not known yet, in one transaction; return how many."""
    async with turn(connection) as own:
        known, newest = await _known(connection, deliveries)
        added = 0
        for delivery in deliveries:
            message, raw, _ = delivery
            if isinstance(message, Part):
                added += await _add_part(own, delivery, newest, join)
            elif message.id not in known:
                known.add(message.id)
                own.insert(await _attributed(own, message, newest, Arrival.of(delivery)), raw)
                added += 1
        return added


async def _attributed(own: Turn, message: Message, leases: Mapping[str, Lease], arrival: Arrival) -> Message:
    """Return a message with the lease that it belongs to, if any, of the newest ones of the lines."""
    newest = leases.get(message.line)
    earlier: list[Message] = []
    query = clock_query(message, newest, arrival)
    if query is not None:
        await own.send()  # they may be ours
        low = max(own.position - CLOCK_REACH, await _clock_set_at(own.connection))
        span = Span(low, NO_POSITION, CLOCK_TEXTS, newest_first=True)
        earlier = [stored.message for stored in await search(own.connection, query, span, is_indexed=False)]
    return attribute(message, newest, arrival, earlier)


async def _clock_set_at(connection: Connection) -> int:
    """Return the position when the clock of an instance was last set; 0 if none ever was."""
    found = await rows(connection, "SELECT value FROM counters WHERE name = 'clock_set'")
    return int(found[0][0]) if found else 0


async def _known(connection: Connection, deliveries: Sequence[Delivery]) -> tuple[set[str], dict[str, Lease]]:
    """Return which of these messages were kept before, and the newest lease of each of their lines."""
    ids = [delivery.message.id for delivery in deliveries]
    lines = list({delivery.message.line for delivery in deliveries})
    kept, deleted, newest = (await rows(connection, KNOWN, ids, ids, lines))[0]
    return {*kept, *deleted}, leases.by_line(newest)


async def _add_part(own: Turn, delivery: Delivery, newest: Mapping[str, Lease], join: Join) -> bool:
    part, raw, _ = delivery
    if not isinstance(part, Part) or await rows(own.connection, "SELECT FROM parts WHERE id = %s", part.id):
        return False
    groups = await _recent_groups(own.connection, part)
    if is_sent_again(part, groups):
        return False
    group = find_group(part, groups) or await _open_group(own.connection, part)
    await insert(own.connection, group.number, part, raw)
    received_at = rounded(part.received_at)
    await run(own.connection, "UPDATE part_groups SET newest_at = %s WHERE number = %s", received_at, group.number)
    group = group.with_part(part)
    if group.is_complete or group.message_id is not None:
        await _show(own, group, newest, join)
    return True


async def insert(connection: Connection, group: int, part: Part, raw: bytes) -> None:
    """Keep a part."""
    sql = "INSERT INTO parts (id, group_number, json, raw) VALUES (%s, %s, %s, %s)"
    await run(connection, sql, part.id, group, msgspec.json.encode(part), raw)


async def _recent_groups(connection: Connection, part: Part) -> list[Group]:
    """Return the newest groups that `part` may belong to, newest first."""
    sql = f"{GROUPS} WHERE key = %s ORDER BY number DESC LIMIT {RECENT_GROUPS}"
    return _groups(await rows(connection, sql, group_of(part)))


def _groups(found: Rows) -> list[Group]:
    return [
        Group(number, total, message_id, tuple(msgspec.json.decode(json, type=Part) for json in jsons))
        for number, total, message_id, jsons in found
    ]


async def _open_group(connection: Connection, part: Part) -> Group:
    sql = "INSERT INTO part_groups (key, total, newest_at) VALUES (%s, %s, %s) RETURNING number"
    found = await rows(connection, sql, group_of(part), part.total, rounded(part.received_at))
    return Group(found[0][0], part.total, None)


async def _show(own: Turn, group: Group, newest: Mapping[str, Lease], join: Join) -> None:
    """Make a message of the parts there are, or complete the one that is shown already."""
    message = await asyncio.to_thread(join, group.in_order)  # a long text takes time to read
    raw = await _raw_of(own.connection, group)
    if group.message_id is None:
        own.insert(await _attributed(own, message, newest, group.arrival), raw)
        sql = "UPDATE part_groups SET message_id = %s WHERE number = %s"
        await run(own.connection, sql, message.id, group.number)
    else:  # if it was deleted meanwhile, it stays so
        await own.replace(msgspec.structs.replace(message, id=group.message_id), raw)


async def _raw_of(connection: Connection, group: Group) -> bytes:
    sql = "SELECT id, raw FROM parts WHERE group_number = %s"
    found: dict[str, bytes] = {row[0]: row[1] for row in await rows(connection, sql, group.number)}
    return b"".join(found[part.id] for part in group.in_order)


async def waiting(connection: Connection) -> list[Part]:
    """See Store.incomplete."""
    return [group.newest for group in _groups(await rows(connection, f"{GROUPS} WHERE {OPEN} ORDER BY number"))]


async def is_overdue(connection: Connection, before: datetime) -> bool:
    """Return whether `show_incomplete` would find any; asked each second, it takes no turn for nothing."""
    sql = f"SELECT FROM part_groups WHERE {OPEN} AND newest_at < %s LIMIT 1"
    return bool(await rows(connection, sql, rounded(before)))


async def show_incomplete(connection: Connection, before: datetime, join: Join) -> int:
    """Show the messages whose newest part came before a time, and that still lack some."""
    async with turn(connection) as own:
        sql = f"{GROUPS} WHERE {OPEN} AND newest_at < %s ORDER BY number"
        groups = _groups(await rows(connection, sql, rounded(before)))
        newest = await leases.newest_of(connection, {group.newest.line for group in groups})
        for group in groups:
            await _show(own, group, newest, join)
    return len(groups)
