"""Hooks of schemathesis: a wait of a length that is accepted lasts no time, or each would last its length."""

from typing import Any

import schemathesis

MOST_SECONDS = 300


def make_short(values: dict[str, Any], name: str) -> None:
    """Make a time 0 if it is one that is accepted, or is not given."""
    try:
        is_accepted = 0 <= float(values.get(name, 0)) <= MOST_SECONDS
    except (TypeError, ValueError):
        return
    if is_accepted and not isinstance(values.get(name), bool):
        values[name] = 0


@schemathesis.hook
def before_call(context: object, case: Any, kwargs: object) -> None:
    """Change what schemathesis is about to send."""
    if case.path.endswith(("/next", "/code")) and isinstance(case.query or {}, dict):
        case.query = dict(case.query or {})
        make_short(case.query, "timeout")
    if case.path.endswith("/leases") and isinstance(case.body, dict):
        make_short(case.body, "wait_seconds")
