"""Waiting for an event on a clock that may be a test's."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
Sleep = Callable[[float], Coroutine[Any, Any, None]]


async def is_set_within(event: asyncio.Event, seconds: float, sleep: Sleep) -> bool:
    """Return True as soon as `event` is set, False if it still is not when `sleep(seconds)` ends."""
    if event.is_set():
        return True
    waits = {asyncio.ensure_future(event.wait()), asyncio.ensure_future(sleep(seconds))}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return event.is_set()


async def result_within(work: Coroutine[Any, Any, T], seconds: float, sleep: Sleep) -> T:
    """Return what `work` returns, or raise what it raises. Raises TimeoutError if `sleep(seconds)` ends first."""
    working, sleeping = asyncio.ensure_future(work), asyncio.ensure_future(sleep(seconds))
    try:
        await asyncio.wait((working, sleeping), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise TimeoutError
        return working.result()
    finally:
        working.cancel()
        sleeping.cancel()
