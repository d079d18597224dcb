"""From the spool into the inbox: each entry is removed only after the store has its message.

No format is read here; that is the sources' work.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from smscatch.errors import BadDelivery, StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.messages import Message, Part
from smscatch.numbers import fold_sender, sender_forms
from smscatch.sources import LineOf, find_former_id, read_delivery
from smscatch.spool import Entry, Pokes, Spool
from smscatch.stores import Delivery, Store

BATCH = 100
SLOW_TIMER_SECONDS = 5.0
MAX_BACKOFF_SECONDS = 30.0

log = logging.getLogger(__name__)


class _Read(NamedTuple):
    """A readable entry: its name, its messages, and which id a version before gave to the one in it."""

    name: str
    deliveries: list[Delivery]
    former_id: str | None


class Intake:
    """Drains one spool into one inbox, and tells the inbox what is in the way."""

    def __init__(self, spool: Spool, inbox: Inbox, line_of: LineOf) -> None:
        self._spool = spool
        self._inbox = inbox
        self._line_of = line_of
        self._lock = asyncio.Lock()
        self._warned: set[str] = set()
        self._left: str | None = None

    async def drain(self) -> int:
        """Move everything that is in the spool into the inbox, in order; return how many entries were read.

        What cannot be read is put aside, or left if the disk is at fault, and does not stop the next. Raises
        StoreUnavailable, also if the spool is away: the rest stays where it is.
        """
        async with self._lock:
            self._left = None
            try:
                count = await self._drain()
            except OSError as error:
                self._inbox.trouble = f"The spool {self._spool.folder} cannot be read: {error.strerror}."
                raise StoreUnavailable(self._inbox.trouble) from error
            except StoreUnavailable as error:
                self._inbox.trouble = str(error)
                raise
            self._inbox.trouble = self._left
            return count

    async def _drain(self) -> int:
        count = 0
        for names in _batches(self._spool.names()):
            # In a thread: files may be slow, and the codes of long texts take time. The lock keeps the order.
            entries = await asyncio.to_thread(self._read_all, names)
            await self._receive(await _as_known_before(self._inbox.store, entries))
            count += len(entries)
        return count

    def _read_all(self, names: Sequence[str]) -> list[_Read]:
        return [entry for name in names if (entry := self._read(name))]

    def _read(self, name: str) -> _Read | None:
        entry = self._attempt(name, lambda: self._spool.read(name))
        if entry is None:
            return None
        try:
            messages = read_delivery(entry.kind, entry.body, entry.name, self._line_of)
        except BadDelivery as error:
            self._reject(name, str(error))
            return None
        except Exception as error:  # a bug of ours in a source must neither lose a message nor stop the next
            log.exception("spool entry %s broke its source", name)
            self._reject(name, f"Reading it failed with {error!r}: a bug of smscatch, please report it.")
            return None
        former_id = find_former_id(entry.kind, entry.body)
        return _Read(name, [Delivery(message, entry.body) for message in messages], former_id)

    def _reject(self, name: str, reason: str) -> None:
        self._attempt(name, lambda: self._spool.reject(name, reason))

    def _attempt(self, name: str, work: Callable[[], Entry | None]) -> Entry | None:
        """Do something to an entry's file. If the disk or a right is at fault it stays for now; told once."""
        try:
            return work()
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

    async def _receive(self, entries: list[_Read]) -> None:
        """Store a batch in one transaction, or, if something in it cannot be stored, one by one to find out what."""
        try:
            await self._inbox.receive([delivery for entry in entries for delivery in entry.deliveries])
        except StoreUnavailable:
            raise
        except Exception as error:
            if len(entries) == 1:
                log.exception("spool entry %s cannot be stored", entries[0].name)
                self._reject(entries[0].name, f"Storing it failed with {error!r}: a bug of smscatch, please report it.")
                return
            for entry in entries:
                await self._receive([entry])
            return
        for entry in entries:
            self._spool.finish(entry.name)

    async def keep_draining(self, pokes: Pokes) -> None:
        """Drain at each poke and, because a poke can be lost, on a slow timer; runs until cancelled."""
        backoff, told = SLOW_TIMER_SECONDS, ""
        while True:
            pokes.drain()
            try:
                await self.drain()
                backoff, told = SLOW_TIMER_SECONDS, ""
            except StoreUnavailable as error:
                if str(error) != told:  # a disk may be full for days
                    log.warning("what arrives stays in the spool, and is tried again and again: %s", error)
                told = str(error)
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, MAX_BACKOFF_SECONDS)
                continue
            await _poked(pokes, SLOW_TIMER_SECONDS)


async def _as_known_before(store: Store, entries: list[_Read]) -> list[_Read]:
    """Give what a version before took in already the id that it had then: so it is a repeat (idempotency).

    By that id alone it may be another sender's text, and is not lost: only the same text to the same line is a repeat.
    """
    batch: dict[str, Message | Part] = {}
    for place, entry in enumerate(entries):
        if entry.former_id is not None:
            kept = await store.get(entry.former_id)
            former = kept.message if kept else batch.get(entry.former_id)
            deliveries = [_renamed(delivery, former) for delivery in entry.deliveries]
            entries[place] = entry._replace(deliveries=deliveries)
        batch |= {delivery.message.id: delivery.message for delivery in entries[place].deliveries}
    return entries


def _renamed(delivery: Delivery, former: Message | Part | None) -> Delivery:
    message = delivery.message
    if isinstance(message, Part) or not isinstance(former, Message):
        return delivery
    # The version before wrote a sender's number in its canonical form.
    is_same = (message.line, message.text) == (former.line, former.text)
    is_same = is_same and fold_sender(former.sender) in sender_forms(message.sender)
    return Delivery(msgspec.structs.replace(message, id=former.id), delivery.raw) if is_same else delivery


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
