"""Waiting over HTTP: what is waited for ends with its client. The waits themselves are those of Access."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from starlette.requests import Request

from smscatch.errors import SmscatchError
from smscatch.interrupting import Interruptible
from smscatch.web.leaving import HANG_UP, HangUp

T = TypeVar("T")
CLIENT_CLOSED_REQUEST = 499  # nginx's number for it; nobody reads it


class ClientGone(SmscatchError):
    """The client hung up; there is nobody to answer."""

    status, code = CLIENT_CLOSED_REQUEST, "client_gone"


async def unless_gone(request: Request, wait: Coroutine[Any, Any, T]) -> T:
    """Return what `wait` returns, or cancel it and raise ClientGone as soon as the client hangs up.

    Without this a wait would go on until its timeout: nothing tells a handler that merely awaits.
    """
    hang_up = _hang_up_of(request)
    if hang_up.is_over:
        wait.close()
        raise ClientGone("The client hung up.")
    block = Interruptible()
    with block, hang_up.telling(lambda: block.interrupt(ClientGone("The client hung up."))), _reading_on(request):
        return await wait


@contextlib.contextmanager
def _reading_on(request: Request) -> Iterator[None]:
    """Read a body away that comes with the request: while some of it is unread, nobody hears that the client hangs up.

    Few have one, and pay for the task.
    """
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    reading = asyncio.ensure_future(_read_away(request)) if has_body else None
    try:
        yield
    finally:
        if reading is not None:
            reading.cancel()


async def _read_away(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def is_gone(request: Request) -> bool:
    """Return whether the client hung up."""
    return _hang_up_of(request).is_over


def _hang_up_of(request: Request) -> HangUp:
    """Return the HangUp of the connection; one that never comes for who asks without any, in this process."""
    hang_up: HangUp = request.scope.get("state", {}).get(HANG_UP) or HangUp()
    return hang_up
