"""Waiting over HTTP: what is waited for ends with its client. The waits themselves are those of Access."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from smscatch.errors import SmscatchError
from smscatch.interrupting import Interruptible

T = TypeVar("T")
CLIENT_CLOSED_REQUEST = 499  # nginx's number for it; nobody reads it


class ClientGone(SmscatchError):
    """The client hung up; there is nobody to answer."""

    status, code = CLIENT_CLOSED_REQUEST, "client_gone"


async def unless_gone(request: Request, wait: Coroutine[Any, Any, T]) -> T:
    """Return what `wait` returns, or cancel it and raise ClientGone as soon as the client hangs up.

    Without this a wait would go on until its timeout: nothing tells a handler that merely awaits.
    """
    with Interruptible() as block:
        leaving = asyncio.ensure_future(_left(request))
        leaving.add_done_callback(lambda _: block.interrupt(ClientGone("The client hung up.")))  # no-op at our end
        try:
            return await wait
        finally:
            leaving.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
