"""What benchmarks share: servers in processes of their own, one of ours beside a bare one, and ratios of medians."""

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

PATIENCE_SECONDS = 60.0
KEY = "benchmark-benchmark-benchmark-key"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Server(NamedTuple):
    """A server under measurement: where it listens, and its process."""

    port: int
    process: subprocess.Popen[bytes]

    def busy_seconds(self) -> float:
        """Return the CPU time that it has had."""
        times = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / TICKS_A_SECOND

    def resident_mb(self) -> float:
        """Return the memory that it holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


class Row(NamedTuple):
    """One comparison: what was measured of us and of the bare one, in a unit, one value a round."""

    what: str
    unit: str
    ours: Sequence[float]
    bare: Sequence[float]

    def ratio(self) -> float:
        """Return how many times the bare one's median ours is."""
        return statistics.median(self.ours) / statistics.median(self.bare)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def surroundings(home: str) -> dict[str, str]:
    """Return the variables of a process under measurement, none of which keeps Python from its compiled modules."""
    return {"PATH": os.environ["PATH"], "HOME": home}


@contextlib.contextmanager
def running(command: Sequence[str], port: int, **variables: str) -> Iterator[Server]:
    """Run a server until the block ends; it listens when the block begins."""
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(command, env=surroundings(home) | variables, cwd=home, stdout=subprocess.DEVNULL)
        try:
            until_it_answers(port)
            yield Server(port, process)
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def smscatch() -> Iterator[Server]:
    """Run our server on SQLite, as it comes."""
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            [sys.executable, "-m", "smscatch.cli", "serve"],
            port,
            SMSCATCH_PORT=str(port),
            SMSCATCH_STORE=f"sqlite:///{folder}/bench.db",
            SMSCATCH_SPOOL=f"{folder}/spool",
            SMSCATCH_ADMIN_KEY=KEY,
        ) as server,
    ):
        yield server


def until_it_answers(port: int) -> None:
    """Return when GET /healthz is answered."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.001)
        finally:
            connection.close()


class Caller:
    """One connection to a server, kept alive, for one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Caller":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def call(self, method: str, path: str, body: bytes = b"", media_type: str = "application/json") -> bytes:
        """Ask, and return the body of the answer, whose status has to be one of success."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
            f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        said = await self._reader.readexactly(length)
        assert answer.startswith(b"HTTP/1.1 2"), answer + said
        return said


def delivery(line: str, n: int) -> bytes:
    """Return the JSON of a text."""
    text = f"{n % 1_000_000:06d} is your verification code for service {n % 100}. Do not share it with anyone."
    return json.dumps({"line": line, "sender": f"Service{n % 100}", "text": text}).encode()


class Options(NamedTuple):
    """What a command line says: the short form or not, whether the documentation is to have the figures, a store."""

    is_short: bool
    writes: bool
    store: str | None


def options(description: str | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("store", nargs="?", help="an empty database, as SMSCATCH_STORE has it; SQLite otherwise")
    parser.add_argument("--short", action="store_true", help="fewer rounds: the ratios of a minute")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    given = parser.parse_args()
    return Options(given.short, given.write, given.store)


def report(name: str, rows: Sequence[Row], *, writes: bool) -> None:
    """Print the ratios as a table, each with the medians and the spread behind it, and as one line of JSON.

    With `writes` they also go into the documentation: a table and a plot.
    """
    for row in rows:
        print(shown(row))
    told = [{**row._asdict(), "ratio": round(row.ratio(), 3)} for row in rows]
    print(json.dumps(told))
    if writes:
        from benchmarks.writing import write  # noqa: PLC0415 - which imports this

        write(name, rows, told)


def shown(row: Row) -> str:
    """Return a comparison as a line."""
    return f"{row.ratio():8.2f} x  {row.what:70} {_spread(row.ours)} : {_spread(row.bare)} {row.unit}"


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.4g} ({min(values):.4g}-{max(values):.4g})"
