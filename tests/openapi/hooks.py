"""Hooks of schemathesis: a wait of a length that is accepted lasts no time, or each would last its length.

And what a source has beside its name is what one kind takes, since no schema says what which of them needs; a reply
is one that can be sent.
"""

from typing import Any

import schemathesis

MOST_SECONDS = 300
FEW = 10  # letters
MOST_SECRET = 500
MOST_NAME, MOST_TEXT, MOST_URL = 200, 1600, 2000


def make_short(values: dict[str, Any], name: str) -> None:
    """Make a time 0 if it is one that is accepted, or is not given: each such wait would last its length."""
    try:
        is_accepted = 0 <= float(values.get(name, 0)) <= MOST_SECONDS
    except (TypeError, ValueError):
        return
    if is_accepted and not isinstance(values.get(name), bool):
        values[name] = 0


def make_smsgate(source: dict[str, Any]) -> None:
    """Leave out what is of the right type and only of use to other kinds."""
    if isinstance(source.get("kind"), str):
        source["kind"] = "smsgate"
    for name in ("secret", "public_url", "lines", "fields", "signature"):
        if name in source and is_accepted(name, source[name]):
            del source[name]


def is_accepted(name: str, value: Any) -> bool:
    """Return whether a schema says that a member of a source may be so."""
    match value:
        case str():
            return name == "public_url" or (name == "secret" and len(value) <= MOST_SECRET)
        case list():
            return name == "lines" and all(isinstance(one, str) for one in value)
        case dict():
            inner = [one.values() if name == "signature" and isinstance(one, dict) else [one] for one in value.values()]
            is_table = name in ("fields", "signature")
            return is_table and all(isinstance(one, str) for values in inner for one in values)
    return False


def make_reply(reply: dict[str, Any]) -> None:
    """Have what is of the right type be a reply that any application's opt-out takes, wherever it is."""
    for name, value in {"to": "+15005550006", "provider": "twilio"}.items():
        given = reply.get(name)
        if given is None or (isinstance(given, str) and 1 <= len(given) <= MOST_NAME):
            reply[name] = value
    if isinstance(reply.get("text"), str) and 1 <= len(reply["text"]) <= MOST_TEXT:
        reply["text"] = "STOP"
    if isinstance(reply.get("url"), str) and len(reply["url"]) <= MOST_URL:
        del reply["url"]


def make_rare(values: dict[str, Any], name: str) -> None:
    """Have a long text begin with a letter that no stored one has: all are zeros, and nearly match anywhere."""
    text = values.get(name)
    if isinstance(text, str) and len(text) > FEW:
        values[name] = f"x{text[1:]}"


@schemathesis.hook
def before_call(context: object, case: Any, kwargs: object) -> None:
    """Change what schemathesis is about to send."""
    if isinstance(case.query or {}, dict):
        case.query = dict(case.query or {})
        make_rare(case.query, "contains")
        if case.path.endswith(("/next", "/code")):
            make_short(case.query, "timeout")
    if case.path.endswith("/leases") and isinstance(case.body, dict):
        make_short(case.body, "wait_seconds")
    if case.path.endswith("/sources") and isinstance(case.body, dict):
        make_smsgate(case.body)
    if case.path.endswith("/replies") and isinstance(case.body, dict):
        make_reply(case.body)
    if (
        case.path.endswith("/weather")
        and isinstance(case.body, dict)
        and isinstance(case.body.get("drop", False), bool)
    ):
        case.body["drop"] = True  # no schema says that a rule has to do something
