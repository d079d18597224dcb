"""How long a test waits for what must come. Only a hang takes longer, also beside other work on the machine."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from smscatch.errors import StoreUnavailable

PATIENCE_SECONDS = 300.0
PATIENCE_MS = 1000 * PATIENCE_SECONDS


async def until_well(act: Callable[[], Awaitable[Any]]) -> None:
    """Do what whoever is told that the store is away does: try again. On a busy machine any store may seem so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            await act()
        except StoreUnavailable:
            assert time.monotonic() < deadline
        else:
            return
