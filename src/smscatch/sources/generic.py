"""A delivery in our own plain JSON, for whoever has no format of theirs: curl, a script, a phone's automation app."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from smscatch.errors import BadDelivery
from smscatch.messages import Message, delivery_id
from smscatch.sources.base import make_message, name_delivery

SOURCE = "generic"
MAX_TEXT = 10_000
MAX_NAME = 100
# GSM is younger; and at the ends of the calendar a time has no equal in another zone.
FIRST_SENT, LAST_SENT = datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)


class GenericDelivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sender posts. `id` makes a repeat known as one; without it each delivery is a message of its own.

    The `id` is the sender's: another one, that has another key, may give it to another text.
    """

    line: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    sender: Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)] | None = None
    sent_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class _Entry(msgspec.Struct, frozen=True):
    """A spool entry: what was posted, when, and by whom; version 0.1 did not say by whom."""

    received_at: Annotated[datetime, msgspec.Meta(tz=True)]
    delivery: GenericDelivery
    origin: str | None = None


def parse_generic(body: bytes) -> GenericDelivery:
    """Return what was posted. Raises BadDelivery, naming the member that is missing or wrong.

    What this returns can be read and stored: there is no way back once it is acknowledged.
    """
    try:
        delivery = msgspec.json.decode(body, type=GenericDelivery)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(
            f'{error}. Expected {{"line": "+49…", "sender": "…", "text": "…"}}, perhaps with id, sent_at.'
        ) from error
    if not delivery.line.strip():
        raise BadDelivery("The line is blank: say which of your numbers received the text.")
    if not _is_plausible(delivery.sent_at):
        raise BadDelivery(
            f"sent_at = {delivery.sent_at} is not accepted: give a time from {FIRST_SENT:%Y} to {LAST_SENT:%Y}."
        )
    return delivery


def _is_plausible(sent_at: datetime | None) -> bool:
    return sent_at is None or FIRST_SENT <= sent_at <= LAST_SENT


def write_generic(delivery: GenericDelivery, received_at: datetime, origin: str) -> bytes:
    """Return the body of a spool entry for what was posted; `origin` as `name_delivery` takes it."""
    return msgspec.json.encode(_Entry(received_at, delivery, origin))


def find_former_generic_id(body: bytes) -> str | None:
    """Return the id that version 0.1 gave to the message in a spool entry; None if it is the same now.

    It took the sender's id for the world's. Raises BadDelivery as `read_generic` does.
    """
    entry = _parse_entry(body)
    if entry.origin is None or entry.delivery.id is None:
        return None
    return delivery_id(SOURCE, f"id {entry.delivery.id}")


def read_generic(body: bytes, name: str, line_of: Callable[[str], str]) -> list[Message]:
    """Return the message in a spool entry. Raises BadDelivery if `write_generic` did not write it."""
    entry = _parse_entry(body)
    delivery = entry.delivery
    line = line_of(delivery.line)
    if delivery.id is not None:
        is_old = entry.origin is None
        name = f"id {delivery.id}" if is_old else name_delivery(entry.origin or "", line, delivery.id)
    message = make_message(
        SOURCE,
        name,
        line=line,
        sender=delivery.sender,
        text=delivery.text,
        received_at=entry.received_at,
        # What version 0.1 acknowledged is never refused.
        sent_at=delivery.sent_at if _is_plausible(delivery.sent_at) else None,
    )
    return [message]


def _parse_entry(body: bytes) -> _Entry:
    try:
        return msgspec.json.decode(body, type=_Entry)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(f"{error}.") from error
