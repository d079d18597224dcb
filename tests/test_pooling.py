"""The client's connections: no request shares a pool with another, and few pools are kept."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import ClassVar

import httpx2

from smscatch.client.pooling import MOST_IDLE, AsyncPools, Pools
from tests.patience import PATIENCE_SECONDS

URL = "http://server.test/"
COUNT = MOST_IDLE + 5


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b"{}"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"{}"


class Pool(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Answers once all that are expected are on their way."""

    made: ClassVar[list["Pool"]]

    def __init__(self) -> None:
        self.requests = 0
        self.most = 0
        self.is_closed = False
        self.made.append(self)

    def _begin(self) -> None:
        self.requests += 1
        self.most = max(self.most, self.requests)

    def _end(self) -> httpx2.Response:
        self.requests -= 1
        return httpx2.Response(200, stream=Body())

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


async def test_each_of_many_requests_at_once_has_a_pool_of_its_own_and_few_are_kept() -> None:
    all_are_here = asyncio.Barrier(COUNT)

    class Waiting(Pool):
        made: ClassVar[list[Pool]] = []

        async def handle_async_request(self, _: httpx2.Request) -> httpx2.Response:
            self._begin()
            await all_are_here.wait()
            return self._end()

    async with httpx2.AsyncClient(transport=AsyncPools(Waiting)) as client:
        for _ in range(2):
            await asyncio.gather(*(client.get(URL) for _ in range(COUNT)))
        assert [pool.most for pool in Waiting.made] == [1] * (COUNT + COUNT - MOST_IDLE)
        assert sum(not pool.is_closed for pool in Waiting.made) == MOST_IDLE
    assert all(pool.is_closed for pool in Waiting.made)


def test_of_threads_that_share_a_client_each_request_has_a_pool_of_its_own() -> None:
    all_are_here = threading.Barrier(COUNT, timeout=PATIENCE_SECONDS)

    class Waiting(Pool):
        made: ClassVar[list[Pool]] = []

        def handle_request(self, _: httpx2.Request) -> httpx2.Response:
            self._begin()
            all_are_here.wait()
            return self._end()

    with httpx2.Client(transport=Pools(Waiting)) as client:
        threads = [threading.Thread(target=client.get, args=[URL]) for _ in range(COUNT)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [pool.most for pool in Waiting.made] == [1] * COUNT
        assert sum(not pool.is_closed for pool in Waiting.made) == MOST_IDLE
    assert all(pool.is_closed for pool in Waiting.made)


async def test_a_request_that_fails_or_is_cancelled_gives_its_pool_back() -> None:
    begun = asyncio.Event()

    class Failing(Pool):
        made: ClassVar[list[Pool]] = []

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "GET":
                raise httpx2.ConnectError("nobody listens")
            begun.set()
            await asyncio.get_running_loop().create_future()
            raise AssertionError

    async with httpx2.AsyncClient(transport=AsyncPools(Failing)) as client:
        for _ in range(3):
            await asyncio.gather(client.get(URL), return_exceptions=True)
            cut = asyncio.create_task(client.post(URL))
            await begun.wait()
            cut.cancel()
            await asyncio.wait([cut])
    assert len(Failing.made) == 1


async def test_a_client_that_is_closed_closes_what_is_under_way_too() -> None:
    begun = asyncio.Event()

    class Hanging(Pool):
        made: ClassVar[list[Pool]] = []

        async def handle_async_request(self, _: httpx2.Request) -> httpx2.Response:
            begun.set()
            await asyncio.get_running_loop().create_future()
            raise AssertionError

    client = httpx2.AsyncClient(transport=AsyncPools(Hanging))
    asking = asyncio.create_task(client.get(URL))
    await begun.wait()
    await client.aclose()
    assert [pool.is_closed for pool in Hanging.made] == [True]
    asking.cancel()
    await asyncio.wait([asking])
