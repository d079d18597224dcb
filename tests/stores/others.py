"""What other processes do to a store that a test has open: each in a copy (tests/warm.py)."""

import asyncio
from multiprocessing.connection import Connection

from smscatch.errors import StoreUnavailable
from smscatch.sources import join_parts
from smscatch.stores import open_store
from tests.samples import NOON, a_delivery

TRANSACTIONS = 30


def write(url: str, name: str) -> None:
    """Add 60 messages in transactions of one to three, each until it is acknowledged, as the intake does."""
    asyncio.run(_write(url, name))


async def _write(url: str, name: str) -> None:
    store = await open_store(url, join_parts)
    for n in range(TRANSACTIONS):
        deliveries = [a_delivery(delivery=f"{name} {n} {i}") for i in range(1 + n % 3)]
        while True:
            try:
                await store.add(deliveries)
                break
            except StoreUnavailable:
                pass
    await store.close()


def take_jobs(url: str, said: Connection) -> None:
    """Take two jobs of the sink `hook`, say their positions, and do no more."""
    asyncio.run(_take_jobs(url, said))


async def _take_jobs(url: str, said: Connection) -> None:
    store = await open_store(url, join_parts)
    jobs = await store.take_jobs("hook", "worker", 2, now=NOON, until=NOON.replace(minute=1))
    said.send([job.position for job in jobs])
    await asyncio.Event().wait()
