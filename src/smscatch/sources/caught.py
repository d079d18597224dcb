"""What an application sent as through a provider or by SMPP, caught by us: our own JSON, whichever way it came.

The forms of the providers are not known here.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from smscatch.errors import BadDelivery
from smscatch.messages import CAUGHT, KEPT_BACK, NOBODY, Message, Part, delivery_id
from smscatch.segments import count_segments
from smscatch.sources.base import LineOf, Source, join_kept, make_message
from smscatch.times import Time

KIND = "caught"


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """A request that the provider would make to the application, with what it is signed with already.

    So no secret has to be kept: what signs it is a key, of which only the hash is known when the request is made.
    `name` says what it tells: a status, or that it brings a reply. `signed` is what signs it inside its body, if no
    header does. One with GET has no body.
    """

    url: str
    headers: dict[str, str]
    body: str
    name: str = ""
    signed: dict[str, str] = {}
    method: Literal["POST", "GET"] = "POST"


class CaughtPart(msgspec.Struct, frozen=True, kw_only=True):
    """An SMS of a long text that an application cut itself: the PDU `command` of SMPP, its `body` in hexadecimal.

    The rest is as Part has it.
    """

    command: int
    body: str
    reference: int
    wide: bool
    total: int
    number: int
    sender_type: int


class CaughtText(msgspec.Struct, frozen=True, kw_only=True):
    """A text on its way to `line`, sent by an application with the key whose id is `owner`.

    `name` identifies the delivery (for idempotency). `facts` are what the provider's answers repeat; `callbacks` are
    the requests that tell the application what became of the text, in their order. If it is only a `part` of one,
    `text` is empty: what the parts say is known when they are joined. `undelivered` is the provider's code for why
    it never arrived, if it did not.
    """

    name: str
    provider: str
    owner: str
    line: str
    sender: str
    text: str
    received_at: Time
    marks: tuple[str, ...] = ()
    facts: dict[str, Any] = {}
    callbacks: tuple[Callback, ...] = ()
    part: CaughtPart | None = None
    undelivered: str = ""

    @property
    def id(self) -> str:
        """The id of the message: 32 hexadecimal digits, from which a provider's own id is made too."""
        return delivery_id(KIND, self.name)


class _Calling(msgspec.Struct, frozen=True):
    """As much of a delivery as has to be decoded for its requests."""

    callbacks: tuple[Callback, ...] = ()


def parse_callbacks(body: bytes) -> tuple[Callback, ...]:
    """Return the requests that are kept with a text, of whichever kind, in their order. Raises BadDelivery.

    A text that was joined has none: its delivery is that of all its parts.
    """
    try:
        return msgspec.json.decode(body.partition(b"\n")[0], type=_Calling).callbacks
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(f"{error}.") from error


def write_caught(text: CaughtText) -> bytes:
    """Return the body of a spool entry: a line."""
    return msgspec.json.encode(text) + b"\n"


def parse_caught(body: bytes) -> CaughtText:
    """Return what `write_caught` wrote; of several behind each other, the first. Raises BadDelivery.

    The delivery of a text that was joined is that of all its parts.
    """
    try:
        return msgspec.json.decode(body.partition(b"\n")[0], type=CaughtText)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(f"{error}.") from error


def read_caught(body: bytes, name: str, line_of: LineOf) -> list[Message | Part]:
    """Return the message of an entry, or the part. The line was found when it was caught. Raises BadDelivery."""
    text = parse_caught(body)
    if text.part is not None:
        return [_as_part(text, text.part, body)]
    segments = count_segments(text.text)
    message = make_message(
        KIND,
        text.name,
        line=text.line,
        sender=text.sender,
        text=text.text,
        received_at=text.received_at,
        parts=segments.count,
        marks=(CAUGHT, *text.marks),
        provider=text.provider,
        segments=segments,
        lease=NOBODY if KEPT_BACK & {*text.marks} else None,
    )
    return [message]


def _as_part(text: CaughtText, part: CaughtPart, body: bytes) -> Part:
    return Part(
        id=text.id,
        source=KIND,
        line=text.line,
        sender=text.sender,
        reference=part.reference,
        wide=part.wide,
        total=part.total,
        number=part.number,
        content=body.decode(),
        received_at=text.received_at,
        sender_type=part.sender_type,
    )


def join_caught(parts: Sequence[Part]) -> Message:
    """Return the message of parts that belong together, as Source has it, its text still unread."""
    message = join_kept(KIND, parts, _read_parts)
    provider = parse_caught(parts[0].content.encode()).provider
    return msgspec.structs.replace(message, provider=provider, segments=count_segments(message.text))


def _read_parts(parts: Sequence[Part]) -> tuple[str, tuple[str, ...]]:
    from smscatch.smpp.content import EITHER, read_messages  # noqa: PLC0415 - a start need not wait for what reads PDUs
    from smscatch.smpp.pdu import parse_short_message  # noqa: PLC0415
    from smscatch.sources.pdu import text_of  # noqa: PLC0415

    texts = [parse_caught(part.content.encode()) for part in parts]
    bodies = [(text.part.command, bytes.fromhex(text.part.body)) for text in texts if text.part is not None]
    said, found = text_of(read_messages([parse_short_message(*each) for each in bodies], EITHER))
    marks = [CAUGHT, *found, *(mark for text in texts for mark in text.marks)]
    return said, tuple(dict.fromkeys(marks))


SOURCE = Source(KIND, read_caught, join_caught)
