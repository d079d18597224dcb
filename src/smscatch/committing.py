"""What comes over HTTP, durable before it is answered: in the store, those together that come together (group commit).

While the store is silent, in the spool (circuit breaker). No request here, and no format.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from smscatch.errors import StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.intake import Parsed, store_parsed
from smscatch.spool import Writer

SHORT_BYTES = 4096  # of deliveries whose codes are found in one go
BATCH = 100  # texts in one transaction
# For the store to take a batch. Senders of webhooks give up after 5 s, some after 1 s; the spool takes some time too.
PATIENCE_SECONDS = 0.08
LOOKS = 8  # within that time, one at a turn of the event loop: who is busy does not take the store for silent
SILENT_SECONDS = 1.0  # until a silent store is tried again
MAX_WAITING_BYTES = 16 * 1024 * 1024  # of what waits for the store; what is more goes into the spool


class _Waiting(NamedTuple):
    """A delivery that waits for the store; `taken` says whether the store has it."""

    parsed: Parsed
    taken: asyncio.Future[bool]

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.parsed.entry.body)


class Committer:
    """Commits deliveries in the order in which they are handed over, as many at once as have come meanwhile.

    What the store does not take in time, or not at all, goes into the spool, whose drain tries again, and puts aside
    what can never be stored. Before each commit the store is given what is in the spool: so no text overtakes one that
    was acknowledged before it was sent.
    """

    def __init__(
        self,
        inbox: Inbox,
        spool: Writer,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        silent_seconds: float = SILENT_SECONDS,
        most_waiting_bytes: int = MAX_WAITING_BYTES,
    ) -> None:
        self._inbox = inbox
        self._spool = spool
        self._patience_seconds = patience_seconds
        self._silent_seconds = silent_seconds
        self._most_waiting_bytes = most_waiting_bytes
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._committing: asyncio.Task[None] | None = None
        self._silent_until = float("-inf")

    async def keep(self, delivery: Parsed) -> None:
        """Return when a delivery is durable. Raises StoreUnavailable if neither the store nor the spool takes it.

        If it is cancelled (the client hung up), nothing ends for the others.
        """
        (trouble,) = await self.keep_all([delivery])
        if trouble is not None:
            raise trouble

    async def keep_all(self, deliveries: Sequence[Parsed]) -> list[StoreUnavailable | None]:
        """Return when those are durable that can be, with what keeps each of the others from it."""
        taken = [self._hand_over(parsed) for parsed in deliveries]
        left = [parsed.entry for parsed, each in zip(deliveries, taken, strict=True) if not await each]
        trouble = None
        if left:
            try:
                await asyncio.to_thread(self._spool.write, *left)
            except StoreUnavailable as error:
                trouble = error
        return [None if each.result() else trouble for each in taken]

    def _hand_over(self, parsed: Parsed) -> asyncio.Future[bool]:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(parsed, loop.create_future())
        if loop.time() < self._silent_until or self._waiting_bytes + waiting.size > self._most_waiting_bytes:
            waiting.taken.set_result(False)
            return waiting.taken
        self._waiting.append(waiting)
        self._waiting_bytes += waiting.size
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_all())
        return waiting.taken

    async def _commit_all(self) -> None:
        while self._waiting:
            batch = self._take()
            try:
                read = await _read(batch)
            except Exception:  # a bug of ours: the drain finds out in which of them
                _tell(batch, is_taken=False)
            else:
                await self._commit(batch, read)

    def _take(self) -> list[_Waiting]:
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        self._waiting_bytes -= sum(waiting.size for waiting in batch)
        return batch

    async def _commit(self, batch: Sequence[_Waiting], read: Sequence[Parsed]) -> None:
        """Have the store take a batch, and tell those who wait whether it has; if it takes too long, that it has not.

        It may have them after all: then what is in the spool is a repeat.
        """
        try:
            with self._impatient(batch):
                await self._inbox.catch_up()
                await store_parsed(self._inbox, read)
        except StoreUnavailable:
            self._silent_until = asyncio.get_running_loop().time() + self._silent_seconds
            self._turn_away(batch)
        except Exception:  # the drain finds out whose it is
            _tell(batch, is_taken=False)
        else:
            _tell(batch, is_taken=True)

    @contextlib.contextmanager
    def _impatient(self, batch: Sequence[_Waiting]) -> Iterator[None]:
        """Turn a batch away if the block takes too long, and whatever comes until it ends."""
        self._look(batch, LOOKS)
        try:
            yield
        finally:
            self._next_look.cancel()
            self._silent_until = float("-inf")

    def _look(self, batch: Sequence[_Waiting], left: int) -> None:
        if left:
            pause = self._patience_seconds / LOOKS
            self._next_look = asyncio.get_running_loop().call_later(pause, self._look, batch, left - 1)
        else:
            self._silent_until = float("inf")
            self._turn_away(batch)

    def _turn_away(self, batch: Sequence[_Waiting]) -> None:
        """Let a batch, and all that waits behind it, go into the spool."""
        _tell((*batch, *self._waiting), is_taken=False)
        self._waiting.clear()
        self._waiting_bytes = 0


async def _read(batch: Sequence[_Waiting]) -> list[Parsed]:
    """Return what is in a batch with its codes: of long texts in a thread, of others here, and with pauses.

    A thread that computes keeps the event loop from its work each time that it sends or receives, for 5 ms
    (sys.setswitchinterval): longer than some texts take.
    """
    read, size = list[Parsed](), 0
    for waiting in batch:
        size += waiting.size
        if waiting.size > SHORT_BYTES:
            read.append(await asyncio.to_thread(waiting.parsed.with_codes))
            continue
        if size > SHORT_BYTES:
            await asyncio.sleep(0)
            size = waiting.size
        read.append(waiting.parsed.with_codes())
    return read


def _tell(those: Iterable[_Waiting], *, is_taken: bool) -> None:
    for waiting in those:
        if not waiting.taken.done():  # its client may be gone
            waiting.taken.set_result(is_taken)
