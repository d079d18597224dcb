"""Connections to a port of ours on loopback: so many at once, each served by a task of its own."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, NamedTuple

log = logging.getLogger(__name__)
LOOPBACK = "127.0.0.1"
MOST_CONNECTIONS = 200  # at a port at once; further ones wait in the kernel's queue. Each takes up to two descriptors.
BACKLOG = 1024
FULL_SECONDS = 0.1
HANDSHAKE_SECONDS = 60.0

Serve = Callable[[socket.socket], Coroutine[Any, Any, None]]


class Streams(NamedTuple):
    """Both directions of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def over(cls, connection: socket.socket, tls: ssl.SSLContext | None = None) -> "Streams":
        """Return those of a connection that was accepted, once TLS is agreed on. Raises OSError, and closes it then."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, connection, ssl=tls, ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None
        )
        return cls(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    async def __aenter__(self) -> "Streams":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Send what is left, and end the connection; if the block broke, break it off."""
        if kind is None:
            self.writer.close()
        else:
            self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def accepting(serve: Serve, most: int = MOST_CONNECTIONS) -> AsyncGenerator[int, None]:
    """Have each connection served for as long as the block runs; give the port, a free one.

    `serve` closes the connection that it is given.
    """
    with socket.create_server((LOOPBACK, 0), backlog=BACKLOG) as listening:
        listening.setblocking(False)
        accepted = asyncio.create_task(_accept(listening, serve, most))
        try:
            yield listening.getsockname()[1]
        finally:
            accepted.cancel()
            await asyncio.gather(accepted, return_exceptions=True)


async def _accept(listening: socket.socket, serve: Serve, most: int) -> None:
    places = asyncio.Semaphore(most)
    async with asyncio.TaskGroup() as tasks:
        while True:
            await places.acquire()
            task = tasks.create_task(_serve(serve, await _next(listening)))
            task.add_done_callback(lambda _: places.release())


async def _serve(serve: Serve, connection: socket.socket) -> None:
    """Serve a connection; what breaks it breaks no other."""
    try:
        await serve(connection)
    except Exception as error:
        log.exception("A connection broke with %s.", type(error).__name__)
        connection.close()


async def _next(listening: socket.socket) -> socket.socket:
    while True:
        try:
            return (await asyncio.get_running_loop().sock_accept(listening))[0]
        except OSError:  # no descriptors are left: some come back
            await asyncio.sleep(FULL_SECONDS)
