"""The conversations of the client about leases: asking for one, using it, giving it back. No I/O here."""

import os
import secrets
import socket
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from smscatch.client.exchange import PASSING, PAUSE_SECONDS, POLL_SECONDS, Ask, Conversation, Pause, ask, is_ours, read
from smscatch.client.given import check_filters, check_seconds, check_ttl
from smscatch.client.talk import Page
from smscatch.errors import NoFreeLine, SmscatchError, UnknownLease
from smscatch.messages import MAX_NAME, Lease, Message

__tracebackhide__ = is_ours

LEASES = "/api/v1/leases"
FAREWELL_SECONDS = 10.0


def lease(
    line: str | None, label: str | None, holder: str | None, *, ttl: float, patience: float
) -> Conversation[Lease]:
    """Ask for a line, in the order of asking, through restarts of the server and lost answers."""
    check_filters({"line": line, "label": label, "holder": holder})
    check_ttl(ttl)
    check_seconds("wait", patience)
    patience = max(0.0, patience)
    ticket = secrets.token_hex(16)
    body = {
        "line": line,
        "label": label,
        "holder": f"{socket.gethostname()} {os.getpid()}" if holder is None else holder[-MAX_NAME:],
        "ttl_seconds": ttl,
        "ticket": ticket,
    }
    try:
        return (yield from _stand_in_line(body, patience))
    except GeneratorExit:  # nobody drives us any more
        raise
    except BaseException:  # also Ctrl-C and a cancellation: a line shall not be kept for who is gone
        yield from _give_up(ticket)
        raise


def _stand_in_line(body: Mapping[str, Any], patience: float) -> Conversation[Lease]:
    deadline = time.monotonic() + patience
    while True:
        left = max(0.0, deadline - time.monotonic())
        seconds = min(left, POLL_SECONDS)
        try:
            request = Ask("POST", LEASES, body={**body, "wait_seconds": seconds}, patience_seconds=seconds)
            return read((yield from ask(request)), Lease)
        except NoFreeLine as error:
            if time.monotonic() >= deadline:
                raise NoFreeLine.within(patience, **{"reason": str(error), **error.details}) from None
        except PASSING:
            if not left:  # the last look, which also a request that hung until now is followed by
                raise
            yield Pause(PAUSE_SECONDS)


def _give_up(ticket: str) -> Conversation[None]:
    """Leave the queue, and end the lease whose answer was lost, if the server can be told; else both end in time."""
    try:
        yield from ask(Ask("DELETE", LEASES, {"ticket": ticket}, is_goodbye=True))
    except SmscatchError:
        return  # why there is no lease matters more


def leased(lease_id: str, after: str | None) -> Conversation[Lease]:
    """Ask for a lease by its id, to wait behind `after`."""
    check_filters({"lease": lease_id, "after": after})
    answer = yield from ask(Ask("GET", f"{LEASES}/{quote(lease_id, safe='')}"))
    return read(answer, Lease)


def extend(lease: Lease, ttl: float) -> Conversation[Lease]:
    """Let a lease last for `ttl` seconds from now."""
    check_ttl(ttl)
    answer = yield from ask(Ask("POST", f"{path_of(lease)}/extend", body={"ttl_seconds": ttl}))
    return read(answer, Lease)


def release(lease: Lease) -> Conversation[None]:
    """End a lease; a server that is away for a moment is waited for, since tests wait for the line."""
    deadline = time.monotonic() + FAREWELL_SECONDS
    while True:
        try:
            yield from ask(Ask("DELETE", path_of(lease), is_goodbye=True))
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
    return read(answer, Page).messages[::-1]


def path_of(lease: Lease) -> str:
    """Return the address of a lease."""
    return f"{LEASES}/{lease.id}"
