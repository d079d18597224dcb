"""Checks of what callers give, for what the server could not see or would take for something else. No I/O here."""

import math
from collections.abc import Mapping

from smscatch.errors import BadRequest
from smscatch.messages import MAX_LINES_LEASED, MAX_QUIET_SECONDS, MAX_TTL_SECONDS, MIN_TTL_SECONDS

# The server takes an empty one for none: for any line, or for now.
NOT_EMPTY = ("line", "after", "lease", "label")


def check_filters(filters: Mapping[str, object]) -> None:
    """Raise BadRequest, naming the value, for what is no text.

    Nor is an empty one taken that would not limit anything: an unset variable of a script, say.
    """
    for name, value in filters.items():
        if value is None:
            continue
        if not isinstance(value, str):
            raise BadRequest(f"{name} = {value!r} is not accepted: give text, such as {str(value)!r}.")
        if not value and name in NOT_EMPTY:
            raise BadRequest(f"{name} is empty. Give a value, or leave it out.")
        try:
            value.encode()
        except UnicodeEncodeError as error:  # Python keeps an octet that is no UTF-8 as half a surrogate pair
            raise BadRequest(f"{name} = {value!r} is not accepted: give text in UTF-8.") from error


def check_seconds(name: str, seconds: object) -> None:
    """Raise BadRequest, naming the value, for what is no number of seconds; an infinite one will do for a wait."""
    if not isinstance(seconds, int | float) or math.isnan(seconds):
        raise BadRequest(f"{name} = {seconds!r} is not accepted: give seconds, such as 60.")


def check_ttl(seconds: float) -> None:
    """Raise BadRequest for what a lease cannot last."""
    check_seconds("ttl", seconds)
    if not MIN_TTL_SECONDS <= seconds <= MAX_TTL_SECONDS:
        raise BadRequest(
            f"ttl = {seconds!r} is not accepted: a lease lasts from {MIN_TTL_SECONDS} to {MAX_TTL_SECONDS} seconds."
        )


def check_left(seconds: float, period_seconds: int) -> None:
    """Raise BadRequest for what no code of an authenticator app can have left, or only for a moment."""
    check_seconds("left", seconds)
    if not 0 <= seconds <= period_seconds / 2:
        raise BadRequest(f"left = {seconds!r} is not accepted: give seconds, from 0 to half of {period_seconds}.")


def check_count(count: object) -> None:
    """Raise BadRequest for what is no number of lines to lease at once."""
    if count is None:
        return
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MAX_LINES_LEASED:
        raise BadRequest(
            f"count = {count!r} is not accepted: of 1 to {MAX_LINES_LEASED} lines, give how many are leased at once."
        )


def check_newest(newest: object, quiet: float | None) -> None:
    """Raise BadRequest for what says neither that the newest is meant nor that it is not, and for no time of quiet."""
    if not isinstance(newest, bool):
        raise BadRequest(f"newest = {newest!r} is not accepted: give True or False.")
    if quiet is None:
        return
    if not newest:
        raise BadRequest("quiet is for a wait with newest=True alone.")
    check_seconds("quiet", quiet)
    if not 0 <= quiet <= MAX_QUIET_SECONDS:
        raise BadRequest(f"quiet = {quiet!r} is not accepted: give seconds from 0 to {MAX_QUIET_SECONDS}.")
