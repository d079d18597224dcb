"""A delivery in our own plain JSON, for whoever has no format of theirs: curl, a script, a phone's automation app."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import msgspec

from smscatch.errors import BadDelivery
from smscatch.messages import Message
from smscatch.sources.base import make_message

SOURCE = "generic"
MAX_TEXT = 10_000
MAX_NAME = 100


class GenericDelivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sender posts. `id` makes a repeat known as one; without it each delivery is a message of its own."""

    line: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    sender: Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)] | None = None
    sent_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class _Entry(msgspec.Struct, frozen=True):
    """A spool entry: what was posted, and when."""

    received_at: Annotated[datetime, msgspec.Meta(tz=True)]
    delivery: GenericDelivery


def parse_generic(body: bytes) -> GenericDelivery:
    """Return what was posted. Raises BadDelivery, naming the member that is missing or wrong."""
    try:
        return msgspec.json.decode(body, type=GenericDelivery)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(
            f'{error}. Expected {{"line": "+49…", "sender": "…", "text": "…"}}, perhaps with id, sent_at.'
        ) from error


def write_generic(delivery: GenericDelivery, received_at: datetime) -> bytes:
    """Return the body of a spool entry for what was posted."""
    return msgspec.json.encode(_Entry(received_at, delivery))


def read_generic(body: bytes, name: str, line_of: Callable[[str], str]) -> list[Message]:
    """Return the message in a spool entry. Raises BadDelivery if `write_generic` did not write it."""
    try:
        entry = msgspec.json.decode(body, type=_Entry)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(f"{error}.") from error
    delivery = entry.delivery
    message = make_message(
        SOURCE,
        f"id {delivery.id}" if delivery.id else name,
        line=line_of(delivery.line),
        sender=delivery.sender,
        text=delivery.text,
        received_at=entry.received_at,
        sent_at=delivery.sent_at,
    )
    return [message]
