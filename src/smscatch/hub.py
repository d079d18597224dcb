"""Wakes those who wait in this process. Knows no store: what it is told, it passes on."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from smscatch.errors import ShuttingDown
from smscatch.messages import Query, Stored

# A reader that is this far behind, in messages or in bytes, reads on from the store instead of filling memory.
MAX_WAITING = 1000
MAX_WAITING_BYTES = 256 * 1024


class Arrivals:
    """What arrived for one subscriber, oldest first. The iteration ends if the subscriber fell too far behind."""

    def __init__(self, query: Query, loop: asyncio.AbstractEventLoop) -> None:
        self._query = query
        self._loop = loop
        self._waiting: deque[Stored] = deque()
        self.waiting_bytes = 0
        self._overflowed = False
        self._closed = False
        self._wake: asyncio.Future[None] | None = None

    def offer(self, stored: Stored) -> None:
        """Hand over a message if it matches; never blocks."""
        if not self._query.matches(stored.message):
            return
        if self._overflowed or len(self._waiting) >= MAX_WAITING or self.waiting_bytes >= MAX_WAITING_BYTES:
            self._overflow()
        else:
            self._waiting.append(stored)
            self.waiting_bytes += len(stored.json)
        self._stir()

    def close(self) -> None:
        """Make the iteration raise ShuttingDown."""
        self._closed = True
        self._stir()

    def _overflow(self) -> None:
        self._overflowed = True
        self._waiting.clear()  # the gap is in the store, and so is what waits here
        self.waiting_bytes = 0

    def _stir(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def __aiter__(self) -> "Arrivals":
        return self

    async def __anext__(self) -> Stored:
        while True:
            if self._closed:
                raise ShuttingDown("The server is stopping; ask again in a few seconds, with the same cursor.")
            if self._overflowed:
                self._overflowed = False
                raise StopAsyncIteration
            if self._waiting:
                stored = self._waiting.popleft()
                self.waiting_bytes -= len(stored.json)
                return stored
            self._wake = self._loop.create_future()
            await self._wake


class Hub:
    """Fan-out of stored messages to the waiters of this process."""

    def __init__(self) -> None:
        self._subscribers: set[Arrivals] = set()
        self._closed = False

    @contextmanager
    def subscribe(self, query: Query) -> Iterator[Arrivals]:
        """Collect what is published from now on and matches `query`."""
        arrivals = Arrivals(query, asyncio.get_running_loop())
        if self._closed:
            arrivals.close()
        self._subscribers.add(arrivals)
        try:
            yield arrivals
        finally:
            self._subscribers.discard(arrivals)

    @property
    def waiting(self) -> int:
        """How many are subscribed."""
        return len(self._subscribers)

    def publish(self, stored: Stored) -> None:
        """Hand `stored` to everyone whose query it matches. Call in the order of positions."""
        for arrivals in tuple(self._subscribers):
            arrivals.offer(stored)

    def close(self) -> None:
        """End all waits, present and future, with ShuttingDown."""
        self._closed = True
        for arrivals in tuple(self._subscribers):
            arrivals.close()
