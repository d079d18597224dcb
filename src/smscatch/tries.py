"""Wrong keys: each is logged without the key, and slows down its address (rate limit, throttle), however it connects.

An address is that of the connection, of IPv6 the whole /64: X-Forwarded-For anybody may write. Behind a proxy all have
one address, so keys that were good once pass at any time.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import TypeVar

from smscatch.errors import TooManyTries, Unauthorized

T = TypeVar("T")
MAX_WAITING = 20  # tries of one address that wait for their turn; further ones are refused unseen
MAX_GOOD = 10_000
SUBNET = 64  # bits: what one customer has of IPv6 at least (RFC 6177)

log = logging.getLogger(__name__)


class _Queue:
    """Those who wait because wrong keys came from their address."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.inside = 0
        self.failures = 0
        self.refused = 0


class Tries:
    """Lets each address try one wrong key a pause. Knows an address only while someone waits there."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}
        self._good: dict[bytes, None] = {}  # hashes of secrets, the least recently used first

    async def check(
        self, address: str, secret_hash: bytes, find: Callable[[], Awaitable[T]], pause: Callable[[], Awaitable[object]]
    ) -> T:
        """Return what `find` returns. If it raises Unauthorized, so do we, after a `pause` of this address.

        Raises TooManyTries, without a look at the key, if too many wait there already.
        """
        if secret_hash in self._good:
            try:
                return self._note_good(secret_hash, await find())
            except Unauthorized:  # revoked meanwhile: it is a wrong one from now on
                self._good.pop(secret_hash, None)
        async with self._enter(address) as queue, contextlib.AsyncExitStack() as turn:
            waits = queue.failures > 0  # else all look at once: right keys need not wait for each other
            if waits:
                await turn.enter_async_context(queue.lock)
            try:
                return self._note_good(secret_hash, await find())
            except Unauthorized:
                queue.failures += 1
                log.warning("a wrong key came from %s, the %d. in a row", address, queue.failures)
                if not waits:
                    await turn.enter_async_context(queue.lock)
                await pause()
                raise

    def _note_good(self, secret_hash: bytes, found: T) -> T:
        self._good.pop(secret_hash, None)
        self._good[secret_hash] = None
        if len(self._good) > MAX_GOOD:
            del self._good[next(iter(self._good))]
        return found

    @contextlib.asynccontextmanager
    async def _enter(self, address: str) -> AsyncGenerator[_Queue, None]:
        queue = self._queues.setdefault(address, _Queue())
        if queue.failures and queue.inside >= MAX_WAITING:
            self._refuse(queue, address)
        queue.inside += 1
        try:
            yield queue
        finally:
            queue.inside -= 1
            if not queue.inside:
                del self._queues[address]

    def _refuse(self, queue: _Queue, address: str) -> None:
        if queue.refused == 0:
            log.warning("so many wrong keys come from %s that further ones are refused unseen for now", address)
        queue.refused += 1
        raise TooManyTries(
            f"Too many wrong keys came from {address}. Try again in some seconds; keys that are in use go on to work."
        )


@lru_cache(1024)
def network_of(host: str) -> str:
    """Return whom to hold a wrong key against: an IPv4 address, or the /64 of an IPv6 one."""
    host = host.partition("%")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Network((address, SUBNET), strict=False))
