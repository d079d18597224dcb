"""Everything out of the MongoDB store and into it, as records (stores/records.py)."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from smscatch.messages import Lease, Part, decode_message
from smscatch.stores.base import group_of
from smscatch.stores.jobs import Job
from smscatch.stores.mongo import leases, queue, statements
from smscatch.stores.mongo.schema import POSITIONED
from smscatch.stores.mongo.scope import Document, Scope
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


async def dump(scope: Scope) -> AsyncGenerator[list[Record], None]:
    """Yield everything in pages, of the moment of the first one if `scope` has the session of a snapshot."""
    yield [PositionRecord(position=await statements.position(scope))]
    for kind in _KINDS:
        last: Document | None = None
        while page := await scope.find(kind.collection, kind.behind(last), kind.fields, sort=kind.sort, limit=PAGE):
            yield [record for found in page for record in kind.records(found)]
            last = page[-1]


class _Kind(NamedTuple):
    """Where records of one kind are, in which order, and what makes records of a document."""

    collection: str
    order: tuple[str, ...]
    others: tuple[str, ...]
    records: Callable[[Document], Sequence[Record]]

    @property
    def fields(self) -> tuple[str, ...]:
        return self.order + self.others

    @property
    def sort(self) -> list[tuple[str, int]]:
        return [(field, 1) for field in self.order]

    def behind(self, last: Document | None) -> Document:
        """Return the condition for what follows a document."""
        if last is None:
            return POSITIONED if self.collection == "messages" else {}
        ways: list[Document] = [
            {equal: last[equal] for equal in self.order[:depth]} | {field: {"$gt": last[field]}}
            for depth, field in enumerate(self.order)
        ]
        return ways[0] if len(ways) == 1 else {"$or": ways}


def _decode(found: Document, kind: Any) -> Any:
    return msgspec.json.decode(found["json"], type=kind)


def _parts(group: Document) -> list[PartRecord]:
    return [
        PartRecord(
            group=group["_id"],
            part=_decode(part, Part),
            raw=part["raw"],
            newest_at=group["newest_at"],
            message=group["message"],
        )
        for part in sorted(group["parts"], key=lambda part: str(part["id"]))
    ]


_KINDS = (
    _Kind(
        *("messages", ("position",), ("json", "raw")),
        lambda found: [MessageRecord(message=decode_message(found["json"]), raw=found["raw"])],
    ),
    _Kind("part_groups", ("_id",), ("parts", "newest_at", "message"), _parts),
    _Kind(
        *("deleted", ("_id",), ("received_at",)),
        lambda found: [DeletedRecord(id=found["_id"], received_at=found["received_at"])],
    ),
    _Kind(
        *("keys", ("_id",), ("json", "hash")),
        lambda found: [KeyRecord(key=_decode(found, Key), secret_hash=found["hash"])],
    ),
    _Kind(
        *("leases", ("number",), ("json", "ticket")),
        lambda found: [LeaseRecord(lease=_decode(found, Lease), ticket=found["ticket"])],
    ),
    _Kind("reads", ("message", "key"), ("json",), lambda found: [_decode(found, Read)]),
    _Kind(
        *("sinks", ("_id",), ("cursor",)),
        lambda found: [SinkRecord(name=found["_id"], cursor=int(found["cursor"]))],
    ),
    _Kind("jobs", ("sink", "position"), ("json",), lambda found: [JobRecord(job=_decode(found, Job))]),
    _Kind("sources", ("_id",), ("json",), lambda found: [SourceRecord(source=_decode(found, AddedSource))]),
)


async def load(scope: Scope, records: Sequence[Record]) -> None:
    """See Store.load."""
    turn = await statements.take_turn(scope, len(records))
    messages = [record for record in records if isinstance(record, MessageRecord)]
    await scope.insert("messages", [_message(record) for record in messages])
    await statements.count_lines(scope, Counter(record.message.line for record in messages))
    for number, record in enumerate(records, turn.number + 1):
        await _load(scope, record, number)


def _message(record: MessageRecord) -> Document:
    return statements.document(int(record.message.cursor), record.message, record.raw)


async def _load(scope: Scope, record: Record, number: int) -> None:
    match record:
        case PositionRecord():
            await scope.update("counters", statements.COUNTER, {"$set": {"value": record.position}})
        case PartRecord():
            await _load_part(scope, record)
        case DeletedRecord():
            await scope.insert("deleted", [{"_id": record.id, "received_at": record.received_at}])
        case KeyRecord():
            await statements.add_key(scope, record.key, record.secret_hash)
        case LeaseRecord():
            await scope.insert("leases", [leases.document(record.lease, record.ticket, number)])
        case Read():
            await statements.insert_reads(scope, [record])
        case SinkRecord():
            await scope.insert("sinks", [{"_id": record.name, "cursor": record.cursor}])
        case JobRecord():
            await scope.insert("jobs", [queue.document(record.job)])
        case SourceRecord():
            json = msgspec.json.encode(record.source)
            await scope.insert("sources", [{"_id": record.source.name, "json": json}])


async def _load_part(scope: Scope, record: PartRecord) -> None:
    part = record.part
    facts = {"key": group_of(part), "total": part.total, "message": record.message, "newest_at": record.newest_at}
    kept = {"id": part.id, "json": msgspec.json.encode(part), "raw": record.raw}
    change = {"$setOnInsert": facts, "$push": {"parts": kept}}
    # A part that is there already would have a second group made with this id, which fails.
    await scope.update("part_groups", {"_id": record.group, "parts.id": {"$ne": part.id}}, change, upsert=True)
    # Groups that begin from now on must be newer than those.
    await scope.update("counters", statements.COUNTER, {"$max": {"turn": record.group}})
