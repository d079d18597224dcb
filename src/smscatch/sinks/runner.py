"""From the store to the sinks: jobs are made of what is committed, taken, sent, settled. At least once (delivery).

A job is settled after it was sent. Whoever is killed in between leaves a claim that expires, and the message is sent
once more: no order and no "exactly once" is promised, `id` and `revision` of a message tell a repeat.
"""

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import NamedTuple, TypeVar

from smscatch.errors import ShuttingDown, StoreUnavailable
from smscatch.hub import Arrivals
from smscatch.inbox import Inbox
from smscatch.messages import REPLY, Query, Stored
from smscatch.sinks.base import GONE, PASSING, Result, Sink
from smscatch.sinks.retry import USUAL, Backoff, after
from smscatch.stores.jobs import DEAD, OPEN, PUT_OFF, Attempt, Job, settled

T = TypeVar("T")
PAGE = 200
EVERYTHING = Query()
DELETED = Result(GONE, "the message was deleted")
STOPPED = Result(PASSING, "the server stopped meanwhile")

log = logging.getLogger(__name__)


class Pace(NamedTuple):
    """How much at a time, and how long for what; a claim must outlast an attempt."""

    batch: int = 8
    claim: timedelta = timedelta(seconds=60)
    attempt_seconds: float = 15.0
    poll_seconds: float = 1.0  # between two looks for what is due again
    away_seconds: float = 1.0  # between two tries to reach the store
    backoff: Backoff = USUAL


DEFAULT_PACE = Pace()


async def run_sinks(inbox: Inbox, sinks: Sequence[Sink], pace: Pace = DEFAULT_PACE) -> None:
    """Send to all sinks until cancelled, each by itself: one that hangs keeps no other from its messages."""
    async with asyncio.TaskGroup() as tasks:
        for sink in sinks:
            courier = Courier(inbox, sink, pace)
            tasks.create_task(courier.keep_queueing())
            tasks.create_task(courier.keep_sending())


class Courier:
    """What works for one sink in this process. Others may work for it in other processes, on the same store."""

    def __init__(self, inbox: Inbox, sink: Sink, pace: Pace) -> None:
        self._inbox = inbox
        self._sink = sink
        self._pace = pace
        self._owner = secrets.token_hex(8)
        self._wanted = Query(lines=sink.lines)
        self._cursor: int | None = None
        self._queued = asyncio.Event()
        self._is_failing = False

    async def keep_queueing(self) -> None:
        """Make jobs of what is committed, until cancelled or the server stops."""
        # Subscribe before reading, or a message that lands in between waits for the next one.
        with contextlib.suppress(ShuttingDown), self._inbox.hub.subscribe(EVERYTHING) as arrivals:
            while True:
                await self.patiently(self._queue_up)
                self._queued.set()
                await self._news(arrivals)

    async def _queue_up(self) -> None:
        store, name = self._inbox.store, self._sink.name
        if self._cursor is None:
            self._cursor = await store.open_sink(name)
        while page := await store.after(EVERYTHING, self._cursor, PAGE):
            newest = page[-1].position
            if await store.advance(name, self._cursor, newest, await self._jobs_of(page)):
                self._cursor = newest
            else:  # another instance was first
                self._cursor = await store.open_sink(name)

    async def _jobs_of(self, page: Sequence[Stored]) -> list[Job]:
        now = await self._inbox.time()
        return [
            Job(
                sink=self._sink.name,
                position=stored.position,
                message=stored.message.id,
                created_at=now,
                due_at=now,
            )
            for stored in page
            if self._wanted.matches(stored.message) and REPLY not in stored.message.marks
        ]

    async def _news(self, arrivals: Arrivals) -> None:
        """Return when something came behind the cursor, or more than we were told of."""
        async for stored in arrivals:
            if self._cursor is None or stored.position > self._cursor:
                return

    def wake(self) -> None:
        """Have the next look for jobs be now: one was queued by somebody else."""
        self._queued.set()

    async def keep_sending(self) -> None:
        """Do jobs as they are due, until cancelled. What is under way then is given back, to be done by another."""
        while True:
            self._queued.clear()
            if jobs := await self.patiently(self._take):
                await asyncio.gather(*(self._do(job) for job in jobs))
            else:
                # Not wait_for: until Python 3.12 that loses a cancellation which comes together with the event.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pace.poll_seconds):
                        await self._queued.wait()

    async def _take(self) -> list[Job]:
        now = await self._inbox.time()
        until = now + self._pace.claim
        return await self._inbox.store.take_jobs(self._sink.name, self._owner, self._pace.batch, now=now, until=until)

    async def _do(self, job: Job) -> None:
        result = STOPPED
        try:
            result = await self._attempt(job)
            await self.patiently(lambda: self._settle(job, result))
        except asyncio.CancelledError:
            with contextlib.suppress(StoreUnavailable):  # the claim expires by itself
                await self._settle(job, result)
            raise

    async def _attempt(self, job: Job) -> Result:
        stored = await self.patiently(lambda: self._inbox.store.get(job.message))
        if stored is None:
            return DELETED
        try:
            async with asyncio.timeout(self._pace.attempt_seconds):
                return await self._sink.send(stored)
        except TimeoutError:
            return Result(PASSING, f"no answer within {self._pace.attempt_seconds:g} s")
        except Exception as error:  # whatever is wrong with one sink, the others and the server go on
            return Result(PASSING, f"{type(error).__name__} in the sink")

    async def _settle(self, job: Job, result: Result) -> None:
        now = await self._inbox.time()
        if result is STOPPED:
            done = settled(job, Attempt(at=now, outcome=PUT_OFF, reason=STOPPED.reason), now)
        else:
            done = after(job, result, now, random.random(), backoff=self._pace.backoff)  # noqa: S311 - no secret
        if await self._inbox.store.settle(done, self._owner) and result is not STOPPED:
            self._tell(done)

    def _tell(self, job: Job) -> None:
        """Log a dead letter, and the first of several errors that pass; never a text, nor where it was sent."""
        reason = job.attempts[-1].reason
        if job.state == DEAD:
            log.warning("the sink %s did not take the message %s: %s", self._sink.name, job.message, reason)
        elif job.state == OPEN and not self._is_failing:
            log.warning("the sink %s takes nothing at the moment, trying again: %s", self._sink.name, reason)
        self._is_failing = job.state == OPEN

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what `work` returns, once the store is there."""
        while True:
            try:
                return await work()
            except StoreUnavailable:
                await asyncio.sleep(self._pace.away_seconds)
