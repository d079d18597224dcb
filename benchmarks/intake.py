"""Texts taken over HTTP, beside the store's bare driver that commits one row at a time as durably.

scripts/benchmark intake [STORE] [--short]. STORE is an empty postgresql:// or mongodb://
address as SMSCATCH_STORE takes it; else it is SQLite in a temporary folder. Server, client and driver take turns.
"""

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.beside import KEY, Caller, Row, delivery, free_port, options, report, running

CONNECTIONS = 64
TEXTS = 500  # in one request
LINE = "+447700900007"
PATH = "/api/v1/inbound/generic"
ROW = os.urandom(600)  # about what a text takes in the store

Count = Callable[[float], Awaitable[int]]  # does as much as it can until a time of time.monotonic; returns how much
Commit = Callable[[], Awaitable[object]]


async def one_by_one(callers: list[Caller], until: float) -> int:
    """Post texts on one connection, each after the answer to the one before."""
    count = 0
    while time.monotonic() < until:
        await callers[0].call("POST", PATH, delivery(LINE, count))
        count += 1
    return count


async def all_at_once(callers: list[Caller], until: float) -> int:
    """Post texts on all connections."""
    return sum(await asyncio.gather(*(one_by_one([caller], until) for caller in callers)))


async def many_in_one(callers: list[Caller], until: float) -> int:
    """Post many texts in one request."""
    count = 0
    while time.monotonic() < until:
        body = b"\n".join(delivery(LINE, n) for n in range(count, count + TEXTS))
        await callers[0].call("POST", PATH, body, "application/x-ndjson")
        count += TEXTS
    return count


WAYS = {
    "texts over one connection, one by one": one_by_one,
    f"texts over {CONNECTIONS} connections": all_at_once,
    f"texts over one connection, {TEXTS} in a request": many_in_one,
}


async def bare(store: str, folder: Path) -> Commit:
    """Return what commits a row with the driver of a store alone."""
    if store.startswith("sqlite"):
        return _bare_sqlite(folder / "bare.db")
    if store.startswith("postgresql"):
        import psycopg  # noqa: PLC0415 - only the driver of the store in question

        connection = await psycopg.AsyncConnection.connect(store, autocommit=True)
        await connection.execute("CREATE TABLE bench (json BYTEA)")
        return lambda: connection.execute("INSERT INTO bench VALUES (%s)", [ROW])
    import pymongo  # noqa: PLC0415 - as above

    client: Any = pymongo.AsyncMongoClient(store, w="majority", journal=True)
    collection = client.get_default_database().bench
    return lambda: collection.insert_one({"json": ROW})


def _bare_sqlite(path: Path) -> Commit:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE bench (json BLOB)")

    async def commit() -> None:
        database.execute("INSERT INTO bench VALUES (?)", [ROW])

    return commit


async def rate(work: Count, seconds: float) -> float:
    """Return how much is done in a second."""
    began = time.monotonic()
    return await work(began + seconds) / (time.monotonic() - began)


async def measure(store: str, folder: Path, rounds: int, seconds: float) -> list[Row]:
    """Return a comparison of each way with the driver."""
    commit, port = await bare(store, folder), free_port()

    async def commit_rows(until: float) -> int:
        count = 0
        while time.monotonic() < until:
            await commit()
            count += 1
        return count

    settings = {"PORT": str(port), "STORE": store, "SPOOL": f"{folder}/spool", "ADMIN_KEY": KEY}
    variables = {f"SMSCATCH_{name}": value for name, value in settings.items()}
    floor: list[float] = []
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    with running([sys.executable, "-m", "smscatch.cli", "serve"], port, **variables):
        callers = [await Caller.open(port) for _ in range(CONNECTIONS)]
        for _ in range(rounds):
            floor.append(await rate(commit_rows, seconds))
            for way, post in WAYS.items():
                rates[way].append(await rate(lambda until, post=post: post(callers, until), seconds))  # type: ignore[misc]
    return [Row(way, "a second", measured, floor) for way, measured in rates.items()]


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    rounds, seconds = (3, 1.0) if given.is_short else (7, 2.0)
    with tempfile.TemporaryDirectory(prefix="smscatch-intake-") as name:
        store = given.store or f"sqlite:///{name}/smscatch.db"
        rows = asyncio.run(measure(store, Path(name), rounds, seconds))
    report(f"intake-{store.partition(':')[0]}", rows, writes=given.writes)


if __name__ == "__main__":
    main()
