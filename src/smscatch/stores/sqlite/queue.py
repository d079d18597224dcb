"""The queue in the SQLite store. A claimed job is due again when its claim expires."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from smscatch.stores.jobs import DEAD, LONGEST_WAIT, OPEN, Job, SinkUse, State
from smscatch.stores.sqlite.statements import MILLISECOND, milliseconds, rows, transaction

INSERT = "INSERT INTO jobs (sink, position, state, due_at, json) VALUES (?, ?, ?, ?, ?)"
CLAIM = """
    UPDATE jobs SET owner = ?, due_at = ? WHERE (sink, position) IN (
        SELECT sink, position FROM jobs WHERE sink = ? AND state = 'open' AND due_at <= ?
        ORDER BY due_at, position LIMIT ?
    ) RETURNING json
"""
SETTLE = """
    UPDATE jobs SET owner = NULL, state = ?, due_at = ?, json = ?
    WHERE sink = ? AND position = ? AND owner = ? AND state = 'open'
"""
SINKS = """
    SELECT name, cursor,
        (SELECT count(*) FROM jobs WHERE sink = name AND state = ?),
        (SELECT count(*) FROM jobs WHERE sink = name AND state = ?)
    FROM sinks ORDER BY name
"""


def open_sink(connection: sqlite3.Connection, sink: str) -> int:
    """See Store.open_sink."""
    with transaction(connection):
        connection.execute("INSERT OR IGNORE INTO sinks SELECT ?, value FROM counters WHERE name = 'position'", [sink])
        cursor: int = rows(connection, "SELECT cursor FROM sinks WHERE name = ?", sink)[0][0]
    return cursor


def advance(connection: sqlite3.Connection, sink: str, before: int, after: int, *, jobs: Sequence[Job]) -> bool:
    """See Store.advance."""
    with transaction(connection):
        moved = connection.execute("UPDATE sinks SET cursor = ? WHERE name = ? AND cursor = ?", [after, sink, before])
        if moved.rowcount == 1:  # the condition is the lock: of two instances one is first
            for job in jobs:
                insert(connection, job)
    return moved.rowcount == 1


def insert(connection: sqlite3.Connection, job: Job) -> None:
    """Keep a job, inside a transaction."""
    connection.execute(INSERT, [job.sink, job.position, job.state, milliseconds(job.due_at), msgspec.json.encode(job)])


def has_due(connection: sqlite3.Connection, sink: str, now: datetime) -> bool:
    """Return whether there is anything to claim; asked each second, so not at the price of the write lock."""
    sql = "SELECT EXISTS (SELECT 1 FROM jobs WHERE sink = ? AND state = 'open' AND due_at <= ?)"
    return bool(rows(connection, sql, sink, milliseconds(now))[0][0])


def take(
    connection: sqlite3.Connection, sink: str, owner: str, limit: int, *, now: datetime, until: datetime
) -> list[Job]:
    """See Store.take_jobs."""
    found = rows(connection, CLAIM, owner, milliseconds(until), sink, milliseconds(now), limit)
    return sorted((_decode(row[0]) for row in found), key=lambda job: job.position)


def settle(connection: sqlite3.Connection, job: Job, owner: str) -> bool:
    """See Store.settle."""
    values = [job.state, milliseconds(job.due_at), msgspec.json.encode(job)]
    return connection.execute(SETTLE, [*values, job.sink, job.position, owner]).rowcount == 1


def jobs(connection: sqlite3.Connection, sink: str, state: State, limit: int) -> list[Job]:
    """See Store.jobs."""
    sql = "SELECT json FROM jobs WHERE sink = ? AND state = ? ORDER BY position DESC LIMIT ?"
    return [_decode(row[0]) for row in rows(connection, sql, sink, state, limit)]


def job(connection: sqlite3.Connection, sink: str, position: int) -> Job | None:
    """See Store.job."""
    found = rows(connection, "SELECT json FROM jobs WHERE sink = ? AND position = ?", sink, position)
    return _decode(found[0][0]) if found else None


def sinks(connection: sqlite3.Connection) -> list[SinkUse]:
    """See Store.sinks."""
    return [SinkUse(*row) for row in rows(connection, SINKS, OPEN, DEAD)]


def move(connection: sqlite3.Connection, step: timedelta, now: datetime) -> None:
    """Have what jobs wait for move with the clock."""
    sql = "UPDATE jobs SET due_at = min(due_at + ?, ?) WHERE state = 'open'"
    connection.execute(sql, [step // MILLISECOND, milliseconds(now + LONGEST_WAIT)])


def _decode(json: bytes) -> Job:
    return msgspec.json.decode(json, type=Job)
