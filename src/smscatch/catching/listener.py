"""A TLS listener that is every provider's host: it takes the name from the client's first message (SNI, RFC 6066, 3).

Programs come here through the proxy, or because what was loaded into them led a provider's name here.
"""

import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator

from smscatch.catching.accepting import MOST_CONNECTIONS, Streams, accepting
from smscatch.catching.authority import Authority, new_context
from smscatch.catching.forwarding import Forwarder
from smscatch.catching.incoming import Gone, RequestStream
from smscatch.catching.tally import DISTRUSTED, NO_API, SILENT, Tally
from smscatch.providers import find_provider, normal_host


class TlsListener:
    """Speaks TLS as the host that is asked for, and has our server answer."""

    def __init__(self, authority: Authority, forwarder: Forwarder, tally: Tally) -> None:
        self._authority, self._forwarder, self._tally = authority, forwarder, tally

    @contextlib.asynccontextmanager
    async def open(self, most: int = MOST_CONNECTIONS) -> AsyncGenerator[int, None]:
        """Listen for as long as the block runs; give the port."""
        async with accepting(self._serve, most) as port:
            yield port

    async def _serve(self, connection: socket.socket) -> None:
        hello = _Hello(self._authority)
        try:
            streams = await Streams.over(connection, hello.context)
        except OSError as error:
            if hello.host:  # who distrusts says so in an alert (RFC 8446, 6.2), or just leaves
                self._tally.refused(hello.host, DISTRUSTED if isinstance(error, ssl.SSLError) else SILENT)
            return
        with contextlib.suppress(Gone):
            async with streams:
                await self._answer(RequestStream(streams), hello.host)

    async def _answer(self, incoming: RequestStream, host: str) -> None:
        """Answer all requests of a connection."""
        judged, count = find_provider(host), 0
        try:
            while (request := await incoming.next_request()) is not None:
                count += 1
                if judged is None or not judged.is_caught:
                    self._tally.refused(host, NO_API)
                    await incoming.refuse(502, f"{host} is {NO_API}: nothing was sent")
                    return
                await self._forwarder.forward(incoming, request, judged.provider, host)
        finally:
            if not count:
                self._tally.refused(host, SILENT)


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
