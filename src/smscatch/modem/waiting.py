"""Waiting for an event on a clock that may be a test's."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

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
