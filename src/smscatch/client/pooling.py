"""Connections for many requests at once (connection pools): one pool for each, taken in turns.

A pool of httpx2 looks through all its connections when a request begins and when it ends, so what N waits of one client
cost grew as N squared.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx2

MOST_IDLE = 20  # pools that are kept for later requests; httpx2 keeps as many connections


class Pools(httpx2.BaseTransport):
    """Sends each request over a pool that no other request is in, of those that `make` makes. Threads may share it."""

    def __init__(self, make: Callable[[], httpx2.BaseTransport]) -> None:
        self._make = make
        self._idle: list[httpx2.BaseTransport] = []
        self._used: set[httpx2.BaseTransport] = set()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; its pool is free again when the answer was read, or could not be had."""
        pool = self._take()
        try:
            response = pool.handle_request(request)
        except BaseException:
            self._give_back(pool)
            raise
        response.stream = _Answer(response.stream, lambda: self._give_back(pool))
        return response

    def _take(self) -> httpx2.BaseTransport:
        try:
            pool = self._idle.pop()
        except IndexError:
            pool = self._make()
        self._used.add(pool)
        return pool

    def _give_back(self, pool: httpx2.BaseTransport) -> None:
        self._used.discard(pool)
        if len(self._idle) < MOST_IDLE:
            self._idle.append(pool)
        else:
            pool.close()

    def close(self) -> None:
        """Close all connections."""
        for pool in (*self._idle, *self._used):
            pool.close()


class _Answer(httpx2.SyncByteStream):
    """The body of an answer; `finish` is called when it was read."""

    def __init__(self, stream: object, finish: Callable[[], None]) -> None:
        if not isinstance(stream, httpx2.SyncByteStream):
            raise TypeError("what sends in threads has an answer for threads")
        self._stream = stream
        self._finish = finish

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._finish()


class AsyncPools(httpx2.AsyncBaseTransport):
    """The same for asyncio: see Pools."""

    def __init__(self, make: Callable[[], httpx2.AsyncBaseTransport]) -> None:
        self._make = make
        self._idle: list[httpx2.AsyncBaseTransport] = []
        self._used: set[httpx2.AsyncBaseTransport] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See Pools.handle_request."""
        pool = self._idle.pop() if self._idle else self._make()
        self._used.add(pool)
        try:
            response = await pool.handle_async_request(request)
        except BaseException:
            await self._give_back(pool)
            raise
        response.stream = _AsyncAnswer(response.stream, lambda: self._give_back(pool))
        return response

    async def _give_back(self, pool: httpx2.AsyncBaseTransport) -> None:
        self._used.discard(pool)
        if len(self._idle) < MOST_IDLE:
            self._idle.append(pool)
        else:
            await pool.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in (*self._idle, *self._used):
            await pool.aclose()


class _AsyncAnswer(httpx2.AsyncByteStream):
    def __init__(self, stream: object, finish: Callable[[], Awaitable[None]]) -> None:
        if not isinstance(stream, httpx2.AsyncByteStream):
            raise TypeError("what sends in asyncio has an answer for asyncio")
        self._stream = stream
        self._finish = finish

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            await self._finish()
