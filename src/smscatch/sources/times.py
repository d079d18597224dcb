"""Times as senders write them, one form or another."""

from datetime import UTC, datetime

from smscatch.sources.base import is_plausible

MILLISECONDS_FROM = 100_000_000_000  # as seconds that would be in the year 5138


def parse_time(written: str, *, assume_utc: bool = False) -> datetime | None:
    """Return a time of ISO 8601, or of so many seconds or milliseconds after 1970 began; None for what is none.

    One without a zone is none either, unless UTC may be assumed: elsewhere a code would look stale or fresh.
    """
    written = written.strip()
    try:
        if written.isascii() and written.isdecimal():
            number = int(written[:20])
            time = datetime.fromtimestamp(number / 1000 if number >= MILLISECONDS_FROM else number, UTC)
        else:
            time = datetime.fromisoformat(written)
            time = time.replace(tzinfo=UTC) if time.tzinfo is None and assume_utc else time
        return time if time.tzinfo is not None and is_plausible(time) else None
    except (ValueError, OverflowError, OSError):
        return None
