"""What all sources share: what one is, what identifies a delivery, and the message made of it. No format here."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from smscatch import codes
from smscatch.messages import REDACTED, Code, Message, Part, delivery_id

# Turns what a sender calls a line, its number or a modem's name, into our number.
LineOf = Callable[[str], str]
Join = Callable[[Sequence[Part]], Message]
_LINE_ENDS = str.maketrans("", "", "\r\n\t")
# GSM is younger; and at the ends of the calendar a time has no equal in another zone.
FIRST_SENT, LAST_SENT = datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)


class Source(NamedTuple):
    """What reads the deliveries of one kind that programs of ours put into a spool.

    `read` takes the body of an entry, its name, which identifies the delivery, and a LineOf; it returns any number of
    messages and parts, their texts still unread, and raises BadDelivery, saying what is missing or wrong. `join` makes
    a message of the parts of a long one that are there; a source whose texts come whole has none.
    """

    kind: str
    read: Callable[[bytes, str, LineOf], Sequence[Message | Part]]
    join: Join | None = None


def name_delivery(origin: str, line: str, given: str) -> str:
    """Return what identifies a delivery (for idempotency) to which its sender gave the id `given`.

    That id is the sender's, not the world's: two gateways may both call their first text "1". `origin` tells senders
    apart: the configured source, or the id of the key that the delivery came with. `line` is our number.
    """
    return msgspec.json.encode([origin, line, given]).decode()


def find_ascii(data: bytes) -> str | None:
    """Return 8-bit data as the text that they are if all of it is printable ASCII."""
    is_text = data.isascii() and data.decode("ascii").translate(_LINE_ENDS).isprintable()
    return data.decode("ascii") if data and is_text else None


def name_media(media: Sequence[tuple[str, str]]) -> str:
    """Return what stands for the text of an MMS without one: the types of what is attached, then where it is."""
    kinds, urls = ", ".join(kind for kind, _ in media), " ".join(url for _, url in media)
    return f"MMS: {kinds} {urls}" if media else ""


def is_plausible(sent_at: datetime) -> bool:
    """Return whether a text may have been sent at a time that its sender names."""
    return FIRST_SENT <= sent_at <= LAST_SENT


def make_message(
    source: str, delivery: str, *, line: str, sender: str, text: str, received_at: datetime, **facts: Any
) -> Message:
    """Return the Message of a delivery, its text still unread. `facts` are further fields of Message."""
    return Message(
        id=delivery_id(source, delivery),
        line=line,
        sender=sender,
        text=text,
        received_at=received_at.replace(microsecond=received_at.microsecond // 1000 * 1000),
        source=source,
        **facts,
    )


def join_kept(
    kind: str, parts: Sequence[Part], read_text: Callable[[Sequence[Part]], tuple[str, tuple[str, ...]]]
) -> Message:
    """Return the message of parts that belong together, as Source has it; `read_text` finds its text and its marks.

    Of two parts with one number the earlier counts. The message was received when its last part was, and sent when the
    first of them was.
    """
    by_number = {part.number: part for part in sorted(parts, key=_by_arrival, reverse=True)}
    kept = sorted(by_number.values(), key=_by_arrival)
    first = kept[0]
    text, marks = read_text(kept)
    message = make_message(
        kind,
        first.id,
        line=first.line,
        sender=first.sender,
        text=text,
        received_at=kept[-1].received_at,
        sent_at=min((part.sent_at for part in kept if part.sent_at), default=None),
        parts=len(kept),
        complete=len(kept) == first.total,
        marks=marks,
    )
    return msgspec.structs.replace(message, id=first.id)


def _by_arrival(part: Part) -> tuple[datetime, str]:
    return part.received_at, part.id


def read_codes(message: Message) -> Message:
    """Return `message` with what is found in its text: codes, links, hosts. Once for each message: it takes time.

    What is left of a redacted one has no code, whatever looks like one.
    """
    reading = codes.find_codes(message.text)
    is_redacted = REDACTED in message.marks
    found = () if is_redacted else reading.codes
    return msgspec.structs.replace(
        message,
        code=None if is_redacted else reading.code,
        codes=tuple(Code(one.value, round(one.score, 3), one.rule) for one in found),
        links=tuple(codes.find_links(message.text)),
        bound_hosts=reading.bound_hosts,
    )
