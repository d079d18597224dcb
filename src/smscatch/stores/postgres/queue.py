"""The queue in the PostgreSQL store. A claimed job is due again when its claim expires."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from smscatch.stores.jobs import DEAD, OPEN, Job, SinkUse, State
from smscatch.stores.postgres.session import Connection
from smscatch.stores.postgres.statements import rounded, rows, run

OPEN_SINK = """
    INSERT INTO sinks SELECT %s, value FROM counters WHERE name = 'position' ON CONFLICT DO NOTHING
"""
INSERT = """
    INSERT INTO jobs (sink, position, state, due_at, json) SELECT sink, position, state, due_at, json
    FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::timestamptz[], %s::bytea[])
        AS given (sink, position, state, due_at, json)
"""
# Materialized: or the planner may read the claim more than once, and lock more than the limit.
CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT sink, position FROM jobs WHERE sink = %s AND state = 'open' AND due_at <= %s
        ORDER BY due_at, position LIMIT %s FOR UPDATE SKIP LOCKED
    )
    UPDATE jobs SET owner = %s, due_at = %s FROM due
    WHERE jobs.sink = due.sink AND jobs.position = due.position RETURNING json
"""
SETTLE = """
    UPDATE jobs SET owner = NULL, state = %s, due_at = %s, json = %s
    WHERE sink = %s AND position = %s AND owner = %s AND state = 'open'
"""
SINKS = """
    SELECT name, cursor,
        (SELECT count(*) FROM jobs WHERE sink = name AND state = %s),
        (SELECT count(*) FROM jobs WHERE sink = name AND state = %s)
    FROM sinks ORDER BY name
"""


async def open_sink(connection: Connection, sink: str) -> int:
    """See Store.open_sink."""
    await run(connection, OPEN_SINK, sink)
    found = await rows(connection, "SELECT cursor FROM sinks WHERE name = %s", sink)
    return int(found[0][0])


async def advance(connection: Connection, sink: str, before: int, after: int, *, jobs: Sequence[Job]) -> bool:
    """See Store.advance."""
    async with connection.transaction_of_its_own():
        sql = "UPDATE sinks SET cursor = %s WHERE name = %s AND cursor = %s"
        is_first = await run(connection, sql, after, sink, before) == 1  # the condition is the lock
        if is_first:
            await insert(connection, jobs)
    return is_first


async def insert(connection: Connection, jobs: Sequence[Job]) -> None:
    """Keep jobs, inside a transaction."""
    sinks, positions = [job.sink for job in jobs], [job.position for job in jobs]
    states, times = [job.state for job in jobs], [rounded(job.due_at) for job in jobs]
    await run(connection, INSERT, sinks, positions, states, times, [msgspec.json.encode(job) for job in jobs])


async def has_due(connection: Connection, sink: str, now: datetime) -> bool:
    """Return whether there is anything to claim; asked each second, so not at the price of a write."""
    sql = "SELECT EXISTS (SELECT FROM jobs WHERE sink = %s AND state = 'open' AND due_at <= %s)"
    return bool((await rows(connection, sql, sink, rounded(now)))[0][0])


async def take(
    connection: Connection, sink: str, owner: str, limit: int, *, now: datetime, until: datetime
) -> list[Job]:
    """See Store.take_jobs."""
    found = await rows(connection, CLAIM, sink, rounded(now), limit, owner, rounded(until))
    return sorted((_decode(row[0]) for row in found), key=lambda job: job.position)


async def settle(connection: Connection, job: Job, owner: str) -> bool:
    """See Store.settle."""
    values = (job.state, rounded(job.due_at), msgspec.json.encode(job))
    return await run(connection, SETTLE, *values, job.sink, job.position, owner) == 1


async def jobs(connection: Connection, sink: str, state: State, limit: int) -> list[Job]:
    """See Store.jobs."""
    sql = "SELECT json FROM jobs WHERE sink = %s AND state = %s ORDER BY position DESC LIMIT %s"
    return [_decode(row[0]) for row in await rows(connection, sql, sink, state, limit)]


async def job(connection: Connection, sink: str, position: int) -> Job | None:
    """See Store.job."""
    found = await rows(connection, "SELECT json FROM jobs WHERE sink = %s AND position = %s", sink, position)
    return _decode(found[0][0]) if found else None


async def sinks(connection: Connection) -> list[SinkUse]:
    """See Store.sinks."""
    return [SinkUse(*row) for row in await rows(connection, SINKS, OPEN, DEAD)]


def _decode(json: bytes) -> Job:
    return msgspec.json.decode(json, type=Job)
