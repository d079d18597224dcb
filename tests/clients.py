"""Both clients, called the same, and a line of a real server that texts come to."""

import asyncio
import inspect
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

from smscatch import AsyncClient, Client, NoFreeLine
from tests.carrier import eventually
from tests.conftest import ADMIN_KEY, Server

_numbers = itertools.count(1)


async def do(method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call a method of either client."""
    if inspect.iscoroutinefunction(method):
        return await method(*arguments, **named)
    result = await asyncio.to_thread(method, *arguments, **named)
    return await result if inspect.isawaitable(result) else result


@asynccontextmanager
async def opened(flavour: type[Client] | type[AsyncClient], server: Server) -> AsyncIterator[Any]:
    """Lend a client, open."""
    client = flavour(server.url, ADMIN_KEY)
    yield client
    await do(client.close)


class Line(NamedTuple):
    """A line that the server knows and that no other test uses."""

    number: str
    server: Server
    client: Client

    @classmethod
    @contextmanager
    def new(cls, server: Server) -> Iterator["Line"]:
        """Lend one."""
        with server.client() as client:
            line = cls(f"+4477009{next(_numbers):05d}", server, client)
            line.deliver("the first of all")
            yield line

    def deliver(self, text: str, **facts: str) -> None:
        """Have a text delivered over HTTP."""
        delivery = {"line": self.number, "sender": "Authy", "text": text} | facts
        self.client._http.post("/api/v1/inbound/generic", json=delivery).raise_for_status()

    def is_waited_for(self) -> bool:
        """Return whether somebody waits for it to be free."""
        try:
            self.client.lease(self.number, wait=0).release()
        except NoFreeLine as error:
            return bool(error.details["ahead"])
        return False


class Wire:
    """What the connections of a client do from now on, as httpcore's trace tells it."""

    def __init__(self, client: Client | AsyncClient) -> None:
        self._seen: Counter[str] = Counter()
        hook: Any = self._follow_later if isinstance(client, AsyncClient) else self._follow
        client._http.event_hooks["request"].append(hook)

    async def sent(self, requests: int = 1) -> None:
        """Return when so many requests have left."""
        await eventually(lambda: self._seen["http11.send_request_body.complete"] >= requests, "a request was sent")

    async def failed(self) -> None:
        """Return when a connection was refused."""
        await eventually(lambda: self._seen["connection.connect_tcp.failed"] > 0, "a connection was refused")

    def _follow(self, request: Any) -> None:
        request.extensions["trace"] = self._note

    async def _follow_later(self, request: Any) -> None:
        request.extensions["trace"] = self._note_later

    def _note(self, name: str, _: object) -> None:
        self._seen[name] += 1

    async def _note_later(self, name: str, _: object) -> None:
        self._seen[name] += 1
