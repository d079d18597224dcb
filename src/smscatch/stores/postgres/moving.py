"""Everything out of the PostgreSQL store and into it, as records (stores/records.py)."""

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from smscatch.messages import Lease, Part, decode_message
from smscatch.stores.base import group_of
from smscatch.stores.jobs import Job
from smscatch.stores.postgres import leases, parts, queue, statements
from smscatch.stores.postgres.session import Connection
from smscatch.stores.postgres.statements import Turn, rounded, rows, run, turn
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

PAGE = 500
PARTS = """
    SELECT group_number, json, raw, newest_at, message_id FROM parts JOIN part_groups ON number = group_number
    ORDER BY group_number, id
"""
OPEN_GROUP = """
    INSERT INTO part_groups (number, key, total, message_id, newest_at) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""
# The records bring numbers of groups with them; those that follow must be new.
GO_ON = """
    SELECT setval(pg_get_serial_sequence('part_groups', 'number'), max(number)) FROM part_groups HAVING count(*) > 0
"""


async def dump(connection: Connection) -> AsyncGenerator[Record, None]:
    """Yield everything, of the moment of the first record. The transaction ends with the connection."""
    await connection.execute(connection.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    # Who takes the records may stop between two of them: a pipe into a pager, or a slow disk.
    await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    yield PositionRecord(position=await statements.position(connection))
    for sql, make in _KINDS:
        async with connection.cursor("dump", binary=True) as found:
            found.itersize = PAGE
            await found.execute(sql)
            async for row in found:
                yield make(*row)


def _message(json: bytes, raw: bytes) -> Record:
    return MessageRecord(message=decode_message(json), raw=raw)


def _part(*row: Any) -> Record:
    group, json, raw, newest_at, message = row
    part = msgspec.json.decode(json, type=Part)
    return PartRecord(group=group, part=part, raw=raw, newest_at=newest_at, message=message)


def _deleted(message_id: str, received_at: datetime) -> Record:
    return DeletedRecord(id=message_id, received_at=received_at)


_KINDS: tuple[tuple[str, Callable[..., Record]], ...] = (
    ("SELECT json, raw FROM messages ORDER BY position", _message),
    (PARTS, _part),
    ("SELECT id, received_at FROM deleted ORDER BY id", _deleted),
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


async def load(connection: Connection, records: Sequence[Record]) -> None:
    """See Store.load."""
    async with turn(connection) as own:
        for record in records:
            await _load(own, record)
        await rows(connection, GO_ON)


async def _load(own: Turn, record: Record) -> None:
    match record:
        case PositionRecord():
            own.position = record.position
        case MessageRecord():
            own.insert_at(int(record.message.cursor), record.message, record.raw)
        case PartRecord():
            await _load_part(own.connection, record)
        case DeletedRecord():
            await run(own.connection, "INSERT INTO deleted VALUES (%s, %s)", record.id, rounded(record.received_at))
        case KeyRecord():
            await statements.insert_key(own.connection, record.key, record.secret_hash)
        case LeaseRecord():
            await leases.insert(own.connection, record.lease, record.ticket)
        case Read():
            await own.send()  # its message may be ours
            await statements.insert_reads(own.connection, [record])
        case _:
            await _load_ends(own.connection, record)


async def _load_ends(connection: Connection, record: SinkRecord | JobRecord | SourceRecord) -> None:
    """Keep where messages go, and whom they come from."""
    match record:
        case SinkRecord():
            await run(connection, "INSERT INTO sinks VALUES (%s, %s)", record.name, record.cursor)
        case JobRecord():
            await queue.insert(connection, [record.job])
        case SourceRecord():
            json = msgspec.json.encode(record.source)
            await run(connection, "INSERT INTO sources VALUES (%s, %s)", record.source.name, json)


async def _load_part(connection: Connection, record: PartRecord) -> None:
    values = (record.group, group_of(record.part), record.part.total, record.message, rounded(record.newest_at))
    await run(connection, OPEN_GROUP, *values)
    await parts.insert(connection, record.group, record.part, record.raw)
