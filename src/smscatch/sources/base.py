"""What all sources do with a text once they have it: look for codes and links. No source's own format here."""

from datetime import datetime
from typing import Any

from smscatch.codes import find_codes, find_links
from smscatch.messages import Code, Message, delivery_id


def make_message(
    source: str, delivery: str, *, line: str, sender: str, text: str, received_at: datetime, **facts: Any
) -> Message:
    """Return the Message of a delivery, with what is found in its text. `facts` are further fields of Message."""
    reading = find_codes(text)
    return Message(
        id=delivery_id(source, delivery),
        line=line,
        sender=sender,
        text=text,
        received_at=received_at.replace(microsecond=received_at.microsecond // 1000 * 1000),
        source=source,
        code=reading.code,
        codes=tuple(Code(found.value, round(found.score, 3), found.rule) for found in reading.codes),
        links=tuple(find_links(text)),
        bound_hosts=reading.bound_hosts,
        **facts,
    )
