"""Which texts are repeats: an SDK that is answered too late, or with an error, sends a text again by itself (retry).

All of them are kept. What was sent is remembered in memory, by one server: what comes to another is no repeat there.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from smscatch.errors import SmscatchError
from smscatch.sources.caught import CaughtText

SAME_TEXT = timedelta(seconds=30)  # within which the same text is taken for a repeat, if its SDK says nothing
MOST_REMEMBERED = 10_000  # texts


class SdkCall(NamedTuple):
    """What an SDK says of a call: an id that its repeats have too (idempotency key), and which try it is, from 1 on.

    Either is None if it says nothing of it.
    """

    id: str | None = None
    attempt: int | None = None


class Repeats:
    """The texts of the last while, by who sent them: each with when it came last, the oldest first."""

    def __init__(self) -> None:
        self._seen: dict[bytes, datetime] = {}

    @contextlib.contextmanager
    def noting(self, text: CaughtText, call: SdkCall) -> Iterator[bool]:
        """Give whether a text is a repeat of one that is kept, or about to be; one that the block cannot keep is none.

        Who hangs up meanwhile has sent it all the same.
        """
        place, at = _place(text, call), text.received_at
        before = self._seen.pop(place, None)
        self._seen[place] = at
        if len(self._seen) > MOST_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        try:
            yield before is not None and _is_repeat(call, at - before)
        except SmscatchError:
            self._seen.pop(place, None)
            if before is not None:
                self._seen[place] = before
            raise


def _place(text: CaughtText, call: SdkCall) -> bytes:
    what = [call.id] if call.id is not None else [text.sender, text.text]
    return hashlib.sha256(msgspec.json.encode([text.owner, text.provider, text.line, *what])).digest()


def _is_repeat(call: SdkCall, age: timedelta) -> bool:
    """Return whether a text is a repeat of the same one that is so old."""
    if call.id is not None:
        return True
    return age <= SAME_TEXT if call.attempt is None else call.attempt > 1
