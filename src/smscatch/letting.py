"""Leases for a key: asking for lines, using them and giving them back. What a lease is, is in leases.py."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import msgspec

from smscatch import virtual
from smscatch.access import Access, Listed, Wait
from smscatch.errors import BadRequest, NoFreeLine, SmscatchError, UnknownLease, UnknownLine
from smscatch.inbox import within_bytes
from smscatch.messages import (
    MAX_LINES_LEASED,
    MAX_NAME,
    MAX_TTL_SECONDS,
    MIN_TTL_SECONDS,
    TTL_SECONDS,
    Lease,
    Query,
    Stored,
)
from smscatch.stores import Wish

MAX_TIMEOUT_SECONDS = 300
MOST_LISTED = 500  # messages of a lease

Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
TtlSeconds = Annotated[float, msgspec.Meta(ge=MIN_TTL_SECONDS, le=MAX_TTL_SECONDS)]
WaitSeconds = Annotated[float, msgspec.Meta(ge=0, le=MAX_TIMEOUT_SECONDS)]


class LeaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants which line for how long: a `line`, any with a `label`, or any at all.

    The label `virtual` stands for fictitious numbers without a SIM: each lease gets one that nobody used before.

    With a `count` so many lines are leased at once, all or none, for a test with several users; they are answered as a
    group, also if it is of one.

    `holder` is what the asker calls itself. Waits up to `wait_seconds` for a line to become free. `ticket` is a name
    that the asker makes up for this request: asking again with it, after an answer that got lost or a wait that was
    too short, gives the lease that it got, or keeps its place in the queue for 10 s.
    """

    line: Name | None = None
    label: Name | None = None
    holder: Name = ""
    ttl_seconds: TtlSeconds = TTL_SECONDS
    wait_seconds: WaitSeconds = 0
    ticket: Annotated[str, msgspec.Meta(min_length=8, max_length=MAX_NAME)] | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_LINES_LEASED)] | None = None


async def acquire(access: Access, asked: LeaseRequest) -> list[Lease]:
    """Return a lease of each line asked for; see Leases.acquire_all.

    Raises UnknownLine, and BadRequest if a ticket got the leases of an earlier request for something else.
    """
    wish = Wish(
        key=access.owner,
        lines=(),
        ttl=timedelta(seconds=asked.ttl_seconds),
        holder=asked.holder,
        ticket=asked.ticket or "",
        count=asked.count,
    )
    leases = await _acquire_any(access, asked, wish)
    labelled = [access.house.lines.labelled(lease) for lease in leases]
    _check_ticket(access, asked, labelled)
    try:
        await access.check_still([lease.line for lease in leases])
    except BaseException as error:
        if isinstance(error, SmscatchError) or asked.ticket is None:  # nobody could ask for them again
            await asyncio.shield(access.house.leases.release(*leases))
        raise
    return labelled


async def _acquire_any(access: Access, asked: LeaseRequest, wish: Wish) -> tuple[Lease, ...]:
    """Return leases of the lines that will do; virtual ones where these will do too and none of the others is free."""
    if not _may_be_virtual(access, asked):
        return await _acquire_of(access, wish, await _lines_asked_for(access, asked), asked.wait_seconds)
    ours = [line for line in await access.house.lines.pool(asked.label) if access.sees(line)]
    if len(ours) >= wish.size:
        try:
            return await _acquire_of(access, wish, access.house.lines.prefer_working(ours, wish.size), 0)
        except NoFreeLine:
            pass  # then it is a virtual one
    house = access.house
    return await virtual.acquire(house.leases, house.inbox, house.settings, wish)


async def _acquire_of(access: Access, wish: Wish, lines: tuple[str, ...], wait_seconds: float) -> tuple[Lease, ...]:
    wish = msgspec.structs.replace(wish, lines=lines)
    return await access.house.leases.acquire_all(wish, wait_seconds, lambda: access.check_still(lines))


def _may_be_virtual(access: Access, asked: LeaseRequest) -> bool:
    """Return whether a virtual line will do. A key that is limited to some lines sees none of these."""
    settings = access.house.settings
    does = settings.virtual_default if asked.label is None else settings.is_virtual_label(asked.label)
    return does and asked.line is None and access.key.lines is None


def _check_ticket(access: Access, asked: LeaseRequest, leases: Sequence[Lease]) -> None:
    another_line = asked.line is not None and leases[0].line != access.house.settings.line_named(asked.line)
    has_label = access.house.lines.has_label
    another_label = asked.label is not None and not all(has_label(lease.line, asked.label) for lease in leases)
    another_count = asked.count != (len(leases) if leases[0].group else None)
    if another_line or another_label or another_count:
        got = " and ".join(lease.line for lease in leases)
        raise BadRequest(
            f"The ticket {asked.ticket!r} is of another request, which got {got}. Make up a new one for each.",
            parameter="ticket",
        )


async def _lines_asked_for(access: Access, asked: LeaseRequest) -> tuple[str, ...]:
    """Return the lines that will do."""
    size = asked.count or 1
    if asked.line is None:
        return await _pool(access, asked.label, size)
    if size > 1:
        raise BadRequest(f"{asked.line} is one line, not {size}. Give a label, or leave it out.", parameter="count")
    if asked.label is not None:
        raise BadRequest("Give a line or a label, not both: a label stands for all lines that have it.")
    line = access.house.settings.line_named(asked.line)
    await access.check_known(line)
    return (line,)


async def _pool(access: Access, label: str | None, size: int) -> tuple[str, ...]:
    lines = [line for line in await access.house.lines.pool(label) if access.sees(line)]
    with_label = "" if label is None else f" with the label {label!r}"
    if not lines:
        raise UnknownLine(
            f"There is no line{with_label} that this key may lease. GET /api/v1/lines lists them.", label=label
        )
    if len(lines) < size:
        raise UnknownLine(
            f"There will never be {size} free lines: this key may lease {len(lines)}{with_label}. Add lines, or ask"
            " for fewer.",
            parameter="count",
        )
    return access.house.lines.prefer_working(lines, size)


async def give_up(access: Access, ticket: str) -> None:
    """Leave the queue, and end the leases that a ticket got."""
    await access.house.leases.give_up(access.owner, ticket)


async def held(access: Access) -> list[Lease]:
    """Return the leases of the lines that are leased or rest, of those that the key may see."""
    return [access.house.lines.labelled(lease) for lease in await access.house.leases.held(access.key.lines)]


async def find(access: Access, id_: str) -> list[Lease]:
    """Return the one lease that has this id, or those of the group that has it.

    Raises UnknownLease, also for one on a line that the key must not see.
    """
    leases = await access.house.leases.get_all(id_)
    for lease in leases:
        access.check_lease(lease)
    return [access.house.lines.labelled(lease) for lease in leases]


async def _own_all(access: Access, id_: str) -> list[Lease]:
    """Return what `find` does. Raises Forbidden if another key holds one, unless this is an administrator's."""
    leases = await access.house.leases.get_all(id_)
    for lease in leases:
        access.check_own(lease)
    return leases


async def _own(access: Access, id_: str) -> Lease:
    """Return one lease. Raises UnknownLease for a group, whose lines have messages of their own."""
    leases = await _own_all(access, id_)
    if leases[0].id != id_:
        each = ", ".join(f"{lease.id} of {lease.line}" for lease in leases)
        raise UnknownLease(f"{id_} is a group of leases. Name the one whose messages you want: {each}.")
    return leases[0]


async def release(access: Access, id_: str) -> None:
    """End a lease, or all of a group."""
    await access.house.leases.release(*await _own_all(access, id_))


async def extend(access: Access, id_: str, ttl: timedelta) -> list[Lease]:
    """Let a lease, or all of a group, last for `ttl` from now: see Leases.extend_all."""
    longer = await access.house.leases.extend_all(await _own_all(access, id_), ttl)
    return [access.house.lines.labelled(lease) for lease in longer]


async def page(access: Access, id_: str) -> Listed:
    """Return what the line of a lease received since that began, what came late too: the newest, in one page."""
    lease, inbox = await _own(access, id_), access.house.inbox
    position = await inbox.position()
    found: list[Stored] = []
    # Its own whenever they were received, and those of nobody until the line had rested.
    for query in (Query(lease=lease.id), Query(lines=(lease.line,), lease="", until=lease.rests_until)):
        some, _ = await inbox.newest(query, MOST_LISTED, before=position + 1, after=int(lease.cursor))
        found += some
    found.sort(key=lambda stored: stored.position, reverse=True)
    shown = within_bytes(found[:MOST_LISTED])
    access.note(shown)
    return Listed(shown, position)


async def wait(access: Access, id_: str, asked: Wait) -> Stored:
    """Return a match that belongs to a lease of the key's, waiting for it: see Leases.next_message."""
    lease = await _own(access, id_)
    query, position = await access.start(asked.query, asked.after or lease.cursor)
    wait = access.house.leases.next_message(lease, query, position, asked.timeout_seconds, choice=asked.choice)
    return await access.given(wait, (lease.line,))
