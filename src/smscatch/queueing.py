"""Those of this process who wait for a line. The store is asked for them together, a round at a time (group commit).

The queue itself is the store's, which decides what is fair: other instances stand in it too. No clock of leases here.
"""

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from smscatch.errors import ShuttingDown, StoreUnavailable
from smscatch.stores import Claim, Wish

# Each keeps its place by asking again this often. Shorter than a rest, so what another instance releases is known
# before it is free.
ASK_SECONDS = 2.0


class Round(NamedTuple):
    """What became of wishes in one round, and when that was, by the time that leases are kept by."""

    claims: list[Claim]
    at: datetime


class Queued:
    """Someone who waits: for what, and what came of it. `over` is done when the wait is, for `error` or with leases."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.claimed = Claim(())
        self.error: Exception | None = None
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.number = math.inf  # in the store's queue
        self.asked_at = -math.inf

    def heed(self, claimed: Claim) -> None:
        """Take note of what became of the wish."""
        self.claimed, self.number = claimed, claimed.number
        if claimed.leases:
            self.end()

    def end(self, error: Exception | None = None) -> None:
        """End the wait."""
        if not self.over.done():
            self.error = error
            self.over.set_result(None)


class LineQueue:
    """Asks for all who wait in this process: one transaction a round, whatever their number, and no task for each.

    A round asks for those who are new, for those whose place would grow stale, and for as many in front as could get a
    line: of those who want the same lines not more than there are of these.
    """

    def __init__(self, ask: Callable[[Sequence[Wish]], Awaitable[Round]], ask_seconds: float = ASK_SECONDS) -> None:
        self._ask = ask
        self._ask_seconds = ask_seconds
        self._places: list[Queued] = []  # as they stand in the store's queue, the new ones behind
        self._asking: asyncio.Task[None] | None = None
        self._asking_now = asyncio.Lock()
        self._stirred = asyncio.Event()
        self._is_closed = False

    def join(self, wish: Wish) -> Queued:
        """Let someone wait, until it leaves."""
        place = Queued(wish)
        if self._is_closed:
            place.end(_shutting_down())
        else:
            self._places.append(place)
            self.stir()
        return place

    async def leave(self, place: Queued) -> Claim:
        """End someone's wait; return what it got, also in a round that is under way. No-op for who has left."""
        if place in self._places:
            self._places.remove(place)
            self.stir()  # who asks for nobody stops
        if not place.claimed.leases:
            async with self._asking_now:
                pass
        return place.claimed

    def stir(self) -> None:
        """Ask soon: someone came, or a line was given back."""
        self._stirred.set()
        if self._places and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._keep_asking())

    def close(self) -> None:
        """End all waits, present and future, with ShuttingDown."""
        self._is_closed = True
        for place in self._places:
            place.end(_shutting_down())
        self._places.clear()
        self.stir()

    async def _keep_asking(self) -> None:
        while self._places:
            self._stirred.clear()
            async with self._asking_now:
                pause = await self._ask_for(self._due())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stirred.wait()

    def _due(self) -> list[Queued]:
        now = asyncio.get_running_loop().time()
        in_front = Counter[tuple[str, ...]]()
        due = []
        for place in self._places:
            lines = place.wish.lines
            in_front[lines] += 1
            if in_front[lines] <= len(lines) or now - place.asked_at >= self._ask_seconds:
                place.asked_at = now
                due.append(place)
        return due

    async def _ask_for(self, places: Sequence[Queued]) -> float:
        """Ask for some, and tell those who got lines; return the seconds after which to ask unbidden."""
        try:
            asked = await self._ask([place.wish for place in places])
        except StoreUnavailable:  # busy, or away for a moment
            return self._ask_seconds
        except Exception as error:  # a bug of ours; each of them raises it
            for place in places:
                place.end(error)
            return self._ask_seconds
        for place, claimed in zip(places, asked.claims, strict=True):
            place.heed(claimed)
        self._places = sorted((place for place in self._places if not place.over.done()), key=_number)
        free_at = [lease.rests_until for claimed in asked.claims for lease in claimed.held]
        return min([self._ask_seconds, *(max(0.001, (moment - asked.at).total_seconds()) for moment in free_at)])


def _number(place: Queued) -> float:
    return place.number


def _shutting_down() -> ShuttingDown:
    return ShuttingDown("The server is stopping; ask again in a few seconds, with the same ticket.")
