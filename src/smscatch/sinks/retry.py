"""When to try again (retry, exponential backoff with jitter), and when to give up (dead letter). Pure functions."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from smscatch.sinks.base import GONE, PERMANENT, TAKEN, Result
from smscatch.stores.jobs import BURIED, DROPPED, LONGEST_WAIT, PUT_OFF, SENT, Attempt, Job, Outcome, settled


class Backoff(NamedTuple):
    """How long to wait after the first error, which doubles with each further one, at most how long, how many times.

    Counted in attempts, not in time: a clock that is set must bury nothing. The usual 100 take about three days.
    """

    first: timedelta = timedelta(seconds=1)
    longest: timedelta = LONGEST_WAIT
    attempts: int = 100


USUAL = Backoff()


def after(job: Job, result: Result, now: datetime, jitter: float, *, backoff: Backoff = USUAL) -> Job:
    """Return `job` with the record of an attempt, and when it is due next if it is.

    `jitter`, from 0 to 1, is chance: it takes up to half of the wait away, so that what failed together does not come
    back together. The receiver's Retry-After makes a wait longer, never longer than `backoff.longest`.
    """

    def tried(outcome: Outcome, reason: str = result.reason) -> Attempt:
        return Attempt(at=now, outcome=outcome, reason=reason, answers=result.answers)

    if result.verdict == TAKEN:
        return settled(job, tried(SENT), now)
    if result.verdict == GONE:
        return settled(job, tried(DROPPED), now)
    count = len(job.attempts) + 1
    if result.verdict == PERMANENT:
        return settled(job, tried(BURIED), now)
    if count >= backoff.attempts:
        return settled(job, tried(BURIED, f"{result.reason}, {count} times"), now)
    doubled = backoff.first * 2 ** min(count - 1, 40)
    wait = min(doubled, backoff.longest) * (1 - jitter / 2)
    wait = max(wait, min(result.retry_after or timedelta(0), backoff.longest))
    return settled(job, tried(PUT_OFF), now + wait)


def parse_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return how long a Retry-After asks to wait: seconds or a date (RFC 9110, 10.2.3); None if it says nothing."""
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=int(text[:9]))
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(date - now, timedelta(0))
