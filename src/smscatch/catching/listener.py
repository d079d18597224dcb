"""A listener that is every provider's host: it takes the name from the first message in TLS (SNI, RFC 6066, section 3).

Programs come here through the proxy, or because what was loaded into them led a provider's name here: then in plain
HTTP too, for those that call a provider so.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator

import h11

from smscatch.catching.accepting import MOST_CONNECTIONS, Streams, accepting
from smscatch.catching.authority import Authority, new_context
from smscatch.catching.forwarding import Forwarder
from smscatch.catching.incoming import Gone, RequestStream
from smscatch.catching.tally import DISTRUSTED, NO_API, SILENT, Tally
from smscatch.providers import find_provider, normal_host

_HANDSHAKE = b"\x16"  # with which each TLS connection begins (RFC 8446, 5.1), and no HTTP request does


class TlsListener:
    """Speaks as the host that is asked for, and has our server answer."""

    def __init__(self, authority: Authority, forwarder: Forwarder, tally: Tally) -> None:
        self._authority, self._forwarder, self._tally = authority, forwarder, tally

    @contextlib.asynccontextmanager
    async def open(self, most: int = MOST_CONNECTIONS) -> AsyncGenerator[int, None]:
        """Listen for as long as the block runs; give the port."""
        async with accepting(self._serve, most) as port:
            yield port

    async def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(Gone):
            if await _first_octet(connection) == _HANDSHAKE:
                await self._serve_tls(connection)
                return
            async with await Streams.over(connection) as streams:
                await self._answer(RequestStream(streams))

    async def _serve_tls(self, connection: socket.socket) -> None:
        hello = _Hello(self._authority)
        try:
            streams = await Streams.over(connection, hello.context)
        except OSError as error:
            if hello.host:  # who distrusts says so in an alert (RFC 8446, 6.2), or just leaves
                self._tally.refused(hello.host, DISTRUSTED if isinstance(error, ssl.SSLError) else SILENT)
            return
        async with streams:
            incoming = RequestStream(streams)
            try:
                await self._answer(incoming, hello.host)
            finally:
                if not incoming.requests:
                    self._tally.refused(hello.host, SILENT)

    async def _answer(self, incoming: RequestStream, host: str = "") -> None:
        """Answer all requests of a connection to a host; if it is not known, to that which each request names."""
        while (request := await incoming.next_request()) is not None:
            asked = host or _host_of(request)
            judged = find_provider(asked)
            if judged is None or not judged.is_caught:
                self._tally.refused(asked, NO_API)
                await incoming.refuse(502, f"{asked} is {NO_API}: nothing was sent")
                return
            await self._forwarder.forward(incoming, request, judged.provider, asked)


def _host_of(request: h11.Request) -> str:
    """Return the host that a request names (RFC 9110, 7.2)."""
    named = next((value for name, value in request.headers if name == b"host"), b"")
    return normal_host(named.decode("latin-1").partition(":")[0])


async def _first_octet(connection: socket.socket) -> bytes:
    """Return the first octet that comes, which stays to be read; nothing if the connection ends or breaks."""
    loop, has_come = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, has_come.set)
    try:
        await has_come.wait()
    except BaseException:
        loop.remove_reader(connection)
        connection.close()
        raise
    loop.remove_reader(connection)
    try:
        return connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return b""


class _Hello:
    """A TLS context for one connection, which becomes that of the host that its client names."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self.host = ""
        self.context = new_context()
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        if name is None or find_provider(name) is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        self.host = normal_host(name)
        connection.context = self._authority.context(self.host)
        return None
