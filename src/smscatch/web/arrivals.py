"""What came from each source of late: the newest deliveries, and refusals with their reasons, without any text."""

import logging
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

KEPT = 20  # of each source, of both
QUIET = timedelta(minutes=1)  # before the same refusal of a source is logged again: anybody can cause it

log = logging.getLogger(__name__)


class TakenDelivery(NamedTuple):
    """When a delivery was taken, from which address it came, and the ids of the texts in it: none in other events.

    Of a part of a long text it is the part's own id.
    """

    at: datetime
    address: str
    ids: Sequence[str]


class Refusal(NamedTuple):
    """When a request was refused, from which address it came, and in half a sentence what was wrong with it."""

    at: datetime
    address: str
    reason: str


class SourceArrivals:
    """The newest deliveries and refusals of each source since this process began, newest first."""

    def __init__(self) -> None:
        self._taken: dict[str, deque[TakenDelivery]] = {}
        self._refused: dict[str, deque[Refusal]] = {}
        self._logged: dict[tuple[str, str], datetime] = {}

    def note_taken(self, source: str, taken: TakenDelivery) -> None:
        """Keep that a delivery was taken."""
        self._taken.setdefault(source, deque(maxlen=KEPT)).appendleft(taken)

    def note_refused(self, source: str, refusal: Refusal) -> None:
        """Keep a refusal, and log it unless the same was logged a moment ago."""
        self._refused.setdefault(source, deque(maxlen=KEPT)).appendleft(refusal)
        key = source, refusal.reason
        self._logged = {known: at for known, at in self._logged.items() if abs(refusal.at - at) < QUIET}
        if key not in self._logged and len(self._logged) < KEPT:
            self._logged[key] = refusal.at
            log.warning("source %s: a delivery from %s is refused: %s", source, refusal.address, refusal.reason)

    def taken(self, source: str) -> list[TakenDelivery]:
        """Return the newest deliveries of a source."""
        return list(self._taken.get(source, ()))

    def refused(self, source: str) -> list[Refusal]:
        """Return the newest refusals of a source."""
        return list(self._refused.get(source, ()))

    def forget(self, source: str) -> None:
        """Forget a source that is no more: another may have its name."""
        self._taken.pop(source, None)
        self._refused.pop(source, None)
