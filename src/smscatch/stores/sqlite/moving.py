"""Everything out of the SQLite store and into it, as records (stores/records.py)."""

import sqlite3
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from smscatch.messages import Lease, Part, decode_message
from smscatch.stores.base import group_of
from smscatch.stores.jobs import Job
from smscatch.stores.records import (
    AddedSource,
    DeletedRecord,
    JobRecord,
    Key,
    KeyRecord,
    LeaseRecord,
    MessageRecord,
    PartRecord,
    PositionRecord,
    Read,
    Record,
    SinkRecord,
    SourceRecord,
)
from smscatch.stores.sqlite import leases, queue, statements
from smscatch.stores.sqlite.statements import counter, milliseconds, transaction

PAGE = 500
PARTS = """
    SELECT group_number, json, raw, newest_at, message_id FROM parts JOIN part_groups ON number = group_number
    ORDER BY group_number, id
"""


def dump(connection: sqlite3.Connection) -> Generator[list[Record], None, None]:
    """Yield everything in pages, of the moment of the first one."""
    with transaction(connection, "DEFERRED"):
        yield [PositionRecord(position=counter(connection, "position"))]
        for sql, make in _KINDS:
            found = connection.execute(sql)
            while page := found.fetchmany(PAGE):
                yield [make(*row) for row in page]


def _message(json: bytes, raw: bytes) -> Record:
    return MessageRecord(message=decode_message(json), raw=raw)


def _part(*row: Any) -> Record:
    group, json, raw, newest_at, message = row
    part = msgspec.json.decode(json, type=Part)
    return PartRecord(group=group, part=part, raw=raw, newest_at=_time(newest_at), message=message)


def _time(milliseconds_since_1970: int) -> datetime:
    return datetime.fromtimestamp(milliseconds_since_1970 / 1000, UTC)


_KINDS: tuple[tuple[str, Callable[..., Record]], ...] = (
    ("SELECT json, raw FROM messages ORDER BY position", _message),
    (PARTS, _part),
    (
        "SELECT id, received_at FROM deleted ORDER BY id",
        lambda id_, received_at: DeletedRecord(id=id_, received_at=_time(received_at)),
    ),
    (
        "SELECT json, hash FROM keys ORDER BY id",
        lambda json, secret_hash: KeyRecord(key=msgspec.json.decode(json, type=Key), secret_hash=secret_hash),
    ),
    (
        "SELECT json, ticket FROM leases ORDER BY number",
        lambda json, ticket: LeaseRecord(lease=msgspec.json.decode(json, type=Lease), ticket=ticket),
    ),
    ("SELECT json FROM reads ORDER BY message, key", lambda json: msgspec.json.decode(json, type=Read)),
    ("SELECT name, cursor FROM sinks ORDER BY name", lambda name, cursor: SinkRecord(name=name, cursor=cursor)),
    (
        "SELECT json FROM jobs ORDER BY sink, position",
        lambda json: JobRecord(job=msgspec.json.decode(json, type=Job)),
    ),
    (
        "SELECT json FROM sources ORDER BY name",
        lambda json: SourceRecord(source=msgspec.json.decode(json, type=AddedSource)),
    ),
)


def load(connection: sqlite3.Connection, records: Sequence[Record]) -> None:
    """See Store.load."""
    with transaction(connection):
        for record in records:
            _load(connection, record)


def _load(connection: sqlite3.Connection, record: Record) -> None:
    match record:
        case PositionRecord():
            connection.execute("UPDATE counters SET value = ? WHERE name = 'position'", [record.position])
        case MessageRecord():
            statements.insert_at(connection, int(record.message.cursor), record.message, record.raw)
        case PartRecord():
            _load_part(connection, record)
        case DeletedRecord():
            connection.execute("INSERT INTO deleted VALUES (?, ?)", [record.id, milliseconds(record.received_at)])
        case KeyRecord():
            statements.add_key(connection, record.key, record.secret_hash)
        case LeaseRecord():
            leases.insert(connection, record.lease, record.ticket)
        case Read():
            statements.add_read(connection, record)
        case _:
            _load_ends(connection, record)


def _load_ends(connection: sqlite3.Connection, record: SinkRecord | JobRecord | SourceRecord) -> None:
    """Keep where messages go, and whom they come from."""
    match record:
        case SinkRecord():
            connection.execute("INSERT INTO sinks VALUES (?, ?)", [record.name, record.cursor])
        case JobRecord():
            queue.insert(connection, record.job)
        case SourceRecord():
            values = [record.source.name, msgspec.json.encode(record.source)]
            connection.execute("INSERT INTO sources VALUES (?, ?)", values)


def _load_part(connection: sqlite3.Connection, record: PartRecord) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO part_groups (number, key, total, message_id, newest_at) VALUES (?, ?, ?, ?, ?)",
        [
            *(record.group, group_of(record.part), record.part.total, record.message),
            milliseconds(record.newest_at),
        ],
    )
    connection.execute(
        "INSERT INTO parts (id, group_number, json, raw) VALUES (?, ?, ?, ?)",
        [record.part.id, record.group, msgspec.json.encode(record.part), record.raw],
    )
