"""The forms in which messages reach us, by the KIND that stands in a spool entry or a URL."""

from collections.abc import Callable, Mapping, Sequence

from smscatch.errors import BadDelivery
from smscatch.messages import Message, Part
from smscatch.sources.base import read_codes
from smscatch.sources.gammu import read_gammu
from smscatch.sources.generic import SOURCE as GENERIC
from smscatch.sources.generic import find_former_generic_id, read_generic
from smscatch.sources.pdu import read_pdu

LineOf = Callable[[str], str]
Source = Callable[[bytes, str, LineOf], Sequence[Message | Part]]

__all__ = ["SOURCES", "LineOf", "Source", "find_former_id", "parse_delivery", "read_delivery"]

SOURCES: Mapping[str, Source] = {"gammu": read_gammu, "pdu": read_pdu, "generic": read_generic}


def parse_delivery(kind: str, body: bytes, name: str, line_of: LineOf) -> list[Message | Part]:
    """Return the messages in a delivery, or the parts of long ones, their texts still unread.

    `name` identifies it, `line_of` turns a modem's name into our number.
    Raises BadDelivery, saying what is missing or wrong.
    """
    source = SOURCES.get(kind)
    if source is None:
        raise BadDelivery(f"No source reads deliveries of kind {kind!r}; there are: {', '.join(SOURCES)}.")
    return list(source(body, name, line_of))


def read_delivery(kind: str, body: bytes, name: str, line_of: LineOf) -> list[Message | Part]:
    """Return what `parse_delivery` does, with the codes in the texts, which takes time if they are long."""
    found = parse_delivery(kind, body, name, line_of)
    return [read_codes(one) if isinstance(one, Message) else one for one in found]


def find_former_id(kind: str, body: bytes) -> str | None:
    """Return which id a version before gave to the message in a delivery, if it was another than now."""
    return find_former_generic_id(body) if kind == GENERIC else None
