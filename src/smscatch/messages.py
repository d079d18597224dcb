"""What flows through smscatch: messages, queries, leases, and their JSON.

No I/O, and no knowledge of where a message came from or where it is kept.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

import msgspec

from smscatch.numbers import fold_sender, sender_forms
from smscatch.times import Time, format_time

# Line ends to Unicode, though not to JSON or SSE: many a client splits a stream at them (str.splitlines does).
LINE_ENDS = ("\x85", "\u2028", "\u2029")
LATE = "late"
POSSIBLE_DUPLICATE = "possible_duplicate"
SMSD = "smsd"  # the reader of what smstools3 read, in whichever run
REDACTED = "redacted"
CAUGHT = "caught"
ASIDE = "aside"
REPEAT = "repeat"
REPLY = "reply"
DELAYED, DROPPED, UNDELIVERED, DOUBLED = "delayed", "dropped", "undelivered", "doubled"
KEPT_BACK = frozenset({DELAYED, DROPPED, UNDELIVERED})  # marks of what has not arrived
NOBODY = "-"  # stands for a lease in what no wait is given: it came to nobody's phone
MAX_NAME = 200  # characters of a holder, a label or a ticket
MIN_TTL_SECONDS, MAX_TTL_SECONDS = 1, 86_400  # of a lease
# What is taken where nothing is given (default ttl, wait and timeout): how long a lease lasts, how long a client or the
# command line waits for a free line, how long for a message. The API itself waits less: web/params.py, letting.py.
TTL_SECONDS, WAIT_SECONDS, TIMEOUT_SECONDS = 120.0, 60.0, 60.0
MAX_LINES_LEASED = 20  # at once, by one request
QUIET_SECONDS, MAX_QUIET_SECONDS = 3, 60  # before the newest of several texts is returned


class Code(msgspec.Struct, frozen=True):
    """A one-time code found in a text: its canonical value, a score from 0 to 1, and the rule that found it."""

    value: str
    score: float
    rule: str


class Costly(msgspec.Struct, frozen=True):
    """A character that is not in the GSM alphabet, and its place in the text, from 1 on."""

    character: str
    place: int


class Segments(msgspec.Struct, frozen=True):
    """How many SMS a text takes to send, each of which is paid for.

    `encoding` is GSM-7 or UCS-2, `units` are septets, or characters of 16 bits. `costly` are the characters that made
    it UCS-2, the first of them; `parts_in_gsm` how many SMS it would take without them.
    """

    encoding: str
    count: int
    units: int
    costly: tuple[Costly, ...] = ()
    parts_in_gsm: int = 0


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One received SMS, all its parts joined.

    `id` is made from the delivery (`delivery_id`), so a delivery read twice is one message. `line` is our own
    number, E.164, or the modem's name while no line is configured for it. `sender` is as it came: '+' and digits if the
    network called it international, other digits as they are (a national number, a short code), or up to 11
    alphanumeric characters (3GPP TS 23.040, 9.1.2.5). `received_at` is our clock, `sent_at` the SMSC's; both UTC.
    `parts` counts the SMS it came in; `complete` is False when some of them are missing. `marks` are peculiarities:
    flash, mms, status_report, undecodable, mixed_senders, damaged_characters, possible_duplicate, late (see Lease);
    application (for a port, not for a reader), data (8-bit data that are ASCII), message_waiting, silent (type 0);
    redacted (the service that the number is rented from took its code out); caught (an application sent it, and it
    never left for the network); aside (it was caught on its way to one of our lines, and no lease is given it);
    repeat (its application sent the same a moment ago, and may have done so by itself, see repeats.py);
    reply (it went the other way, to `to`); dropped, undelivered, delayed (the weather kept it from arriving; what is
    delayed arrives later as a text of its own); doubled (the weather brought it a second time).
    `reader` names the run of the program that read the modem, or is SMSD. `lease` is the id of the lease it belongs to.
    `revision` counts how often missing parts have come since it was first shown, at `first_cursor`. `cursor` is the
    position in the order of commits; it and the lease are set by the store. Of a text that was caught, `provider` is
    whose API the application called, and `segments` what it would cost to send; None for others. A reply is a text that
    went from the line to the application: `to` is its number or service there, `answers` the id of the text that it
    replies to, if it does, and `sender` is the line; its lease is NOBODY, so no wait is given it.
    """

    id: str
    line: str
    sender: str
    text: str
    received_at: Time
    source: str
    code: str | None = None
    codes: tuple[Code, ...] = ()
    links: tuple[str, ...] = ()
    bound_hosts: tuple[str, ...] = ()
    sent_at: Time | None = None
    parts: int = 1
    complete: bool = True
    marks: tuple[str, ...] = ()
    reader: str | None = None
    lease: str | None = None
    revision: int = 0
    first_cursor: str = ""
    cursor: str = ""
    provider: str | None = None
    segments: Segments | None = None
    to: str | None = None
    answers: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One SMS of a long message, before it is joined with the others.

    `id` is made from its delivery. Parts belong together that agree in source, line, sender, `reference`, `wide`
    (whether the reference has 16 bits) and `total` (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8). `number` counts from 1.
    `content` is what its `source` joins texts from, and equal only in what the network sent twice. Of a PDU it is the
    whole SMS in hexadecimal, since escapes and surrogate pairs may be split between parts. In JSON it is `pdu`, as it
    was called before other sources had parts.
    `sender_type` is the type of number (9.1.2.5): the name '32665' is not the short code. None in what was stored
    before it was noted. `arrived_at` is when it was received by the time that leases are kept by, see Store.time.
    """

    id: str
    line: str
    sender: str
    reference: int
    wide: bool
    total: int
    number: int
    content: str = msgspec.field(name="pdu")
    received_at: Time
    sent_at: Time | None = None
    reader: str | None = None
    sender_type: int | None = None
    arrived_at: Time | None = None
    source: str = "pdu"


class SmppServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where applications are caught that send by SMPP: the port, on the host of the server's own address.

    `tls` says whether it is encrypted (TLS).
    `system_id` and `password` are those of the settings, null if none is set; an administrator alone is told them.
    """

    port: int
    system_id: str | None = None
    password: str | None = None
    tls: bool = False


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What one check says of one thing: `wrong` is what keeps texts away, a `note` what may, or what is not known.

    `remedy` is a command to be typed, or what to do in words; None where there is nothing to do.
    """

    check: str
    verdict: Literal["ok", "note", "wrong"]
    sentence: str
    remedy: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One of our numbers.

    `unconfigured`: lines are configured, and it is none of them, but something came to it or a modem is read for it.
    `messages` counts what is kept for it; `last_received_at` is None before the first. `modem` is how its modem is, as
    modem/health.py publishes it, None if no link of ours reads it. `lease` is the newest one until it has rested.
    `checks` are what checks.py says of it, in words.
    """

    number: str
    label: str = ""
    unconfigured: bool = False
    device: str | None = None
    phone_id: str | None = None
    messages: int = 0
    last_received_at: Time | None = None
    modem: dict[str, Any] | None = None
    lease: "Lease | None" = None
    checks: tuple[Diagnosis, ...] = ()


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is one holder's alone for a while: what comes to it meanwhile is for nobody else.

    Begins at the position `cursor` and ends at `expires_at`, or earlier at `released_at`, which `expires_at` then
    equals. The line rests until `rests_until`: what arrives by then is late, kept and shown, but belongs to no lease.
    So is what arrived before `started_at`, or was sent before `late_before` by the SMSC's, or before
    `started_at` as far as that clock is known (stores/leasing.py). `holder` is what the leaseholder calls itself, `key`
    the id of the API key it came with, `label` that of the line. All in UTC. `group` is the id of the group if several
    lines were leased at once; the ids of the leases of a group are its own, a dot and a number from 1 on.
    """

    id: str
    line: str
    holder: str
    key: str
    cursor: str
    started_at: Time
    expires_at: Time
    rests_until: Time
    late_before: Time
    released_at: Time | None = None
    label: str = ""
    group: str | None = None


class LeaseGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Several lines that were leased at once, to be extended and released together by the `id` of the group.

    Each has a lease of its own in `leases`, whose id its messages are waited for with; they begin at the same `cursor`.
    `expires_at` is when the first of them ends that was not released on its own.
    """

    id: str
    holder: str
    cursor: str
    expires_at: Time
    leases: tuple[Lease, ...]

    @classmethod
    def of(cls, leases: Sequence[Lease]) -> "LeaseGroup":
        """Return the group of these leases, which are all that it has."""
        first = leases[0]
        lasting = [lease.expires_at for lease in leases if lease.released_at is None]
        return cls(
            id=first.group or first.id,
            holder=first.holder,
            cursor=first.cursor,
            expires_at=min(lasting or [lease.expires_at for lease in leases]),
            leases=tuple(leases),
        )


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages are asked for; every field that is set must agree.

    `lines` is None for every line. `sender` is what a person typed (numbers.sender_forms), or `as_sent`: the very one
    of another message. `contains` is a part of the text. Both are without regard to case. `since` leaves out what we
    received before that time, `until` what we received from then on. `has_code` leaves out texts in which no code was
    found. `lease` is a lease's id, or "" for messages of none; `leases` are the ids of several. `sender_part` stands
    somewhere in a sender, as `numbers.fold_sender` leaves it.
    """

    lines: tuple[str, ...] | None = None
    sender: str | None = None
    as_sent: bool = False
    contains: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    has_code: bool = False
    lease: str | None = None
    leases: tuple[str, ...] | None = None
    sender_part: str | None = None

    @property
    def senders(self) -> tuple[str, ...]:
        """The senders that are meant, if `sender` is set, each as `numbers.fold_sender` leaves it."""
        given = self.sender or ""
        return (fold_sender(given),) if self.as_sent else sender_forms(given)

    def mismatch(self, message: Message) -> str | None:
        """Return why `message` is not meant, as half a sentence, or None if it is."""
        if self.lines is not None and message.line not in self.lines:
            return f"it came to {message.line}"
        if self.lease is not None and self.lease != (message.lease or ""):
            return _foreign(message)
        if self.leases is not None and message.lease not in self.leases:
            return _foreign(message)
        if self.sender_part is not None and self.sender_part not in fold_sender(message.sender):
            return f"sender {message.sender!r} lacks {self.sender_part!r}"
        if self.sender is not None and fold_sender(message.sender) not in self.senders:
            return f"sender {message.sender!r} is not {self.sender!r}"
        if self.contains is not None and self.contains.casefold() not in message.text.casefold():
            return f"its text lacks {self.contains!r}"
        if self.since is not None and message.received_at < self.since:
            return f"it was received before {format_time(self.since)}"
        if self.until is not None and message.received_at >= self.until:
            return f"it was received after {format_time(self.until)}"
        if self.has_code and message.code is None:
            lack = "" if message.complete else ", of which parts are missing"
            return f"no code was found in the text from {message.sender!r}{lack}"
        return None

    def matches(self, message: Message) -> bool:
        """Return whether `message` is meant."""
        return self.mismatch(message) is None


def _foreign(message: Message) -> str:
    """Say to whom a message belongs instead."""
    if REPLY in message.marks:
        return f"the text to {message.to!r} is a reply, from here"
    if KEPT_BACK & {*message.marks}:
        return f"the weather kept the text from {message.sender!r} from arriving ({', '.join(message.marks)})"
    if message.lease is not None:
        return f"the text from {message.sender!r} belongs to the lease {message.lease}"
    if LATE in message.marks:
        sent = "" if message.sent_at is None else f"sent {format_time(message.sent_at)}, "
        return f"the text from {message.sender!r} is late ({sent}received {format_time(message.received_at)})"
    if ASIDE in message.marks:
        return f"the text from {message.sender!r} was caught on its way here, and virtual_real is not set"
    return f"the text from {message.sender!r} belongs to no lease"


class _Identified(msgspec.Struct):
    """As much of a message as has to be decoded for its id."""

    id: str


class Stored:
    """A message as the store keeps it: its position and the JSON that was encoded once, when it was stored."""

    def __init__(self, position: int, json: bytes) -> None:
        self.position = position
        self.json = json

    @cached_property
    def id(self) -> str:
        """The id of the message; of one that is not decoded nothing else is read."""
        return msgspec.json.decode(self.json, type=_Identified).id

    @cached_property
    def message(self) -> Message:
        """The decoded message."""
        return decode_message(self.json)


def delivery_id(source: str, delivery: str) -> str:
    """Return a message's id: 32 hex digits that depend on the delivery alone (dedup): a repeat of it has the same.

    Why two deliveries are one, and two equal texts are not, is in each source: what it calls a delivery.
    """
    return hashlib.sha256(f"{source}\0{delivery}".encode()).hexdigest()[:32]


def encode_message(message: Message) -> bytes:
    """Return `message` as JSON; times as `format_time` writes them."""
    fields = msgspec.structs.asdict(message)
    times = {name: format_time(value) for name, value in fields.items() if isinstance(value, datetime)}
    json = msgspec.json.encode(fields | times)
    for character in LINE_ENDS:
        json = json.replace(character.encode(), b"\\u%04x" % ord(character))
    return json


def decode_message(json: bytes) -> Message:
    """Return the message that `encode_message` wrote."""
    return msgspec.json.decode(json, type=Message)


def plain(value: Any) -> Any:
    """Return one of our values as dicts, lists and strings, with times as `format_time` writes them."""
    builtins = msgspec.to_builtins(value, builtin_types=(datetime,))
    return _with_times(builtins)


def _with_times(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, dict):
        return {key: _with_times(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_times(item) for item in value]
    return value


def join_json(items: Iterable[bytes]) -> bytes:
    """Return a JSON array of values that are encoded already."""
    return b"[" + b",".join(items) + b"]"
