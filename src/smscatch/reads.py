"""Who was given which message, put on record behind the answers: none waits for it, and none fails over it.

What is on record is the store's (Store.reads); no HTTP here.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict, deque
from collections.abc import Iterable

from smscatch.errors import StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.messages import Stored
from smscatch.stores import Key
from smscatch.stores.records import Read

INTERVAL_SECONDS = 1.0
LAST_WRITE_SECONDS = 3.0
BATCH = 1000
MAX_WAITING = 20_000  # reads that the store could not take yet
MAX_KNOWN = 5_000  # pairs of message and key that need no writing again: a hundred pages, in about 1 MB

log = logging.getLogger(__name__)


class Reads:
    """Collects reads and writes them about once a second, for as long as `keep_writing` runs.

    A page that is loaded again and again writes nothing anew: each pair of message and key is kept in mind.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._waiting: deque[Read] = deque()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()  # in the order of noting
        self._lost = 0
        self._is_away = False

    def note(self, key: Key, messages: Iterable[Stored]) -> None:
        """Remember that `key`, or the one its session was made from, is given `messages`; written soon."""
        owner, now = key.parent or key.id, self._inbox.now()
        for stored in messages:
            pair = (stored.id, owner)
            if pair not in self._known:
                self._known[pair] = None
                self._waiting.append(Read(message=pair[0], key=owner, name=key.name, at=now))
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)  # of a plain dict the first is found ever more slowly
        while len(self._waiting) > MAX_WAITING:
            self._forget(self._waiting.popleft())

    def _forget(self, read: Read) -> None:
        if self._lost == 0:
            log.warning("the store has been away for too long: the record of who read what will have gaps")
        self._lost += 1
        self._known.pop((read.message, read.key), None)  # the next read of it is noted then

    async def keep_writing(self) -> None:
        """Write what is noted every INTERVAL_SECONDS, and once more when it is cancelled."""
        try:
            while True:
                await asyncio.sleep(INTERVAL_SECONDS)
                await self.write()
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WRITE_SECONDS):
                    await self.write()

    async def write(self) -> None:
        """Write what is noted; what the store does not take stays for the next time."""
        while self._waiting:
            batch = [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]
            try:
                await self._inbox.store.add_reads(batch)
            except StoreUnavailable as error:
                if not self._is_away:  # told once: it is tried every second
                    log.warning("who read what cannot be written, trying again: %s", error)
                self._is_away = True
                return
            self._lost, self._is_away = 0, False
            self._drop(batch)

    def _drop(self, batch: list[Read]) -> None:
        """Take what is written off the list, of which `note` may have dropped some meanwhile."""
        written = {id(read) for read in batch}
        while self._waiting and id(self._waiting[0]) in written:
            self._waiting.popleft()
