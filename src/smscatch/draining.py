"""Out of a spool, to whoever takes its entries: each is removed only after it is durable there.

What an entry holds is not read here; intake.py takes entries into the inbox.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from smscatch.errors import BadDelivery, StoreUnavailable
from smscatch.spool import Entry, Pokes, Spool

BATCH = 100
SLOW_TIMER_SECONDS = 5.0
MAX_BACKOFF_SECONDS = 30.0

# Takes entries in the order in which they were written, and returns when they are durable where they go: for those that
# never can be, by name, why not. Raises StoreUnavailable: then none was taken, and it is asked again.
Take = Callable[[Sequence[Entry]], Awaitable[Mapping[str, str]]]

log = logging.getLogger(__name__)


class Drain:
    """Hands one spool's entries to a `take`, and calls `tell` with what is in the way, None when nothing is."""

    def __init__(self, spool: Spool, take: Take, tell: Callable[[str | None], None]) -> None:
        self._spool = spool
        self._take = take
        self._tell = tell
        self._lock = asyncio.Lock()
        self._warned: set[str] = set()
        self._left: str | None = None

    async def drain(self) -> int:
        """Hand on everything that is in the spool, in order; return how many entries were taken.

        What cannot be read is put aside, or left if the disk is at fault, and does not stop the next. Raises
        StoreUnavailable, also if the spool is away: the rest stays where it is.
        """
        async with self._lock:
            self._left = None
            try:
                count = await self._drain()
            except OSError as error:
                trouble = f"The spool {self._spool.folder} cannot be read: {error.strerror}."
                self._tell(trouble)
                raise StoreUnavailable(trouble) from error
            except StoreUnavailable as error:
                self._tell(str(error))
                raise
            self._tell(self._left)
            return count

    async def _drain(self) -> int:
        count = 0
        for names in _batches(self._spool.names()):
            entries = await asyncio.to_thread(self._read_all, names)  # files may be slow; the lock keeps the order
            refused = await self._take(entries)
            for entry in entries:
                if entry.name in refused:
                    self._reject(entry.name, refused[entry.name])
                else:
                    self._spool.finish(entry.name)
            count += len(entries) - len(refused)
        return count

    def _read_all(self, names: Sequence[str]) -> list[Entry]:
        return [entry for name in names if (entry := self._attempt(name, self._spool.read))]

    def _reject(self, name: str, reason: str) -> None:
        self._attempt(name, lambda name: self._spool.reject(name, reason))

    def _attempt(self, name: str, work: Callable[[str], Entry | None]) -> Entry | None:
        """Do something to an entry's file. If the disk or a right is at fault it stays for now; told once."""
        try:
            return work(name)
        except BadDelivery as error:
            self._reject(name, str(error))
        except OSError as error:
            self._left = (
                f"The spool entry {name} cannot be handled: {error.strerror}. It is left there, and tried again."
            )
            if name not in self._warned:
                self._warned.add(name)
                log.warning("spool entry %s cannot be handled and is left for now: %s", name, error)
        return None

    async def keep_draining(self, pokes: Pokes, timer_seconds: float = SLOW_TIMER_SECONDS) -> None:
        """Drain at each poke and, because a poke can be lost, on a slow timer; runs until cancelled."""
        backoff, told = timer_seconds, ""
        while True:
            pokes.drain()
            try:
                await self.drain()
                backoff, told = timer_seconds, ""
            except StoreUnavailable as error:
                if str(error) != told:  # a disk may be full for days
                    log.warning("what arrives stays in the spool, and is tried again and again: %s", error)
                told = str(error)
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, MAX_BACKOFF_SECONDS)
                continue
            await _poked(pokes, timer_seconds)


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), BATCH):
        yield names[start : start + BATCH]


async def _poked(pokes: Pokes, timeout_seconds: float) -> None:
    """Return when a poke is there, or after the timeout."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(pokes.socket, readable.set)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await readable.wait()
    finally:
        loop.remove_reader(pokes.socket)
