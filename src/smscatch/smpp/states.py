"""How the binds to SMSCs are, for whoever wants to know."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from smscatch.clock import utc_now

BOUND = "bound"
STATES = {
    "starting": "the first connection is being made",
    BOUND: "texts are taken as they come",
    "away": "the SMSC cannot be reached",
    "refused": "the SMSC answers the bind with an error",
    "silent": "the SMSC does not answer, or ended the connection",
    "spool_full": "the spool cannot be written; the SMSC is told to deliver again later",
}

log = logging.getLogger(__name__)


class BindState(NamedTuple):
    """How one bind is since when; `error` is a sentence, None while all is well."""

    state: str
    since: datetime
    error: str | None = None


class BindStates:
    """The state of each bind, by SMSC and number. A change is logged, once."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._states: dict[tuple[str, int], BindState] = {}

    def tell(self, smsc: str, number: int, state: str, error: str | None = None) -> None:
        """Note how a bind is."""
        known = self._states.get((smsc, number))
        if known is not None and (known.state, known.error) == (state, error):
            return
        self._states[smsc, number] = BindState(state, self._now(), error)
        if error is not None:
            log.warning("bind %d to the SMSC %s: %s", number, smsc, error)
        elif state == BOUND:
            log.info("bind %d to the SMSC %s: bound", number, smsc)

    def of(self, smsc: str) -> Iterator[BindState]:
        """Yield the states of an SMSC's binds, by their numbers."""
        yield from (state for (name, _), state in sorted(self._states.items()) if name == smsc)
