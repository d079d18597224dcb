"""The collections of the MongoDB store, the shape of their documents, and the steps from one version to the next.

The document `schema` in the collection of that name counts the steps that a database has taken. Programs that read the
database themselves may rely on these fields of `messages`, all those of a message's JSON, times as dates:

    _id, line, sender, text, code, codes [{value, score, rule}], links, bound_hosts, received_at, sent_at, source,
    parts, complete, marks, reader, lease, revision, first_cursor, cursor
    position              the cursor as a number: ascending in the order of commits
    number, timestamp     sender and received_at again, under the names that the smscatch of 2018 gave them

`folded`, `json` and `raw` are our own, as are the other collections. Documents without a `position`, such as those that
the smscatch of 2018 left in `messages`, stay as they are and are never shown.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pymongo
from pymongo.asynchronous.database import AsyncDatabase

from smscatch.errors import CannotStart
from smscatch.numbers import fold_sender
from smscatch.stores.mongo.database import Database
from smscatch.stores.mongo.locking import holder_of, locked
from smscatch.stores.mongo.scope import Document, Scope

RETRY_SECONDS = 0.1
# Every question about messages is about positions, so these indexes answer it.
POSITIONED = {"position": {"$gt": 0}}

# What is numbered by the counter's turn.
TURNED = (("leases", "number"), ("wishes", "number"), ("part_groups", "_id"))

log = logging.getLogger(__name__)

INDEXES: dict[str, tuple[tuple[str, list[str], dict[str, Any]], ...]] = {
    "messages": (
        ("messages_position", ["position"], {"unique": True, "partialFilterExpression": POSITIONED}),
        ("messages_line", ["line", "position"], {}),
        ("messages_sender", ["folded.sender", "position"], {}),
        ("messages_received", ["received_at", "position", "line"], {}),
        ("messages_lease", ["lease", "position"], {"partialFilterExpression": {"lease": {"$gt": ""}}}),
        # `contains` reads this from end to end instead of the ten times larger documents.
        ("messages_text", ["position", "folded.text"], {"partialFilterExpression": POSITIONED}),
    ),
    "deleted": (("deleted_received", ["received_at"], {}),),
    "part_groups": (
        ("part_groups_key", ["key", "_id"], {}),
        ("part_groups_part", ["parts.id"], {"unique": True}),
        ("part_groups_open", ["message", "newest_at"], {}),
    ),
    "keys": (("keys_hash", ["hash"], {"unique": True}), ("keys_parent", ["parent"], {})),
    "leases": (("leases_line", ["line", "number"], {}), ("leases_ticket", ["key", "ticket"], {})),
    "wishes": (("wishes_ticket", ["key", "ticket"], {"unique": True}), ("wishes_number", ["number"], {})),
    "reads": (("reads_message", ["message", "key"], {"unique": True}),),
    "lines": (("lines_messages", ["messages"], {}),),
    "sinks": (("sinks_cursor", ["cursor"], {}),),
    "jobs": (
        ("jobs_job", ["sink", "position"], {"unique": True}),
        ("jobs_due", ["sink", "state", "due_at", "position"], {}),
    ),
    "sources": (("sources_json", ["json"], {}),),
    "memos": (("memos_until", ["until"], {}),),
}


async def _make_all(database: AsyncDatabase[Document]) -> None:
    """Make what is missing: collections, so that a transaction finds them all there, their indexes, the counter."""
    for collection, indexes in INDEXES.items():
        made = [pymongo.IndexModel([(key, 1) for key in keys], name=name, **more) for name, keys, more in indexes]
        await database[collection].create_indexes(made)
    if await database["counters"].find_one({"_id": "position"}) is None:
        turn = max([await _highest(database, *field) for field in TURNED])
        start = {"value": await _highest(database, "messages", "position"), "turn": turn}
        await database["counters"].update_one({"_id": "position"}, {"$setOnInsert": start}, upsert=True)


async def _highest(database: AsyncDatabase[Document], collection: str, field: str) -> int:
    """Return the highest value of a field; 0 if there is none."""
    found = await database[collection].find_one({field: {"$gt": 0}}, {field: True}, sort=[(field, -1)])
    return found[field] if found else 0


async def _refold_senders(database: AsyncDatabase[Document]) -> None:
    """Index senders as they came, of which some have a '+' in the index that the network had not sent."""
    condition = {"folded.sender": {"$regex": r"^\+"}, "$expr": {"$ne": ["$folded.sender", "$sender"]}}
    async for found in database["messages"].find(condition, {"sender": True}):
        change = {"$set": {"folded.sender": fold_sender(found["sender"])}}
        await database["messages"].update_one({"_id": found["_id"]}, change)


async def _drop_stray_reads(database: AsyncDatabase[Document]) -> None:
    """Drop reads of messages that are gone: who read one was noted after its deletion, too, and then for good."""
    message = {"from": "messages", "localField": "message", "foreignField": "_id", "as": "there"}
    stages: list[Document] = [{"$lookup": message}, {"$match": {"there": []}}, {"$project": {"_id": True}}]
    async for stray in await database["reads"].aggregate(stages):
        await database["reads"].delete_one(stray)


# A step may be taken again, from wherever it ended: MongoDB makes no indexes in a transaction.
STEPS: tuple[Callable[[AsyncDatabase[Document]], Awaitable[None]], ...] = (
    _make_all,
    _refold_senders,
    _make_all,
    _drop_stray_reads,
    _make_all,
    _make_all,
)


async def migrate(database: Database) -> None:
    """Take the steps that are missing, and make what was dropped since.

    Raises CannotStart if the server can do no transactions, or is newer than we.
    """
    await _check_server(database)
    told: str | None = None
    while (version := await database.read(_version)) < len(STEPS):
        async with locked(database, "migration") as is_ours:
            if is_ours:
                await _take_step(database, version)
        if not is_ours:  # another instance, started at the same time, is at it
            holder = await holder_of(database, "migration")
            if holder not in (None, told):
                log.warning(
                    "waiting for %s, which brings the database %s up to date, or ended at it just now",
                    *(holder, database.where),
                )
                told = holder
            await asyncio.sleep(RETRY_SECONDS)
    if version > len(STEPS):
        raise CannotStart(
            f"The database {database.where} has schema {version}, written by a newer smscatch; this one knows up to"
            f" {len(STEPS)}. Install the newer smscatch, or name another database with SMSCATCH_STORE."
        )
    await database.work_long(_make_all)


async def _check_server(database: Database) -> None:
    hello = await database.command("hello")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise CannotStart(
            f"The database {database.where} is a single server without transactions, which smscatch needs. Make it a"
            " replica set, of one node if need be: start mongod with --replSet rs0 and call rs.initiate() in mongosh."
        )


async def _take_step(database: Database, version: int) -> None:
    # Who waited for the lock may find the step taken.
    if await database.read(_version) == version:
        await database.work_long(STEPS[version])
        await database.read(_set_version, version + 1)


async def _version(scope: Scope) -> int:
    found = await scope.find_one("schema", {"_id": "schema"}, ["version"])
    return found["version"] if found else 0


async def _set_version(scope: Scope, version: int) -> None:
    await scope.update("schema", {"_id": "schema"}, {"$max": {"version": version}}, upsert=True)
