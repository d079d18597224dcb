"""What a handset of ours replied to an application: a text that goes the other way, with the webhook that tells it.

The forms of the providers are not known here.
"""

import msgspec

from smscatch.errors import BadDelivery
from smscatch.messages import NOBODY, REPLY, Message, delivery_id
from smscatch.sources.base import LineOf, Source, make_message
from smscatch.sources.caught import Callback
from smscatch.times import Time

KIND = "reply"


class RepliedText(msgspec.Struct, frozen=True, kw_only=True):
    """A text from `line` to an application, whose number or service at `provider` is `to`.

    `name` identifies the delivery (for idempotency). `answers` is the id of the text that it replies to. `callbacks` is
    the signed request that brings it to the application; none if nobody knows where that is.
    """

    name: str
    provider: str
    line: str
    to: str
    text: str
    received_at: Time
    answers: str | None = None
    callbacks: tuple[Callback, ...] = ()

    @property
    def id(self) -> str:
        """The id of the message: 32 hexadecimal digits, from which a provider's own id is made too."""
        return delivery_id(KIND, self.name)


def write_reply(reply: RepliedText) -> bytes:
    """Return the body of a spool entry."""
    return msgspec.json.encode(reply)


def read_reply(body: bytes, name: str, line_of: LineOf) -> list[Message]:
    """Return the message of an entry. Raises BadDelivery."""
    try:
        reply = msgspec.json.decode(body, type=RepliedText)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(f"{error}.") from error
    message = make_message(
        KIND,
        reply.name,
        line=reply.line,
        sender=reply.line,
        text=reply.text,
        received_at=reply.received_at,
        marks=(REPLY,),
        lease=NOBODY,
        provider=reply.provider,
        to=reply.to,
        answers=reply.answers,
    )
    return [message]


SOURCE = Source(KIND, read_reply)
