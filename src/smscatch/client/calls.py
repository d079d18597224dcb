"""The conversations of the client: lists, and waits that outlive a request and a restart. No I/O here."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, TypedDict

import msgspec

from smscatch.client.choosing import CHOICE, Choosing
from smscatch.client.exchange import PASSING, PAUSE_SECONDS, POLL_SECONDS, Ask, Conversation, Pause, ask, is_ours, read
from smscatch.client.matchers import Match, Unwanted, Want
from smscatch.client.validation import check_filters, check_left, check_seconds
from smscatch.errors import Forbidden, NoMessage, NotCaught, NotFound, UnknownLine
from smscatch.hosts import CalledHost, HostList
from smscatch.messages import CAUGHT, Lease, Line, Message, SmppServer
from smscatch.redirecting import SmppTarget, smpp_url
from smscatch.times import format_time
from smscatch.totp import parse_totp

NONE_RETURNED: Mapping[str, Message] = MappingProxyType({})
MOST_SKIPPED = 20  # of each kind: so that an address is short enough for any proxy
MAX_SKIP = 150
MOST_LOOKED_AT = 100  # texts, for one that was caught
LOOK_SECONDS = 0.1  # between two looks for it
MOST_HOSTS = 10  # that are named if none came
WENT = {
    "passed": "{host} (smscatch catch let it through)",
    "refused": "{host} (smscatch catch refused it: {reason})",
    "answered": "{host} (here, and was answered {reason})",
}
__tracebackhide__ = is_ours


class Filters(TypedDict, total=False):
    """Which messages are meant: those to our number `line`, from `sender`, whose text contains `contains`.

    `after` is a cursor, an ISO 8601 time with zone, or an age such as 10m; a wait without it means now.
    """

    line: str | None
    sender: str | None
    contains: str | None
    after: str | None


class WaitFilters(Filters, total=False):
    """Which message a wait is for: of several that match the oldest, or if `newest` is true the newest.

    The newest is returned once it is quiet: nothing came for `quiet` seconds (3 if not given, 60 at most) that fits
    line, sender and contains; they begin with the wait, and anew with whatever comes. When the timeout is over first,
    it is the newest so far.
    """

    newest: bool
    quiet: float | None


class Page(msgspec.Struct):
    """A list of messages, as the server answers it."""

    messages: list[Message]
    cursor: str


class Lines(msgspec.Struct):
    """A list of lines, as the server answers it."""

    lines: list[Line]


class LeaseAnswer(msgspec.Struct):
    """A list of leases, as the server answers it."""

    leases: list[Lease]


class ServerClock(msgspec.Struct):
    """What we need of how the server is."""

    time: datetime


def messages(limit: int, filters: Filters) -> Conversation[list[Message]]:
    """List messages, newest first."""
    check_filters(filters)
    answer = yield from ask(Ask("GET", "/api/v1/messages", {**filters, "limit": limit}))
    return read(answer, Page).messages


def caught(line: str, after: str, timeout: float) -> Conversation[Message]:
    """Wait for the first text that was caught on its way to a line. Raises NotCaught."""
    check_seconds("timeout", timeout)
    deadline = time.monotonic() + timeout
    while True:
        came = yield from _came(line, after)
        for message in reversed(came):
            if CAUGHT in message.marks:
                return message
        if time.monotonic() >= deadline:
            raise _not_caught(line, timeout, came, (yield from _called()))
        yield Pause(LOOK_SECONDS)


def _came(line: str, after: str) -> Conversation[list[Message]]:
    """List what came to a line; nothing if nobody knows it yet."""
    query = {"line": line, "after": after, "limit": MOST_LOOKED_AT}
    try:
        return read((yield from ask(Ask("GET", "/api/v1/messages", query))), Page).messages
    except UnknownLine:
        return []


def _called() -> Conversation[list[CalledHost]]:
    """List where it may have gone; nothing if the key may not know, or the server does not."""
    try:
        return read((yield from ask(Ask("GET", "/api/v1/hosts"))), HostList).hosts[:MOST_HOSTS]
    except (Forbidden, NotFound):
        return []


def _not_caught(line: str, timeout: float, came: list[Message], called: list[CalledHost]) -> NotCaught:
    senders = ", ".join(dict.fromkeys(repr(message.sender) for message in came))
    others = f"{len(came)} came from the network, from {senders}" if came else "nothing came at all"
    places = "; ".join(WENT[one.outcome].format(host=one.host, reason=one.reason) for one in called)
    seen = f" What was called of late, the last first: {places}." if places else ""
    return NotCaught(
        f"No text to {line} was caught in {timeout:g} s: {others}.{seen} If the application has sent one, it went to"
        " the provider and may be a real one: see that its SDK is pointed at send_url (docs/sending.md), and that it"
        " has a key of smscatch instead of the provider's.",
        hosts=[one.host for one in called],
    )


def smpp(server: str) -> Conversation[SmppTarget]:
    """Ask where an application binds that sends by SMPP."""
    found = read((yield from ask(Ask("GET", "/api/v1/smpp"))), SmppServer)
    return SmppTarget(smpp_url(server, found.port, tls=found.tls), found.system_id, found.password)


def lines() -> Conversation[list[Line]]:
    """List our numbers."""
    return read((yield from ask(Ask("GET", "/api/v1/lines"))), Lines).lines


def leases() -> Conversation[list[Lease]]:
    """List who has which line."""
    return read((yield from ask(Ask("GET", "/api/v1/leases"))), LeaseAnswer).leases


def cursor(*, is_once: bool = False) -> Conversation[str]:
    """Ask for the position of now."""
    return str(read((yield from ask(Ask("GET", "/api/v1/cursor", is_once=is_once))), int))


def totp(secret: str, left: float) -> Conversation[str]:
    """Return the code that an authenticator app shows, once it is good for `left` seconds; nothing is asked."""
    kept = parse_totp(secret)
    check_left(left, kept.period_seconds)
    while kept.expires(now := time.time()) - now < left:
        yield Pause(kept.expires(now) - now)
    return kept.code(now)


def start_of(filters: Filters) -> Conversation[str]:
    """Return behind what a stream begins: what the filters say, or now."""
    check_filters(filters)
    given = filters.get("after")
    return (yield from cursor()) if given is None else given


def wait(
    path: str, want: Want, timeout: float, filters: WaitFilters, *, returned: Mapping[str, Message] = NONE_RETURNED
) -> Conversation[Match]:
    """Wait for the oldest message behind `after` that matches the filters and is wanted, or for the newest.

    `returned` are messages that earlier waits returned, by their ids. Raises NoMessage, whose text says what came
    meanwhile and why it was not it.
    """
    choosing, texts = Choosing(filters), _texts_of(filters)
    check_seconds("timeout", timeout)
    start, timeout = time.monotonic(), max(0.0, timeout)
    after, was_away = filters.get("after"), False
    unwanted: dict[str, str] = {}  # why, by cursor: one whose missing parts come later has another one then
    while True:
        left = max(0.0, start + timeout - time.monotonic())
        seconds = min(left, POLL_SECONDS + choosing.quiet)
        try:
            if after is None:  # now means the start of this wait, also when it takes several requests
                after = yield from (_server_time(start) if was_away else cursor(is_once=True))
            params = {**texts, **choosing.params(), "after": after, "skip": _skipped(returned, unwanted)}
            asked_at = time.monotonic()
            message = yield from _look(path, params, seconds)
            is_last = time.monotonic() >= start + timeout
            if is_last or choosing.is_chosen(message, seconds, time.monotonic() - asked_at):
                return Match(want(message), message)
        except Unwanted as reason:
            unwanted[message.cursor] = str(reason)
            after = _forget_oldest(unwanted, after)
        except NoMessage as error:
            # Asking again costs the server one look, and the last answer knows all that came.
            if time.monotonic() >= start + timeout:
                raise NoMessage.within(timeout, **{"reason": str(error), **error.details}) from None
        except PASSING:
            if not left:  # the last look, which also a request that hung until now is followed by
                raise
            was_away = True
            yield Pause(PAUSE_SECONDS)


def _texts_of(filters: WaitFilters) -> dict[str, Any]:
    """Return the filters that say which texts are meant, without those that say which of several."""
    texts = {name: value for name, value in filters.items() if name not in CHOICE}
    check_filters(texts)
    return texts


def _look(path: str, params: Mapping[str, Any], seconds: float) -> Conversation[Message]:
    answer = yield from ask(Ask("GET", path, {**params, "timeout": round(seconds, 3)}, patience_seconds=seconds))
    return read(answer, Message)


def _forget_oldest(unwanted: dict[str, str], after: str | None) -> str | None:
    """Return where to go on from: with too many unwanted messages to name, behind the oldest, which is forgotten."""
    if len(unwanted) <= MOST_SKIPPED:
        return after
    oldest = min(unwanted, key=int)  # what is in front of it was looked at, or is older than so many
    del unwanted[oldest]
    return oldest


def _skipped(returned: Mapping[str, Message], unwanted: dict[str, str]) -> list[str]:
    """Return what the server shall pass over, and why, for its explanation."""
    earlier = {id_: f"an earlier wait returned the text from {one.sender!r}" for id_, one in dict(returned).items()}
    return [f"{place} {why}"[:MAX_SKIP] for place, why in (earlier | unwanted).items()]


def _server_time(then: float) -> Conversation[str]:
    """Return what the server's clock showed at a moment of ours, at the latest: no cursor could be had at that time."""
    answer = yield from ask(Ask("GET", "/healthz"))
    return format_time(read(answer, ServerClock).time - timedelta(seconds=time.monotonic() - then))
