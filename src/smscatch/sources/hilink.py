"""Texts as a HiLink stick told them to our engine (engines/hilink.py writes the entries), to messages.

Source of the fields: https://github.com/Salamek/huawei-lte-api, its modules on SMS and their enums.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from smscatch.errors import BadDelivery
from smscatch.messages import Message
from smscatch.sources.base import LineOf, Source, is_plausible, make_message

KIND = "hilink"
REPORTS = {"7": "Delivered", "8": "Failed"}  # SmsType of delivery reports


class StickText(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in the spool, as JSON: what the stick tells of a text, and the line that it came to.

    `date` is the stick's local time, `zone` the IANA name of its zone, or empty; `time_ns` is when the text was taken,
    by our clock.
    """

    line: str
    time_ns: int
    number: str
    text: str
    date: str = ""
    zone: str = ""
    sms_type: str = ""


def read_stick(body: bytes, name: str, line_of: LineOf) -> list[Message]:
    """Return the message of an entry. Raises BadDelivery: it was not written by the engine."""
    try:
        told = msgspec.json.decode(body, type=StickText)
        received_at = datetime.fromtimestamp(told.time_ns / 1e9, UTC)
    except (ValueError, OverflowError, OSError) as error:  # a ValidationError is a ValueError
        raise BadDelivery(f"The entry was not written by the engine hilink: {error}.") from error
    fate = REPORTS.get(told.sms_type)
    return [
        make_message(
            KIND,
            name,
            line=line_of(told.line),
            sender=told.number,
            text=told.text or fate or "",
            received_at=received_at,
            sent_at=find_local_time(told.date, told.zone),
            marks=("status_report",) if fate else (),
        )
    ]


def find_local_time(written: str, zone: str) -> datetime | None:
    """Return a local time in UTC; None if it is no time, its zone is not known, or it is there twice or never.

    The clock goes back once a year: a wrong hour would make a code look stale or fresh.
    """
    if not zone:
        return None
    try:
        local = datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo(zone))
        early, late = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    except (ValueError, OverflowError, LookupError, OSError):
        return None
    return early if early == late and is_plausible(early) else None


SOURCE = Source(KIND, read_stick)
