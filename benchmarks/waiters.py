"""How soon those who wait for a text have it, beside a bare asyncio server that does the same wake-up.

scripts/benchmark waiters [--short]. Servers and clients are processes of their own, and both servers are measured in
one run: the ratios carry over to other machines, the times do not. Needs some 5,100 open files.
"""

import asyncio
import contextlib
import json
import math
import resource
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

from benchmarks.beside import KEY, Row, Server, free_port, options, report, running, smscatch

LINE, OTHER_LINE = "+447700900001", "+447700900002"
MOST_SECONDS = 300
TOGETHER = 500  # connections that are opened at once
QUIET_SECONDS = 0.3


class Waiter(asyncio.Protocol):
    """A connection that asks once and notes when the whole answer is there."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._got = b""

    def data_received(self, data: bytes) -> None:
        """Collect the answer."""
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            if head.startswith(b"HTTP/1.1 200"):
                self.answered.set_result(time.perf_counter())
            else:
                self.answered.set_exception(RuntimeError(self._got.decode()))


async def ask(server: Server, head: str, body: bytes = b"") -> tuple[asyncio.Transport, Waiter]:
    """Send a request on a connection of its own."""
    loop = asyncio.get_running_loop()
    transport, waiter = await loop.create_connection(Waiter, "127.0.0.1", server.port)
    lines = f"{head} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    transport.write(lines.encode() + body)
    return transport, waiter


@contextlib.asynccontextmanager
async def waiting(server: Server, count: int, line: str) -> AsyncGenerator[list[Waiter], None]:
    """Let `count` wait for the next text to a line; closes their connections."""
    path = f"GET /api/v1/messages/next?line=%2B{line[1:]}&timeout=120"
    asked: list[tuple[asyncio.Transport, Waiter]] = []
    for start in range(0, count, TOGETHER):
        asked += await asyncio.gather(*(ask(server, path) for _ in range(min(TOGETHER, count - start))))
    yield [waiter for _, waiter in asked]
    for transport, _ in asked:
        transport.abort()


async def until_all_wait(server: Server) -> float:
    """Return the moment from which on the server had nothing to do: all that ask are registered."""
    busy, since = server.busy_seconds(), time.perf_counter()
    while time.perf_counter() - since < QUIET_SECONDS:
        await asyncio.sleep(0.01)
        if server.busy_seconds() > busy + 0.011:  # the clock of the system ticks each 10 ms
            busy, since = server.busy_seconds(), time.perf_counter()
    return since


async def post(server: Server, line: str, text: str) -> float:
    """Send a text to a line; return when that was begun."""
    body = json.dumps({"line": line, "sender": "Authy", "text": f"Your code is {text}"}).encode()
    begun = time.perf_counter()
    transport, waiter = await ask(server, "POST /api/v1/inbound/generic", body)
    await waiter.answered
    transport.abort()
    return begun


async def wake(server: Server, count: int, number: int) -> tuple[float, float]:
    """Return the seconds until `count` wait, and the 99th percentile from the POST of a text to their answers."""
    begun = time.perf_counter()
    async with waiting(server, count, LINE) as waiters:
        registered = await until_all_wait(server) - begun
        sent = await post(server, LINE, f"{number:06}")
        times = sorted(await asyncio.gather(*(waiter.answered for waiter in waiters)))
        return registered, times[math.ceil(0.99 * count) - 1] - sent


async def alone(server: Server, others: int, rounds: int) -> list[float]:
    """Return the milliseconds from POST to answer of one waiter on its line, while others wait on another."""
    async with waiting(server, others, OTHER_LINE):
        await until_all_wait(server)
        times = []
        for number in range(rounds):
            async with waiting(server, 1, LINE) as (waiter,):
                await asyncio.sleep(0.03)
                sent = await post(server, LINE, f"{number:06}")
                times.append(1000 * (await waiter.answered - sent))
        return times


async def compare(ours: Server, bare: Server, count: int, rounds: int) -> tuple[Row, list[float]]:
    """Return how soon `count` waiters of one line are woken by one text, and the seconds in which ours registered."""
    woken: dict[Server, list[float]] = {ours: [], bare: []}
    registered = []
    for number in range(rounds):
        for server in (bare, ours):
            took, p99 = await wake(server, count, number)
            woken[server].append(1000 * p99)
            if server is ours:
                registered.append(took)
    return Row(f"{count:,} waiters woken, p99 from POST to answer", "ms", woken[ours], woken[bare]), registered


async def measure(few: int, many: int, rounds: int) -> list[Row]:
    """Return all comparisons."""
    with smscatch() as ours, _bare_server() as bare:
        for line in (LINE, OTHER_LINE):  # which there are from their first text on
            await post(ours, line, "000000")
        await asyncio.sleep(1)
        first, took_few = await compare(ours, bare, few, rounds)
        second, took_many = await compare(ours, bare, many, rounds)
        lone = await alone(ours, 0, 10 * rounds)
        crowded = await alone(ours, many, 10 * rounds)
    return [
        first,
        second,
        Row(f"{many:,} waits registered, beside {few:,}", "s", took_many, took_few),
        Row(f"one waiter on its line, {many:,} on another, beside none", "ms", crowded, lone),
    ]


@contextlib.contextmanager
def _bare_server() -> Iterator[Server]:
    port = free_port()
    with running([sys.executable, str(Path(__file__).with_name("bare.py")), str(port)], port) as server:
        yield server


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    few, many, rounds = (200, 1000, 3) if given.is_short else (1000, 5000, 5)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    rows = asyncio.run(asyncio.wait_for(measure(few, many, rounds), MOST_SECONDS))
    report("waiters", rows, writes=given.writes)


if __name__ == "__main__":
    main()
