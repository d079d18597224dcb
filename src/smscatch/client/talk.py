"""The conversations of the client: lists, waits that outlive a request and a restart, leases. No I/O here."""

import os
import re
import secrets
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypedDict
from urllib.parse import quote

import msgspec

from smscatch.client.exchange import Ask, Conversation, Pause, ask
from smscatch.errors import CannotReach, NoFreeLine, NoMessage, ShuttingDown, StoreUnavailable, UnknownLease
from smscatch.messages import Lease, Line, Message, decode_message, format_time

POLL_SECONDS = 50.0  # shorter than the minute after which many proxies give up
PAUSE_SECONDS = 0.5
FAREWELL_SECONDS = 10.0
PASSING = (CannotReach, ShuttingDown, StoreUnavailable)


class Filters(TypedDict, total=False):
    """Which messages are meant: those to our number `line`, from `sender`, whose text contains `contains`.

    `after` is a cursor, an ISO 8601 time with zone, or an age such as 10m; a wait without it means now.
    """

    line: str | None
    sender: str | None
    contains: str | None
    after: str | None


class LeaseFilters(TypedDict, total=False):
    """Which messages of a lease are meant: from `sender`, whose text contains `contains`."""

    sender: str | None
    contains: str | None


class Found(msgspec.Struct):
    """What a wait found, in which message."""

    value: str
    message: Message


# Returns what is wanted of a message, or raises Unwanted with the reason.
Want = Callable[[Message], str]


class Unwanted(Exception):
    """A message is not what a wait is for; the text says why."""


def the_text(message: Message) -> str:
    """Want any message."""
    return message.text


def a_code(pattern: str | None) -> Want:
    """Want a code: the one that the server found, or what `pattern` finds, its first group if it has any."""

    def want(message: Message) -> str:
        found = message.code if pattern is None else _first(pattern, message.text)
        if found is None:
            reason = "no code was found in" if pattern is None else f"the pattern {pattern!r} does not match"
            raise Unwanted(f"{reason} the text from {message.sender!r}")
        return found

    return want


def a_link(pattern: str | None) -> Want:
    """Want a link: the first, or the first that `pattern` matches somewhere."""

    def want(message: Message) -> str:
        for link in message.links:
            if pattern is None or re.search(pattern, link):
                return link
        like = "" if pattern is None else f" like {pattern!r}"
        raise Unwanted(f"there is no link{like} in the text from {message.sender!r}")

    return want


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    if found is None:
        return None
    return found[1] if found.re.groups else found[0]


def messages(limit: int, filters: Filters) -> Conversation[list[Message]]:
    """List messages, newest first."""
    answer = yield from ask(Ask("GET", "/api/v1/messages", {**filters, "limit": limit}))
    return msgspec.convert(answer.json()["messages"], list[Message])


def lines() -> Conversation[list[Line]]:
    """List our numbers."""
    answer = yield from ask(Ask("GET", "/api/v1/lines"))
    return msgspec.convert(answer.json()["lines"], list[Line])


def leases() -> Conversation[list[Lease]]:
    """List who has which line."""
    answer = yield from ask(Ask("GET", "/api/v1/leases"))
    return msgspec.convert(answer.json()["leases"], list[Lease])


def cursor() -> Conversation[str]:
    """Ask for the position of now."""
    answer = yield from ask(Ask("GET", "/api/v1/messages", {"limit": 1}))
    position: str = answer.json()["cursor"]
    return position


def wait(path: str, want: Want, timeout: float, filters: Filters) -> Conversation[Found]:
    """Wait for the oldest message behind `after` that matches the filters and is wanted.

    Raises NoMessage, whose text says what came meanwhile and why it was not it.
    """
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
            message = decode_message(answer.content)
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
    now = datetime.fromisoformat(answer.json()["time"])
    return format_time(now - timedelta(seconds=time.monotonic() - then))


def wait_leased(lease: Lease, after: str, want: Want, *, timeout: float, filters: LeaseFilters) -> Conversation[Found]:
    """Wait the same way for a message of a lease."""
    given = Filters(sender=filters.get("sender"), contains=filters.get("contains"), after=after)
    return wait(f"{path_of(lease)}/next", want, timeout, given)


def _in_vain(error: NoMessage, timeout: float, unwanted: list[dict[str, str]]) -> NoMessage:
    reason = str(error.details.get("reason", error))
    if unwanted:
        reasons = "; ".join(dict.fromkeys(miss["reason"] for miss in unwanted))
        reason = f"{len(unwanted)} came, but {reasons}; after that {reason}"
    misses = [*unwanted, *error.details.get("near_misses", [])]
    return NoMessage.within(timeout, **{**error.details, "reason": reason, "near_misses": misses})


def lease(
    line: str | None, label: str | None, holder: str | None, *, ttl: float, patience: float
) -> Conversation[Lease]:
    """Ask for a line, in the order of asking, through restarts of the server and lost answers."""
    deadline = time.monotonic() + patience
    body = {
        "line": line,
        "label": label,
        "holder": f"{socket.gethostname()} {os.getpid()}" if holder is None else holder,
        "ttl_seconds": ttl,
        "ticket": secrets.token_hex(16),
    }
    while True:
        seconds = max(0.0, min(deadline - time.monotonic(), POLL_SECONDS))
        try:
            request = Ask("POST", "/api/v1/leases", body={**body, "wait_seconds": seconds}, patience_seconds=seconds)
            return msgspec.json.decode((yield from ask(request)).content, type=Lease)
        except NoFreeLine:
            if time.monotonic() >= deadline:
                raise
        except PASSING:
            if time.monotonic() >= deadline:
                raise
            yield Pause(PAUSE_SECONDS)


def leased(lease_id: str) -> Conversation[Lease]:
    """Ask for a lease by its id."""
    answer = yield from ask(Ask("GET", f"/api/v1/leases/{quote(lease_id, safe='')}"))
    return msgspec.json.decode(answer.content, type=Lease)


def extend(lease: Lease, ttl: float) -> Conversation[Lease]:
    """Let a lease last for `ttl` seconds from now."""
    answer = yield from ask(Ask("POST", f"{path_of(lease)}/extend", body={"ttl_seconds": ttl}))
    return msgspec.json.decode(answer.content, type=Lease)


def release(lease: Lease) -> Conversation[None]:
    """End a lease; a server that is away for a moment is waited for, since tests wait for the line."""
    deadline = time.monotonic() + FAREWELL_SECONDS
    while True:
        try:
            yield from ask(Ask("DELETE", path_of(lease)))
        except UnknownLease:  # it ended longer ago than the retention
            return
        except PASSING:
            if time.monotonic() >= deadline:
                raise
            yield Pause(PAUSE_SECONDS)
        else:
            return


def lease_messages(lease: Lease) -> Conversation[list[Message]]:
    """List what the line received since the lease began, oldest first, what came late too."""
    answer = yield from ask(Ask("GET", f"{path_of(lease)}/messages"))
    return msgspec.convert(answer.json()["messages"], list[Message])[::-1]


def path_of(lease: Lease) -> str:
    """Return the address of a lease."""
    return f"/api/v1/leases/{lease.id}"
