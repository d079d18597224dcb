"""What an SMPP message carries, in the terms of an SMS: its alphabet, its place in a long text, if it is a receipt.

The alphabets are those of the room pdu. Sources: SMPP v3.4, 5.2.12 (esm_class), 5.2.19 (data_coding), 5.3.2 (optional
parameters), appendix B (receipts); 3GPP TS 23.038 and 23.040.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from smscatch.errors import BadPdu
from smscatch.pdu import Concat, Deliver, make_deliver
from smscatch.pdu.alphabets import Alphabet, Coding, read_coding
from smscatch.pdu.user_data import Header, read_header
from smscatch.smpp.pdu import ShortMessage, SmppAddress, Tag

DEFAULTS = ("gsm7", "latin1", "ascii")
EITHER = "either"  # what applications mean by the codings 0 and 1: some the GSM alphabet, others ASCII
# In the GSM alphabet these two are an inverted exclamation mark and a section mark, which stand in no word.
_ASCII_ALONE = re.compile(rb"[0-9A-Za-z][@_][0-9A-Za-z]")
_INTERNATIONAL = 1
_HAS_HEADER = 0x40
_TYPES = 0x3C  # the bits of esm_class that say what kind of message it is
_RECEIPTS = (0x04, 0x20)  # an SMSC's receipt, and its notification in between
# 5.2.19; what is not here below 0x10 is reserved there, and coded as TS 23.038 has it.
_CHARSETS = {3: "latin1", 5: "shift_jis", 6: "iso8859_5", 7: "iso8859_8", 9: "shift_jis", 10: "iso2022_jp"}
_CHARSETS |= {13: "euc_jp", 14: "cp949"}
_EIGHT_BIT = (2, 4)
_STATES = {1: "Pending", 2: "Delivered", 6: "Pending", 7: "Unknown"}  # message_state (5.2.28); others failed
_STATE_NAMES = {"ENROUTE": 1, "DELIVRD": 2, "ACCEPTD": 6, "UNKNOWN": 7}
_STAT = re.compile(r"\bstat:\s?([A-Z]{5,8})", re.IGNORECASE)


class _Content(NamedTuple):
    """What one message carries. `charset` is set if its text is in none of the alphabets of an SMS."""

    header: Header
    data: bytes
    coding: Coding
    charset: str | None


def number_of(address: SmppAddress) -> str:
    """Return a number with '+' if its type says that it is international, or what else stands there."""
    digits = address.text.removeprefix("+")
    is_international = address.ton == _INTERNATIONAL and digits.isascii() and digits.isdecimal()
    return f"+{digits}" if is_international else address.text


def is_receipt(message: ShortMessage) -> bool:
    """Return whether it says what became of an SMS that somebody sent, and is no text."""
    return message.esm_class & _TYPES in _RECEIPTS or message.find(Tag.RECEIPTED_MESSAGE_ID) is not None


def fate_in(message: ShortMessage) -> str:
    """Return in a word what a receipt says: Delivered, Pending, Failed or Unknown."""
    state = message.find_number(Tag.MESSAGE_STATE)
    if state is None:
        found = _STAT.search(message.user_data.decode("latin-1"))
        state = _STATE_NAMES.get(found[1].upper(), 0) if found else 7
    return _STATES.get(state, "Failed")


def read_messages(messages: Sequence[ShortMessage], default: str = "gsm7") -> list[Deliver]:
    """Return messages, the parts of one text, as the SMS that they are: joined in one if their charset is none of SMS.

    `default`, of DEFAULTS, is what the sender means by the codings 0 and 1, or EITHER. Raises BadPdu if a header is
    longer than what it is the header of.
    """
    contents = [(message, _read_content(message, default)) for message in messages]
    contents.sort(key=lambda pair: _number(pair[1].header))
    charsets = {content.charset for _, content in contents}
    if len(charsets) == 1 and None not in charsets:  # so that a character of several octets may be cut
        message, content = contents[0]
        whole = content._replace(data=b"".join(content.data for _, content in contents))
        return [_as_sms(message, whole)]
    return [_as_sms(message, content) for message, content in contents]


def _number(header: Header) -> int:
    return header.concat.number if header.concat else 0


def _read_content(message: ShortMessage, default: str) -> _Content:
    header, data = _read_header(message)
    if default == EITHER:
        default = "ascii" if _ASCII_ALONE.search(data) else "gsm7"
    coding, charset = _read_coding(message.data_coding, default)
    # An octet above 0x7F is no septet, whatever the SMSC calls it.
    if charset is None and coding.alphabet is Alphabet.GSM7 and not data.isascii() and not coding.is_compressed:
        charset = "latin1"
    return _Content(header, data, coding, charset)


def _read_header(message: ShortMessage) -> tuple[Header, bytes]:
    data, header = message.user_data, Header()
    if message.esm_class & _HAS_HEADER and data:
        end = 1 + data[0]
        if end > len(data):
            raise BadPdu(f"The user data header has {end} octets, and the text {len(data)} with it.", offset=0)
        header, data = read_header(data[1:end]), data[end:]
    total, number = message.find_number(Tag.SAR_TOTAL), message.find_number(Tag.SAR_NUMBER)
    reference = message.find_number(Tag.SAR_REFERENCE)
    if header.concat is None and None not in (total, number, reference):
        concat = Concat(reference or 0, total or 0, number or 0, wide=True)
        is_good = 1 <= concat.number <= concat.total <= 0xFF
        header = header._replace(concat=concat) if is_good else header._replace(has_bad_concat=True)
    ports = message.find_number(Tag.DESTINATION_PORT), message.find_number(Tag.SOURCE_PORT)
    if header.ports is None and ports[0] is not None:
        header = header._replace(ports=(ports[0], ports[1] or 0))
    return header, data


def _read_coding(data_coding: int, default: str) -> tuple[Coding, str | None]:
    if data_coding in (0, 1):
        return Coding(Alphabet.GSM7), None if default == "gsm7" else default
    if data_coding in _EIGHT_BIT:
        return Coding(Alphabet.EIGHT_BIT), None
    if data_coding in _CHARSETS:
        return Coding(Alphabet.UCS2), _CHARSETS[data_coding]
    return read_coding(data_coding), None


def _as_sms(message: ShortMessage, content: _Content) -> Deliver:
    coding, data = content.coding, content.data
    if content.charset is not None:
        coding = coding._replace(alphabet=Alphabet.UCS2)
        data = _decode(data, content.charset).encode("utf-16-be")
    return make_deliver(
        content.header,
        data,
        coding,
        smsc=None,
        sender=number_of(message.source),
        sender_type=message.source.ton,
        sent_at=None,
        pid=message.protocol_id,
        dcs=message.data_coding,
    )


def _decode(data: bytes, charset: str) -> str:
    # 7-bit JIS is told by its escapes (ISO-2022-JP); SMSCs call it and Shift JIS by the same numbers.
    if charset in ("shift_jis", "iso2022_jp"):
        charset = "iso2022_jp" if b"\x1b" in data else "shift_jis"
    return data.decode(charset, "replace")
