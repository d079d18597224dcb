"""All that docs/performance.md compares, a few of each in half a minute: rough ratios, and nothing is asserted of them.

scripts/benchmark all. scripts/test runs it in CI: so a benchmark that breaks is found, and told by the exit status.
"""

import asyncio
import contextlib
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import asking, clients, growth, intake, leases, smpp, start, tests, waiters
from benchmarks.beside import Row, shown, smscatch
from tests.servers import mongo


def ask(_: Path) -> list[Row]:
    """Compare GET /json with the way of 2018."""
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(mongo.databases()).empty(1)
        theirs, ours = stack.enter_context(asking.of_2018(store)), stack.enter_context(smscatch())
        return [asyncio.run(asking.measure(ours, theirs, 1, 0.5))]


MEASURES: dict[str, Callable[[Path], Sequence[Row]]] = {
    "start": lambda _: start.measure(1),
    "intake": lambda folder: asyncio.run(intake.measure(f"sqlite:///{folder}/smscatch.db", folder, 1, 0.5)),
    "waiters": lambda _: asyncio.run(waiters.measure(50, 200, 1)),
    "leases": lambda folder: [asyncio.run(leases.measure(f"sqlite:///{folder}/smscatch.db", folder, 20, 1))],
    "clients": lambda _: clients.measure(20, 1),
    "growth": lambda folder: asyncio.run(growth.measure(f"{folder}", 100, 1_000, 1)),
    "asking": ask,
    "smpp": lambda _: smpp.compare(1, 0.5),
    "tests": lambda _: [tests.measure(50, 1)],
}


def is_measured(name: str, measure: Callable[[Path], Sequence[Row]]) -> bool:
    """Measure and print; return False if the benchmark broke."""
    try:
        with tempfile.TemporaryDirectory(prefix=f"smscatch-{name}-") as folder:
            rows = measure(Path(folder))
    except Exception:
        print(f"The benchmark {name} broke:", traceback.format_exc(), sep="\n", flush=True)
        return False
    for row in rows:
        print(shown(row), flush=True)
    return True


def main() -> None:
    """Measure all, also if one breaks."""
    results = [is_measured(name, measure) for name, measure in MEASURES.items()]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
