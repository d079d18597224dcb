"""The conversations of the client: lists, and waits that outlive a request and a restart. No I/O here."""

import time
from datetime import datetime, timedelta
from typing import TypedDict

import msgspec

from smscatch.client.exchange import PASSING, PAUSE_SECONDS, POLL_SECONDS, Ask, Conversation, Pause, ask, is_ours, read
from smscatch.client.given import check_filters, check_seconds
from smscatch.client.wants import Found, Unwanted, Want
from smscatch.errors import NoMessage
from smscatch.messages import Lease, Line, Message, format_time

__tracebackhide__ = is_ours


class Filters(TypedDict, total=False):
    """Which messages are meant: those to our number `line`, from `sender`, whose text contains `contains`.

    `after` is a cursor, an ISO 8601 time with zone, or an age such as 10m; a wait without it means now.
    """

    line: str | None
    sender: str | None
    contains: str | None
    after: str | None


class Page(msgspec.Struct):
    """A list of messages, as the server answers it."""

    messages: list[Message]
    cursor: str


class Lines(msgspec.Struct):
    """A list of lines, as the server answers it."""

    lines: list[Line]


class Leases(msgspec.Struct):
    """A list of leases, as the server answers it."""

    leases: list[Lease]


class Health(msgspec.Struct):
    """What we need of how the server is."""

    time: datetime


def messages(limit: int, filters: Filters) -> Conversation[list[Message]]:
    """List messages, newest first."""
    check_filters(filters)
    answer = yield from ask(Ask("GET", "/api/v1/messages", {**filters, "limit": limit}))
    return read(answer, Page).messages


def lines() -> Conversation[list[Line]]:
    """List our numbers."""
    return read((yield from ask(Ask("GET", "/api/v1/lines"))), Lines).lines


def leases() -> Conversation[list[Lease]]:
    """List who has which line."""
    return read((yield from ask(Ask("GET", "/api/v1/leases"))), Leases).leases


def cursor() -> Conversation[str]:
    """Ask for the position of now."""
    return read((yield from ask(Ask("GET", "/api/v1/messages", {"limit": 1}))), Page).cursor


def start_of(filters: Filters) -> Conversation[str]:
    """Return behind what a stream begins: what the filters say, or now."""
    check_filters(filters)
    given = filters.get("after")
    return (yield from cursor()) if given is None else given


def wait(path: str, want: Want, timeout: float, filters: Filters) -> Conversation[Found]:
    """Wait for the oldest message behind `after` that matches the filters and is wanted.

    Raises NoMessage, whose text says what came meanwhile and why it was not it.
    """
    check_filters(filters)
    check_seconds("timeout", timeout)
    start = time.monotonic()
    after = filters.get("after")
    was_away = False
    unwanted: list[dict[str, str]] = []
    while True:
        left = max(0.0, start + timeout - time.monotonic())
        try:
            if after is None:  # now means the start of this wait, also when it takes several requests
                after = yield from (_server_time(start) if was_away else cursor())
            seconds = min(left, POLL_SECONDS)
            params = {**filters, "after": after, "timeout": round(seconds, 3)}
            answer = yield from ask(Ask("GET", path, params, patience_seconds=seconds))
            message = read(answer, Message)
            after = message.cursor
            return Found(want(message), message)
        except Unwanted as reason:
            unwanted.append({"id": message.id, "line": message.line, "sender": message.sender, "reason": str(reason)})
        except NoMessage as error:
            # Asking again with the same cursor costs the server one look, and the last answer knows all that came.
            if time.monotonic() >= start + timeout:
                raise _in_vain(error, timeout, unwanted) from None
        except PASSING:
            if time.monotonic() >= start + timeout:
                raise
            was_away = True
            yield Pause(PAUSE_SECONDS)


def _server_time(then: float) -> Conversation[str]:
    """Return what the server's clock showed at a moment of ours, at the latest: no cursor could be had at that time."""
    answer = yield from ask(Ask("GET", "/healthz"))
    return format_time(read(answer, Health).time - timedelta(seconds=time.monotonic() - then))


def _in_vain(error: NoMessage, timeout: float, unwanted: list[dict[str, str]]) -> NoMessage:
    reason = str(error.details.get("reason", error))
    if unwanted:
        reasons = "; ".join(dict.fromkeys(miss["reason"] for miss in unwanted))
        reason = f"{len(unwanted)} came, but {reasons}; after that {reason}"
    misses = [*unwanted, *error.details.get("near_misses", [])]
    return NoMessage.within(timeout, **{**error.details, "reason": reason, "near_misses": misses})
