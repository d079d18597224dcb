"""Wakes those who wait in this process (the waiters). Knows no store: what it is told, it passes on.

A text is held against the queries of its line, of its lease, and of those who want all lines; each query once, however
many wait with it.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from smscatch.errors import ShuttingDown
from smscatch.messages import Query, Stored

# A reader that is this far behind, in messages or in bytes, reads on from the store instead of filling memory.
MAX_WAITING = 1000
MAX_WAITING_BYTES = 256 * 1024


class Arrivals:
    """What arrived for one subscriber, oldest first. The iteration ends if the subscriber fell too far behind."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Stored] = deque()
        self.waiting_bytes = 0
        self._overflowed = False
        self._closed = False
        self._wake: asyncio.Future[None] | None = None

    def offer(self, stored: Stored) -> None:
        """Hand over a message; never blocks."""
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
        self._places: dict[_Place, dict[Query, set[Arrivals]]] = {}
        self._closed = False

    @contextmanager
    def subscribe(self, query: Query) -> Iterator[Arrivals]:
        """Collect what is published from now on and matches `query`."""
        arrivals = Arrivals(asyncio.get_running_loop())
        if self._closed:
            arrivals.close()
        self._subscribers.add(arrivals)
        places = _places_of(query)
        for place in places:
            self._places.setdefault(place, {}).setdefault(query, set()).add(arrivals)
        try:
            yield arrivals
        finally:
            self._subscribers.discard(arrivals)
            for place in places:
                self._leave(place, query, arrivals)

    def _leave(self, place: "_Place", query: Query, arrivals: Arrivals) -> None:
        queries = self._places[place]
        subscribers = queries[query]
        subscribers.discard(arrivals)
        if not subscribers:
            del queries[query]
        if not queries:
            del self._places[place]

    @property
    def waiting(self) -> int:
        """How many are subscribed."""
        return len(self._subscribers)

    def publish(self, stored: Stored) -> None:
        """Hand `stored` to everyone whose query it matches. Call in the order of positions."""
        message = stored.message
        for place in (EVERYWHERE, _Place("line", message.line), _Place("lease", message.lease or "")):
            for query, subscribers in self._places.get(place, {}).items():
                if query.matches(message):
                    for arrivals in subscribers:
                        arrivals.offer(stored)

    def close(self) -> None:
        """End all waits, present and future, with ShuttingDown."""
        self._closed = True
        for arrivals in self._subscribers:
            arrivals.close()


class _Place(NamedTuple):
    """Where queries stand, and messages are told: a text has one line, and is of one lease at most."""

    kind: Literal["line", "lease", "all"]
    name: str


EVERYWHERE = _Place("all", "")


def _places_of(query: Query) -> set[_Place]:
    """Return the places of which a message that `query` matches has exactly one."""
    leases = (query.lease,) if query.lease else query.leases
    if leases is not None:
        return {_Place("lease", lease) for lease in leases}
    if query.lines is not None:
        return {_Place("line", line) for line in query.lines}
    return {EVERYWHERE}
