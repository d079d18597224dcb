"""Two instances over one database send to one sink: every message arrives, and without a crash none arrives twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from smscatch.inbox import Inbox
from smscatch.messages import Stored
from smscatch.sinks.base import TAKEN, Result, Sink
from smscatch.sinks.runner import Pace, run_sinks
from smscatch.sources import join_parts
from smscatch.stores import Store, open_store
from smscatch.stores.jobs import DONE
from tests import warm
from tests.patience import PATIENCE_SECONDS
from tests.samples import a_delivery
from tests.stores import others
from tests.stores.test_queue import LATER, queue_up, take

COUNT = 40


async def test_the_jobs_of_a_worker_that_is_killed_are_done_by_another(store: Store, url: str) -> None:
    await queue_up(store, 1, 2, 3)
    heard, said = warm.pipe()
    with said:
        worker = warm.start(others.take_jobs, url, said)
    with heard:
        assert await asyncio.to_thread(heard.recv) == [1, 2]
    worker.kill()
    worker.join()
    assert [job.position for job in await take(store, "heir")] == [3]
    assert [job.position for job in await take(store, "heir", now=LATER)] == [1, 2, 3]


@asynccontextmanager
async def an_instance(url: str, got: Counter[str]) -> AsyncIterator[Inbox]:
    async def send(stored: Stored) -> Result:
        got[stored.message.id] += 1
        await asyncio.sleep(0)
        return Result(TAKEN)

    store = await open_store(url, join_parts)
    inbox = await Inbox.open(store)
    sink, pace = Sink("hook", None, send), Pace(batch=3, poll_seconds=0.05)
    async with asyncio.TaskGroup() as tasks:  # what fails in them fails the test
        running = [tasks.create_task(work) for work in (inbox.feed(), run_sinks(inbox, [sink], pace))]
        yield inbox
        for task in running:
            task.cancel()
    await store.close()


async def test_two_instances_send_every_message_once(store: Store, url: str) -> None:
    await store.open_sink("hook")
    got: Counter[str] = Counter()
    deliveries = [a_delivery(text=str(number)) for number in range(COUNT)]
    async with an_instance(url, got) as one, an_instance(url, got) as other, asyncio.timeout(PATIENCE_SECONDS):
        for number, delivery in enumerate(deliveries):
            await (one, other)[number % 2].receive([delivery])
        while len(await store.jobs("hook", DONE, COUNT)) < COUNT:
            await asyncio.sleep(0.02)
    assert got == Counter(delivery.message.id for delivery in deliveries)
