"""When ModemManager is to look through the SIM anew, for which it must disable and enable the modem.

Why at all: ModemManager 1.20.4 drops the announcement of a text that comes while it waits to read another one
(findings/modemmanager-together.sh). The text lies on the SIM, in no list, until ModemManager looks through the SIM,
which it does when the modem is enabled and never else. Nobody tells that it is so, and of several texts that are
announced together one is seen: so each one is a reason to look.
"""

from collections.abc import Callable

# What comes together has come by then, and has been taken.
SETTLE_SECONDS = 5.0
# Under texts that never pause for so long.
MAX_SETTLE_SECONDS = 60.0
# For how long a part of a long text may be on its way. Doubled each time that looking was in vain.
GROWING_SECONDS = 60.0
MAX_GROWING_SECONDS = 3600.0


class Relisting:
    """Whether it is time to look anew. Calls tell it what happens; `now` is a clock that only goes on, in seconds."""

    def __init__(self, interval_seconds: float, now: Callable[[], float]) -> None:
        """Begin as if a text had come: nobody knows what was passed over before. An interval of 0 is never."""
        self._interval, self._now = interval_seconds, now
        self._patience = GROWING_SECONDS
        self._growing_since: float | None = None
        self._first_at: float | None = None
        self._last_at = 0.0
        self._restart()
        self.came()

    def came(self) -> None:
        """A text was announced."""
        self._last_at = self._now()
        self._first_at = self._last_at if self._first_at is None else self._first_at

    def is_due(self, *, is_growing: bool) -> bool:
        """Whether it is time; `is_growing` tells whether a long text is not whole now."""
        now = self._now()
        if not is_growing:
            self._growing_since, self._patience = None, GROWING_SECONDS
        elif self._growing_since is None:
            self._growing_since = now
        has_grown = self._growing_since is not None and now - self._growing_since >= self._patience
        has_settled = self._first_at is not None and (
            now - self._last_at >= SETTLE_SECONDS or now - self._first_at >= MAX_SETTLE_SECONDS
        )
        is_old = now - self._looked_at >= self._interval
        return self._interval > 0 and (has_grown or has_settled or is_old)

    def done(self) -> None:
        """Everything was looked through; what was announced meanwhile was announced by that."""
        if self._growing_since is not None and self._now() - self._growing_since >= self._patience:
            self._patience = min(2 * self._patience, MAX_GROWING_SECONDS)
            self._growing_since = None
        self._restart()

    @property
    def settle_seconds(self) -> float | None:
        """How long what came last takes to settle; None if nothing came."""
        return None if self._first_at is None else max(0.0, self._last_at + SETTLE_SECONDS - self._now())

    def _restart(self) -> None:
        self._looked_at = self._now()
        self._first_at = None
