"""What was not signed as a configured source signs: told in the log, kept for administrators, without any secret."""

import logging
from collections import deque
from datetime import datetime, timedelta
from typing import NamedTuple

KEPT = 20  # refusals of each source
QUIET = timedelta(minutes=1)  # before the same refusal of a source is logged again: anybody can cause it

log = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """When a request was refused, from which address it came, and in half a sentence what was wrong with it."""

    at: datetime
    address: str
    reason: str


class Unsigned:
    """The newest refusals of each source, newest first."""

    def __init__(self) -> None:
        self._found: dict[str, deque[Refusal]] = {}
        self._logged: dict[tuple[str, str], datetime] = {}

    def note(self, source: str, refusal: Refusal) -> None:
        """Keep a refusal, and log it unless the same was logged a moment ago."""
        self._found.setdefault(source, deque(maxlen=KEPT)).appendleft(refusal)
        key = source, refusal.reason
        self._logged = {known: at for known, at in self._logged.items() if abs(refusal.at - at) < QUIET}
        if key not in self._logged and len(self._logged) < KEPT:
            self._logged[key] = refusal.at
            log.warning("source %s: a delivery from %s is refused: %s", source, refusal.address, refusal.reason)

    def of(self, source: str) -> list[Refusal]:
        """Return the newest refusals of a source."""
        return list(self._found.get(source, ()))
