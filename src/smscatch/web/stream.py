"""Server-Sent Events over HTTP, which resume with nothing missed."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from smscatch.errors import BadCursor, LostCursor, ShuttingDown, StoreUnavailable
from smscatch.messages import Stored
from smscatch.web.auth import is_still_good
from smscatch.web.deletions import Deletions
from smscatch.web.endpoint import inbox_of, note_reads
from smscatch.web.params import parse_query, parse_start
from smscatch.web.waiting import ClientGone, unless_gone

# Makes the event and the data of a message.
Render = Callable[[Stored], Awaitable[tuple[str, str]]]

HEARTBEAT_SECONDS = 15.0
RETRY = b"retry: 1000\n\n"


async def stream_events(request: Request, render: Render, deletions: Deletions | None = None) -> Response:
    """Answer with Server-Sent Events: one a message, its cursor as `id:`, and what `render` gives as event and data.

    Starts behind the `Last-Event-ID` header, which a browser sends when it resumes, else behind `after`, else now.
    With `deletions` there are events `deleted` too, with the id of a message, or MANY, as data. Ends when the key is
    revoked or expires.
    Source: WHATWG HTML, 9.2 Server-sent events.
    """
    query = await parse_query(request)
    last = request.headers.get("last-event-id") or None
    if last is not None and not last.isdecimal():
        raise BadCursor(
            f"The header Last-Event-ID is {last!r}; it takes the id of an event of this stream.", value=last
        )
    try:
        query, after = await parse_start(request, query, override=last)
    except LostCursor:  # the store is another one than the client saw: all in it is new to the client
        after = 0
    stream = inbox_of(request).follow(query, after)
    return _EventStream(_events(request, stream, render, deletions or Deletions()))


class _EventStream(StreamingResponse):
    """Ends as soon as the client is gone, whichever version of ASGI the server speaks."""

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        super().__init__(events, media_type="text/event-stream")
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with contextlib.aclosing(self._events):
            with contextlib.suppress(ClientGone):
                await unless_gone(Request(scope, receive), self.stream_response(send))


async def _events(
    request: Request, stream: AsyncGenerator[Stored, None], render: Render, deletions: Deletions
) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(stream):
        deleted = deletions.watch()
        yield RETRY
        upcoming, gone = asyncio.ensure_future(anext(stream)), asyncio.ensure_future(deleted.get())
        try:
            while True:
                await asyncio.wait((upcoming, gone), timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if not await is_still_good(request):
                    return  # the client learns why when it connects again
                if upcoming.done():
                    stored = upcoming.result()
                    note_reads(request, [stored])
                    yield _event(str(stored.position), *await render(stored))
                    upcoming = asyncio.ensure_future(anext(stream))
                elif gone.done():
                    yield f"event: deleted\ndata: {gone.result()}\n\n".encode()  # no id: the place to resume stays
                    gone = asyncio.ensure_future(deleted.get())
                else:
                    yield b": still here\n\n"
        except (ShuttingDown, StoreUnavailable):
            return  # the client connects again by itself, and resumes
        finally:
            for task in (upcoming, gone):
                task.cancel()
            await asyncio.gather(upcoming, gone, return_exceptions=True)


def _event(cursor: str, event: str, data: str) -> bytes:
    # Not splitlines: it also splits at U+2028, which may stand in a text and is no line end here.
    lines = "".join(f"data: {line}\n" for line in re.split(r"\r\n|\r|\n", data))
    return f"id: {cursor}\nevent: {event}\n{lines}\n".encode()
