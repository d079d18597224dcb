"""Opening the store: at the start, or later if it is away then. Until it comes, what arrives waits in the spool.

Which errors mean that a store is away, and which that it will never do, is each store's own (stores.open_store).
"""

import asyncio
import logging
import random
from collections.abc import Callable

from smscatch.draining import Drain
from smscatch.errors import CannotStart, StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.keys import ensure_admin_key
from smscatch.settings import Settings
from smscatch.smppkeys import ensure_smpp_key
from smscatch.sources import join_parts
from smscatch.stores import open_store
from smscatch.stores.absent import absent_store

RETRY_SECONDS = 2.0

log = logging.getLogger(__name__)


class Opening:
    """Puts the store of the settings into an inbox, and the administrator's key into the store."""

    def __init__(self, settings: Settings, inbox: Inbox, drain: Drain) -> None:
        self._settings = settings
        self._inbox = inbox
        self._drain = drain
        self._trouble: str | None = None
        self._is_open = False

    async def start(self) -> str | None:
        """Open the store, or log that it is away; return the administrator's key if it was made, to be shown once.

        Raises CannotStart or BadSetting if the store will never do.
        """
        try:
            return await self._open()
        except StoreUnavailable as error:
            self._tell_away(error)
            return None

    async def opened(self, show_key: Callable[[str], None]) -> None:
        """Return when the store is open. A key that is made then goes to `show_key`.

        Tried again and again, also after an error that would have ended the start: to end now would be to refuse what
        can be kept.
        """
        while not self._is_open:
            # Not all servers at the same instant, or they bring down what has just come up.
            await asyncio.sleep(RETRY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            try:
                made = await self._open()
            except (StoreUnavailable, CannotStart) as error:
                self._tell_away(error)
                continue
            log.info("the store is open now")
            if made is not None:
                show_key(made)

    async def _open(self) -> str | None:
        store = await open_store(self._settings.store, join_parts, self._settings.store_listen)
        try:
            # In an inbox of its own: ours shows nobody a store that does not know the configured key yet.
            first = await Inbox.open(store, self._inbox.now)
            await first.heed_clock(is_start=True)
            made = await ensure_admin_key(first, self._settings.admin_key)
            await ensure_smpp_key(first, self._settings)
            for sink in self._settings.sinks:  # before anything comes that a new one would miss
                await store.open_sink(sink)
        except BaseException:
            await store.close()
            raise
        self._inbox.use(first)
        self._is_open = True
        # What waited in the spool meanwhile is old: it gets its positions before anyone asks for "now".
        try:
            await self._drain.drain()
        except StoreUnavailable as error:
            log.warning("what waits in the spool cannot be stored yet: %s", error)
        return made

    def _tell_away(self, error: StoreUnavailable | CannotStart) -> None:
        if self._trouble != str(error):
            log.warning("%s Until then, what arrives waits in the spool.", error)
            self._trouble = str(error)
            self._inbox.store = absent_store(self._trouble)
