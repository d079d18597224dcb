"""Long messages in the SQLite store: parts wait for their others, and become one message with the last of them."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from smscatch.messages import Part
from smscatch.stores.base import Delivery, Join, belongs_to, group_of, is_repeat
from smscatch.stores.sqlite import leases, statements
from smscatch.stores.sqlite.statements import milliseconds, rows, transaction

# Of the messages with one reference number, how many are looked at for where a part belongs.
RECENT_GROUPS = 4


class _Group(NamedTuple):
    """Parts of one message: `message_id` is None until they are shown."""

    number: int
    total: int
    message_id: str | None
    parts: list[Part]

    @property
    def is_complete(self) -> bool:
        return len(self.parts) == self.total


def add(connection: sqlite3.Connection, deliveries: Sequence[Delivery], join: Join) -> int:
    """Keep messages and parts that are not known yet, in one transaction; return how many."""
    with transaction(connection):
        return sum(_add_one(connection, delivery, join) for delivery in deliveries)


def _add_one(connection: sqlite3.Connection, delivery: Delivery, join: Join) -> bool:
    message, raw = delivery
    if isinstance(message, Part):
        return _add_part(connection, message, raw, join)
    if statements.is_known(connection, message.id):
        return False
    statements.insert(connection, leases.attributed(connection, message, message.received_at), raw)
    return True


def _add_part(connection: sqlite3.Connection, part: Part, raw: bytes, join: Join) -> bool:
    if rows(connection, "SELECT 1 FROM parts WHERE id = ?", part.id):
        return False
    groups = _recent_groups(connection, part)
    if any(is_repeat(part, group.parts) for group in groups):
        return False
    fitting = [group for group in groups if not group.is_complete and belongs_to(part, group.parts)]
    group = fitting[0] if fitting else _open_group(connection, part)
    connection.execute(
        "INSERT INTO parts (id, group_number, json, raw) VALUES (?, ?, ?, ?)",
        [part.id, group.number, msgspec.json.encode(part), raw],
    )
    connection.execute(
        "UPDATE part_groups SET newest_at = ? WHERE number = ?", [milliseconds(part.received_at), group.number]
    )
    group = group._replace(parts=[*group.parts, part])
    if group.is_complete or group.message_id is not None:
        _show(connection, group, join)
    return True


def _recent_groups(connection: sqlite3.Connection, part: Part) -> list[_Group]:
    """Return the newest groups that `part` may belong to, newest first."""
    sql = "SELECT number, total, message_id FROM part_groups WHERE key = ? ORDER BY number DESC LIMIT ?"
    return [_group(connection, *row) for row in rows(connection, sql, group_of(part), RECENT_GROUPS)]


def _group(connection: sqlite3.Connection, number: int, total: int, message_id: str | None) -> _Group:
    found = rows(connection, "SELECT json FROM parts WHERE group_number = ?", number)
    return _Group(number, total, message_id, [msgspec.json.decode(row[0], type=Part) for row in found])


def _open_group(connection: sqlite3.Connection, part: Part) -> _Group:
    number = connection.execute(
        "INSERT INTO part_groups (key, total, newest_at) VALUES (?, ?, ?)",
        [group_of(part), part.total, milliseconds(part.received_at)],
    ).lastrowid
    return _Group(number or 0, part.total, None, [])


def _show(connection: sqlite3.Connection, group: _Group, join: Join) -> None:
    """Make a message of the parts there are, or complete the one that is shown already."""
    message = join(sorted(group.parts, key=lambda part: part.number))
    raw = _raw_of(connection, group)
    if group.message_id is None:
        began_at = min(part.received_at for part in group.parts)
        statements.insert(connection, leases.attributed(connection, message, began_at), raw)
        connection.execute("UPDATE part_groups SET message_id = ? WHERE number = ?", [message.id, group.number])
    else:  # if it was deleted meanwhile, it stays so
        statements.replace(connection, msgspec.structs.replace(message, id=group.message_id), raw)


def waiting(connection: sqlite3.Connection) -> list[Part]:
    """See Store.incomplete."""
    sql = "SELECT number, total, message_id FROM part_groups WHERE message_id IS NULL ORDER BY number"
    groups = [_group(connection, *row) for row in rows(connection, sql)]
    return [max(group.parts, key=lambda part: part.received_at) for group in groups]


def _raw_of(connection: sqlite3.Connection, group: _Group) -> bytes:
    found = dict(rows(connection, "SELECT id, raw FROM parts WHERE group_number = ?", group.number))
    return b"".join(found[part.id] for part in sorted(group.parts, key=lambda part: part.number))


def show_incomplete(connection: sqlite3.Connection, before: int, join: Join) -> int:
    """Show the messages whose newest part came before a time, in milliseconds, and that still lack some."""
    sql = "SELECT number, total, message_id FROM part_groups WHERE message_id IS NULL AND newest_at < ? ORDER BY number"
    with transaction(connection):
        groups = [_group(connection, *row) for row in rows(connection, sql, before)]
        for group in groups:
            _show(connection, group, join)
    return len(groups)
