"""The queue in the MongoDB store. A claimed job is due again when its claim expires."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from smscatch.stores.jobs import DEAD, OPEN, Job, SinkUse, State
from smscatch.stores.mongo.scope import Document, Scope
from smscatch.stores.mongo.statements import position


async def open_sink(scope: Scope, sink: str) -> int:
    """See Store.open_sink."""
    start = {"$setOnInsert": {"cursor": await position(scope)}}
    await scope.update("sinks", {"_id": sink}, start, upsert=True)
    found = await scope.find_one("sinks", {"_id": sink}, ["cursor"])
    return int(found["cursor"]) if found else 0


async def advance(scope: Scope, sink: str, before: int, after: int, *, jobs: Sequence[Job]) -> bool:
    """See Store.advance."""
    moved = await scope.update("sinks", {"_id": sink, "cursor": before}, {"$set": {"cursor": after}})
    if moved:  # the condition is the lock: of two instances one is first
        await scope.insert("jobs", [document(job) for job in jobs])
    return moved == 1


def document(job: Job) -> Document:
    """Return a job as the collection holds it; its claim is not part of it."""
    return {"sink": job.sink, "position": job.position, **_changing(job)}


def _changing(job: Job) -> Document:
    return {"state": job.state, "due_at": job.due_at, "owner": None, "json": msgspec.json.encode(job)}


async def take(scope: Scope, sink: str, owner: str, limit: int, *, now: datetime, until: datetime) -> list[Job]:
    """See Store.take_jobs."""
    due = {"sink": sink, "state": OPEN, "due_at": {"$lte": now}}
    claim = {"$set": {"owner": owner, "due_at": until}}
    taken: list[Job] = []
    while len(taken) < limit:
        found = await scope.change("jobs", due, claim, sort=[("due_at", 1), ("position", 1)])
        if found is None:
            break
        taken.append(_decode(found))
    return sorted(taken, key=lambda job: job.position)


async def settle(scope: Scope, job: Job, owner: str) -> bool:
    """See Store.settle."""
    claimed = {"sink": job.sink, "position": job.position, "owner": owner, "state": OPEN}
    return await scope.update("jobs", claimed, {"$set": _changing(job)}) == 1


async def jobs(scope: Scope, sink: str, state: State, limit: int) -> list[Job]:
    """See Store.jobs."""
    of_these = {"sink": sink, "state": state}
    found = await scope.find("jobs", of_these, ["json"], sort=[("position", -1)], limit=limit)
    return [_decode(job) for job in found]


async def job(scope: Scope, sink: str, position: int) -> Job | None:
    """See Store.job."""
    found = await scope.find_one("jobs", {"sink": sink, "position": position}, ["json"], hint="jobs_job")
    return None if found is None else _decode(found)


async def sinks(scope: Scope) -> list[SinkUse]:
    """See Store.sinks."""
    by_state = {"_id": {"sink": "$sink", "state": "$state"}, "jobs": {"$sum": 1}}
    stages: list[Document] = [{"$match": {"state": {"$in": [OPEN, DEAD]}}}, {"$group": by_state}]
    counted = await scope.aggregate("jobs", stages)
    counts = {(found["_id"]["sink"], found["_id"]["state"]): found["jobs"] for found in counted}
    names = await scope.find("sinks", {}, ["_id", "cursor"], sort=[("_id", 1)])
    return [
        SinkUse(
            sink["_id"], int(sink["cursor"]), counts.get((sink["_id"], OPEN), 0), counts.get((sink["_id"], DEAD), 0)
        )
        for sink in names
    ]


def _decode(found: Document) -> Job:
    return msgspec.json.decode(found["json"], type=Job)
