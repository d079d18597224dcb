"""How soon the server answers after its start, and what it holds idle, beside bare Starlette on uvicorn; imports too.

scripts/benchmark start [--short]. All take turns in one run: the ratios carry over to other machines, the times do not.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from benchmarks.beside import Row, Server, free_port, options, report, running, smscatch, surroundings

IDLE_SECONDS = 1.5  # after which what is loaded behind the first answer is there
BARE = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def health(request):
    return PlainTextResponse("ok")

uvicorn.run(Starlette(routes=[Route("/healthz", health)]), port=int(sys.argv[1]), log_config=None, loop="asyncio")
"""


def bare() -> AbstractContextManager[Server]:
    """Run Starlette on uvicorn with one route."""
    port = free_port()
    return running([sys.executable, "-c", BARE, str(port)], port)


def start(server: Callable[[], AbstractContextManager[Server]]) -> tuple[float, float]:
    """Return the seconds from a process's start to its first answer, and the MB that it holds idle."""
    begun = time.perf_counter()
    with server() as started:
        took = time.perf_counter() - begun
        time.sleep(IDLE_SECONDS)
        return took, started.resident_mb()


def run(program: str) -> float:
    """Return the seconds that Python takes for a program."""
    with tempfile.TemporaryDirectory() as home:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True, env=surroundings(home))
        return time.perf_counter() - begun


def compare(what: str, ours: str, theirs: str, rounds: int) -> Row:
    """Compare two programs, once their modules are compiled."""
    run(ours), run(theirs)
    mine, floor = zip(*((run(ours), run(theirs)) for _ in range(rounds)), strict=True)
    return Row(what, "s", mine, floor)


def measure(rounds: int) -> list[Row]:
    """Return all comparisons."""
    start(smscatch)  # which compiles its modules, as an installation has them
    started = [(start(smscatch), start(bare)) for _ in range(rounds)]
    return [
        Row("start to first answer", "s", [mine[0] for mine, _ in started], [floor[0] for _, floor in started]),
        Row("idle resident memory", "MB", [mine[1] for mine, _ in started], [floor[1] for _, floor in started]),
        compare("import smscatch, beside a Python that does nothing", "import smscatch", "pass", 2 * rounds),
        compare(
            "from smscatch import Client, beside import httpx2",
            "import smscatch.client.sync",
            "import httpx2",
            2 * rounds,
        ),
    ]


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    report("start", measure(5 if given.is_short else 15), writes=given.writes)


if __name__ == "__main__":
    main()
