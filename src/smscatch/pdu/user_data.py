"""The user data of an SMS, in and out: header, fill bits, units, one part or many (3GPP TS 23.040, 9.2.3.24).

What surrounds it is in pdu.py, the alphabets are in alphabets.py.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypedDict

from smscatch.errors import BadRequest
from smscatch.pdu.alphabets import (
    Alphabet,
    Coding,
    Shift,
    count_open,
    find_septets,
    pack_septets,
    unpack_septets,
    write_coding,
)
from smscatch.pdu.fields import OctetReader, bad_octet
from smscatch.pdu.tables import LANGUAGES, LOCKING

_MAX_OCTETS = 140  # of user data (TS 23.040, 9.2.2.1)
_MAX_PARTS = 255


class Concat(NamedTuple):
    """Which part of a long message this is; `number` counts from 1. `wide` is a 16-bit reference."""

    reference: int
    total: int
    number: int
    wide: bool = False


class Header(NamedTuple):
    """What we use of a user data header; `ports` are destination and source.

    `has_bad_concat`: a concatenation names a part or a total that cannot be, and is ignored as 9.2.3.24.1 demands.
    `is_waiting`: it tells of a message that waits elsewhere, as voice mail does.
    """

    concat: Concat | None = None
    has_bad_concat: bool = False
    ports: tuple[int, int] | None = None
    shift: Shift = Shift()
    is_waiting: bool = False


def read_user_data(reader: OctetReader, coding: Coding, *, has_header: bool) -> tuple[Header, bytes]:
    """Take TP-UDL and TP-UD (TS 23.040, 9.2.3.16 and 9.2.3.24); return the header and what follows it."""
    length = reader.take_octet("TP-UDL")
    in_septets = coding.alphabet is Alphabet.GSM7 and not coding.is_compressed
    start = reader.offset
    user_data = reader.take((length * 7 + 7) // 8 if in_septets else length, "TP-UD")
    header, header_octets = Header(), 0
    if has_header:
        header_octets = 1 + (user_data[0] if user_data else 0)
        if header_octets > len(user_data):
            expected = f"a user data header of length {header_octets}"
            raise bad_octet(start, expected, f"the length of TP-UD is {len(user_data)}")
        header = read_header(user_data[1:header_octets])
        if user_data[:2] == b"\0\0":  # there ought to be a header, and zeros stand in its place
            header = header._replace(has_bad_concat=True)
    content = user_data[header_octets:]
    if not in_septets:
        return header, content
    header_septets, fill_bits = _in_septets(header_octets)
    return header, unpack_septets(content, length - header_septets, fill_bits)


def _in_septets(header_octets: int) -> tuple[int, int]:
    """Return how many septets a header takes, and the fill bits in the last of them (TS 23.040, 9.2.3.24)."""
    septets = (header_octets * 8 + 6) // 7
    return septets, septets * 7 - header_octets * 8


def read_header(octets: bytes) -> Header:
    """Return what information elements say (TS 23.040, 9.2.3.24), without the length before them.

    As the section demands: an unknown or faulty element is skipped, of two that exclude each other the last counts,
    and elements that do not fill the header exactly void it.
    """
    header, position = Header(), 0
    while position < len(octets):
        end = position + 2 + (octets[position + 1] if position + 1 < len(octets) else len(octets))
        if end > len(octets):
            return Header()
        header = _with_element(header, octets[position], octets[position + 2 : end])
        position = end
    return header


def _with_element(header: Header, identifier: int, value: bytes) -> Header:
    match identifier, len(value):
        case (0x00, 3) | (0x08, 4):  # concatenation (9.2.3.24.1 and 9.2.3.24.8)
            total, number = value[-2:]
            concat = Concat(int.from_bytes(value[:-2]), total, number, wide=identifier == 0x08)
            return header._replace(concat=concat) if 1 <= number <= total else header._replace(has_bad_concat=True)
        case (0x01, 2):  # special SMS message indication (9.2.3.24.2)
            return header._replace(is_waiting=True)
        case (0x04, 2) | (0x05, 4):  # application ports (9.2.3.24.3 and 9.2.3.24.4)
            half = len(value) // 2
            return header._replace(ports=(int.from_bytes(value[:half]), int.from_bytes(value[half:])))
        case 0x24, 1:  # national language single shift (9.2.3.24.15)
            return header._replace(shift=header.shift._replace(single=value[0]))
        case 0x25, 1:  # national language locking shift (9.2.3.24.16)
            return header._replace(shift=header.shift._replace(locking=value[0]))
    return header


def write_header(header: Header) -> bytes:
    """Return the elements of a header with their length before them, or nothing if there are none."""
    elements = b""
    if concat := header.concat:
        width = 2 if concat.wide else 1
        reference = (concat.reference % 256**width).to_bytes(width)
        elements += bytes((0x08 if concat.wide else 0x00, width + 2)) + reference
        elements += bytes((concat.total, concat.number))
    if header.ports:
        elements += b"\x05\x04" + b"".join(port.to_bytes(2) for port in header.ports)
    if header.shift.single:
        elements += bytes((0x24, 1, header.shift.single))
    if header.shift.locking:
        elements += bytes((0x25, 1, header.shift.locking))
    return bytes((len(elements),)) + elements if elements else b""


class Options(TypedDict, total=False):
    """What encode_deliver() may be told beyond sender, text and time.

    smsc: number of the SMSC; none by default.
    alphabet: "gsm7", "ucs2" or "8bit"; by default GSM 7-bit if it has every character, otherwise UCS-2.
    data: octets to send instead of a text, as 8-bit data.
    message_class: 0 (flash) to 3.
    reference, wide_reference: what a long message's parts have in common, modulo 256, or 65536 if wide.
    ports: destination and source, 16 bits each.
    language: whose single shift table to use (a key of LANGUAGES), and with `locking` its locking shift table too.
    split_at: cut after this many septets, UTF-16 units or octets, even within a character: to test receivers.
    """

    smsc: str | None
    alphabet: Literal["gsm7", "ucs2", "8bit"] | None
    data: bytes
    message_class: int | None
    reference: int
    wide_reference: bool
    ports: tuple[int, int] | None
    language: str | None
    locking: bool
    split_at: int | None


class UserDataPart(NamedTuple):
    """The user data of one SMS, ready for a PDU: TP-UDHI, TP-DCS and the octets from TP-UDL on."""

    has_header: bool
    dcs: int
    octets: bytes


class _Units(NamedTuple):
    """A whole message before it is cut: `units` are octets, or septets one to an octet."""

    alphabet: Alphabet
    shift: Shift
    units: bytes


def write_parts(text: str, options: Options) -> Iterator[UserDataPart]:
    """Yield the parts of a message, as few as will do. Raises BadRequest if `options` do not fit the text."""
    message = _units_of(text, options)
    message_class, ports = options.get("message_class"), options.get("ports")
    if message_class not in (None, 0, 1, 2, 3):
        raise BadRequest(f"{message_class!r} is no message class: give 0 (flash) to 3.")
    if ports and not all(0 <= port <= 0xFFFF for port in ports):
        raise BadRequest(f"{ports!r} are no ports: give two numbers up to 65535.")
    dcs = write_coding(message.alphabet, message_class)
    header = Header(ports=ports, shift=message.shift)
    pieces = _cut(message, header, options)
    for number, piece in enumerate(pieces, 1):
        if len(pieces) > 1:
            wide = options.get("wide_reference", False)
            header = header._replace(concat=Concat(options.get("reference", 0), len(pieces), number, wide))
        octets = write_header(header)
        yield UserDataPart(bool(octets), dcs, _with_length(octets, piece, message.alphabet))


def _units_of(text: str, options: Options) -> _Units:
    wanted = options.get("alphabet")
    if wanted not in (None, *Alphabet):
        raise BadRequest(f"{wanted!r} is no alphabet: give one of {', '.join(Alphabet)}.")
    alphabet = None if wanted is None else Alphabet(wanted)
    data = options.get("data")
    if data is not None or alphabet is Alphabet.EIGHT_BIT:
        if data is None or text or alphabet not in (None, Alphabet.EIGHT_BIT):
            raise BadRequest("8-bit data is sent as `data`, with an empty text and no other alphabet.")
        return _Units(Alphabet.EIGHT_BIT, Shift(), data)
    shift = _shift_of(options)
    septets = None if alphabet is Alphabet.UCS2 else find_septets(text, shift)
    if septets is not None:
        return _Units(Alphabet.GSM7, shift, septets)
    if alphabet is Alphabet.GSM7:
        raise BadRequest("The text has a character that GSM 7-bit lacks: choose another alphabet or language.")
    return _Units(Alphabet.UCS2, Shift(), text.encode("utf-16-be", "surrogatepass"))


def _shift_of(options: Options) -> Shift:
    language = options.get("language")
    if language is None:
        return Shift()
    if language not in LANGUAGES:
        raise BadRequest(f"{language!r} has no shift table: give one of {', '.join(LANGUAGES)}.")
    single = LANGUAGES[language]
    return Shift(single if options.get("locking") and single in LOCKING else 0, single)


def _cut(message: _Units, header: Header, options: Options) -> list[bytes]:
    """Return the units of each part: all of them if one SMS holds them, otherwise what fits beside a concatenation."""
    split_at = options.get("split_at")
    if split_at is None and len(message.units) <= _capacity(message.alphabet, header):
        return [message.units]
    concat = Concat(0, 1, 1, options.get("wide_reference", False))
    size = _capacity(message.alphabet, header._replace(concat=concat))
    if split_at is not None:
        wanted = split_at * (2 if message.alphabet is Alphabet.UCS2 else 1)
        if not 0 < wanted <= size:
            raise BadRequest(f"Cannot split at {split_at}: give 1 to what one SMS holds.")
        size = wanted
    pieces = []
    rest = message.units
    while rest:
        piece = rest[:size]
        if split_at is None and len(piece) < len(rest):
            piece = piece[: len(piece) - count_open(piece, message.alphabet)]
        pieces.append(piece)
        rest = rest[len(piece) :]
    if len(pieces) > _MAX_PARTS:
        raise BadRequest(f"The text needs {len(pieces)} parts; an SMS has at most {_MAX_PARTS}.")
    return pieces or [b""]


def _capacity(alphabet: Alphabet, header: Header) -> int:
    octets = _MAX_OCTETS - len(write_header(header))
    if alphabet is Alphabet.GSM7:
        return octets * 8 // 7
    return octets // 2 * 2 if alphabet is Alphabet.UCS2 else octets


def _with_length(header: bytes, piece: bytes, alphabet: Alphabet) -> bytes:
    """Return TP-UDL and TP-UD; the length counts septets in GSM 7-bit, otherwise octets (9.2.3.16)."""
    if alphabet is not Alphabet.GSM7:
        return bytes((len(header) + len(piece),)) + header + piece
    header_septets, fill_bits = _in_septets(len(header))
    return bytes((header_septets + len(piece),)) + header + pack_septets(piece, fill_bits)
