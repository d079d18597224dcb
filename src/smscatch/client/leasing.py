"""The conversations of the client about leases: asking for one, using it, giving it back. No I/O here."""

import logging
import os
import secrets
import socket
import time
from collections.abc import Mapping
from typing import Any, TypedDict, TypeVar
from urllib.parse import quote

import msgspec

from smscatch.client.calls import Page
from smscatch.client.exchange import PASSING, PAUSE_SECONDS, Ask, Conversation, Pause, ask, is_ours, read
from smscatch.client.validation import check_count, check_filters, check_seconds, check_ttl
from smscatch.errors import NoFreeLine, SmscatchError, UnknownLease
from smscatch.messages import MAX_NAME, TTL_SECONDS, WAIT_SECONDS, Lease, LeaseGroup, Message

log = logging.getLogger(__name__)
__tracebackhide__ = is_ours

L = TypeVar("L", Lease, LeaseGroup)
LEASES = "/api/v1/leases"
FAREWELL_SECONDS = 10.0
# How long one request waits for a line: the first one shortly, so that we soon know who has the lines, and where we
# stand in the queue; the others so that we know it well.
FIRST_QUEUE_SECONDS, QUEUE_SECONDS = 1.0, 5.0


class Leasable(msgspec.Struct):
    """What tells a group from a lease."""

    leases: tuple[Lease, ...] | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, and how many seconds one waits for it: a line, or a group of `count` lines."""

    line: str | None = None
    label: str | None = None
    holder: str | None = None
    ttl: float = TTL_SECONDS
    wait: float = WAIT_SECONDS
    count: int | None = None


def lease(wanted: Wanted) -> Conversation[Lease]:
    """Ask for a line, in the order of asking, through restarts of the server and lost answers."""
    return (yield from _lease(wanted, Lease))


def lease_group(wanted: Wanted) -> Conversation[LeaseGroup]:
    """Ask for several lines at once in the same way."""
    return (yield from _lease(wanted, LeaseGroup))


def _lease(wanted: Wanted, form: type[L]) -> Conversation[L]:
    check_filters({"line": wanted.line, "label": wanted.label, "holder": wanted.holder})
    check_ttl(wanted.ttl)
    check_seconds("wait", wanted.wait)
    check_count(wanted.count)
    ticket = secrets.token_hex(16)
    body = {
        "line": wanted.line,
        "label": wanted.label,
        "holder": f"{socket.gethostname()} {os.getpid()}" if wanted.holder is None else wanted.holder[-MAX_NAME:],
        "ttl_seconds": wanted.ttl,
        "ticket": ticket,
        "count": wanted.count,
    }
    try:
        return (yield from _stand_in_line(body, max(0.0, wanted.wait), form))
    except GeneratorExit:  # nobody drives us any more
        raise
    except BaseException:  # also Ctrl-C and a cancellation: a line shall not be kept for who is gone
        yield from _give_up(ticket)
        raise


def _stand_in_line(body: Mapping[str, Any], patience: float, form: type[L]) -> Conversation[L]:
    start = time.monotonic()
    queue = Queue(start)
    while True:
        left = max(0.0, start + patience - time.monotonic())
        seconds = min(left, QUEUE_SECONDS if queue.is_known else FIRST_QUEUE_SECONDS)
        try:
            request = Ask("POST", LEASES, body={**body, "wait_seconds": seconds}, patience_seconds=seconds)
            return read((yield from ask(request)), form)
        except NoFreeLine as error:
            if time.monotonic() >= start + patience:
                raise NoFreeLine.within(patience, **{"reason": str(error), **error.details}) from None
            queue.hear(error)
        except PASSING as error:
            if not left:  # the last look, which also a request that hung until now is followed by
                queue.explain(error)
                raise
            yield Pause(PAUSE_SECONDS)
        except GeneratorExit:
            raise
        except BaseException as error:  # also what strikes a test whose time is up
            queue.explain(error)
            raise


class Queue:
    """What we know of the queue for a line in which we stand."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._reason = ""
        self._place = 0

    @property
    def is_known(self) -> bool:
        """Whether we heard already who has the lines."""
        return bool(self._reason)

    def hear(self, error: NoFreeLine) -> None:
        """Learn who has the lines, and how many wait in front."""
        is_news = not self.is_known
        self._reason = str(error.details.get("reason", error))
        self._place = int(error.details.get("ahead", 0)) + 1
        if is_news:
            log.info("waiting for a free line, at place %d of the queue: %s", self._place, self._reason)

    def explain(self, error: BaseException) -> None:
        """Have an error that ends the wait say what was waited for, and who has it."""
        if self.is_known:
            waited = f"smscatch: after {time.monotonic() - self._start:.0f} s it still waited for a free line"
            error.add_note(f"{waited}, at place {self._place} of the queue: {self._reason}.")


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


def leased_group(group_id: str) -> Conversation[LeaseGroup]:
    """Ask for a group by its id; one lease, by its own, is a group of one."""
    check_filters({"lease": group_id})
    answer = yield from ask(Ask("GET", f"{LEASES}/{quote(group_id, safe='')}"))
    if read(answer, Leasable).leases is None:
        return LeaseGroup.of([read(answer, Lease)])
    return read(answer, LeaseGroup)


def extend(lease: L, ttl: float) -> Conversation[L]:
    """Let a lease, or all of a group, last for `ttl` seconds from now."""
    check_ttl(ttl)
    answer = yield from ask(Ask("POST", f"{path_of(lease)}/extend", body={"ttl_seconds": ttl}))
    return read(answer, type(lease))


def release(lease: Lease | LeaseGroup) -> Conversation[None]:
    """End a lease, or all of a group; a server that is away for a moment is waited for: tests wait for the line."""
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


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a leased number replied to the application: by the id of its message, `to` its number at `provider`.

    `answers` is the id of the text that it replies to, `url` where the application is told of it; None if it is not.
    `opted_out` says whether the number wants no texts from `to` afterwards. `public_key` checks the webhook,
    if that is signed with a private one.
    """

    id: str
    line: str
    to: str
    text: str
    provider: str
    answers: str | None = None
    url: str | None = None
    opted_out: bool = False
    public_key: str | None = None


def reply(lease: Lease, text: str, *, to: str | None, provider: str | None, url: str | None) -> Conversation[Reply]:
    """Reply from a leased line; sent twice, after a lost answer, it is one reply."""
    check_filters({"text": text, "to": to, "provider": provider, "url": url})
    body = {"line": lease.line, "text": text, "to": to, "provider": provider, "url": url, "id": secrets.token_hex(16)}
    return read((yield from ask(Ask("POST", "/api/v1/replies", body=body))), Reply)


class Effects(TypedDict, total=False):
    """What the weather does to texts: see NewWeather of the API."""

    sender: str
    provider: str
    delay_seconds: float
    drop: bool
    double: bool
    reorder: bool
    undelivered: str
    throttle: bool
    slow_seconds: float


class _Made(msgspec.Struct):
    id: str


def make_weather(lease: Lease, lasts: float, effects: Effects) -> Conversation[str]:
    """Make weather for the texts to a leased line; return the id of its rule."""
    check_seconds("lasts", lasts)
    body = {"line": lease.line, "lasts_seconds": lasts, **effects}
    return read((yield from ask(Ask("POST", "/api/v1/weather", body=body))), _Made).id


def end_weather(rule_id: str) -> Conversation[None]:
    """End weather that was made."""
    yield from ask(Ask("DELETE", f"/api/v1/weather/{quote(rule_id, safe='')}"))


def path_of(lease: Lease | LeaseGroup) -> str:
    """Return the address of a lease or a group."""
    return f"{LEASES}/{lease.id}"
