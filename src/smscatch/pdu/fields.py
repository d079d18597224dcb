"""The small fields of PDUs, in and out (3GPP TS 23.040): addresses and times.

The user data is in user_data.py; which field follows which is in pdu.py.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from smscatch.errors import BadPdu, BadRequest
from smscatch.pdu.alphabets import decode_septets, find_septets, pack_septets, unpack_septets

_DIGITS = "0123456789*#abc"  # the sixteenth, 0xF, ends a number (TS 23.040, 9.1.2.3)
_INTERNATIONAL, _ALPHANUMERIC = 0b001, 0b101  # types of number (TS 23.040, 9.1.2.5)
_MAX_NAME = 11
_NO_ZONE = 0xFF  # neither digit is one, so both are 0
_FIRST_YEAR = 1990  # two digits of a year: the first SMS was sent in 1992


class OctetReader:
    """The octets of a PDU, taken field by field from the front."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.offset = 0

    def take(self, count: int, field: str) -> bytes:
        """Return the next `count` octets, which are `field`. Raises BadPdu if there are fewer."""
        start, self.offset = self.offset, self.offset + count
        if self.offset > len(self.octets):
            expected = field if count == 1 else f"{field} of length {count}"
            raise bad_octet(start, expected, f"the PDU's length is {len(self.octets)}")
        return self.octets[start : self.offset]

    def take_octet(self, field: str) -> int:
        """Return the next octet, which is `field`. Raises BadPdu at the end."""
        return self.take(1, field)[0]


def bad_octet(offset: int, expected: str, found: str) -> BadPdu:
    """Return the error that names an octet, counted from 0 at the SMSC's address."""
    return BadPdu(f"Octet {offset}: expected {expected}, but {found}.", offset=offset)


def read_smsc(reader: OctetReader) -> str | None:
    """Take the SMSC's address, which a modem puts before the PDU (TS 27.005, 3.1, <pdu>); None if it is empty."""
    length = reader.take_octet("the length of the SMSC address")
    address = reader.take(length, "the SMSC address")
    return _number(address[0], address[1:]) or None if address else None


class Address(NamedTuple):
    """An address (TS 23.040, 9.1.2.5): an international number with '+', another number as it is, or a name.

    `type` is the type of number: 0 unknown, 1 international, 2 national, 3 of the network, 4 of the subscriber,
    5 alphanumeric, 6 abbreviated. `is_marked`: its octet has the upper bit, as it ought to.
    """

    text: str
    type: int
    is_marked: bool


def read_address(reader: OctetReader, field: str) -> Address:
    """Take an address with its length."""
    length = reader.take_octet(f"the length of {field}")
    kind = reader.take_octet(f"the type of {field}")
    value = reader.take((length + 1) // 2, field)
    type_ = kind >> 4 & 7
    text = _name(value, length) if type_ == _ALPHANUMERIC else _number(kind, value, length)
    return Address(text, type_, bool(kind & 0x80))


def _number(kind: int, value: bytes, length: int = 0xFF) -> str:
    semi_octets = [half for octet in value for half in (octet & 0xF, octet >> 4)][:length]
    end = semi_octets.index(0xF) if 0xF in semi_octets else len(semi_octets)
    digits = "".join(_DIGITS[half] for half in semi_octets[:end])
    return f"+{digits}" if digits and kind >> 4 & 7 == _INTERNATIONAL else digits


def _name(value: bytes, length: int) -> str:
    septets = unpack_septets(value, length * 4 // 7)
    # 14 semi-octets hold 8 septets, or 7 and padding (0, or the CR of TS 23.038, 6.1.2.3.1) from a sender who counts
    # whole octets. A name that ends in "@" is far rarer than such a sender.
    if len(septets) == 8 and septets[7] in b"\0\r":
        septets = septets[:7]
    return decode_septets(septets)


def write_address(address: str) -> bytes:
    """Return an address with its length in semi-octets: an international number, one of unknown type, or a name.

    A number is of digits, `*` and `#`. Raises BadRequest if it does not fit: 20 digits or 11 septets.
    """
    if re.fullmatch(r"\+?[0-9*#]{0,20}", address) and address != "+":
        digits = address.lstrip("+")
        return bytes((len(digits), 0x91 if address.startswith("+") else 0x81)) + _semi_octets(digits)
    septets = find_septets(address)
    if septets is None or len(septets) > _MAX_NAME:
        raise BadRequest(f"{address!r} is no sender: give up to 20 digits or {_MAX_NAME} characters of GSM 7-bit.")
    return bytes(((len(septets) * 7 + 3) // 4, 0xD0)) + pack_septets(septets)


def write_smsc(number: str | None) -> bytes:
    """Return the SMSC's address with its length in octets. Raises BadRequest if it is no number."""
    if not number:
        return b"\0"
    if not re.fullmatch(r"\+?[0-9]{1,20}", number):
        raise BadRequest(f"{number!r} is no SMSC: give up to 20 digits, with or without '+'.")
    value = bytes((0x91 if number.startswith("+") else 0x81,)) + _semi_octets(number.lstrip("+"))
    return bytes((len(value),)) + value


def _semi_octets(digits: str) -> bytes:
    halves = [_DIGITS.index(digit) for digit in digits] + [0xF] * (len(digits) % 2)
    return bytes(low | high << 4 for low, high in zip(halves[::2], halves[1::2], strict=True))


def read_time(octets: bytes) -> datetime | None:
    """Return the UTC time of seven octets (TS 23.040, 9.2.3.11), or None if they are no time.

    Each octet is two digits, the units in its upper half. The zone counts quarters of an hour, its tens carry the sign.
    What is no decimal digit counts as 0, as the section demands.
    """
    is_behind = octets[6] & 0x08
    zone = octets[6] & ~0x08 if octets[6] != _NO_ZONE else 0
    pairs = [(octet & 0xF, octet >> 4) for octet in (*octets[:6], zone)]
    digits = [(tens if tens <= 9 else 0, units if units <= 9 else 0) for tens, units in pairs]
    year, month, day, hour, minute, second, quarters = (tens * 10 + units for tens, units in digits)
    try:
        century = 1900 if 1900 + year >= _FIRST_YEAR else 2000
        local = datetime(century + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    offset = timedelta(minutes=15 * quarters)
    return local + offset if is_behind else local - offset


def write_time(time: datetime) -> bytes:
    """Return seven octets (TS 23.040, 9.2.3.11) in the zone of `time`, or in UTC if that is no whole quarter hour.

    Raises BadRequest without a zone and outside the years 1990 to 2089.
    """
    offset = time.utcoffset()
    if offset is None:
        raise BadRequest(f"{time.isoformat()} has no time zone: an SMS carries one.")
    quarters, rest = divmod(abs(offset), timedelta(minutes=15))
    if rest or quarters > 79:
        time, quarters = time.astimezone(UTC), 0
    if not _FIRST_YEAR <= time.year < _FIRST_YEAR + 100:
        raise BadRequest(f"{time.isoformat()} cannot be sent: an SMS carries two digits of a year, 1990 to 2089.")
    fields = (time.year % 100, time.month, time.day, time.hour, time.minute, time.second, quarters)
    octets = bytearray(value // 10 | value % 10 << 4 for value in fields)
    if offset < timedelta(0) and quarters:
        octets[6] |= 0x08
    return bytes(octets)
