"""Lines that are one test's alone for a while: asking for one, waiting for a free one, its messages, its end.

No HTTP here, and what must be decided in one transaction is the store's.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from smscatch.errors import (
    Forbidden,
    LeaseEnded,
    NoFreeLine,
    NoMessage,
    StoreUnavailable,
    Unauthorized,
    UnknownLease,
)
from smscatch.inbox import Inbox
from smscatch.messages import Lease, Query, Stored
from smscatch.queueing import ASK_SECONDS, LineQueue, Round
from smscatch.stores import Claim, Wish
from smscatch.stores.leasing import ids_of_group
from smscatch.times import format_time
from smscatch.waits import OLDEST, Choice, newest_when_quiet, next_message

CHECK_SECONDS = 2.0  # between two looks whether who waits may still have what it waits for
LOOK_SECONDS = 5.0  # between two looks whether a lease that is waited on was released
PATIENCE = timedelta(seconds=10)  # with who has not asked again meanwhile: its server was killed
Check = Callable[[], Awaitable[None]]


async def _allow() -> None:
    pass


class Leases:
    """Gives lines to one holder at a time.

    A line rests for `rest` after a lease. What the SMSC says was sent longer than `tolerance` before a lease is late.
    Who waits for a line asks again every `ask_seconds`; who waits with a lease looks every `look_seconds` whether it
    was released.
    """

    def __init__(
        self,
        inbox: Inbox,
        rest: timedelta,
        tolerance: timedelta,
        *,
        ask_seconds: float = ASK_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._inbox = inbox
        self._rest = rest
        self._tolerance = tolerance
        self._look_seconds = look_seconds
        self._queue = LineQueue(self._ask, ask_seconds)

    async def _now(self) -> datetime:
        # A millisecond that has begun counts as over: what arrived in it came before.
        now = await self._inbox.time()
        return now + timedelta(microseconds=-now.microsecond % 1000)

    async def acquire(self, wish: Wish, wait_seconds: float, check: Check = _allow) -> Lease:
        """Return a lease of one of the lines; see acquire_all."""
        (lease,) = await self.acquire_all(wish, wait_seconds, check)
        return lease

    async def acquire_all(self, wish: Wish, wait_seconds: float, check: Check = _allow) -> tuple[Lease, ...]:
        """Return a lease of each line wished for, waiting up to `wait_seconds` until so many are free.

        First come, first served. Asking again with the same ticket keeps the place in the queue for PATIENCE, and gives
        the same leases again while they last (idempotent); a wish without a ticket gets one that nobody knows. `check`
        raises when the asker may no longer have what it waits for; it is asked again and again, and its Unauthorized or
        Forbidden ends the wait. Raises NoFreeLine, which says who has the lines and until when.
        """
        is_known = bool(wish.ticket)  # to the asker, who can come back with it
        ticket = wish.ticket or secrets.token_hex(16)
        rest = timedelta(0) if wish.fresh else self._rest
        wish = msgspec.structs.replace(wish, ticket=ticket, rest=rest, tolerance=self._tolerance)
        try:
            claimed = await self._claim(wish, wait_seconds, check, is_known=is_known)
            if not claimed.leases:
                raise _no_free_line(wish, claimed, wait_seconds)
        except (Unauthorized, Forbidden):
            await asyncio.shield(self.give_up(wish.key, ticket))
            raise
        except BaseException:
            if not is_known:  # nobody could come back for it
                await asyncio.shield(self._inbox.store.withdraw(wish.key, ticket))
            raise
        return claimed.leases

    async def give_up(self, key: str, ticket: str) -> None:
        """Leave the queue, and end the leases that a ticket got, if any: its answer was lost, or is not wanted."""
        await self._inbox.store.withdraw(key, ticket)
        await self.release(*await self._inbox.store.leases_of(key, ticket, await self._now()))

    async def _claim(self, wish: Wish, wait_seconds: float, check: Check, *, is_known: bool) -> Claim:
        """Return what becomes of a wish: at once without a wait, else when it is granted, or the time is over."""
        if wait_seconds > 0:
            claimed = await self._wait(wish, wait_seconds, check, is_known=is_known)
            if claimed.leases:
                return claimed
        # Without a wait, and for what is told who waited in vain: who has the lines now.
        return await self._unless_left(self._ask_once(wish, keeps_place=wait_seconds > 0), is_known=is_known)

    async def _ask(self, wishes: Sequence[Wish], patience: timedelta = PATIENCE) -> Round:
        """Ask the store for lines; who gets none keeps a place in the queue for `patience`."""
        await self._inbox.catch_up()  # what arrived before is no part of the lease
        now = await self._now()
        return Round(await self._inbox.store.claim(wishes, now, now + patience), now)

    async def _ask_once(self, wish: Wish, *, keeps_place: bool) -> Claim:
        return (await self._ask([wish], PATIENCE if keeps_place else timedelta(0))).claims[0]

    async def _wait(self, wish: Wish, wait_seconds: float, check: Check, *, is_known: bool) -> Claim:
        """Return what a wish gets while it waits in the queue. Its asker is checked again and again meanwhile."""
        deadline = time.monotonic() + wait_seconds
        place = self._queue.join(wish)
        try:
            while not place.over.done() and (left := deadline - time.monotonic()) > 0:
                await asyncio.wait([place.over], timeout=min(left, CHECK_SECONDS))
                if not place.over.done():
                    with contextlib.suppress(StoreUnavailable):
                        await check()
            claimed = await self._queue.leave(place)
        except BaseException:
            claimed = await self._queue.leave(place)
            if not is_known:
                await self.release(*claimed.leases)
            raise
        if not claimed.leases and place.error is not None:
            raise place.error
        return claimed

    async def _unless_left(self, claim: Coroutine[Any, Any, Claim], *, is_known: bool) -> Claim:
        """Return what came of a claim. A lease whose asker left meanwhile, and cannot ask again, ends."""
        claiming = asyncio.ensure_future(claim)
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            claimed = await claiming  # the store goes on with it in any case
            if not is_known:
                await self.release(*claimed.leases)
            raise

    def close(self) -> None:
        """End all waits for a line, present and future, with ShuttingDown."""
        self._queue.close()

    async def get(self, lease_id: str) -> Lease:
        """Return a lease, also one that has ended. Raises UnknownLease."""
        found = await self._inbox.store.lease(lease_id)
        if found is None:
            raise _unknown_lease(lease_id)
        return found

    async def get_all(self, id_: str) -> list[Lease]:
        """Return the one lease that has this id, or those of the group that has it. Raises UnknownLease."""
        one = await self._inbox.store.lease(id_)
        if one is not None:  # most are; the ids of a group's are many to look up
            return [one]
        ids = ids_of_group(id_)
        found = await self.by_id(ids)
        if not found:
            raise _unknown_lease(id_)
        return [found[each] for each in ids if each in found]

    async def by_id(self, ids: Collection[str]) -> dict[str, Lease]:
        """Return those of these leases that there are, by id, also those that have ended."""
        return await self._inbox.store.leases_by_id(ids)

    async def held(self, lines: Sequence[str] | None = None) -> list[Lease]:
        """Return the leases of lines that are leased or rest, of all lines or of some."""
        found = await self._inbox.store.leases(await self._now())
        return [lease for lease in found if lines is None or lease.line in lines]

    async def extend(self, lease: Lease, ttl: timedelta) -> Lease:
        """Let a lease last for `ttl` from now, if that is longer than it would. Raises LeaseEnded."""
        return await self._extend(lease, await self._now() + ttl)

    async def _extend(self, lease: Lease, until: datetime) -> Lease:
        while True:
            now = await self._now()
            lease = await self.get(lease.id)  # by that time: it moves with a clock that is set
            if lease.released_at is not None or lease.expires_at <= now:
                raise _lease_ended(lease, {})
            expires_at = max(lease.expires_at, until)
            longer = msgspec.structs.replace(lease, expires_at=expires_at, rests_until=expires_at + _rest_of(lease))
            if await self._inbox.store.change_lease(lease, longer, now):
                return longer

    async def extend_all(self, leases: Sequence[Lease], ttl: timedelta) -> list[Lease]:
        """Let all that were not released last for `ttl` from now; return all. Raises LeaseEnded if none would be left.

        Also if one of them expired: whoever has the rest of a group must not think that it has the whole.
        """
        if all(lease.released_at is not None for lease in leases):
            raise _lease_ended(leases[0], {})
        until = await self._now() + ttl
        return [lease if lease.released_at is not None else await self._extend(lease, until) for lease in leases]

    async def release(self, *leases: Lease) -> None:
        """End leases now; their lines rest and are free then. No-op for those that have ended."""
        now = await self._now()
        for lease in leases:
            await self._release(lease, now)
        self._queue.stir()

    async def _release(self, lease: Lease, now: datetime) -> None:
        while True:
            lease = await self.get(lease.id)  # by that time: it moves with a clock that is set
            if lease.released_at is not None or lease.expires_at <= now:
                break
            ended = msgspec.structs.replace(lease, expires_at=now, rests_until=now + _rest_of(lease), released_at=now)
            if await self._inbox.store.change_lease(lease, ended, now):
                break

    async def next_message(
        self,
        lease: Lease,
        query: Query,
        after: int,
        timeout_seconds: float,
        *,
        choice: Choice = OLDEST,
    ) -> Stored:
        """Return a match behind `after` that belongs to the lease, waiting while that lasts: see waits.next_message.

        `after` does not reach back before the lease. Raises NoMessage, and LeaseEnded when the lease is over before
        the time is.
        """
        deadline = time.monotonic() + timeout_seconds
        after = max(after, int(lease.cursor))
        query = msgspec.structs.replace(query, lines=(lease.line,), lease=lease.id)
        oldest = await self._oldest(lease, query, after, timeout_seconds, skip=choice.skip)
        if choice.quiet_seconds is None:
            return oldest
        # When the lease is over nothing more comes for it: then it is quiet soon.
        left = max(0.0, deadline - time.monotonic())
        return await newest_when_quiet(self._inbox, query, after, left, choice=choice) or oldest

    async def _oldest(
        self, lease: Lease, query: Query, after: int, timeout_seconds: float, *, skip: Mapping[str, str]
    ) -> Stored:
        deadline = time.monotonic() + timeout_seconds
        while True:
            now = await self._now()
            # What comes after it is none of the leaseholder's business, also where it says why nothing matched.
            query = msgspec.structs.replace(query, until=lease.rests_until if lease.rests_until <= now else None)
            left = max(0.0, deadline - time.monotonic())
            lasts = max(0.0, (lease.expires_at - now).total_seconds())
            try:
                look = min(left, lasts, self._look_seconds)
                return await next_message(self._inbox, query, after, look, choice=Choice(skip))
            except NoMessage as error:
                lease = await self.get(lease.id)  # it may have been extended, or released, meanwhile
                if lease.expires_at <= await self._now():
                    raise _lease_ended(lease, error.details) from None
                if time.monotonic() >= deadline:
                    raise NoMessage.within(timeout_seconds, **error.details) from None


def _rest_of(lease: Lease) -> timedelta:
    return lease.rests_until - lease.expires_at


def _no_free_line(wish: Wish, claimed: Claim, wait_seconds: float) -> NoFreeLine:
    states = [_state(lease) for lease in claimed.held] or ["who waits in front takes what is free"]
    free = len(wish.lines) - len(claimed.held)
    if wish.size > 1 and free:
        states.append(f"only {free} of {len(wish.lines)} {'is' if free == 1 else 'are'} free")
    if claimed.ahead:
        states.append(f"{claimed.ahead} wait in front")
    return NoFreeLine.within(
        wait_seconds,
        "; ".join(states),
        count=wish.count,
        holders=[
            {
                "line": lease.line,
                "holder": lease.holder,
                "expires_at": format_time(lease.expires_at),
                "rests_until": format_time(lease.rests_until),
            }
            for lease in claimed.held
        ],
        ahead=claimed.ahead,
    )


def _state(lease: Lease) -> str:
    holder = repr(lease.holder) if lease.holder else "somebody"
    if lease.released_at is not None:
        return f"{lease.line} rests until {format_time(lease.rests_until)} after {holder}"
    return f"{lease.line} is leased to {holder} until {format_time(lease.expires_at)}, and rests then"


def _unknown_lease(id_: str) -> UnknownLease:
    return UnknownLease(f"There is no lease {id_!r}: it was never given, or ended longer ago than the retention.")


def _lease_ended(lease: Lease, details: dict[str, Any]) -> LeaseEnded:
    how, advice = "was released", "Lease a line again."
    if lease.released_at is None:
        how, advice = "expired", "Ask for a longer ttl, or extend it in time."
    came = f": {details['reason']}" if "reason" in details else ""
    ended = f"The lease {lease.id} of {lease.line} {how} at {format_time(lease.expires_at)}"
    return LeaseEnded(f"{ended}{came}. {advice}", **details)
