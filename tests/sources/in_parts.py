"""A source whose senders split long texts themselves, as those of some carriers do: an example of one with parts."""

import json
from collections.abc import Sequence

from smscatch.messages import Message, Part, delivery_id
from smscatch.sources.base import LineOf, make_message
from smscatch.sources.webhook import Envelope, Webhook
from tests.samples import LINE, NOON

KIND, REFERENCE = "in_parts", 7


def read(envelope: Envelope, name: str, line_of: LineOf) -> list[Message | Part]:
    return [a_part(text, number) for number, text in enumerate(json.loads(envelope.content), start=1)]


def a_part(text: str, number: int) -> Part:
    """Return one of two parts, which a PDU with the same reference would look like."""
    return Part(
        id=delivery_id(KIND, f"{number} {text}"),
        source=KIND,
        line=LINE,
        sender="Authy",
        reference=REFERENCE,
        wide=False,
        total=2,
        number=number,
        content=text,
        received_at=NOON,
    )


def join(parts: Sequence[Part]) -> Message:
    first = parts[0]
    text = "".join(part.content for part in sorted(parts, key=lambda part: part.number))
    return make_message(
        KIND,
        first.id,
        line=first.line,
        sender=first.sender,
        text=text,
        received_at=NOON,
        parts=len(parts),
        complete=len(parts) == first.total,
    )


SOURCE = Webhook(KIND, None, read, join=join)
