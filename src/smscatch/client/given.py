"""Checks of what callers give, for what the server could not see or would take for something else. No I/O here."""

import math
from collections.abc import Mapping

from smscatch.errors import BadRequest

NOT_EMPTY = ("line", "after", "lease")  # the server takes an empty one for none: for any line, or for now


def check_filters(filters: Mapping[str, object]) -> None:
    """Raise BadRequest for an empty value that would not limit anything: an unset variable of a script, say."""
    for name in NOT_EMPTY:
        if filters.get(name) == "":
            raise BadRequest(f"{name} is empty. Give a value, or leave it out.")


def check_seconds(name: str, seconds: object, *, is_endless: bool = True) -> None:
    """Raise BadRequest, naming the value, for what is no number of seconds; an infinite one may do for a wait."""
    is_number = isinstance(seconds, int | float) and not math.isnan(seconds)
    if not is_number or (seconds == math.inf and not is_endless):
        raise BadRequest(f"{name} = {seconds!r} is not accepted: give seconds, such as 60.")
