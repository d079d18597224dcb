"""Our clock, and what becomes of times when somebody sets it: NTP after the boot of a machine without a battery, say.

No store and no message here.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

# A clock that gains on the time that goes by, or loses, by so much between two looks was set. NTP slews smaller errors
# than half a second away, a second takes it half an hour (https://www.ntp.org/documentation/4.2.8-series/clock/).
STEP_SECONDS = 0.5
# Two readings of clocks go together if so much lies between them at most; on a busy machine it takes some tries.
LOOK_SECONDS = 0.001
MOST_LOOKS = 20
START = datetime(1970, 1, 1, tzinfo=UTC)


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def elapsed() -> float:
    """Return the seconds since some moment, which nobody sets; they go on while the machine sleeps, where it can."""
    if hasattr(time, "CLOCK_BOOTTIME"):  # Linux
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class _Span(NamedTuple):
    """Between which moments of `elapsed` the clock was ahead of it by how much, in seconds."""

    since: float
    until: float
    offset: float


class Clock:
    """A clock that may be set, and knows of each time that it was; `now` and `elapsed` are where it has the time from.

    It has to be looked at now and then: between two looks it does not know when it was set.
    """

    def __init__(self, now: Callable[[], datetime] = utc_now, elapsed: Callable[[], float] | None = None) -> None:
        self.now = now
        self.elapsed = elapsed or _elapsed_of(now)
        self._looked_at = self.elapsed()
        self._spans = [_Span(float("-inf"), float("inf"), self._offset())]
        self._step = 0.0

    def _offset(self) -> float:
        """Return by how much the clock is ahead of `elapsed`: of some looks that of the one that took least time.

        Between two readings we may not run for a while, and then they do not go together.
        """
        looks = [(self.elapsed(), self.now(), self.elapsed())]
        while looks[-1][2] - looks[-1][0] > LOOK_SECONDS and len(looks) < MOST_LOOKS:
            looks.append((self.elapsed(), self.now(), self.elapsed()))
        before, now, _ = min(looks, key=lambda look: look[2] - look[0])
        return (now - START).total_seconds() - before

    def look(self) -> None:
        """Notice whether it was set."""
        offset, last = self._offset(), self._spans[-1]
        looked_at, self._looked_at = self._looked_at, self.elapsed()
        if abs(offset - last.offset) < STEP_SECONDS:
            self._spans[-1] = last._replace(offset=offset)
            return
        self._step += offset - last.offset
        self._spans[-1] = last._replace(until=self._looked_at)
        self._spans.append(_Span(looked_at, float("inf"), offset))

    def take_step(self) -> timedelta:
        """Return by how much it was set forward, all in all, since the last call; negative if it was set back."""
        self.look()
        step, self._step = timedelta(seconds=self._step), 0.0
        return step

    def return_step(self, step: timedelta) -> None:
        """Have `take_step` return a step once more."""
        self._step += step.total_seconds()

    def shown_at(self, moment: datetime) -> float:
        """Return at which moment of `elapsed` it showed `moment`, the last time that it did; the present if never."""
        self.look()
        shown, now = (moment - START).total_seconds(), self.elapsed()
        for span in reversed(self._spans):
            if span.since <= shown - span.offset <= min(span.until, now):
                return shown - span.offset
        return now


def _elapsed_of(now: Callable[[], datetime]) -> Callable[[], float]:
    """Return what goes with `now`: by a clock of one's own the time goes by as it shows."""
    return elapsed if now is utc_now else lambda: (now() - START).total_seconds()  # noqa: PLW0108 - its clock moves
