"""Waits for a message: the oldest that matches, or the newest once it is quiet; one in vain explains itself.

Thin users of Inbox.follow. No HTTP and no leases here: which messages belong to a lease is a Query's to say.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from smscatch.errors import NoMessage
from smscatch.explanation import explain
from smscatch.inbox import PAGE, Inbox
from smscatch.messages import NOBODY, Lease, Message, Part, Query, Stored


class Choice(NamedTuple):
    """Which of several matches a wait returns: the oldest; with `quiet_seconds` the newest, once none came for so long.

    `skip` has ids and cursors of messages to pass over, and why, as half a sentence.
    """

    skip: Mapping[str, str] = MappingProxyType({})
    quiet_seconds: float | None = None


OLDEST = Choice()


async def next_message(
    inbox: Inbox, query: Query, after: int, timeout_seconds: float, *, choice: Choice = OLDEST
) -> Stored:
    """Return a match that arrived behind `after`, waiting for it: the oldest, or the newest once it is quiet.

    Raises NoMessage, which explains why none came and whose cursor leads on from there.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + timeout_seconds
    oldest = await _oldest(inbox, query, after, timeout_seconds, skip=choice.skip)
    if choice.quiet_seconds is None:
        return oldest
    left = max(0.0, deadline - clock())
    return await newest_when_quiet(inbox, query, after, left, choice=choice) or oldest


async def any_came(inbox: Inbox, queries: Sequence[Query], after: int, timeout_seconds: float) -> bool:
    """Return True once a message behind `after` is there that one of the queries asks for, False when time is up."""
    lines = [query.lines for query in queries]
    wide = Query(lines=None if None in lines else tuple({line for each in lines for line in each or ()}))
    async with contextlib.aclosing(inbox.follow(wide, after)) as stream:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                async for stored in stream:
                    is_received = stored.message.lease != NOBODY
                    if is_received and any(query.matches(stored.message) for query in queries):
                        return True
    return False


async def _oldest(inbox: Inbox, query: Query, after: int, timeout_seconds: float, *, skip: Mapping[str, str]) -> Stored:
    # What belongs to a lease does so whatever the clock showed when it was received.
    wanted = msgspec.structs.replace(query, until=None) if query.lease else query
    async with contextlib.aclosing(inbox.follow(wanted, after)) as stream:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                async for stored in stream:
                    if _is_meant(stored, after, skip):
                        return stored
    # A last look, since a short time may be over before the first; it covers all up to the position that we return.
    position = await inbox.store.position()
    for stored in await inbox.store.after(wanted, after, PAGE):
        if _is_meant(stored, after, skip):
            return stored
    reason, near_misses = await _explain(inbox, query, after, skip)
    raise NoMessage.within(timeout_seconds, reason, cursor=str(position), near_misses=near_misses)


async def newest_when_quiet(
    inbox: Inbox, query: Query, after: int, timeout_seconds: float, *, choice: Choice
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
        await _hear_nothing(inbox, arriving, quiet_seconds, deadline)
        if clock() >= deadline or not await _is_in_parts(inbox, arriving, quiet_seconds):
            break
    newest = await inbox.store.newest(query, PAGE, after=after)
    return max((stored for stored in newest if _is_meant(stored, after, choice.skip)), key=_arrival, default=None)


async def _hear_nothing(inbox: Inbox, query: Query, quiet_seconds: float, deadline: float) -> None:
    """Wait until no match came for `quiet_seconds`, at most until the loop's clock shows `deadline`."""
    clock = asyncio.get_running_loop().time
    async with contextlib.aclosing(inbox.follow(query, await inbox.position())) as stream:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(min(deadline, clock() + quiet_seconds)) as limit:
                async for _ in stream:
                    limit.reschedule(min(deadline, clock() + quiet_seconds))


async def _is_in_parts(inbox: Inbox, query: Query, seconds: float) -> bool:
    """Return whether a part came within the last seconds of a long text that is not whole yet."""
    since = inbox.now() - timedelta(seconds=seconds)
    lease = await inbox.store.lease(query.lease) if query.lease else None
    return any(part.received_at > since for part in await _incomplete(inbox, query, lease))


async def _incomplete(inbox: Inbox, query: Query, lease: Lease | None) -> list[Part]:
    parts = await inbox.store.incomplete()
    if query.lines is not None:
        parts = [part for part in parts if part.line in query.lines]
    # What came before a lease is none of the leaseholder's business.
    return [part for part in parts if lease is None or (part.arrived_at or part.received_at) >= lease.started_at]


async def _explain(inbox: Inbox, query: Query, after: int, skip: Mapping[str, str]) -> tuple[str, list[dict[str, str]]]:
    meanwhile = Query(lines=query.lines, since=query.since, until=query.until)
    newest = await inbox.store.newest(meanwhile, PAGE, after=after)
    came = [stored.message for stored in reversed(newest)]
    leases = await inbox.store.leases_by_id({id_ for id_ in (query.lease, *(one.lease for one in came)) if id_})
    own = leases.get(query.lease or "")
    before = await _passed_over(inbox, query, own, after)
    return explain(query, came, await _incomplete(inbox, query, own), leases, skip=skip, before=before)


async def _passed_over(inbox: Inbox, query: Query, lease: Lease | None, after: int) -> list[Message]:
    """Return the matches of a lease that the wait did not look at, because `after` lies behind them."""
    if lease is None or int(lease.cursor) >= after:
        return []
    found = await inbox.store.newest(query, PAGE, before=after + 1, after=int(lease.cursor))
    return [stored.message for stored in reversed(found)]


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
