"""Virtual lines: leases of fictitious numbers, each of a number that nobody used before, as many as are asked for.

Which numbers are fictitious is in fiction.py; the lease itself is like any other, one atomic statement in the store.
"""

import random
from collections.abc import Iterator

import msgspec

from smscatch.errors import NoFreeLine
from smscatch.fiction import Numbers
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import Lease, Query
from smscatch.settings import Settings
from smscatch.stores import Wish

# Numbers are drawn, and offered to the store so many at once, which takes one that was never leased. Only of a range
# that is nearly used up the first draw has none.
DRAWS = (16, 512)


async def acquire(leases: Leases, inbox: Inbox, settings: Settings, wish: Wish) -> tuple[Lease, ...]:
    """Return leases of virtual lines, as many as are wished for.

    Each has a number that was never leased and never received anything, as far as the retention reaches back; when all
    are used up, one whose last lease ended longest ago. Nobody agrees with anybody on numbers: whatever two instances
    draw, the store gives a line to one of them. Raises NoFreeLine if all numbers are leased at this time.
    """
    for numbers in settings.virtual_ranges:
        for count in DRAWS:
            lines = await _unused(inbox, [line for line in _draw(numbers, count) if line not in settings.lines])
            if len(lines) < wish.size:
                continue
            try:
                return await leases.acquire_all(msgspec.structs.replace(wish, lines=lines, fresh=True), 0)
            except NoFreeLine:  # each of them was leased before
                continue
    return await leases.acquire_all(msgspec.structs.replace(wish, lines=tuple(_any(settings))), 0)


def _draw(numbers: Numbers, count: int) -> list[str]:
    size = len(numbers)
    places = random.sample(range(size), min(count, size))
    return [numbers.number(place) for place in places]


def _any(settings: Settings) -> Iterator[str]:
    for numbers in settings.virtual_ranges:
        yield from (line for line in _draw(numbers, DRAWS[-1]) if line not in settings.lines)


async def _unused(inbox: Inbox, lines: list[str]) -> tuple[str, ...]:
    """Return those of these lines that have no messages."""
    left = tuple(lines)
    while left and (found := await inbox.store.newest(Query(lines=left), len(left))):
        used = {stored.message.line for stored in found}
        left = tuple(line for line in left if line not in used)
    return left
