"""HTTP/1.1 read by httptools, in C: where it is installed. It knows no bounds, and has them here."""

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from smscatch.web.connections import HttpConnection

MAX_HEAD_BYTES = 64 * 1024  # as h11 has it; a head that comes at once may be as long as what is read at once


class HttptoolsConnection(HttpConnection, HttpToolsProtocol):
    """uvicorn's over httptools, within our limits, and with what it lacks beside uvicorn's over h11.

    httptools collects an address, a header or a trailer however long it becomes. uvicorn tells only the last of several
    requests sent in one go (pipelining) that its client is gone: an event stream in front of it would go on for ever.
    And it drops the body of a request that offers another protocol, as Java's HttpClient and `curl --http2` do.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread_bytes = 0  # of what is neither a whole head nor a part of a body
        self._answering: RequestResponseCycle | None = None
        self._is_offer = False

    def data_received(self, data: bytes) -> None:
        """Read on, or refuse what has no end."""
        self._unset_keepalive_if_required()
        self._unread_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if self._is_offer:
                self._decline(data[offer.args[0] :])
        except httptools.HttpParserError:
            self._refuse("Invalid HTTP request received.")
        else:
            if self._unread_bytes > MAX_HEAD_BYTES:
                self._refuse("The head of the request is too long.")

    def _refuse(self, reason: str) -> None:
        self.logger.warning(reason)
        if self.cycle is None or self.cycle.response_complete:
            self.send_400_response(reason)
        else:  # amid an answer
            self.transport.close()

    def _decline(self, rest: bytes) -> None:
        """Read a request that offers another protocol as if it did not, which a server may (RFC 9110, 7.8)."""
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self._is_offer = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self.data_received(b"\r\n".join([*lines, b"", rest]))

    def on_headers_complete(self) -> None:
        """Begin with a request."""
        self._unread_bytes = 0
        self._is_offer = self.parser.should_upgrade() and any(name == b"upgrade" for name, _ in self.headers)
        if not self._is_offer:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._unread_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the body."""
        self._unread_bytes = 0
        if not self._is_offer:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and tell the request that is being answered."""
        super().connection_lost(exc)
        self.pipeline.clear()
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
