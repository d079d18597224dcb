"""What comes over HTTP: how a sender's request is checked, and the envelope in which it lies in the spool.

No sender's own format here, and no server: web/api/inbound.py takes the requests.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import parse_qsl

import msgspec

from smscatch.errors import BadDelivery, BadSignature
from smscatch.messages import Message, Part
from smscatch.settings import SourceSettings
from smscatch.sources.base import Join, LineOf
from smscatch.times import Time

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class Incoming(NamedTuple):
    """A request as its sender signed it.

    `url` is the address as the sender knows it, query included; `asked_url` as the request has it, which a proxy may
    have changed. The names of `headers` are in lower case. `content` are the bytes of the body; of a GET, those of the
    query, which are a form.
    """

    method: str
    url: str
    asked_url: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def content_type(self) -> str:
        """The MIME type of `content`, in lower case, without parameters."""
        is_query = self.method == "GET"
        return FORM if is_query else self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def header(self, name: str) -> str:
        """Return a header that the signature needs. Raises BadSignature if there is none."""
        value = self.headers.get(name.lower())
        if not value:
            raise BadSignature(f"the header {name} is missing")
        return value


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it came over HTTP: when, from which address, by whom, and `content`, the bytes as they came.

    `origin` as `name_delivery` takes it; None in what version 0.1 wrote. `content_type` as Incoming has it. `fields`
    say what stands where in `content` if the kind does not know that: as the settings were when it came.
    """

    received_at: Time
    address: str
    content_type: str
    origin: str | None
    content: bytes
    fields: Mapping[str, str] = msgspec.field(default_factory=dict)

    def form(self) -> dict[str, str]:
        """Return the fields of a form by name; of several values the first. Raises BadDelivery for any other type."""
        if self.content_type != FORM:
            raise BadDelivery(f"The delivery is {self.content_type or 'of no type'}; expected {FORM}.")
        return dict(reversed(parse_form(self.content)))


class _Head(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The first line of a spool entry, an Envelope's facts; the content follows it."""

    received_at: Time
    address: str
    content_type: str
    origin: str
    fields: dict[str, str] = {}


class _Former(msgspec.Struct, frozen=True):
    """A spool entry of the kind `generic` as version 0.1 wrote it, and, with `origin`, the versions after it."""

    received_at: Time
    delivery: msgspec.Raw
    origin: str | None = None


class Answer(NamedTuple):
    """What a sender wants to hear for a delivery that was taken, with 200."""

    content: bytes = b""
    media_type: str = "text/plain"


# Returns if a request is signed with one of the secrets, of which a rotation makes several, and is not stale now; else
# raises BadSignature, whose sentence tells an administrator, not the sender, which part differs.
Check = Callable[[Incoming, Sequence[str], datetime], None]


class Webhook(NamedTuple):
    """What takes the deliveries of one kind over HTTP. `kind`, `read` and `join` as Source has them.

    Without a `check` an API key with the scope ingest is needed instead. `read` takes an Envelope in place of the
    bytes, and returns nothing for events that are no texts. `methods` are those that deliver. With `signs_url` the
    signature is over the address that is called, so that `public_url` has to be set. `find_former_id` returns
    which id a version before gave to the message in an envelope, if it was another than now. `fit` returns the webhook
    of one configured source, where its table says more than a kind knows, or raises BadSetting for what cannot work.
    `fields` as Envelope has them. With `is_secret_ours` the sender can be told any secret.
    """

    kind: str
    check: Check | None
    read: Callable[[Envelope, str, LineOf], Sequence[Message | Part]]
    answer: Answer = Answer()
    methods: Sequence[str] = ("POST",)
    signs_url: bool = False
    join: Join | None = None
    find_former_id: Callable[[Envelope], str | None] | None = None
    fit: Callable[["Webhook", SourceSettings], "Webhook"] | None = None
    fields: Mapping[str, str] = MappingProxyType({})
    is_secret_ours: bool = False


class Provider(NamedTuple):
    """A configured source of deliveries over HTTP: which webhook takes them, and what its requests are signed with.

    `public_url` is the address that the sender calls; None: as the request has it. Only texts to `lines` are taken, to
    any if it is None.
    """

    name: str
    webhook: Webhook
    secrets: tuple[str, ...]
    public_url: str | None = None
    lines: tuple[str, ...] | None = None


def write_envelope(envelope: Envelope) -> bytes:
    """Return the body of a spool entry: a line of JSON, then the content as it is."""
    head = _Head(
        received_at=envelope.received_at,
        address=envelope.address,
        content_type=envelope.content_type,
        origin=envelope.origin or "",
        fields=dict(envelope.fields),
    )
    return msgspec.json.encode(head) + b"\n" + envelope.content


def parse_envelope(body: bytes) -> Envelope:
    """Return what `write_envelope` wrote, or what an earlier version did. Raises BadDelivery if neither."""
    first, is_whole, content = body.partition(b"\n")
    try:
        if is_whole:
            head = msgspec.json.decode(first, type=_Head)
            return Envelope(**msgspec.structs.asdict(head), content=content)
        former = msgspec.json.decode(first, type=_Former)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(f"{error}.") from error
    return Envelope(
        received_at=former.received_at,
        address="",
        content_type=JSON,
        origin=former.origin,
        content=bytes(former.delivery),
    )


def parse_form(content: bytes) -> list[tuple[str, str]]:
    """Return the names and values of a form in their order, repeated and empty ones too (WHATWG URL, 5.1)."""
    return parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")


def parse_epoch(seconds: str, where: str) -> datetime:
    """Return the time that is so many seconds after 1970 began. Raises BadSignature, naming `where` it stands."""
    try:
        if seconds.isascii() and seconds.isdecimal():
            return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise BadSignature(f"{where} is no time")


def check_age(signed_at: datetime, now: datetime, most: timedelta, early: timedelta | None = None) -> None:
    """Return if what was signed at a time, by the sender's clock, is `most` old or early at most; or `early`, if given.

    Raises BadSignature: it may be a recorded request that is sent again (replay), or a clock is wrong.
    """
    age = now - signed_at
    limit = most if early is None or age > timedelta(0) else early
    if abs(age) > limit:
        side = "behind" if age > timedelta(0) else "ahead of"
        seconds = abs(age).total_seconds()
        raise BadSignature(
            f"it was signed {seconds:.0f} s {side} our clock, of which {limit.total_seconds():.0f} are taken: it is"
            " sent again, or one of the clocks is wrong"
        )


def is_one_of(given: bytes, wanted: Sequence[bytes]) -> bool:
    """Return whether a signature is one of those that would be right, without telling by its time how much of it is."""
    return any(hmac.compare_digest(given, one) for one in wanted)
