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
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pymongo
from pymongo.asynchronous.database import AsyncDatabase

from smscatch.errors import CannotStart
from smscatch.stores.mongo.database import Database
from smscatch.stores.mongo.locking import locked
from smscatch.stores.mongo.scope import Document, Scope

LOCKED = timedelta(minutes=1)
RETRY_SECONDS = 0.1
# Every question about messages is about positions, so these indexes answer it.
POSITIONED = {"position": {"$gt": 0}}

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
}


async def _first(database: AsyncDatabase[Document]) -> None:
    """Make the collections, so that a transaction finds them all there, and their indexes."""
    for collection, indexes in INDEXES.items():
        made = [pymongo.IndexModel([(key, 1) for key in keys], name=name, **more) for name, keys, more in indexes]
        await database[collection].create_indexes(made)
    await database["counters"].update_one({"_id": "position"}, {"$setOnInsert": {"value": 0, "turn": 0}}, upsert=True)


# A step may be taken again, from wherever it ended: MongoDB makes no indexes in a transaction.
STEPS: tuple[Callable[[AsyncDatabase[Document]], Awaitable[None]], ...] = (_first,)


async def migrate(database: Database) -> None:
    """Take the steps that are missing. Raises CannotStart if the server can do no transactions, or is newer than we."""
    await _check_server(database)
    while (version := await database.read(_version)) < len(STEPS):
        async with locked(database, "migration", LOCKED) as is_ours:
            if is_ours:
                await _take_step(database, version)
            else:  # another instance, started at the same time, is at it
                await asyncio.sleep(RETRY_SECONDS)
    if version > len(STEPS):
        raise CannotStart(
            f"The database {database.where} has schema {version}, written by a newer smscatch; this one knows up to"
            f" {len(STEPS)}. Install the newer smscatch, or name another database with SMSCATCH_STORE."
        )


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
