"""That messages were deleted through this process, told to the pages that may show them. Nothing is deleted here.

Only a courtesy: what another instance deletes, a page shows until it is loaded again.
"""

import asyncio
import weakref

MANY = "*"  # instead of an id: more than one, so a page had better read its list again
MAX_WAITING = 100


class Deletions:
    """Fan-out of the ids of deleted messages."""

    def __init__(self) -> None:
        self._watchers: weakref.WeakSet[asyncio.Queue[str]] = weakref.WeakSet()

    def tell(self, message_id: str) -> None:
        """Tell all who watch; one that does not keep up is told MANY."""
        for watcher in tuple(self._watchers):
            is_full = watcher.full()
            while is_full and not watcher.empty():
                watcher.get_nowait()
            watcher.put_nowait(MANY if is_full else message_id)

    def watch(self) -> asyncio.Queue[str]:
        """Return a queue of what is deleted from now on, for as long as it is held."""
        watcher: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        self._watchers.add(watcher)
        return watcher
