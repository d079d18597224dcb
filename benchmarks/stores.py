"""How a store answers when it holds many messages, as ratios to the fastest answer there can be: a read by position.

usage: python benchmarks/stores.py [COUNT]      (1,000,000 messages by default; takes some minutes and 1 GB of /tmp)
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from smscatch.messages import Message, Query
from smscatch.sources.pdu import join_parts
from smscatch.stores import Delivery, Store, open_store

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 5000
ROUNDS = 30
LINES = 20


def message(n: int) -> Message:
    """The n-th message, made without looking for codes: that is measured elsewhere."""
    code = f"{n * 7919 % 1_000_000:06d}"
    return Message(
        id=f"{n:032x}",
        line=f"+4477009000{n % LINES:02d}",
        sender=f"Service{n % 100}",
        text=f"{code} is your verification code for service {n % 100}. Do not share it with anyone. ref {n:x}",
        received_at=START + timedelta(seconds=n),
        source="gammu",
        code=code,
    )


async def fill(store: Store, count: int) -> None:
    """Store `count` messages."""
    for start in range(0, count, BATCH):
        await store.add([Delivery(message(n), b"raw") for n in range(start, min(start + BATCH, count))])


async def median_ms(ask: Callable[[], Awaitable[object]]) -> float:
    """Return how long `ask` takes, in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        await ask()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


async def main(count: int) -> None:
    """Print one row a question."""
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(f"sqlite:///{folder}/bench.db", join_parts)
        begin = time.perf_counter()
        await fill(store, count)
        await store.close()  # waits for the index of trigrams
        print(f"{count:,} messages stored and indexed in {time.perf_counter() - begin:.0f} s")
        store = await open_store(f"sqlite:///{folder}/bench.db", join_parts)
        line = Query(lines=("+447700900007",))
        questions: dict[str, Callable[[], Awaitable[object]]] = {
            "one message after a position (the floor)": lambda: store.after(Query(), count - 1, 1),
            "newest 50 of a line": lambda: store.newest(line, 50),
            "newest 50 of a sender": lambda: store.newest(Query(sender="service42"), 50),
            "since an hour ago": lambda: store.after(Query(since=START + timedelta(seconds=count - 3600)), 0, 50),
            "a rare text of 6 characters": lambda: store.newest(Query(contains=f"{7919 % 1_000_000:06d}"), 50),
            "a text that all have": lambda: store.newest(Query(contains="verification"), 50),
            "a text that none has": lambda: store.newest(Query(contains="absent!"), 50),
            "a rare text on one line": lambda: store.newest(Query(lines=line.lines, contains="ref 7"), 50),
            "2 characters that none has": lambda: store.newest(Query(contains="~q"), 50),
            "the newest position": store.position,
            "all lines with their counts": store.lines,
        }
        floor = 0.0
        for name, ask in questions.items():
            taken = await median_ms(ask)
            floor = floor or taken
            print(f"{taken:9.2f} ms  {taken / floor:8.1f} x  {name}")
        taken = await median_ms(lambda: store.add([Delivery(message(count + int(time.time_ns() % 10**9)), b"raw")]))
        print(f"{taken:9.2f} ms  {taken / floor:8.1f} x  one message stored durably")
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
