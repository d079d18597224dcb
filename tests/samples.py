"""Messages for tests: the defaults live here, so that a test shows only what matters to it."""

import itertools
from datetime import UTC, datetime
from typing import Any

from smscatch.messages import Message
from smscatch.pdu import encode_deliver
from smscatch.pdu.fields import write_address
from smscatch.sources import read_delivery
from smscatch.sources.base import make_message, read_codes
from smscatch.stores import Delivery

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
LINE = "+447700900001"
OTHER_LINE = "+447700900002"
_numbers = itertools.count(1)


def a_message(**facts: Any) -> Message:
    """Return a message that differs from the usual one in `facts` only; each has a delivery of its own."""
    defaults: dict[str, Any] = {
        "line": LINE,
        "sender": "Authy",
        "text": "Your Authy code is 482913",
        "received_at": NOON,
    }
    delivery = facts.pop("delivery", f"delivery {next(_numbers)}")
    return read_codes(make_message(facts.pop("source", "gammu"), delivery, **(defaults | facts)))


def a_delivery(**facts: Any) -> Delivery:
    """Return the same with raw bytes, as a store takes it."""
    return Delivery(a_message(**facts), b"raw")


def the_parts(text: str, *, sent_at: datetime = NOON, sender: str = "Authy", reference: int = 7) -> list[Delivery]:
    """Return the parts of a long text, in order, as deliveries of our own link; read twice they are not repeats."""
    pdus = encode_deliver(sender, text, sent_at, reference=reference)
    return [a_part(pdu) for pdu in pdus]


def of_type(pdu: str, number: str, kind: int) -> str:
    """Return the PDU of a text from `number`, which that one names by another type of number (TS 23.040, 9.1.2.5)."""
    address = write_address(number).hex().upper()
    assert address in pdu
    return pdu.replace(address, f"{address[:2]}{0x80 | kind << 4 | 1:02X}{address[4:]}", 1)


def a_part(pdu: str, received_at: datetime = NOON) -> Delivery:
    """Return a PDU as a delivery of our own link."""
    time_ns = int(received_at.timestamp()) * 10**9
    body = f"time_ns={time_ns}\0line={LINE}\0pdu={pdu}\0".encode()
    (read,) = read_delivery("pdu", body, f"entry {next(_numbers)}", lambda line: line)
    return Delivery(read, body)
