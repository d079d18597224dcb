"""Leases given a second to tests that ask for few lines, beside as many bare transactions of the same store.

scripts/benchmark leases [STORE] [--short]. Each test asks over HTTP, waits for its turn, and gives its line back.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.beside import KEY, Caller, Row, delivery, free_port, options, report, running
from benchmarks.intake import bare, rate

LINES = [f"+4477009001{n:02}" for n in range(10)]
LEASES = "/api/v1/leases"
WISH = json.dumps({"ttl_seconds": 60, "wait_seconds": 300}).encode()


async def lease_one(caller: Caller) -> None:
    """Lease a line, and give it back."""
    lease = json.loads(await caller.call("POST", LEASES, WISH))
    await caller.call("DELETE", f"{LEASES}/{lease['id']}")


async def leases_a_second(tests: int, port: int) -> float:
    """Have so many tests lease a line each, all at once; return how many leases were given in a second."""
    callers = [await Caller.open(port) for _ in range(tests)]
    begun = time.monotonic()
    await asyncio.gather(*(lease_one(caller) for caller in callers))
    return tests / (time.monotonic() - begun)


async def measure(store: str, folder: Path, tests: int, rounds: int) -> Row:
    """Return how the two compare."""
    commit, port = await bare(store, folder), free_port()

    async def commit_rows(until: float) -> int:
        count = 0
        while time.monotonic() < until:
            await commit()
            count += 1
        return count

    settings = {"PORT": str(port), "STORE": store, "SPOOL": f"{folder}/spool", "ADMIN_KEY": KEY, "LEASE_REST": "0s"}
    given, floor = list[float](), list[float]()
    with running(
        [sys.executable, "-m", "smscatch.cli", "serve"], port, **{f"SMSCATCH_{k}": v for k, v in settings.items()}
    ):
        caller = await Caller.open(port)
        for line in LINES:  # which there are from their first text on
            await caller.call("POST", "/api/v1/inbound/generic", delivery(line, 0))
        for _ in range(rounds):
            floor.append(await rate(commit_rows, 2.0))
            given.append(await leases_a_second(tests, port))
    return Row(
        f"{tests} tests that ask for {len(LINES)} lines: leases, beside rows committed", "a second", given, floor
    )


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    tests, rounds = (100, 3) if given.is_short else (500, 5)
    with tempfile.TemporaryDirectory(prefix="smscatch-leases-") as name:
        store = given.store or f"sqlite:///{name}/smscatch.db"
        row = asyncio.run(measure(store, Path(name), tests, rounds))
    report("leases", [row], writes=given.writes)


if __name__ == "__main__":
    main()
