"""Texts taken over HTTP, beside the store's bare driver that commits one row at a time as durably.

python benchmarks/intake.py [STORE] [--short], from the folder above. STORE is an empty postgresql:// or mongodb://
address as SMSCATCH_STORE takes it; else it is SQLite in a temporary folder. Server, client and driver take turns.
"""

import argparse
import asyncio
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.beside import KEY, Row, free_port, report, running

CONNECTIONS = 64
TEXTS = 500  # in one request
LINE = "+447700900007"
ROW = os.urandom(600)  # about what a text takes in the store

Count = Callable[[float], Awaitable[int]]  # does as much as it can until a time of time.monotonic; returns how much
Commit = Callable[[], Awaitable[object]]


def delivery(n: int) -> bytes:
    """Return the JSON of a text."""
    text = f"{n % 1_000_000:06d} is your verification code for service {n % 100}. Do not share it with anyone."
    return json.dumps({"line": LINE, "sender": f"Service{n % 100}", "text": text}).encode()


class Poster:
    """One connection to the server, kept alive."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Poster":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, body: bytes, media_type: str = "application/json") -> None:
        """Deliver, and return when the answer is there, which has to be 200."""
        head = (
            f"POST /api/v1/inbound/generic HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
            f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].split()[0])
        said = await self._reader.readexactly(length)
        assert answer.startswith(b"HTTP/1.1 200"), answer + said


async def one_by_one(posters: list[Poster], until: float) -> int:
    """Post texts on one connection, each after the answer to the one before."""
    count = 0
    while time.monotonic() < until:
        await posters[0].post(delivery(count))
        count += 1
    return count


async def all_at_once(posters: list[Poster], until: float) -> int:
    """Post texts on all connections."""
    return sum(await asyncio.gather(*(one_by_one([poster], until) for poster in posters)))


async def many_in_one(posters: list[Poster], until: float) -> int:
    """Post many texts in one request."""
    count = 0
    while time.monotonic() < until:
        body = b"\n".join(delivery(n) for n in range(count, count + TEXTS))
        await posters[0].post(body, "application/x-ndjson")
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
        posters = [await Poster.open(port) for _ in range(CONNECTIONS)]
        for _ in range(rounds):
            floor.append(await rate(commit_rows, seconds))
            for way, post in WAYS.items():
                rates[way].append(await rate(lambda until, post=post: post(posters, until), seconds))  # type: ignore[misc]
    return [Row(way, "a second", measured, floor) for way, measured in rates.items()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", nargs="?")
    parser.add_argument("--short", action="store_true", help="fewer rounds: the ratios of half a minute")
    given = parser.parse_args()
    rounds, seconds = (3, 1.0) if given.short else (7, 2.0)
    with tempfile.TemporaryDirectory(prefix="smscatch-intake-") as name:
        store = given.store or f"sqlite:///{name}/smscatch.db"
        report(asyncio.run(measure(store, Path(name), rounds, seconds)))


if __name__ == "__main__":
    main()
