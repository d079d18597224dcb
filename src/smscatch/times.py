"""Points and spans of time, as they are written in settings, answers and sentences."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

AGE_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_AGE = re.compile(r"([0-9]{1,9})(ms|[smhd])")

# A point in time, which has a zone: UTC, wherever it is ours.
Time = Annotated[datetime, msgspec.Meta(tz=True)]


def format_time(time: datetime) -> str:
    """Return `time` as ISO 8601 in UTC with milliseconds: 2026-11-22T18:39:35.123Z."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_age(text: str) -> timedelta | None:
    """Return the duration that `90s`, `10m`, `2h` or `30d` stands for; None if it has another form."""
    found = _AGE.fullmatch(text)
    if found is None:
        return None
    try:
        return timedelta(**{AGE_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        return None


def write_age(span: timedelta) -> str:
    """Return a duration of whole milliseconds as `parse_age` reads it, in the largest unit that fits."""
    if not span:
        return "0s"
    sizes = {unit: timedelta(**{name: 1}) for unit, name in reversed(AGE_UNITS.items())}
    return next(f"{span // size}{unit}" for unit, size in sizes.items() if not span % size)
