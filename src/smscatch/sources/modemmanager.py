"""Texts as ModemManager told them to our engine (engines/modemmanager.py writes the entries), to messages.

Source of the fields: ModemManager's D-Bus reference, interface org.freedesktop.ModemManager1.Sms.
"""

import re
from datetime import UTC, datetime

import msgspec

from smscatch.errors import BadDelivery
from smscatch.messages import Message
from smscatch.sources.base import LineOf, Source, find_ascii, is_plausible, make_message

KIND = "modemmanager"
FLASH_CLASS = 0
STATUS_REPORT = 3  # MM_SMS_PDU_TYPE_STATUS_REPORT
# Whole hours come without minutes: 2026-11-28T20:00:00+08.
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z|([+-]\d\d)(?::?(\d\d))?)")


class ManagedText(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in the spool, as JSON: what ModemManager tells of a text, and the line that it came to.

    `data` is hexadecimal, `message_class` -1 if there is none, `time_ns` when it was read first, by our clock.
    """

    line: str
    time_ns: int
    number: str
    text: str
    timestamp: str = ""
    data: str = ""
    message_class: int = -1
    pdu_type: int = 1
    delivery_state: int = 256


def read_managed(body: bytes, name: str, line_of: LineOf) -> list[Message]:
    """Return the message of an entry. Raises BadDelivery: it was not written by the engine."""
    try:
        told = msgspec.json.decode(body, type=ManagedText)
        received_at = datetime.fromtimestamp(told.time_ns / 1e9, UTC)
        data = bytes.fromhex(told.data)
    except (ValueError, OverflowError, OSError) as error:  # a ValidationError is a ValueError
        raise BadDelivery(f"The entry was not written by the engine modemmanager: {error}.") from error
    is_report = told.pdu_type == STATUS_REPORT
    ascii_text = None if told.text else find_ascii(data)
    says = {
        "flash": told.message_class == FLASH_CLASS,
        "status_report": is_report,
        "data": ascii_text is not None,
        "undecodable": bool(data) and not told.text and ascii_text is None,
    }
    return [
        make_message(
            KIND,
            name,
            line=line_of(told.line),
            sender=told.number,
            text=fate_of(told.delivery_state) if is_report else told.text or ascii_text or "",
            received_at=received_at,
            sent_at=find_time(told.timestamp),
            marks=tuple(mark for mark, is_so in says.items() if is_so),
        )
    ]


def find_time(written: str) -> datetime | None:
    """Return the SMSC's time in UTC; None for what is no time, or has no zone."""
    found = _TIME.fullmatch(written)
    if found is None:
        return None
    moment, zone, hours, minutes = found.groups()
    try:
        time = datetime.fromisoformat(moment + ("+00:00" if zone == "Z" else f"{hours}:{minutes or '00'}"))
        time = time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return time if is_plausible(time) else None


def fate_of(state: int) -> str:
    """Return in a word what became of an SMS that was sent (MMSmsDeliveryState: TP-ST, 3GPP TS 23.040, 9.2.3.15)."""
    if state < 0x20:
        return "Delivered"
    return "Pending" if state < 0x40 else "Failed"


SOURCE = Source(KIND, read_managed)
