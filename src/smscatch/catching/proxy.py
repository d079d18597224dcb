"""A forward proxy on loopback: connections to providers' hosts are led to our TLS listener, all others are tunnelled.

What goes through a tunnel is neither read nor changed. Plain HTTP comes here only where a proxy was set for it before.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from functools import partial
from urllib.parse import urlsplit

import h11

from smscatch.catching.accepting import LOOPBACK, MOST_CONNECTIONS, Streams, accepting
from smscatch.catching.beyond import Beyond, PlainHttp, Unreachable
from smscatch.catching.forwarding import Forwarder
from smscatch.catching.incoming import READ_BYTES, Gone, RequestStream
from smscatch.catching.tally import NO_API, UNREACHABLE, Tally
from smscatch.providers import find_provider, normal_host

TLS_PORT = 443
DIRECT = Beyond()


class Proxy:
    """Takes CONNECT (RFC 9110, 9.3.6) and plain HTTP. A provider's host is caught or refused, and never reached."""

    def __init__(self, listener_port: int, forwarder: Forwarder, tally: Tally, beyond: Beyond = DIRECT) -> None:
        self._listener_port, self._forwarder, self._tally, self._beyond = listener_port, forwarder, tally, beyond

    @contextlib.asynccontextmanager
    async def open(self, most: int = MOST_CONNECTIONS) -> AsyncGenerator[int, None]:
        """Listen for as long as the block runs; give the port."""
        self._plain = PlainHttp(self._beyond)
        try:
            async with accepting(self._serve, most) as port:
                yield port
        finally:
            await self._plain.close()

    async def _serve(self, connection: socket.socket) -> None:
        try:
            near = await Streams.over(connection)
        except OSError:
            return
        with contextlib.suppress(Gone, OSError):
            async with near:
                await self._answer(near, RequestStream(near))

    async def _answer(self, near: Streams, incoming: RequestStream) -> None:
        """Answer all requests of a connection."""
        while (request := await incoming.next_request()) is not None:
            if request.method == b"CONNECT":
                return await self._connect(near, incoming, *_place(b"//" + request.target))
            await self._pass_on(incoming, request)
        return None

    async def _connect(self, near: Streams, incoming: RequestStream, host: str, port: int) -> None:
        try:
            far, early = await self._reach(host, port)
        except Unreachable as error:
            await incoming.refuse(502, f"{host}:{port} {error}")
            return
        async with far:
            late = await incoming.agree_to_tunnel()
            near.writer.write(early)
            far.writer.write(late)
            await _tunnel(near, far)

    async def _pass_on(self, incoming: RequestStream, request: h11.Request) -> None:
        """Answer a request in plain HTTP."""
        host, _ = _place(request.target)
        judged = find_provider(host)
        if not request.target.startswith(b"http://") or not host:
            await incoming.refuse(400, "this is a proxy, and takes CONNECT and http://HOST/ alone")
        elif judged is None:
            await self._plain.pass_on(incoming, request, partial(self._note, normal_host(host)))
        elif judged.is_caught:
            await self._forwarder.forward(incoming, request, judged.provider, normal_host(host))
        else:
            self._tally.refused(normal_host(host), NO_API)
            await incoming.refuse(502, f"{host} is {NO_API}: not let through, or a real text could be sent")

    def _note(self, host: str, _: int) -> None:
        self._tally.passed(host)

    async def _reach(self, host: str, port: int) -> tuple[Streams, bytes]:
        """Return a connection to where a host is: for a provider's, that is us. Raises Unreachable, and notes it."""
        judged = find_provider(host)
        if judged is None:
            return await self._reach_beyond(host, port)
        if judged.is_caught and port == TLS_PORT:
            return Streams(*await asyncio.open_connection(LOOPBACK, self._listener_port)), b""
        self._tally.refused(normal_host(host), NO_API)
        raise Unreachable(f"is {NO_API}: not let through, or a real text could be sent")

    async def _reach_beyond(self, host: str, port: int) -> tuple[Streams, bytes]:
        try:
            reached = await self._beyond.connect(host, port)
        except Unreachable as error:
            self._tally.refused(normal_host(host), UNREACHABLE)
            raise Unreachable(f"{UNREACHABLE}: {error}") from error
        self._tally.passed(normal_host(host))
        return reached


def _place(target: bytes) -> tuple[str, int]:
    """Return the host and the port, or 0, that a target names; an empty host if none."""
    try:
        parts = urlsplit(target.decode("ascii"))
        return parts.hostname or "", parts.port or 0
    except ValueError:
        return "", 0


async def _tunnel(near: Streams, far: Streams) -> None:
    """Hand on what comes on either side until both have ended, or one has broken."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_pump(near, far))
        tasks.create_task(_pump(far, near))


async def _pump(source: Streams, sink: Streams) -> None:
    """Hand on what comes until it ends, and the end too (half-close); a side that breaks off breaks the other off."""
    try:
        while piece := await source.reader.read(READ_BYTES):
            sink.writer.write(piece)
            await sink.writer.drain()
        if sink.writer.can_write_eof():
            sink.writer.write_eof()
    except OSError:
        source.writer.transport.abort()
        sink.writer.transport.abort()
