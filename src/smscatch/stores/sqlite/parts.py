"""Long messages in the SQLite store: parts wait for their others, and become one message with the last of them."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache, partial

import msgspec

from smscatch.messages import Message, Part
from smscatch.stores.base import Delivery, Join, group_of
from smscatch.stores.joining import RECENT_GROUPS, Group, find_group, is_sent_again
from smscatch.stores.leasing import Arrival
from smscatch.stores.sqlite import leases, memos, queue, statements
from smscatch.stores.sqlite.statements import MILLISECOND, counter, milliseconds, rows, transaction


def add(connection: sqlite3.Connection, deliveries: Sequence[Delivery], join: Join) -> int:
    """Keep messages and parts that are not known yet, in one transaction; return how many."""
    with transaction(connection):
        known = statements.known(connection, [delivery.message.id for delivery in deliveries])
        newest = cache(partial(leases.newest_of, connection))
        # Together, as each statement gives the interpreter away (GIL), and a busy event loop is slow to return it.
        fresh: list[tuple[Message, bytes]] = []
        added = 0
        for delivery in deliveries:
            message, raw, _ = delivery
            if isinstance(message, Part):
                _insert(connection, fresh)
                added += _add_part(connection, message, raw, join)
            elif message.id not in known:
                known.add(message.id)
                lease = newest(message.line)
                if lease is not None:
                    _insert(connection, fresh)  # they may tell the clock of its SMSC
                    message = leases.attributed(connection, message, lease, Arrival.of(delivery))
                fresh.append((message, raw))
                added += 1
        _insert(connection, fresh)
        return added


def _insert(connection: sqlite3.Connection, fresh: list[tuple[Message, bytes]]) -> None:
    """Insert messages, and empty the list of them."""
    statements.insert_all(connection, fresh)
    fresh.clear()


def _add_part(connection: sqlite3.Connection, part: Part, raw: bytes, join: Join) -> bool:
    if rows(connection, "SELECT 1 FROM parts WHERE id = ?", part.id):
        return False
    groups = _recent_groups(connection, part)
    if is_sent_again(part, groups):
        return False
    group = find_group(part, groups) or _open_group(connection, part)
    connection.execute(
        "INSERT INTO parts (id, group_number, json, raw) VALUES (?, ?, ?, ?)",
        [part.id, group.number, msgspec.json.encode(part), raw],
    )
    connection.execute(
        "UPDATE part_groups SET newest_at = ? WHERE number = ?", [milliseconds(part.received_at), group.number]
    )
    group = group.with_part(part)
    if group.is_complete or group.message_id is not None:
        _show(connection, group, join)
    return True


def _recent_groups(connection: sqlite3.Connection, part: Part) -> list[Group]:
    """Return the newest groups that `part` may belong to, newest first."""
    sql = "SELECT number, total, message_id FROM part_groups WHERE key = ? ORDER BY number DESC LIMIT ?"
    return [_group(connection, *row) for row in rows(connection, sql, group_of(part), RECENT_GROUPS)]


def _group(connection: sqlite3.Connection, number: int, total: int, message_id: str | None) -> Group:
    found = rows(connection, "SELECT json FROM parts WHERE group_number = ?", number)
    return Group(number, total, message_id, tuple(msgspec.json.decode(row[0], type=Part) for row in found))


def _open_group(connection: sqlite3.Connection, part: Part) -> Group:
    number = connection.execute(
        "INSERT INTO part_groups (key, total, newest_at) VALUES (?, ?, ?)",
        [group_of(part), part.total, milliseconds(part.received_at)],
    ).lastrowid
    return Group(number or 0, part.total, None)


def _show(connection: sqlite3.Connection, group: Group, join: Join) -> None:
    """Make a message of the parts there are, or complete the one that is shown already."""
    message = join(group.in_order)
    raw = _raw_of(connection, group)
    if group.message_id is None:
        newest = leases.newest_of(connection, message.line)
        own = leases.attributed(connection, message, newest, group.arrival)
        statements.insert_all(connection, [(own, raw)])
        connection.execute("UPDATE part_groups SET message_id = ? WHERE number = ?", [message.id, group.number])
    else:  # if it was deleted meanwhile, it stays so
        statements.replace(connection, msgspec.structs.replace(message, id=group.message_id), raw)


def waiting(connection: sqlite3.Connection) -> list[Part]:
    """See Store.incomplete."""
    sql = "SELECT number, total, message_id FROM part_groups WHERE message_id IS NULL ORDER BY number"
    return [_group(connection, *row).newest for row in rows(connection, sql)]


def _raw_of(connection: sqlite3.Connection, group: Group) -> bytes:
    found = dict(rows(connection, "SELECT id, raw FROM parts WHERE group_number = ?", group.number))
    return b"".join(found[part.id] for part in group.in_order)


def clock_set(connection: sqlite3.Connection, step: timedelta, now: datetime) -> None:
    """See Store.clock_set."""
    with transaction(connection):
        leases.move(connection, step, now)
        queue.move(connection, step, now)
        memos.move(connection, step)
        if step:
            _move_waiting(connection, step)
            connection.execute(
                "INSERT OR REPLACE INTO counters VALUES ('clock_set', ?)", [counter(connection, "position")]
            )


def _move_waiting(connection: sqlite3.Connection, step: timedelta) -> None:
    """Have the parts that wait for others move with the clock."""
    is_open = "message_id IS NULL"
    connection.execute(f"UPDATE part_groups SET newest_at = newest_at + ? WHERE {is_open}", [step // MILLISECOND])
    of_these = f"group_number IN (SELECT number FROM part_groups WHERE {is_open})"
    for (json,) in rows(connection, f"SELECT json FROM parts WHERE {of_these}"):
        part = msgspec.json.decode(json, type=Part)
        if part.arrived_at is not None:
            part = msgspec.structs.replace(part, arrived_at=part.arrived_at + step)
            connection.execute("UPDATE parts SET json = ? WHERE id = ?", [msgspec.json.encode(part), part.id])


def show_incomplete(connection: sqlite3.Connection, before: int, join: Join) -> int:
    """Show the messages whose newest part came before a time, in milliseconds, and that still lack some."""
    sql = "SELECT number, total, message_id FROM part_groups WHERE message_id IS NULL AND newest_at < ? ORDER BY number"
    with transaction(connection):
        groups = [_group(connection, *row) for row in rows(connection, sql, before)]
        for group in groups:
            _show(connection, group, join)
    return len(groups)
