"""The forms in which messages reach us, by the KIND that stands in a spool entry or a URL."""

from collections.abc import Callable, Mapping, Sequence

from smscatch.errors import BadDelivery
from smscatch.messages import Message, Part
from smscatch.sources.gammu import read_gammu
from smscatch.sources.generic import read_generic
from smscatch.sources.pdu import read_pdu

LineOf = Callable[[str], str]
Source = Callable[[bytes, str, LineOf], Sequence[Message | Part]]

SOURCES: Mapping[str, Source] = {"gammu": read_gammu, "pdu": read_pdu, "generic": read_generic}


def read_delivery(kind: str, body: bytes, name: str, line_of: LineOf) -> list[Message | Part]:
    """Return the messages in a delivery, or the parts of long ones.

    `name` identifies it, `line_of` turns a modem's name into our number.
    Raises BadDelivery, saying what is missing or wrong.
    """
    source = SOURCES.get(kind)
    if source is None:
        raise BadDelivery(f"No source reads deliveries of kind {kind!r}; there are: {', '.join(SOURCES)}.")
    return list(source(body, name, line_of))
