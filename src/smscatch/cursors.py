"""Where to begin and where to end in the order of commits: cursors, times and ages as clients give them. No I/O."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from smscatch.errors import BadCursor, LostCursor
from smscatch.messages import Query
from smscatch.times import format_time, parse_age

_CURSOR = re.compile(r"[0-9]{1,18}")
_UNIX_TIME = re.compile(r"([0-9]{10})(?:[0-9]{3}|[0-9]{6}|[0-9]{9})?(?:[.,][0-9]+)?")
_LAST_UNIX_SECOND = 4_102_444_800  # the year 2100; ten digits begin in 2001


class Range(NamedTuple):
    """Positions between which to look, both excluded; `before` is None if it is open."""

    after: int
    before: int | None


def parse_range(
    query: Query, after: str | None, before: str | None, *, position: int, now: datetime
) -> tuple[Query, Range]:
    """Return where to look in a store that is at `position`: the query, perhaps limited to times, and positions.

    Raises BadCursor, and LostCursor for a cursor that lies in the future.
    """
    low = _parse_limit(after, position, now)
    high = _parse_limit(before, position, now)
    if isinstance(low, datetime):
        query, low = msgspec.structs.replace(query, since=low), None
    if isinstance(high, datetime):
        query, high = msgspec.structs.replace(query, until=high), None
    return query, Range(low or 0, high)


def _parse_limit(given: str | None, position: int, now: datetime) -> int | datetime | None:
    if not given:
        return None
    limit = parse_after(given, now)
    if isinstance(limit, int):
        check_cursor(limit, position, given)
    return limit


def check_cursor(cursor: int, position: int, given: str) -> None:
    """Raise BadCursor if a cursor lies in the future: it is Unix time, or else LostCursor, of another database."""
    if cursor > position:
        raise misread_time(given) or LostCursor(
            f"The cursor {cursor} lies in the future: it is of another database. Take a new one from /api/v1/messages.",
            value=given,
        )


def parse_after(text: str, now: datetime) -> int | datetime:
    """Return the position or the UTC time that a client means by `after=` or `before=`.

    Takes a cursor (digits), an ISO 8601 time with a zone, or an age such as `10m`, counted back from `now`.
    Raises BadCursor for anything else. Unix time is digits too: whether a store has such a cursor decides what they are
    (`misread_time`).
    """
    if _CURSOR.fullmatch(text):
        return int(text)
    try:
        age = parse_age(text)
        if age is not None:
            return now - age
        # A '+' that nobody escaped arrives as a blank: 2026-11-22T18:00:00 01:00
        time = datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", text))
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise misread_time(text) or BadCursor(
        f"{text!r} is no cursor: give the 'cursor' of an earlier answer, a time with zone such as"
        f" {format_time(now)}, or an age such as 10m.",
        value=text,
    )


def misread_time(text: str) -> BadCursor | None:
    """Return the error for what looks like Unix time, in seconds, ms, µs or ns; None if `text` does not.

    It is refused and never taken for a time: the same digits are a cursor in a store with so many messages, and a
    guess would be wrong in one of the two.
    """
    found = _UNIX_TIME.fullmatch(text)
    if found is None or int(found[1]) >= _LAST_UNIX_SECOND:
        return None
    time = datetime.fromtimestamp(int(found[1]), UTC)
    return BadCursor(
        f"{text!r} is no cursor of this store. It looks like Unix time, which is not taken, since digits are a cursor:"
        f" give the time with a zone, {format_time(time)}, or an age such as 10m.",
        value=text,
    )
