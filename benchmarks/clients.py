"""How soon the waits of one AsyncClient are woken by one text, beside connections of asyncio alone to the same server.

scripts/benchmark clients [--short].
"""

import asyncio
import math
import time

from benchmarks.beside import KEY, Row, Server, options, report, smscatch
from benchmarks.waiters import LINE, post, until_all_wait, wake

from smscatch import AsyncClient


async def wake_client(server: Server, count: int, number: int) -> float:
    """Return the seconds from the POST of a text to the 99th percentile of the client's waits."""
    async with AsyncClient(f"http://127.0.0.1:{server.port}", KEY) as client:
        start = await client.cursor()  # or who begins late, on a busy machine, would miss the text

        async def wait() -> float:
            await client.wait_for_message(line=LINE, after=start, timeout=120)
            return time.perf_counter()

        waits = [asyncio.create_task(wait()) for _ in range(count)]
        await until_all_wait(server)
        sent = await post(server, LINE, f"{number:06}")
        times = sorted(await asyncio.gather(*waits))
    return times[math.ceil(0.99 * count) - 1] - sent


async def measure(count: int, rounds: int) -> Row:
    """Return how the two compare."""
    clients, raw = list[float](), list[float]()
    with smscatch() as server:
        await post(server, LINE, "000000")
        await asyncio.sleep(1)
        for number in range(rounds):
            raw.append(1000 * (await wake(server, count, number))[1])
            clients.append(1000 * await wake_client(server, count, number))
    return Row(f"{count} waits of one AsyncClient woken, p99, beside asyncio alone", "ms", clients, raw)


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    count, rounds = (50, 3) if given.is_short else (200, 7)
    report("clients", [asyncio.run(measure(count, rounds))], writes=given.writes)


if __name__ == "__main__":
    main()
