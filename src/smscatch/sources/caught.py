"""What an application sent as through a provider, caught by web/compat: our own JSON, whichever provider it was.

The forms of the providers are not known here.
"""

from typing import Any

import msgspec

from smscatch.errors import BadDelivery
from smscatch.messages import CAUGHT, Message, Time, delivery_id
from smscatch.segments import count_segments
from smscatch.sources.base import LineOf, Source, make_message

KIND = "caught"


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """A request that the provider would make to the application, with what it is signed with already.

    So no secret has to be kept: what signs it is a key, of which only the hash is known when the request is made.
    """

    url: str
    headers: dict[str, str]
    body: str


class CaughtText(msgspec.Struct, frozen=True, kw_only=True):
    """A text on its way to `line`, sent by an application with the key whose id is `owner`.

    `name` identifies the delivery (for idempotency). `facts` are what the provider's answers repeat; `callbacks` are
    the requests that tell the application what became of the text, in their order.
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

    @property
    def id(self) -> str:
        """The id of the message: 32 hexadecimal digits, from which a provider's own id is made too."""
        return delivery_id(KIND, self.name)


class _Calling(msgspec.Struct, frozen=True):
    """As much of a delivery as has to be decoded for its requests."""

    callbacks: tuple[Callback, ...] = ()


def parse_callbacks(body: bytes) -> tuple[Callback, ...]:
    """Return the requests that are kept with a text, of whichever kind, in their order. Raises BadDelivery."""
    try:
        return msgspec.json.decode(body, type=_Calling).callbacks
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(f"{error}.") from error


def write_caught(text: CaughtText) -> bytes:
    """Return the body of a spool entry."""
    return msgspec.json.encode(text)


def parse_caught(body: bytes) -> CaughtText:
    """Return what `write_caught` wrote. Raises BadDelivery."""
    try:
        return msgspec.json.decode(body, type=CaughtText)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(f"{error}.") from error


def read_caught(body: bytes, name: str, line_of: LineOf) -> list[Message]:
    """Return the message of an entry. The line was found when it was caught. Raises BadDelivery."""
    text = parse_caught(body)
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
    )
    return [message]


SOURCE = Source(KIND, read_caught)
