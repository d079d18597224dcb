"""The applications that are bound to us as to an SMSC: what waits to be delivered to each, and how fast it may send.

In memory alone: what a restart forgets are receipts and replies, never a text. No connection here.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # a start need not wait for what reads and writes PDUs
    from smscatch.smpp.pdu import ShortMessage

MAX_WAITING = 10_000  # deliveries of one application, while it has no receiver
MAX_SUBMITTED = 20_000  # ids of what one application sent of late
MAX_ACCOUNTS = 1000
REPLY_SECONDS = 10.0


class Undelivered(NamedTuple):
    """A deliver_sm on its way to an application; `taken` tells whoever wants to know whether it was taken."""

    message: "ShortMessage"
    taken: asyncio.Future[bool] | None = None

    def settle(self, *, is_taken: bool) -> None:
        """Tell what became of it."""
        if self.taken is not None and not self.taken.done():
            self.taken.set_result(is_taken)


class Arrived(NamedTuple):
    """A text that was caught: who it was from, as its source_addr was read, and when, UTC."""

    sender: str
    at: datetime


class HandsetText(NamedTuple):
    """A text from a handset, whose `number` it is, to whoever texted it: a number or a name."""

    number: str
    to: str
    text: str


class DeliveryQueue:
    """What waits for the receivers of one application, oldest first."""

    def __init__(self, most: int = MAX_WAITING) -> None:
        self._most = most
        self._waiting: deque[Undelivered] = deque()
        self._filled = asyncio.Event()

    def put(self, deliveries: Iterable[Undelivered]) -> None:
        """Add deliveries behind the others; beyond the most that may wait, the oldest are given up."""
        self._waiting.extend(deliveries)
        while len(self._waiting) > self._most:
            self._waiting.popleft().settle(is_taken=False)
        self._filled.set()

    def put_back(self, deliveries: Iterable[Undelivered]) -> None:
        """Put deliveries that were not taken before the others."""
        self._waiting.extendleft(reversed([*deliveries]))
        self._filled.set()

    async def take(self, most: int) -> list[Undelivered]:
        """Return up to `most` deliveries, as soon as there are any. Whoever takes them puts back what was not taken."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]


class RateLimit:
    """A limit of so many texts a second (token bucket), which a second without any lets pass at once; 0 is none."""

    def __init__(self, per_second: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._now = now
        self._left = float(per_second)
        self._counted_at = now()

    def take(self) -> bool:
        """Return whether one more text may pass."""
        if not self._per_second:
            return True
        now = self._now()
        self._left = min(self._left + (now - self._counted_at) * self._per_second, float(self._per_second))
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Account:
    """An application, by its key and its system_id, whichever and however many of its binds there are."""

    def __init__(self, system_id: str, rate: RateLimit) -> None:
        self.system_id = system_id
        self.rate = rate
        self.outbox = DeliveryQueue()
        self.receivers = 0  # binds that take deliveries
        self._submitted: OrderedDict[str, Arrived] = OrderedDict()

    def note(self, message_id: str, arrived: Arrived) -> None:
        """Keep what became of a text that was sent under an id."""
        self._submitted[message_id] = arrived
        if len(self._submitted) > MAX_SUBMITTED:
            self._submitted.popitem(last=False)

    def find(self, message_id: str) -> Arrived | None:
        """Return what became of a text that was sent of late."""
        return self._submitted.get(message_id)


class Accounts:
    """All accounts, by the id of the key (the owner) and the system_id."""

    def __init__(self, per_second: int = 0) -> None:
        self._per_second = per_second
        self._accounts: OrderedDict[tuple[str, str], Account] = OrderedDict()

    def open(self, owner: str, system_id: str) -> Account:
        """Return an account, a new one if there is none yet. Of very many, the one that was opened longest ago goes."""
        account = self._accounts.setdefault((owner, system_id), Account(system_id, RateLimit(self._per_second)))
        self._accounts.move_to_end((owner, system_id))
        if len(self._accounts) > MAX_ACCOUNTS:
            self._accounts.popitem(last=False)
        return account

    def find(self, owner: str, system_id: str) -> Account | None:
        """Return an account that was opened."""
        return self._accounts.get((owner, system_id))

    async def reply(self, owner: str, system_id: str, reply: HandsetText) -> bool:
        """Deliver a text to an application, and return whether it took all of it; False if no receiver is bound.

        `owner` and `system_id` are those of the text that is replied to: its CaughtText has them. An application that
        does not answer in REPLY_SECONDS may take it later.
        """
        account = self.find(owner, system_id)
        if account is None or not account.receivers:
            return False
        from smscatch.smpp.delivering import address_of, write_text  # noqa: PLC0415 - as above

        loop = asyncio.get_running_loop()
        source, destination = address_of(reply.number), address_of(reply.to)
        parts = [Undelivered(each, loop.create_future()) for each in write_text(source, destination, reply.text)]
        account.outbox.put(parts)
        taken = asyncio.gather(*(part.taken for part in parts if part.taken is not None))
        try:
            return all(await asyncio.wait_for(taken, REPLY_SECONDS))
        except TimeoutError:
            return False
