"""The forms in which messages reach us, by the KIND that stands in a spool entry or a URL."""

from collections.abc import Callable, Mapping

from smscatch.errors import BadDelivery
from smscatch.messages import Message
from smscatch.sources.gammu import read_gammu

LineOf = Callable[[str], str]
Source = Callable[[bytes, str, LineOf], list[Message]]

SOURCES: Mapping[str, Source] = {"gammu": read_gammu}


def read_delivery(kind: str, body: bytes, name: str, line_of: LineOf) -> list[Message]:
    """Return the messages in a delivery: `name` identifies it, `line_of` turns a modem's name into our number.

    Raises BadDelivery, saying what is missing or wrong.
    """
    source = SOURCES.get(kind)
    if source is None:
        raise BadDelivery(f"No source reads deliveries of kind {kind!r}; there are: {', '.join(SOURCES)}.")
    return source(body, name, line_of)
