"""From the spool into the inbox: each entry is removed only after the store has its message.

No format is read here; that is the sources' work.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from smscatch.errors import BadDelivery, StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.sources import LineOf, read_delivery
from smscatch.spool import Pokes, Spool
from smscatch.stores import Delivery

BATCH = 100
SLOW_TIMER_SECONDS = 5.0
MAX_BACKOFF_SECONDS = 30.0

log = logging.getLogger(__name__)


class _Read(NamedTuple):
    """A readable entry: its name and its messages."""

    name: str
    deliveries: list[Delivery]


async def drain(spool: Spool, inbox: Inbox, line_of: LineOf) -> int:
    """Move everything that is in the spool into the inbox, in order; return how many entries were read.

    What cannot be read is put aside and does not stop the next. Raises StoreUnavailable: the rest stays in the spool.
    """
    count = 0
    for names in _batches(spool.names()):
        entries = [entry for name in names if (entry := _read(spool, name, line_of))]
        await _receive(spool, inbox, entries)
        count += len(entries)
    return count


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), BATCH):
        yield names[start : start + BATCH]


def _read(spool: Spool, name: str, line_of: LineOf) -> _Read | None:
    try:
        entry = spool.read(name)
        messages = read_delivery(entry.kind, entry.body, entry.name, line_of)
    except BadDelivery as error:
        spool.reject(name, str(error))
        return None
    except Exception as error:  # a bug of ours in a source must neither lose a message nor stop the next
        log.exception("spool entry %s broke its source", name)
        spool.reject(name, f"Reading it failed with {error!r}: a bug of smscatch, please report it.")
        return None
    return _Read(name, [Delivery(message, entry.body) for message in messages])


async def _receive(spool: Spool, inbox: Inbox, entries: list[_Read]) -> None:
    """Store a batch in one transaction, or, if something in it cannot be stored, one by one to find out what."""
    try:
        await inbox.receive([delivery for entry in entries for delivery in entry.deliveries])
    except StoreUnavailable:
        raise
    except Exception as error:
        if len(entries) == 1:
            log.exception("spool entry %s cannot be stored", entries[0].name)
            spool.reject(entries[0].name, f"Storing it failed with {error!r}: a bug of smscatch, please report it.")
            return
        for entry in entries:
            await _receive(spool, inbox, [entry])
        return
    for entry in entries:
        spool.finish(entry.name)


async def keep_draining(spool: Spool, pokes: Pokes, inbox: Inbox, line_of: LineOf) -> None:
    """Drain the spool at each poke and, because a poke can be lost, on a slow timer; runs until cancelled."""
    backoff = SLOW_TIMER_SECONDS
    while True:
        pokes.drain()
        try:
            await drain(spool, inbox, line_of)
            backoff = SLOW_TIMER_SECONDS
        except (StoreUnavailable, OSError) as error:
            log.warning("the spool keeps what arrives, trying again in %.0f s: %s", backoff, error)
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, MAX_BACKOFF_SECONDS)
            continue
        await _poked(pokes, SLOW_TIMER_SECONDS)


async def _poked(pokes: Pokes, timeout_seconds: float) -> None:
    """Return when a poke is there, or after the timeout."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(pokes.socket, readable.set)
    try:
        async with asyncio.timeout(timeout_seconds):
            await readable.wait()
    except TimeoutError:
        pass
    finally:
        loop.remove_reader(pokes.socket)
