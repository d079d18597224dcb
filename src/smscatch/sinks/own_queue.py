"""A sink of our own in the durable queue, whose jobs are queued one by one, each for a message that is stored."""

import asyncio
from datetime import datetime

from smscatch.errors import StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.sinks.base import Send, Sink
from smscatch.sinks.runner import DEFAULT_PACE, Courier, Pace
from smscatch.stores import Job


class OwnQueue:
    """Jobs for messages, done by `send`. It costs a server nothing in which none was ever queued.

    `name` is none of a sink in the settings, which has no blank.
    """

    def __init__(self, inbox: Inbox, name: str, send: Send, pace: Pace = DEFAULT_PACE) -> None:
        self._inbox = inbox
        self._name = name
        self._wanted = asyncio.Event()
        self._courier = Courier(inbox, Sink(name, None, send), pace)

    async def queue(self, message_id: str, due_at: datetime | None = None) -> None:
        """Queue a job for a message that is stored, due now or later; a repeat is a no-op (idempotent).

        `due_at` is by Store.time. Raises StoreUnavailable: nothing is queued then.
        """
        store = self._inbox.store
        stored = await store.get(message_id)
        if stored is None:  # the store seemed silent, so it went into the spool
            await self._inbox.catch_up()
            stored = await store.get(message_id)
        if stored is None:
            raise StoreUnavailable("The text is kept, but not what was to follow: the database does not answer.")
        if await store.job(self._name, stored.position) is not None:
            return
        now = await self._inbox.time()
        job = Job(sink=self._name, position=stored.position, message=message_id, created_at=now, due_at=due_at or now)
        while True:
            cursor = await store.open_sink(self._name)
            if await store.advance(self._name, cursor, cursor, [job]):  # the cursor stays: nothing is read for it
                break
        self._wanted.set()
        self._courier.wake()

    async def keep_sending(self) -> None:
        """Do what is queued, as soon as anything ever was; runs until cancelled."""
        if not await self._courier.patiently(self._was_used):
            await self._wanted.wait()
        await self._courier.keep_sending()

    async def _was_used(self) -> bool:
        return any(use.name == self._name for use in await self._inbox.store.sinks())
