"""SMS PDUs as our own link took them from a modem (modem/taking.py writes the entries), to messages and parts.

How a PDU is read is in the room pdu; here is what its fields mean for a message. 3GPP TS 23.040 is the source.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from smscatch.errors import BadDelivery, BadPdu
from smscatch.messages import SMSD, Message, Part, delivery_id
from smscatch.pdu import Concat, Deliver, StatusReport, join_text, parse_pdu
from smscatch.sources.base import LineOf, Source, find_ascii, join_kept, make_message

KIND = "pdu"
FLASH_CLASS = 0
UNDECODABLE = "undecodable"


class _Entry(NamedTuple):
    """What the link noted of a text."""

    name: str
    line: str
    received_at: datetime
    reader: str | None
    pdu: str

    def message(self, sender: str, text: str, *marks: str, **facts: Any) -> Message:
        # What the link reads again after a crash has the same name, so its runs tell no twins, as those of others do.
        return make_message(
            KIND,
            self.name,
            line=self.line,
            sender=sender,
            text=text,
            received_at=self.received_at,
            marks=marks,
            reader=SMSD if self.reader == SMSD else None,
            **facts,
        )


def read_pdu(body: bytes, name: str, line_of: LineOf) -> list[Message | Part]:
    """Return the message in a PDU, or the part of a long one that it is.

    What cannot be decoded is a message too, without text and marked so. Raises BadDelivery, naming the record that is
    missing or wrong: the entry was not written by the link.
    """
    entry = _read_entry(body, name, line_of)
    try:
        sms = parse_pdu(entry.pdu)
    except BadPdu:
        return [entry.message("", "", UNDECODABLE)]
    if isinstance(sms, StatusReport):
        return [entry.message(sms.recipient, fate_of(sms), "status_report", sent_at=sms.sent_at)]
    if sms.concat is not None and sms.concat.total > 1:
        return [_part(entry, sms, sms.concat)]
    text, marks = text_of([sms])
    if sms.has_bad_concat:  # part 0 of something: what is there is shown, but nothing could ever complete it
        marks = tuple(dict.fromkeys((*marks, UNDECODABLE)))
    return [entry.message(sms.sender, text, *marks, sent_at=sms.sent_at)]


def _part(entry: _Entry, sms: Deliver, concat: Concat) -> Part:
    return Part(
        id=delivery_id(KIND, entry.name),
        source=KIND,
        line=entry.line,
        sender=sms.sender,
        reference=concat.reference,
        wide=concat.wide,
        total=concat.total,
        number=concat.number,
        content=entry.pdu,
        received_at=entry.received_at,
        sent_at=sms.sent_at,
        reader=entry.reader,
        sender_type=sms.sender_type,
    )


def join_pdus(parts: Sequence[Part]) -> Message:
    """Return the message of parts that belong together, as Source has it, its text still unread."""
    return join_kept(KIND, parts, _read_parts)


def _read_parts(parts: Sequence[Part]) -> tuple[str, tuple[str, ...]]:
    return text_of([sms for part in parts if isinstance(sms := parse_pdu(part.content), Deliver)])


SOURCE = Source(KIND, read_pdu, join_pdus)


def text_of(parts: Sequence[Deliver]) -> tuple[str, tuple[str, ...]]:
    """Return the text and the marks of one message, also where it is for an application and not for a reader."""
    text = join_text(parts)
    data = None if text is not None else _find_ascii(parts)
    says = {
        "flash": any(part.message_class == FLASH_CLASS for part in parts),
        "application": any(part.ports for part in parts),  # 9.2.3.24.3
        "message_waiting": any(part.is_waiting for part in parts),
        "silent": any(part.is_silent for part in parts),
        "data": data is not None,
        UNDECODABLE: text is None and data is None,
    }
    return text or data or "", tuple(mark for mark, is_so in says.items() if is_so)


def _find_ascii(parts: Sequence[Deliver]) -> str | None:
    """Return 8-bit data as the text that they are if all of it is printable ASCII."""
    if any(part.is_compressed for part in parts):
        return None
    ordered = sorted(parts, key=lambda part: part.concat.number if part.concat else 0)
    return find_ascii(b"".join(part.data for part in ordered))


def fate_of(report: StatusReport) -> str:
    """Return in a word what became of an SMS that we sent (TP-ST, 9.2.3.15)."""
    if report.status < 0x20:
        return "Delivered"
    return "Pending" if report.status < 0x40 else "Failed"


def _read_entry(body: bytes, name: str, line_of: LineOf) -> _Entry:
    if not body.endswith(b"\0"):
        raise BadDelivery("The last record does not end with NUL: the entry is not whole.")
    records = dict(record.partition("=")[::2] for record in body.decode("utf-8", "replace").split("\0"))
    return _Entry(
        name=name,
        line=line_of(_find(records, "line")),
        received_at=_read_time(_find(records, "time_ns")),
        reader=records.get("reader"),
        pdu=_find(records, "pdu"),
    )


def _find(records: Mapping[str, str], name: str) -> str:
    if name not in records:
        raise BadDelivery(f"The record {name}, set by the link, is missing.")
    return records[name]


def _read_time(time_ns: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(time_ns) / 1e9, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadDelivery("The record time_ns, set by the link, is no time.") from error
