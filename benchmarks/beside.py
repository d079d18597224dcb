"""What benchmarks share: servers in processes of their own, one of ours beside a bare one, and ratios of medians."""

import argparse
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


@contextlib.contextmanager
def running(command: Sequence[str], port: int, **variables: str) -> Iterator[Server]:
    """Run a server until the block ends; it listens when the block begins."""
    with tempfile.TemporaryDirectory() as home:
        surroundings = {"PATH": os.environ["PATH"], "HOME": home, **variables}
        process = subprocess.Popen(command, env=surroundings, cwd=home, stdout=subprocess.DEVNULL)
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


def report(rows: Sequence[Row]) -> None:
    """Print the ratios as a table, each with the medians and the spread behind it, and as one line of JSON."""
    for row in rows:
        print(f"{row.ratio():8.2f} x  {row.what:58}{_shown(row.ours)} : {_shown(row.bare)} {row.unit}")
    told = [{**row._asdict(), "ratio": round(row.ratio(), 3)} for row in rows]
    print(json.dumps(told))


def _shown(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.4g} ({min(values):.4g}-{max(values):.4g})"


def is_short(description: str | None) -> bool:
    """Return whether the command line asks for the short form."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--short", action="store_true", help="fewer rounds and waiters: the ratios of a minute")
    return bool(parser.parse_args().short)
