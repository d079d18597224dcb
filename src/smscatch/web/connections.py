"""How many connections there may be, and what becomes of those that only hold a place. No request is answered here."""

import asyncio
import contextlib
import ctypes
import logging
import resource
from typing import Any, ClassVar

from smscatch.web.leaving import HANG_UP, HangUp
from smscatch.web.writing import GatheringTransport

MAX_CONNECTIONS = 10_000
OWN_DESCRIPTORS = 64  # for the store, the spool and the modems, whatever clients do
REFUSED_POLITELY = 32  # connections beyond the most that are answered 503; further ones are cut
REQUEST_SECONDS = 30.0
COMPLAINT_SECONDS = 60.0
TRIM_SECONDS = 2.0  # from the first of several cut clients to the one time that their memory is given back
STALL_SECONDS = 30.0
MIN_READ_BYTES = 16 * 1024  # that a client takes in STALL_SECONDS, if so much waits for it
MAX_UNREAD_BYTES = 32 * 1024 * 1024  # that wait for all clients together

log = logging.getLogger(__name__)


def most_connections() -> int:
    """Return how many connections to serve, having raised how many files may be open: 1024, for select(), is usual."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if limit == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(limit - OWN_DESCRIPTORS - REFUSED_POLITELY, limit // 2))


def trim_memory() -> None:
    """Give the system what was freed: glibc keeps what lies between pieces in use (malloc_trim(3)); others do not."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


class HttpConnection(asyncio.Protocol):
    """Ends a connection if no whole request comes, if its client does not read, or if there are too many.

    It would hold a descriptor, or memory (back-pressure: uvicorn waits with more of an answer, but for ever, and a
    whole list is one piece); uvicorn itself has a time limit only for the first byte after an answer. This stands in
    front of one of uvicorn's protocols (a mixin), which has these attributes.
    """

    app_state: dict[str, Any]
    cycle: Any
    flow: Any
    connections: set[Any]
    limit_concurrency: int | None
    loop: asyncio.AbstractEventLoop
    transport: Any  # a GatheringTransport

    _patience: asyncio.TimerHandle | None = None
    _expected_since: float
    _stall: asyncio.TimerHandle | None = None
    _trim_at: ClassVar[float] = float("-inf")
    unread: ClassVar[
        dict["HttpConnection", int]
    ] = {}  # the bytes that wait for those that read slowly, the first first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or refuse to."""
        self.app_state = {**self.app_state, HANG_UP: HangUp(self._read_on)}  # the state of each request
        super().connection_made(GatheringTransport(transport, self.loop))  # type: ignore[arg-type]
        self._expect_request()
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency + REFUSED_POLITELY:
            transport.abort()

    def _read_on(self) -> None:
        self.flow.resume_reading()

    def on_response_complete(self) -> None:
        """Send the answer, and go on with the next request."""
        self.transport.send()
        super().on_response_complete()  # type: ignore[misc]
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self.app_state[HANG_UP].come()
        self._read_enough()
        if self._patience is not None:
            self._patience.cancel()

    def pause_writing(self) -> None:
        """Wait for the client to read; cut those that read nothing for longest when all are too much together."""
        super().pause_writing()
        self._expect_reading()
        while sum(self.unread.values()) > MAX_UNREAD_BYTES:
            next(iter(self.unread)).cut()

    def resume_writing(self) -> None:
        """Go on, since the client has read."""
        super().resume_writing()
        self._read_enough()

    def cut(self) -> None:
        """End at once, and let go of what is not sent."""
        self._read_enough()
        self.transport.abort()
        if self.loop.time() >= HttpConnection._trim_at:
            HttpConnection._trim_at = self.loop.time() + TRIM_SECONDS
            self.loop.call_at(HttpConnection._trim_at, trim_memory)

    def _expect_reading(self) -> None:
        self.unread[self] = self.transport.get_write_buffer_size()
        self._stall = self.loop.call_later(STALL_SECONDS, self._check_reading)

    def _check_reading(self) -> None:
        if self.unread[self] - self.transport.get_write_buffer_size() < MIN_READ_BYTES:
            self.cut()
        else:
            self._expect_reading()

    def _read_enough(self) -> None:
        self.unread.pop(self, None)
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _expect_request(self) -> None:
        self._expected_since = self.loop.time()
        if self._patience is None:  # one timer for all requests; to set one anew for each costs more than to look
            self._patience = self.loop.call_later(REQUEST_SECONDS, self._check_request)

    def _check_request(self) -> None:
        """Close if no whole request came in time; look again later if one was answered meanwhile."""
        self._patience = None
        if self.cycle is not None and not self.cycle.response_complete:
            return  # the next one is expected when this is answered
        left = self._expected_since + REQUEST_SECONDS - self.loop.time()
        if left > 0:
            self._patience = self.loop.call_later(left, self._check_request)
        elif self.transport.is_closing():  # it waits for what nobody reads
            self.cut()
        else:
            self.transport.close()


class AcceptErrors:
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
