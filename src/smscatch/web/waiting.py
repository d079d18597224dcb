"""Waiting over HTTP: what is waited for ends with its client. The waits themselves are those of Access."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from smscatch.errors import SmscatchError

T = TypeVar("T")
CLIENT_CLOSED_REQUEST = 499  # nginx's number for it; nobody reads it


class ClientGone(SmscatchError):
    """The client hung up; there is nobody to answer."""

    status, code = CLIENT_CLOSED_REQUEST, "client_gone"


async def unless_gone(request: Request, wait: Coroutine[Any, Any, T]) -> T:
    """Return what `wait` returns, or cancel it and raise ClientGone as soon as the client hangs up.

    Without this a wait would go on until its timeout: nothing tells a handler that merely awaits.
    """
    waiting = asyncio.ensure_future(wait)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        raise ClientGone("The client hung up.")
    finally:
        for task in (waiting, leaving):
            task.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
