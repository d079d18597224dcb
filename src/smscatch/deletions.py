"""That messages were deleted through this process, told to the pages that may show them. Nothing is deleted here.

Only a courtesy: what another instance deletes, a page shows until it is loaded again.
"""

import asyncio
import weakref
from collections.abc import Sequence

MANY = "*"  # instead of an id: more than one, so a page had better read its list again
MAX_WAITING = 100


class Watcher(asyncio.Queue[str]):
    """The ids of deleted messages of some lines (None: of all), for as long as it is held."""

    def __init__(self, lines: Sequence[str] | None) -> None:
        super().__init__(MAX_WAITING)
        self.lines = lines


class Deletions:
    """Fan-out of the ids of deleted messages."""

    def __init__(self) -> None:
        self._watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()

    def tell(self, message_id: str, line: str) -> None:
        """Tell those who watch the line of a message; one that does not keep up is told MANY."""
        for watcher in tuple(self._watchers):
            if watcher.lines is None or line in watcher.lines:
                _put(watcher, message_id)

    def tell_many(self) -> None:
        """Tell all that more than one message is gone."""
        for watcher in tuple(self._watchers):
            _put(watcher, MANY)

    def watch(self, lines: Sequence[str] | None = None) -> Watcher:
        """Return a queue of what is deleted from now on of these lines, None for all."""
        watcher = Watcher(lines)
        self._watchers.add(watcher)
        return watcher


def _put(watcher: Watcher, message_id: str) -> None:
    is_full = watcher.full()
    while is_full and not watcher.empty():
        watcher.get_nowait()
    watcher.put_nowait(MANY if is_full else message_id)
