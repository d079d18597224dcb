"""A delivery in our own plain JSON or form, for whoever has no format of theirs: curl, a phone's automation app."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from smscatch.errors import BadDelivery
from smscatch.messages import Message, delivery_id
from smscatch.sources.base import FIRST_SENT, LAST_SENT, LineOf, is_plausible, make_message, name_delivery
from smscatch.sources.times import parse_time
from smscatch.sources.webhook import FORM, Envelope, Webhook

KIND = "generic"
MAX_TEXT = 10_000
MAX_NAME = 100
OPTIONAL = ("id", "sent_at")
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")  # a JSON object on each line (NDJSON)


class GenericDelivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sender posts. `id` makes a repeat known as one; without it each delivery is a message of its own.

    The `id` is the sender's: another one, that has another key, may give it to another text.
    """

    line: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    sender: Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)] | None = None
    sent_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


def read_generic(envelope: Envelope, name: str, line_of: LineOf) -> list[Message]:
    """Return the message that was posted. Raises BadDelivery, naming the member that is missing or wrong.

    What this returns can be stored: there is no way back once it is acknowledged.
    """
    is_former = envelope.origin is None  # what version 0.1 acknowledged is never refused
    delivery = _parse(envelope)
    if not is_former:
        _check(delivery)
    line = line_of(delivery.line)
    if delivery.id is not None:
        name = _name_former(delivery.id) if is_former else name_delivery(envelope.origin or "", line, delivery.id)
    message = make_message(
        KIND,
        name,
        line=line,
        sender=delivery.sender,
        text=delivery.text,
        received_at=envelope.received_at,
        sent_at=delivery.sent_at if delivery.sent_at and is_plausible(delivery.sent_at) else None,
    )
    return [message]


def split_deliveries(content: bytes, content_type: str) -> list[bytes] | None:
    """Return the deliveries in a JSON list, or on the lines of NDJSON, each as it came; None if it is a single one.

    Raises BadDelivery if it is no list.
    """
    if content_type in LINES:
        return [line for line in content.split(b"\n") if line.strip()]
    if not content.lstrip().startswith(b"["):
        return None
    try:
        return [bytes(item) for item in msgspec.json.decode(content, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadDelivery(f"{error}. Expected a list of objects.") from error


def find_former_id(envelope: Envelope) -> str | None:
    """Return the id that version 0.1 gave to the message of a delivery; None if it is the same now.

    Raises BadDelivery as `read_generic` does.
    """
    given = _parse(envelope).id
    return None if envelope.origin is None or given is None else delivery_id(KIND, _name_former(given))


SOURCE = Webhook(KIND, None, read_generic, find_former_id=find_former_id)


def _name_former(given: str) -> str:
    """Return what identified a delivery in version 0.1, which took the sender's id for the world's."""
    return f"id {given}"


def _parse(envelope: Envelope) -> GenericDelivery:
    # curl -d says that its JSON is a form.
    is_form = envelope.content_type == FORM and not envelope.content.lstrip().startswith((b"{", b"["))
    try:
        if is_form:
            return msgspec.convert(_fields(envelope), type=GenericDelivery)
        return msgspec.json.decode(envelope.content, type=GenericDelivery)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        form = "line=…&sender=…&text=…" if is_form else '{"line": "+49…", "sender": "…", "text": "…"}'
        raise BadDelivery(f"{error}. Expected {form}, perhaps with id, sent_at.") from error


def _fields(envelope: Envelope) -> dict[str, Any]:
    """Return what a form says; its times may be written in more ways, since apps cannot choose. Raises BadDelivery."""
    fields: dict[str, Any] = {name: value for name, value in envelope.form().items() if value or name not in OPTIONAL}
    if "sent_at" in fields:
        sent_at = parse_time(fields["sent_at"])
        if sent_at is None:
            raise BadDelivery(
                f"sent_at = {fields['sent_at'][:MAX_NAME]!r} is not accepted: give ISO 8601 with a zone, or seconds or"
                " milliseconds since 1970, or leave it out."
            )
        fields["sent_at"] = sent_at
    return fields


def _check(delivery: GenericDelivery) -> None:
    if not delivery.line.strip():
        raise BadDelivery("The line is blank: say which of your numbers received the text.")
    if delivery.sent_at is not None and not is_plausible(delivery.sent_at):
        raise BadDelivery(
            f"sent_at = {delivery.sent_at} is not accepted: give a time from {FIRST_SENT:%Y} to {LAST_SENT:%Y}."
        )
