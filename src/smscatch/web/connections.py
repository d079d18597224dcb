"""How many connections there may be, and what becomes of those that only hold a place. No request is answered here."""

import asyncio
import logging
import resource
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 10_000
OWN_DESCRIPTORS = 64  # for the store, the spool and the modems, whatever clients do
REFUSED_POLITELY = 32  # connections beyond the most that are answered 503; further ones are cut
REQUEST_SECONDS = 30.0
COMPLAINT_SECONDS = 60.0

log = logging.getLogger(__name__)


def most_connections() -> int:
    """Return how many connections to serve, having raised how many files may be open: 1024, for select(), is usual."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if limit == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(limit - OWN_DESCRIPTORS - REFUSED_POLITELY, limit // 2))


class Connection(H11Protocol):
    """uvicorn's, except that it ends if no whole request comes, or if there are far too many of them.

    Either way it would hold a descriptor; uvicorn itself has a time limit only for the first byte after an answer.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or refuse to."""
        super().connection_made(transport)
        self._expect_request()
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency + REFUSED_POLITELY:
            transport.abort()

    def on_response_complete(self) -> None:
        """Go on with the next request."""
        super().on_response_complete()
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        if self._patience is not None:
            self._patience.cancel()

    def _expect_request(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class Complaints:
    """The loop's exception handler. A failing accept is told once a minute; asyncio would fill the disk with it."""

    def __init__(self) -> None:
        self._quiet_until = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """See asyncio's loop.set_exception_handler."""
        if "out of system resource" not in context.get("message", ""):
            loop.default_exception_handler(context)
        elif loop.time() >= self._quiet_until:
            self._quiet_until = loop.time() + COMPLAINT_SECONDS
            log.warning("connections cannot be accepted: %s", context.get("exception"))
