"""What a store that should be told of other instances' messages does while nobody tells it: it looks, on a timer.

How the telling is done is each store's own.
"""

import asyncio
import logging
from collections.abc import Callable

POLL_SECONDS = 1.0

log = logging.getLogger(__name__)


class Hearing:
    """Hands on that there may be something new. `trouble` says why that is found late, as a sentence, if it is."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self._is_late = asyncio.Event()

    def begin(self, heard: Callable[[], None]) -> None:
        """Be told from now on; there may be something new from before."""
        if self.trouble is not None:
            log.info("messages of other servers are heard of at once again")
        self.trouble = None
        self._is_late.clear()
        heard()

    def end(self, trouble: str) -> None:
        """Look on a timer from now on, and log why unless that was said last."""
        if self.trouble != trouble:
            log.warning("%s Meanwhile messages of other servers are looked for every %g s.", trouble, POLL_SECONDS)
        self.trouble = trouble
        self._is_late.set()

    async def keep_polling(self, heard: Callable[[], None]) -> None:
        """Call `heard` every POLL_SECONDS while nobody tells us; runs until cancelled."""
        while True:
            await self._is_late.wait()
            await asyncio.sleep(POLL_SECONDS)
            if self.trouble is not None:
                heard()
