"""Many who wait at once: what is the same for all is asked of the store once, not by each."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.sources import join_parts
from smscatch.stores import open_store
from smscatch.web.app import make_app
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE, a_delivery
from tests.surroundings import settings_in

MANY = 100


class Counted:
    """A store that counts what it is asked."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        ask = getattr(self._store, name)

        async def counted(*arguments: Any, **options: Any) -> Any:
            self.asked[name] += 1
            return await ask(*arguments, **options)

        return counted


@pytest.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[Inbox]:
    inbox = await Inbox.open(await open_store(f"sqlite:///{tmp_path}/x.db", join_parts))
    await inbox.receive([a_delivery(line=LINE)])
    inbox.store = Counted(inbox.store)
    feeding = asyncio.create_task(inbox.feed())
    yield inbox
    feeding.cancel()
    await asyncio.wait([feeding])
    await inbox.store.close()


@pytest.fixture
async def client(inbox: Inbox, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    leases = Leases(inbox, rest=timedelta(seconds=5), tolerance=timedelta(seconds=60))
    _, secret = await keys.add_key(inbox, "reader", ("read",))
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings_in(tmp_path)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", auth=(secret, "")) as client:
        yield client


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            await asyncio.sleep(0)


def counts_of(inbox: Inbox) -> Counter[str]:
    asked: Counter[str] = inbox.store.asked  # type: ignore[attr-defined]
    return asked


async def wait_with(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.get("/api/v1/messages/next", params={"line": LINE, "timeout": 60}, timeout=PATIENCE_SECONDS)


async def test_waits_that_begin_and_are_woken_together_ask_the_store_together(
    inbox: Inbox, client: httpx2.AsyncClient
) -> None:
    drained = 0

    async def drain() -> None:
        nonlocal drained
        drained += 1

    inbox.catch_up = drain
    counts_of(inbox).clear()
    waiting = [asyncio.create_task(wait_with(client)) for _ in range(MANY)]
    await until(lambda: inbox.hub.waiting == MANY)
    await until(lambda: counts_of(inbox)["after"] > 0)
    await inbox.receive([a_delivery(text="woken", line=LINE)])
    answers = await asyncio.gather(*waiting)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    # A key's look when it comes and when it is answered, whether there is the line, the position, a read, what came.
    assert counts_of(inbox).total() + drained < MANY / 4, counts_of(inbox)


async def test_a_wait_that_begins_while_another_looks_for_its_position_is_not_given_that_one(inbox: Inbox) -> None:
    looking, go_on = asyncio.Event(), asyncio.Event()

    async def drain() -> None:
        looking.set()
        await go_on.wait()

    inbox.catch_up = drain
    first = asyncio.create_task(inbox.position())
    await looking.wait()
    await inbox.receive([a_delivery(text="in between", line=LINE)])
    second = asyncio.create_task(inbox.position())
    await asyncio.sleep(0)
    go_on.set()
    assert await second == 2
    assert await first <= 2
