"""SMS PDUs as a modem gives and takes them (3GPP TS 23.040), to and from values.

What they are made of is in fields.py and user_data.py; nothing here knows a modem or a message of ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Unpack

from smscatch.errors import BadRequest
from smscatch.pdu.alphabets import Alphabet, Coding, Shift, count_open, decode, read_coding
from smscatch.pdu.fields import (
    Address,
    OctetReader,
    bad_octet,
    read_address,
    read_smsc,
    read_time,
    write_address,
    write_smsc,
    write_time,
)
from smscatch.pdu.user_data import Concat, Header, Options, read_user_data, write_parts

__all__ = ["Concat", "Deliver", "Options", "StatusReport"]
__all__ += [
    "encode_deliver",
    "encode_status_report",
    "encode_submit",
    "join_text",
    "make_deliver",
    "parse_pdu",
    "tpdu_length",
]

_SUBMIT, _STATUS_REPORT = 0b01, 0b10  # TP-MTI (TS 23.040, 9.2.3.1)
_HAS_HEADER = 0x40  # TP-UDHI (9.2.3.23)
_TYPE_0 = 0x40  # TP-PID (9.2.3.9)
_WAITING_FIRST, _WAITING_LAST = 0xC0, 0xEF  # TP-DCS: message waiting indication groups (TS 23.038, 4)
_MUCH_PADDING = 8
_NO_MORE_MESSAGES = 0x04  # TP-MMS (9.2.3.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """One received SMS, or one part of a long one (SMS-DELIVER, TS 23.040, 9.2.2.1).

    `sender` is an international number with '+', another number as it is, a name, or empty; `sender_type` is its type
    of number (fields.Address). `sent_at` is the SMSC's clock, UTC; None if it makes no sense. `text` is None where
    there is none: 8-bit and compressed data. Of a part it may begin or end with half a character: join_text() mends
    that. `data` is the user data without its header: octets, or septets one to an octet. `has_bad_concat`: it claims to
    be a part that cannot be, such as part 0, and `concat` is None. `ports` are destination and source. `is_waiting`: it
    tells of a message that waits elsewhere (TS 23.038, 4; 9.2.3.24.2). `is_silent`: type 0, which a phone acknowledges
    and does not show (9.2.3.9). `is_compressed`: so `data` are no characters yet.
    """

    smsc: str | None
    sender: str
    sender_type: int
    sent_at: datetime | None
    text: str | None
    data: bytes
    alphabet: Alphabet
    message_class: int | None
    concat: Concat | None
    has_bad_concat: bool
    ports: tuple[int, int] | None
    shift: Shift
    pid: int
    dcs: int
    is_waiting: bool
    is_silent: bool
    is_compressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """What became of an SMS that we sent (SMS-STATUS-REPORT, TS 23.040, 9.2.2.3).

    `reference` is the number that the modem gave the SMS. `status` is TP-ST (9.2.3.15): below 0x20 it arrived, below
    0x40 the SMSC still tries, otherwise it failed.
    """

    smsc: str | None
    reference: int
    recipient: str
    sent_at: datetime | None
    discharged_at: datetime | None
    status: int


def parse_pdu(pdu: str | bytes) -> Deliver | StatusReport:
    """Return the SMS of a PDU with the SMSC's address before it: hex digits, as AT+CMGL prints them, or octets.

    TP-UDL says where it ends: what follows is passed over, also after a status report. Raises BadPdu, naming the octet,
    for whatever is no received SMS; so for one whose first octets are lost, and zeros at its end in their place.
    """
    reader = OctetReader(_octets_of(pdu))
    smsc = read_smsc(reader)
    first = reader.take_octet("the first octet of the PDU")
    kind = first & 3
    if kind == _SUBMIT:
        raise bad_octet(reader.offset - 1, "a received SMS", f"0x{first:02X} begins an outgoing one (SMS-SUBMIT)")
    if kind == _STATUS_REPORT:
        return _read_status_report(reader, smsc)
    # 0b11 is reserved, and to be processed like an SMS-DELIVER (9.2.3.1).
    return _read_deliver(reader, smsc, has_header=bool(first & _HAS_HEADER))


def _octets_of(pdu: str | bytes) -> bytes:
    if isinstance(pdu, bytes):
        return pdu
    digits = "".join(pdu.split())
    for position, digit in enumerate(digits):
        if digit not in "0123456789abcdefABCDEF":
            raise bad_octet(position // 2, "two hex digits", f"there is {digit!r}")
    if len(digits) % 2:
        raise bad_octet(len(digits) // 2, "two hex digits", "there is only one")
    return bytes.fromhex(digits)


def _read_deliver(reader: OctetReader, smsc: str | None, *, has_header: bool) -> Deliver:
    sender = read_address(reader, "TP-OA")
    pid = reader.take_octet("TP-PID")
    dcs = reader.take_octet("TP-DCS")
    sent_at = read_time(reader.take(7, "TP-SCTS"))
    coding = read_coding(dcs)
    header, data = read_user_data(reader, coding, has_header=has_header)
    if sent_at is None and _is_shifted(reader, sender):
        raise bad_octet(0, "the beginning of a PDU", "it is lost: TP-SCTS is no time, and zeros stand at the end")
    return make_deliver(
        header, data, coding, smsc=smsc, sender=sender.text, sender_type=sender.type, sent_at=sent_at, pid=pid, dcs=dcs
    )


def make_deliver(header: Header, data: bytes, coding: Coding, *, pid: int, dcs: int, **facts: Any) -> Deliver:
    """Return an SMS of what was read of it; `facts` are the other fields of Deliver: of its SMSC, sender and time."""
    is_text = coding.alphabet is not Alphabet.EIGHT_BIT and not coding.is_compressed
    return Deliver(
        text=decode(data, coding.alphabet, header.shift) if is_text else None,
        data=data,
        alphabet=coding.alphabet,
        message_class=coding.message_class,
        concat=header.concat,
        has_bad_concat=header.has_bad_concat,
        ports=header.ports,
        shift=header.shift,
        pid=pid,
        dcs=dcs,
        is_waiting=header.is_waiting or _WAITING_FIRST <= dcs <= _WAITING_LAST,
        is_silent=pid == _TYPE_0,
        is_compressed=coding.is_compressed,
        **facts,
    )


def _is_shifted(reader: OctetReader, sender: Address) -> bool:
    """Return whether a PDU that has no time lost its first octets, and is filled up with zeros for them."""
    rest = reader.octets[reader.offset :]
    is_padded = len(rest) >= _MUCH_PADDING and not any(rest)
    return is_padded or (reader.octets.endswith(b"\0") and not sender.is_marked)


def _read_status_report(reader: OctetReader, smsc: str | None) -> StatusReport:
    return StatusReport(
        smsc=smsc,
        reference=reader.take_octet("TP-MR"),
        recipient=read_address(reader, "TP-RA").text,
        sent_at=read_time(reader.take(7, "TP-SCTS")),
        discharged_at=read_time(reader.take(7, "TP-DT")),
        status=reader.take_octet("TP-ST"),
    )


def join_text(parts: Iterable[Deliver]) -> str | None:
    """Return the text of the parts of one long message, in the order of their numbers; None if one has none.

    A character that one part begins and the next one ends (an escape, a surrogate pair, even half a UTF-16 unit) comes
    out whole, since units are joined before they are decoded. Parts that are missing are left out.
    """
    ordered = sorted(parts, key=_number_of)
    if any(part.text is None for part in ordered):
        return None
    if len(ordered) == 1:
        return ordered[0].text  # which is decoded already
    texts, begun = [], b""
    for part, following in zip(ordered, [*ordered[1:], None], strict=True):
        data = begun + part.data
        cut = len(data) - (count_open(data, part.alphabet) if _continues(part, following) else 0)
        begun = data[cut:]
        texts.append(decode(data[:cut], part.alphabet, part.shift))
    return "".join(texts)


def _number_of(part: Deliver) -> int:
    return part.concat.number if part.concat else 0


def _continues(part: Deliver, following: Deliver | None) -> bool:
    if following is None or part.alphabet is not following.alphabet:
        return False
    return _number_of(following) == _number_of(part) + 1


def encode_deliver(sender: str, text: str, sent_at: datetime, **options: Unpack[Options]) -> list[str]:
    """Return the SMS-DELIVER PDUs of a message, one for each part, as upper-case hex with the SMSC's address.

    Raises BadRequest if something does not fit: the sender, a character, the time, more than 255 parts.
    """
    before_coding = bytes((_NO_MORE_MESSAGES,)) + write_address(sender)
    return _encode(before_coding, write_time(sent_at), text, options)


def encode_submit(recipient: str, text: str, **options: Unpack[Options]) -> list[str]:
    """Return the SMS-SUBMIT PDUs of a message for AT+CMGS, in the form of encode_deliver(), which see.

    Without an SMSC the SIM's is used; the modem fills in TP-MR, and the network's validity period holds.
    """
    before_coding = bytes((_SUBMIT, 0)) + write_address(recipient)
    return _encode(before_coding, b"", text, options)


def _encode(before_coding: bytes, after_coding: bytes, text: str, options: Options) -> list[str]:
    smsc = write_smsc(options.get("smsc"))
    pdus = []
    for part in write_parts(text, options):
        first = before_coding[0] | (_HAS_HEADER if part.has_header else 0)
        coding = bytes((0, part.dcs))  # TP-PID and TP-DCS
        tpdu = bytes((first,)) + before_coding[1:] + coding + after_coding + part.octets
        pdus.append((smsc + tpdu).hex().upper())
    return pdus


def encode_status_report(
    recipient: str,
    reference: int,
    *,
    sent_at: datetime,
    discharged_at: datetime,
    status: int = 0,
    smsc: str | None = None,
) -> str:
    """Return an SMS-STATUS-REPORT PDU in the form of encode_deliver(). Raises BadRequest as it does."""
    if not 0 <= status <= 0xFF:
        raise BadRequest(f"{status!r} is no status: give 0 to 255.")
    first = _STATUS_REPORT | _NO_MORE_MESSAGES
    times = write_time(sent_at) + write_time(discharged_at)
    tpdu = bytes((first, reference % 256)) + write_address(recipient) + times + bytes((status,))
    return (write_smsc(smsc) + tpdu).hex().upper()


def tpdu_length(pdu: str | bytes) -> int:
    """Return the octets of a PDU without the SMSC's address: the <length> of AT+CMGL and AT+CMGS (TS 27.005, 3.1)."""
    octets = _octets_of(pdu)
    reader = OctetReader(octets)
    read_smsc(reader)
    return len(octets) - reader.offset
