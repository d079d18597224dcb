"""uvicorn as smscatch runs it: its end is ours, and a proxy's headers do not hide who is connected."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from smscatch.web.addresses import PEER
from smscatch.web.connections import HttpConnection

GRACE_SECONDS = 1.0
# Longer than clients keep an idle connection (5 s with many): or we close the one that a request is under way on.
KEEP_ALIVE_SECONDS = 30


def connection_class() -> type[HttpConnection]:
    """Return what speaks HTTP: over httptools where it is installed, else over h11."""
    try:
        from smscatch.web.over_httptools import HttptoolsConnection  # noqa: PLC0415 - one of the two is enough
    except ImportError:
        from smscatch.web.over_h11 import H11Connection  # noqa: PLC0415

        return H11Connection
    return HttptoolsConnection


class HttpServer(uvicorn.Server):
    """uvicorn, except for its end: `end_waits` is called first, and clients that keep it waiting are cut, unasked."""

    def __init__(self, app: ASGIApp, most_connections: int, end_waits: Callable[[], None]) -> None:
        self._end_waits = end_waits
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",  # of a bound method it is not recognised
            ws="none",
            http=connection_class(),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # heeded below, behind a look at who is connected in truth
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            limit_concurrency=most_connections,  # counts connections, idle ones too, and the one that asks
        )
        self._app = ProxyHeadersMiddleware(app, config.forwarded_allow_ips)  # type: ignore[arg-type]
        super().__init__(config)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[PEER] = scope["client"]
        with contextlib.suppress(asyncio.CancelledError):  # by _cut; uvicorn would log it as an error of ours
            await self._app(scope, receive, send)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `serve`: uvicorn raises them again at its end, which would skip our tidying."""
        yield

    def stop(self) -> None:
        """Answer all waits and end; asked twice, end without waiting for clients."""
        self._end_waits()
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is being answered; cut what takes longer, as a client that does not read or send on."""
        cutting = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._cut)
        await super().shutdown(sockets)
        cutting.cancel()
        self._cut()  # asked twice, uvicorn has waited for nobody
        await asyncio.gather(*self.server_state.tasks)  # before the store closes

    def _cut(self) -> None:
        for connection in self.server_state.connections:
            connection.transport.abort()
        for task in self.server_state.tasks:
            task.cancel()
