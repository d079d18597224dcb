"""The heart: what is received is stored first and then told; who waits follows one stream.

No HTTP and no sender's format here. Long-poll, SSE and every wait are thin users of `follow`.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec

from smscatch.clock import Clock, utc_now
from smscatch.errors import StoreUnavailable
from smscatch.hub import Hub
from smscatch.messages import Message, Part, Query, Stored
from smscatch.sharing import Sharing
from smscatch.stores import Delivery, Key, LineUse, Store
from smscatch.twins import Twins

PAGE = 200
# Of a store that is too large so much is kept, lest every round has some to delete; and so many messages at least.
ROOMY = 0.95
FEWEST_KEPT = 100
MAX_HELD_BYTES = 1024 * 1024  # of messages that are read for one reader, who may not take them for long
RETRY_SECONDS = 1.0
PRUNE_SECONDS = 3600.0
FRESH_SECONDS = 3.0  # asked for each second; a clock that is slewed goes wrong by 2 ms in that time
# Before this, no clock was right: a machine without a battery for it starts in 1970.
FIRST_PLAUSIBLE = datetime(2024, 1, 1, tzinfo=UTC)

log = logging.getLogger(__name__)


async def _nothing() -> None:
    pass


class Inbox:
    """Receives into a store and lets any number follow what arrives."""

    def __init__(self, store: Store, position: int, clock: Clock | None = None) -> None:
        self.store = store
        self.hub = Hub()
        self._clock = clock or Clock()
        self.now = self._clock.now
        self._setting = asyncio.Lock()
        self._known_time: tuple[datetime, float] | None = None  # by the store, and when we learnt it
        # Brings in what is on its way to the store; the server sets it, who has no spool needs none.
        self.catch_up: Callable[[], Awaitable[object]] = _nothing
        # What keeps messages from coming in, as a sentence; set by the one who brings them.
        self.trouble: str | None = None
        self._told = position
        self._added = asyncio.Event()
        self._twins = Twins()
        self._sharing = Sharing()  # many waits begin, and are woken, at once: what all ask is asked once

    def use(self, first: "Inbox") -> None:
        """Have the store of another inbox from now on, and tell what was committed since that one was opened."""
        self.store, self._told = first.store, first._told

    @classmethod
    async def open(
        cls, store: Store, now: Callable[[], datetime] = utc_now, elapsed: Callable[[], float] | None = None
    ) -> "Inbox":
        """Return an inbox that tells what is committed from now on, provided that `feed` runs.

        `now` and `elapsed` are where its clock has the time from.
        """
        return cls(store, await store.position(), Clock(now, elapsed))

    async def time(self) -> datetime:
        """Return the time that leases are kept by, which nobody sets: Store.time."""
        await self.heed_clock()
        time = await self.store.time(self.now())
        self._known_time = time, self._clock.elapsed()
        return time

    async def heed_clock(self, *, is_start: bool = False) -> bool:
        """Tell the store if the clock was set since the last look, or, at a start, while nobody looked.

        Returns whether it was set.
        """
        async with self._setting:
            step = self._clock.take_step()
            if not step and not is_start:
                return False
            self._known_time = None
            try:
                await self.store.clock_set(step, self.now())
            except BaseException:
                self._clock.return_step(step)
                raise
        if step:
            log.warning("the clock was set by %+.1f s; what was left of leases and rests stays", step.total_seconds())
        return bool(step)

    async def _arrivals(self, moments: Sequence[datetime]) -> list[datetime]:
        """Return when what was received came, by the time that leases are kept by; rather too early than too late.

        So nothing that came before a lease was given seems to belong to it. What came a round trip after that at the
        latest may seem late, but nobody can have been told of the lease by then. How long it takes to find out does not
        count: the moment of `elapsed` is told, not an age.
        """
        await self.heed_clock()
        if self._known_time is None or self._clock.elapsed() - self._known_time[1] > FRESH_SECONDS:
            await self.time()
        if self._known_time is None:  # the clock was set just now
            return await self._arrivals(moments)
        time, learnt_at = self._known_time
        shown_at = cache(self._clock.shown_at)  # what comes in one request came at one moment
        came = [time + timedelta(seconds=shown_at(moment) - learnt_at) for moment in moments]
        return [moment.replace(microsecond=moment.microsecond // 1000 * 1000) for moment in came]

    async def receive(self, deliveries: Sequence[Delivery]) -> int:
        """Store the messages, then let whoever waits know; return how many were new. A repeat is a no-op.

        Raises StoreUnavailable: then none is stored.
        """
        arrivals = await self._arrivals([delivery.message.received_at for delivery in deliveries])
        marked: list[Delivery] = []
        for (message, raw, _), arrived_at in zip(deliveries, arrivals, strict=True):
            if isinstance(message, Part):
                marked.append(Delivery(msgspec.structs.replace(message, arrived_at=arrived_at), raw))
            else:
                earlier = (each.message for each in marked if isinstance(each.message, Message))
                marked.append(Delivery(await self._twins.mark(message, earlier, self.store), raw, arrived_at))
        added = await self.store.add(marked)
        # Only a hint: `feed` reads what was committed. So nobody sees a message that a restart would lose, and all
        # see them in the order of commits, whoever wrote them.
        self._added.set()
        return added

    async def feed(self) -> None:
        """Pass on what is committed, by whichever instance and in that order, to the hub; runs until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.store.listen(self._added.set))
            tasks.create_task(self._publish())

    async def _publish(self) -> None:
        is_away = False
        while True:
            await self._added.wait()
            self._added.clear()
            try:
                await self._publish_new()
                is_away = False
            except StoreUnavailable as error:
                if not is_away:
                    log.warning("new messages cannot be read, trying again every %g s: %s", RETRY_SECONDS, error)
                is_away = True
                await asyncio.sleep(RETRY_SECONDS)
                self._added.set()

    async def _publish_new(self) -> None:
        if not self.hub.waiting:
            newest = await self.store.position()
            if not self.hub.waiting:  # who comes now reads what is there so far
                self._told = newest
                return
        is_whole = False
        while not is_whole:
            page = await self.store.after(Query(), self._told, PAGE)
            for stored in page:
                self.hub.publish(stored)
                self._told = stored.position
            is_whole = len(page) < PAGE  # what is committed meanwhile, we are told of

    async def follow(self, query: Query, after: int) -> AsyncGenerator[Stored, None]:
        """Yield the matches behind position `after`, oldest first, then new ones for ever.

        Raises StoreUnavailable, and ShuttingDown when the server stops. Close the generator to end it.
        """
        position, count = after, PAGE
        # Subscribe before reading, or a message that lands in between is lost.
        with self.hub.subscribe(query) as arrivals:
            while True:
                while page := within_bytes(await self._after(query, position, count)):
                    count = min(PAGE, 2 * len(page))  # of long texts not many more are read than are held
                    for stored in page:
                        position = stored.position
                        yield stored
                async for stored in arrivals:  # ends when this reader was too slow: the store has what it missed
                    if stored.position > position:  # else the page above had it
                        position = stored.position
                        yield stored

    async def _after(self, query: Query, position: int, limit: int) -> list[Stored]:
        return await self._sharing.ask(
            ("after", query, position, limit), lambda: self.store.after(query, position, limit)
        )

    async def newest(self, query: Query, limit: int, *, before: int, after: int) -> tuple[list[Stored], bool]:
        """Return up to `limit` matches between two positions, newest first, and whether there are older ones.

        They are fewer if they are long: MAX_HELD_BYTES, or the one message that has more.
        """
        found: list[Stored] = []
        while len(found) <= limit:
            page = await self.store.newest(query, min(PAGE, limit + 1 - len(found)), before=before, after=after)
            found += page
            kept = within_bytes(found)
            if len(kept) < len(found):
                return kept[:limit], True
            if len(page) < PAGE:
                break
            before = page[-1].position
        return found[:limit], len(found) > limit

    async def position(self) -> int:
        """Return the position of now: everything that arrived before this call is at or in front of it.

        Raises StoreUnavailable if what waits in the spool cannot be stored: what is old would come after "now" then.
        """
        return await self._sharing.ask("position", self._position)

    async def used_lines(self) -> list[LineUse]:
        """Return what lines have messages, also those whose first text waited in the spool: Store.lines."""
        return await self._sharing.ask("lines", self._used_lines)

    async def _used_lines(self) -> list[LineUse]:
        await self.catch_up()
        return await self.store.lines()

    async def latest(self, query: Query, limit: int) -> list[Stored]:
        """Return the newest matches, up to `limit`, or fewer if they are long: MAX_HELD_BYTES, or the one with more."""
        asked = ("newest", query, limit)
        return within_bytes(await self._sharing.ask(asked, lambda: self.store.newest(query, limit)))

    async def _position(self) -> int:
        await self.catch_up()
        return await self.store.position()

    async def newest_position(self) -> int:
        """Return the newest position; what waits in the spool will have a later one."""
        return await self._sharing.ask("newest position", self.store.position)

    async def find_key(self, secret_hash: bytes) -> Key | None:
        """Return what the store has for the hash of a secret, now: Store.find_key."""
        return await self._sharing.ask(("key", secret_hash), lambda: self.store.find_key(secret_hash))

    async def has_received(self, line: str) -> bool:
        """Return whether a line has messages."""
        return bool(await self.latest(Query(lines=(line,)), 1))

    async def check(self) -> list[str]:
        """Return what makes messages late, in sentences, if they come in and can be stored. Raises StoreUnavailable."""
        await self.store.check()
        if self.trouble is not None:
            raise StoreUnavailable(self.trouble)
        late = self.store.hears_late
        return [] if late is None else [late]

    async def keep_showing_incomplete(self, patience: timedelta, interval: timedelta = timedelta(seconds=1)) -> None:
        """Show what came of long messages whose other parts are overdue by `patience`; runs until cancelled."""
        was_set = False
        while True:
            with contextlib.suppress(StoreUnavailable):  # the next round makes up for it
                # Once more when it was set: what was under way then may have begun by the clock of before.
                was_set = await self.heed_clock(is_start=was_set)
                await self.time()  # which `receive` needs to be fresh
                if await self.store.show_incomplete(self.now() - patience):
                    self._added.set()
            await asyncio.sleep(interval.total_seconds())

    async def keep_pruning(
        self,
        retention: timedelta,
        keep: int | None = None,
        max_bytes: int | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Delete what is older than `retention`, all but the newest `keep`, and the oldest beyond `max_bytes`.

        Now and every PRUNE_SECONDS, for ever; `sleep` waits for so long.

        What was stored since the start stays for `retention` of our own running time, whatever a wrong clock says of
        it, and what was received when the clock was not yet set stays.
        """
        marks = deque([(float("-inf"), await self.store.position())])
        while True:
            with contextlib.suppress(StoreUnavailable):  # the next round makes up for it
                now = time.monotonic()
                marks.append((now, await self.store.position()))
                while marks[1][0] <= now - retention.total_seconds():
                    marks.popleft()
                pruned = await self.store.prune(FIRST_PLAUSIBLE, self.now() - retention, up_to=marks[0][1])
                if pruned:
                    log.info("%d messages were older than %s and are deleted", pruned, retention)
                if keep is not None and (trimmed := await self.store.trim(keep)):
                    log.info("%d messages were more than the newest %d, and are deleted", trimmed, keep)
                if max_bytes is not None and (trimmed := await self._trim_to(max_bytes)):
                    log.info("%d messages were the oldest beyond %d bytes, and are deleted", trimmed, max_bytes)
            await sleep(PRUNE_SECONDS)

    async def _trim_to(self, max_bytes: int) -> int:
        """Delete the oldest messages if the store has grown beyond a size; return how many."""
        size = await self.store.size()
        if size <= max_bytes:
            return 0
        count = sum(use.messages for use in await self.store.lines())
        return await self.store.trim(max(FEWEST_KEPT, int(count * ROOMY * max_bytes / size)))


def within_bytes(messages: list[Stored]) -> list[Stored]:
    """Return as many of these as have MAX_HELD_BYTES together, but one at least."""
    sizes = itertools.accumulate(len(stored.json) for stored in messages)
    fitting = sum(size <= MAX_HELD_BYTES for size in sizes)
    return messages[: max(1, fitting)]
