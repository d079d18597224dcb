"""Server-Sent Events over HTTP, which resume with nothing missed."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from smscatch.deletions import Deletions, Watcher
from smscatch.errors import BadCursor, Forbidden, LostCursor, ShuttingDown, StoreUnavailable, Unauthorized
from smscatch.messages import Stored
from smscatch.web.endpoint import access_of, inbox_of
from smscatch.web.params import parse_query
from smscatch.web.waiting import ClientGone, unless_gone

# Makes the event and the data of a message; None: it is not for this stream.
Render = Callable[[Stored], Awaitable[tuple[str, str] | None]]

HEARTBEAT_SECONDS = 15.0
FIRST_PAUSE_SECONDS = 1.0  # a page that only looks in knows soon that it has seen everything
RETRY = b"retry: 1000\n\n"
HEARTBEAT = b": still here\n\n"
VISIBLE_HEARTBEAT = b"event: alive\ndata: still here\n\n"  # a script does not see comments


class SideEvents(NamedTuple):
    """What a page is told besides messages: what is deleted, and how all else looks.

    `look` returns the data of an event `outlook`, or None if there is nothing new; it is asked after each event and
    every `seconds`.
    """

    deletions: Deletions
    look: Callable[[], Awaitable[str | None]]
    seconds: float


async def stream_events(request: Request, render: Render, aside: SideEvents | None = None) -> Response:
    """Answer with Server-Sent Events: one a message, its cursor as `id:`, and what `render` gives as event and data.

    Starts behind the `Last-Event-ID` header, which a browser sends when it resumes, else behind `after`, else now.
    With `aside` there are events `deleted` too, with the id of a message, or MANY, as data, `outlook`, and `alive` as
    heartbeat. Ends when the key may no longer have it.
    Source: WHATWG HTML, 9.2 Server-sent events.
    """
    query = await parse_query(request)
    if aside is not None:
        query = msgspec.structs.replace(query, contains=None)  # a page looks in names too: its `render` decides
    last = request.headers.get("last-event-id") or None
    if last is not None and not last.isdecimal():
        raise BadCursor(
            f"The header Last-Event-ID is {last!r}; it takes the id of an event of this stream.", value=last
        )
    try:
        query, after = await access_of(request).start(query, last or request.query_params.get("after"))
    except LostCursor:  # the store is another one than the client saw: all in it is new to the client
        after = 0
    stream = inbox_of(request).follow(query, after)
    deleted = Deletions().watch(query.lines) if aside is None else aside.deletions.watch(query.lines)
    return _EventStream(_events(request, stream, _Telling(render, aside, deleted)))


class _Telling(NamedTuple):
    """What is told how."""

    render: Render
    aside: SideEvents | None
    deleted: Watcher

    async def outlook(self) -> bytes:
        """Return an event if there is something new to be seen, otherwise nothing."""
        seen = None if self.aside is None else await self.aside.look()
        return b"" if seen is None else _event("outlook", seen)

    async def heartbeat(self) -> bytes:
        """Return what shows that the server is there."""
        return HEARTBEAT if self.aside is None else await self.outlook() + VISIBLE_HEARTBEAT


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
    request: Request, stream: AsyncGenerator[Stored, None], telling: _Telling
) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(stream):
        yield RETRY
        pause = HEARTBEAT_SECONDS if telling.aside is None else FIRST_PAUSE_SECONDS
        longest = HEARTBEAT_SECONDS if telling.aside is None else telling.aside.seconds
        upcoming, gone = asyncio.ensure_future(anext(stream)), asyncio.ensure_future(telling.deleted.get())
        try:
            yield await telling.outlook()
            while True:
                await asyncio.wait((upcoming, gone), timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                pause = min(2 * pause, longest)
                await access_of(request).check_still(telling.deleted.lines)
                if upcoming.done():
                    stored = upcoming.result()
                    rendered = await telling.render(stored)
                    if rendered is not None:
                        access_of(request).note([stored])
                        yield _event(*rendered, str(stored.position)) + await telling.outlook()
                    upcoming = asyncio.ensure_future(anext(stream))
                elif gone.done():
                    yield _event("deleted", gone.result())
                    gone = asyncio.ensure_future(telling.deleted.get())
                else:
                    yield await telling.heartbeat()
        except (Unauthorized, Forbidden):
            return  # the client learns why when it connects again, or sees what its key still may
        except (ShuttingDown, StoreUnavailable):
            return  # the client connects again by itself, and resumes
        finally:
            for task in (upcoming, gone):
                task.cancel()
            await asyncio.gather(upcoming, gone, return_exceptions=True)


def _event(event: str, data: str, cursor: str | None = None) -> bytes:
    # Without an id the place to resume stays. Not splitlines: it also splits at U+2028, which may stand in a text and
    # is no line end here.
    lines = "".join(f"data: {line}\n" for line in re.split(r"\r\n|\r|\n", data))
    place = "" if cursor is None else f"id: {cursor}\n"
    return f"{place}event: {event}\n{lines}\n".encode()
