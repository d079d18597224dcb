"""The heart: what is received is stored first and then told; who waits follows one stream.

No HTTP and no sender's format here. Long-poll, SSE and every wait are thin users of `follow`.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from smscatch.clock import Clock, utc_now
from smscatch.errors import NoMessage, StoreUnavailable
from smscatch.explanation import explain
from smscatch.hub import Hub
from smscatch.messages import Lease, Message, Part, Query, Stored
from smscatch.stores import Delivery, Store
from smscatch.twins import Twins

PAGE = 200
MAX_HELD_BYTES = 1024 * 1024  # of messages that are read for one reader, who may not take them for long
RETRY_SECONDS = 1.0
FRESH_SECONDS = 3.0  # asked for each second; a clock that is slewed goes wrong by 2 ms in that time
# Before this, no clock was right: a machine without a battery for it starts in 1970.
FIRST_PLAUSIBLE = datetime(2024, 1, 1, tzinfo=UTC)

log = logging.getLogger(__name__)


async def _nothing() -> None:
    pass


class Choice(NamedTuple):
    """Which of several matches a wait returns: the oldest; with `quiet_seconds` the newest, once none came for so long.

    `skip` has ids and cursors of messages to pass over, and why, as half a sentence.
    """

    skip: Mapping[str, str] = MappingProxyType({})
    quiet_seconds: float | None = None


OLDEST = Choice()


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

    async def _arrived(self, received_at: datetime) -> datetime:
        """Return when what was received came, by the time that leases are kept by; rather too early than too late.

        So nothing that came before a lease was given seems to belong to it. What came a round trip after that at the
        latest may seem late, but nobody can have been told of the lease by then. How long it takes to find out does not
        count: the moment of `elapsed` is told, not an age.
        """
        await self.heed_clock()
        if self._known_time is None or self._clock.elapsed() - self._known_time[1] > FRESH_SECONDS:
            await self.time()
        if self._known_time is None:  # the clock was set just now
            return await self._arrived(received_at)
        time, learnt_at = self._known_time
        came = time + timedelta(seconds=self._clock.shown_at(received_at) - learnt_at)
        return came.replace(microsecond=came.microsecond // 1000 * 1000)

    async def receive(self, deliveries: Sequence[Delivery]) -> int:
        """Store the messages, then let whoever waits know; return how many were new. A repeat is a no-op.

        Raises StoreUnavailable: then none is stored.
        """
        marked: list[Delivery] = []
        for message, raw, _ in deliveries:
            arrived_at = await self._arrived(message.received_at)
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
                while page := await self.store.after(Query(), self._told, PAGE):
                    for stored in page:
                        self.hub.publish(stored)
                    self._told = page[-1].position
                is_away = False
            except StoreUnavailable as error:
                if not is_away:
                    log.warning("new messages cannot be read, trying again every %g s: %s", RETRY_SECONDS, error)
                is_away = True
                await asyncio.sleep(RETRY_SECONDS)
                self._added.set()

    async def follow(self, query: Query, after: int) -> AsyncGenerator[Stored, None]:
        """Yield the matches behind position `after`, oldest first, then new ones for ever.

        Raises StoreUnavailable, and ShuttingDown when the server stops. Close the generator to end it.
        """
        position, count = after, PAGE
        # Subscribe before reading, or a message that lands in between is lost.
        with self.hub.subscribe(query) as arrivals:
            while True:
                while page := within_bytes(await self.store.after(query, position, count)):
                    count = min(PAGE, 2 * len(page))  # of long texts not many more are read than are held
                    for stored in page:
                        position = stored.position
                        yield stored
                async for stored in arrivals:  # ends when this reader was too slow: the store has what it missed
                    if stored.position > position:  # else the page above had it
                        position = stored.position
                        yield stored

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

    async def next_message(
        self, query: Query, after: int, timeout_seconds: float, *, choice: Choice = OLDEST
    ) -> Stored:
        """Return a match that arrived behind `after`, waiting for it: the oldest, or the newest once it is quiet.

        Raises NoMessage, which explains why none came and whose cursor leads on from there.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout_seconds
        oldest = await self._oldest(query, after, timeout_seconds, choice.skip)
        if choice.quiet_seconds is None:
            return oldest
        left = max(0.0, deadline - clock())
        return await self.newest_when_quiet(query, after, left, choice=choice) or oldest

    async def _oldest(self, query: Query, after: int, timeout_seconds: float, skip: Mapping[str, str]) -> Stored:
        # What belongs to a lease does so whatever the clock showed when it was received.
        wanted = msgspec.structs.replace(query, until=None) if query.lease else query
        async with contextlib.aclosing(self.follow(wanted, after)) as stream:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_seconds):
                    async for stored in stream:
                        if _is_meant(stored, after, skip):
                            return stored
        # A last look, since a short time may be over before the first; it covers all up to the position that we return.
        position = await self.store.position()
        for stored in await self.store.after(wanted, after, PAGE):
            if _is_meant(stored, after, skip):
                return stored
        reason, near_misses = await self._explain(query, after, skip)
        raise NoMessage.within(timeout_seconds, reason, cursor=str(position), near_misses=near_misses)

    async def newest_when_quiet(
        self, query: Query, after: int, timeout_seconds: float, *, choice: Choice
    ) -> Stored | None:
        """Return the newest match behind `after` once it is quiet, or when the time is up; None if there is none.

        It is quiet when nothing came for `choice.quiet_seconds` that `query` asks for, with or without a code, and no
        part of a long text.
        """
        quiet_seconds = choice.quiet_seconds or 0.0
        arriving = msgspec.structs.replace(query, has_code=False)
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout_seconds
        while True:
            await self._hear_nothing(arriving, quiet_seconds, deadline)
            if clock() >= deadline or not await self._is_in_parts(arriving, quiet_seconds):
                break
        newest = await self.store.newest(query, PAGE, after=after)
        return max((stored for stored in newest if _is_meant(stored, after, choice.skip)), key=_arrival, default=None)

    async def _hear_nothing(self, query: Query, quiet_seconds: float, deadline: float) -> None:
        """Wait until no match came for `quiet_seconds`, at most until the loop's clock shows `deadline`."""
        clock = asyncio.get_running_loop().time
        async with contextlib.aclosing(self.follow(query, await self.position())) as stream:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(deadline, clock() + quiet_seconds)) as limit:
                    async for _ in stream:
                        limit.reschedule(min(deadline, clock() + quiet_seconds))

    async def _is_in_parts(self, query: Query, seconds: float) -> bool:
        """Return whether a part came within the last seconds of a long text that is not whole yet."""
        since = self.now() - timedelta(seconds=seconds)
        lease = await self.store.lease(query.lease) if query.lease else None
        return any(part.received_at > since for part in await self._incomplete(query, lease))

    async def _incomplete(self, query: Query, lease: Lease | None) -> list[Part]:
        parts = await self.store.incomplete()
        if query.lines is not None:
            parts = [part for part in parts if part.line in query.lines]
        # What came before a lease is none of the leaseholder's business.
        return [part for part in parts if lease is None or (part.arrived_at or part.received_at) >= lease.started_at]

    async def _explain(self, query: Query, after: int, skip: Mapping[str, str]) -> tuple[str, list[dict[str, str]]]:
        meanwhile = Query(lines=query.lines, since=query.since, until=query.until)
        newest = await self.store.newest(meanwhile, PAGE, after=after)
        came = [stored.message for stored in reversed(newest)]
        leases = await self.store.leases_by_id({id_ for id_ in (query.lease, *(one.lease for one in came)) if id_})
        own = leases.get(query.lease or "")
        before = await self._passed_over(query, own, after)
        return explain(query, came, await self._incomplete(query, own), leases, skip=skip, before=before)

    async def _passed_over(self, query: Query, lease: Lease | None, after: int) -> list[Message]:
        """Return the matches of a lease that the wait did not look at, because `after` lies behind them."""
        if lease is None or int(lease.cursor) >= after:
            return []
        found = await self.store.newest(query, PAGE, before=after + 1, after=int(lease.cursor))
        return [stored.message for stored in reversed(found)]

    async def position(self) -> int:
        """Return the position of now: everything that arrived before this call is at or in front of it.

        Raises StoreUnavailable if what waits in the spool cannot be stored: what is old would come after "now" then.
        """
        await self.catch_up()
        return await self.stored_position()

    async def stored_position(self) -> int:
        """Return the newest position; what waits in the spool will have a later one."""
        return await self.store.position()

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

    async def keep_pruning(self, retention: timedelta, interval: timedelta = timedelta(hours=1)) -> None:
        """Delete what is older than `retention`, now and every `interval`; runs until cancelled.

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
            await asyncio.sleep(interval.total_seconds())


def within_bytes(messages: list[Stored]) -> list[Stored]:
    """Return as many of these as have MAX_HELD_BYTES together, but one at least."""
    sizes = itertools.accumulate(len(stored.json) for stored in messages)
    fitting = sum(size <= MAX_HELD_BYTES for size in sizes)
    return messages[: max(1, fitting)]


def _is_meant(stored: Stored, after: int, skip: Mapping[str, str]) -> bool:
    """Return whether a match is news behind `after`, and not to be passed over."""
    passed_over = stored.message.id in skip or stored.message.cursor in skip
    return _arrived_behind(after, stored) and not passed_over


def _arrival(stored: Stored) -> int:
    """Return where a message first stood in the order of commits."""
    return int(stored.message.first_cursor or stored.position)


def _arrived_behind(after: int, stored: Stored) -> bool:
    """Return whether a message is news behind `after`: one whose missing parts came later arrived when it was shown."""
    return stored.message.revision == 0 or int(stored.message.first_cursor) > after
