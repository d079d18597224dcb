"""A server in a thread of this process, for clients that block, with three lines of two labels."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.intake import drain_into
from smscatch.leases import Leases
from smscatch.messages import Lease, Message, Stored
from smscatch.sources import join_parts
from smscatch.spool import Spool
from smscatch.stores import Wish, open_store
from smscatch.web import auth
from smscatch.web.app import make_app
from smscatch.web.serving import HttpServer
from tests.patience import PATIENCE_SECONDS
from tests.samples import a_delivery
from tests.surroundings import settings_in

T = TypeVar("T")
LABEL, LINE, OTHER_LINE, APART = "abcd1234", "+447700900001", "+447700900002", "+447700900777"
CONFIG = f"""
lease_rest = "0s"
[lines."{LINE}"]
label = "{LABEL}"
[lines."{OTHER_LINE}"]
label = "{LABEL}"
phone_id = "b"
[lines."{APART}"]
label = "apart"
phone_id = "c"
"""


class House:
    """What runs in the thread; `do` has it do something, from another one."""

    def __init__(self, inbox: Inbox, leases: Leases, url: str) -> None:
        self.inbox, self.leases, self.url = inbox, leases, url
        self._loop = asyncio.get_running_loop()

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_SECONDS)

    def key(self, *scopes: str, lines: tuple[str, ...] | None = None) -> str:
        return self.do(keys.add_key(self.inbox, "client", scopes, lines))[1]

    def lease(self, line: str) -> Lease:
        wish = Wish(key="k", lines=(line,), ttl=timedelta(hours=1))
        return self.do(self.leases.acquire(wish, 0))

    def receive(self, **facts: Any) -> Message:
        """Have a text come now, and return it as it is kept."""
        delivery = a_delivery(**({"received_at": datetime.now(UTC)} | facts))
        self.do(self.inbox.receive([delivery]))
        assert isinstance(delivery.message, Message)
        return delivery.message

    def receive_all(self, texts: Iterable[dict[str, Any]]) -> None:
        """Have several texts come, in this order."""
        self.do(self.inbox.receive([a_delivery(received_at=datetime.now(UTC), **facts) for facts in texts]))

    def receive_for(self, lease: Lease, **facts: Any) -> None:
        """Have a text come that belongs to a lease: one that comes with its beginning may count as late."""
        while (stored := self._received(line=lease.line, **facts)).message.lease != lease.id:
            self.do(self.inbox.store.delete(stored.id))

    def _received(self, **facts: Any) -> Stored:
        stored = self.do(self.inbox.store.get(self.receive(**facts).id))
        assert stored is not None
        return stored

    def receive_when_awaited(self, **facts: Any) -> threading.Thread:
        """Have a text come as soon as somebody waits; return the thread that sees to it."""
        thread = threading.Thread(target=lambda: self.do(self._receive_when_awaited(facts)))
        thread.start()
        return thread

    async def _receive_when_awaited(self, facts: dict[str, Any]) -> None:
        while not self.inbox.hub.waiting:
            await asyncio.sleep(0.01)
        await self.inbox.receive([a_delivery(received_at=datetime.now(UTC), **facts)])

    def clear(self) -> None:
        self.do(self.inbox.store.delete_lines([LINE, OTHER_LINE, APART]))


@contextlib.asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[House]:
    settings = settings_in(folder, CONFIG)
    store = await open_store(f"sqlite:///{folder}/inbox.db", join_parts)
    inbox = await Inbox.open(store)
    spool = Spool(settings.spool)
    inbox.catch_up = drain_into(spool, inbox, settings.line_of).drain
    leases = Leases(inbox, rest=settings.lease_rest, tolerance=settings.lease_tolerance)
    listener = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(make_app(inbox, leases, settings), 100, inbox.hub.close)
    tasks = [asyncio.create_task(inbox.feed()), asyncio.create_task(server.serve([listener]))]
    try:
        yield House(inbox, leases, f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        await tasks[1]
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await store.close()
        spool.close()


@pytest.fixture(scope="session")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    ready, over = threading.Event(), threading.Event()
    houses: list[House] = []

    async def run() -> None:
        async with open_house(tmp_path_factory.mktemp("readers")) as house:
            houses.append(house)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "FAILURE_SECONDS", 0)
        thread.start()
        assert ready.wait(PATIENCE_SECONDS)
        try:
            yield houses[0]
        finally:
            over.set()
            thread.join(PATIENCE_SECONDS)


@pytest.fixture
def house(shared_house: House) -> Iterator[House]:
    """An empty one."""
    yield shared_house
    shared_house.clear()
